#!/usr/bin/env python3
"""Draws hostile names with the real Graphviz and reads them back.

Usage: dot_roundtrip.py [FILE.dot...]

Without arguments it reads tests/golden/hostile.dot, which a Rust test holds equal to what is drawn. Each file must hold, as `// expect` comments, one JSON object per node: {"id": ..., "shows": ...}. The graph that
`dot -Tdot_json` reads must have exactly those ids, and `dot -Tsvg` must show exactly those first label lines, be
well-formed XML, and hold no link.
"""

import json
import pathlib
import subprocess
import sys
import xml.etree.ElementTree as ET

SVG = "{http://www.w3.org/2000/svg}"


def run(form, text):
    done = subprocess.run(["dot", f"-T{form}"], input=text.encode(), capture_output=True, check=False, timeout=60)
    if done.returncode or done.stderr:
        raise SystemExit(f"dot -T{form}: {done.returncode} {done.stderr.decode(errors='replace')}")
    return done.stdout.decode()


def check(name, text):
    expected = [json.loads(line[len("// expect "):]) for line in text.split("\n") if line.startswith("// expect ")]
    if not expected:
        raise SystemExit(f"{name}: nothing expected")
    # strict=False: Graphviz writes some characters raw into its JSON strings.
    objects = json.loads(run("dot_json", text), strict=False).get("objects", [])
    ids = sorted(o["name"] for o in objects if "nodes" not in o and "subgraphs" not in o)
    assert ids == sorted(e["id"] for e in expected), (name, ids)
    svg = ET.fromstring(run("svg", text))
    shown = []
    for group in svg.iter(f"{SVG}g"):
        if group.get("class") == "node":
            lines = [t.text or "" for t in group.iter(f"{SVG}text")]
            shown.append(lines[0] if lines else "")
    clean = lambda s: s.replace("\u00a0", " ")
    assert sorted(map(clean, shown)) == sorted(clean(e["shows"]) for e in expected), (name, shown)
    links = [e for e in svg.iter() for key in e.attrib if key.endswith("href") and not e.tag.endswith("}a")]
    anchors = [e.get("{http://www.w3.org/1999/xlink}href") for e in svg.iter(f"{SVG}a")]
    assert not links and not any(anchors), (name, links, anchors)
    print(f"{name}: {len(expected)} nodes survive")


def main():
    golden = pathlib.Path(__file__).parent.parent / "golden" / "hostile.dot"
    for path in sys.argv[1:] or [golden]:
        with open(path, encoding="utf-8", newline="") as file:
            check(path, file.read())


if __name__ == "__main__":
    main()
