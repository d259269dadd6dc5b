#!/usr/bin/env python3
"""A file export becomes a picture in one line: `spangraph replay traces.jsonl --format dot | dot -Tsvg`, from the file and from a pipe."""

import html
import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TRACES = ROOT / "tests/data/traces.jsonl"
SERVICES = ["storefront", "checkout", "catalog", "payments", "shipping", "mailer", "orders-db", "api.cards.example"]


def picture(line: str) -> str:
    environment = {**os.environ, "BIN": os.environ["SPANGRAPH_BIN"], "TRACES": str(TRACES)}
    done = subprocess.run(["bash", "-o", "pipefail", "-c", line], env=environment, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        sys.exit(f"{line}\nended with {done.returncode}: {done.stderr}")
    return done.stdout


def main() -> None:
    svg = picture('"$BIN" replay "$TRACES" --format dot | dot -Tsvg')
    if svg != picture('cat "$TRACES" | "$BIN" replay - --format dot | dot -Tsvg'):
        sys.exit("the picture depends on how the file is read")
    shown = [html.unescape(text) for text in re.findall(r"<text[^>]*>([^<]*)</text>", svg)]
    missing = [name for name in SERVICES if name not in shown]
    if missing:
        sys.exit(f"not in the picture: {missing}")
    edges = svg.count('class="edge"')
    if edges != 10:
        sys.exit(f"{edges} edges are drawn, not 10")
    # Whoever reads the output may have enough of it.
    if "digraph" not in picture('set +o pipefail; "$BIN" replay "$TRACES" --format dot | head -1'):
        sys.exit("a closed pipe is an error")


main()
