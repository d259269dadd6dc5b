"""Mermaid and PlantUML themselves draw the graph of a daemon that was sent hostile names: every node under its name, every
edge between its ends, and nothing that a name could have slipped in.

Needs `plantuml` (Debian's) and `node` with `npm`; installs what package.json pins into target/external-node.
"""

import json
import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import xml.etree.ElementTree as ET

from _hostile import Served, shown, star

HERE = pathlib.Path(__file__).resolve().parent
MODULES = HERE.parents[1] / "target/external-node"
SHAPES = {"service": "round", "database": "cylinder", "messaging": "subroutine"}
PLANTUML = ["plantuml", "-charset", "UTF-8"]
SVG, XLINK = "{http://www.w3.org/2000/svg}", "{http://www.w3.org/1999/xlink}"


def run(command, **more):
    done = subprocess.run(command, capture_output=True, check=False, timeout=240, **more)
    if done.returncode:
        raise SystemExit(f"{command[0]}: {done.returncode} {done.stdout.decode()[-2000:]} {done.stderr.decode()[-2000:]}")
    return done.stdout.decode()


def install_mermaid():
    """Once for each package.json."""
    MODULES.mkdir(parents=True, exist_ok=True)
    wanted, have = HERE / "package.json", MODULES / "installed.json"
    if not have.exists() or have.read_bytes() != wanted.read_bytes():
        shutil.copy(wanted, MODULES / "package.json")
        run(["npm", "install", "--ignore-scripts", "--no-audit", "--no-fund", "--silent"], cwd=MODULES)
        shutil.copy(wanted, have)
    shutil.copy(HERE / "_mermaid.mjs", MODULES / "mermaid.mjs")


def squeezed(text):
    """As a browser shows it: runs of spaces are one."""
    return re.sub(r"[ \t\n]+", " ", text).strip(" ")


def mermaid(what, texts):
    with tempfile.TemporaryDirectory() as folder:
        paths = [pathlib.Path(folder) / f"{number}.mmd" for number in range(len(texts))]
        for path, text in zip(paths, texts):
            path.write_text(text, encoding="utf-8", newline="")
        return json.loads(run(["node", "mermaid.mjs", what, *map(str, paths)], cwd=MODULES))


def check_mermaid(body, found):
    ids = {node["id"]: f"n{number}" for number, node in enumerate(body["nodes"])}
    assert found["type"].startswith("flowchart"), found["type"]
    for node in body["nodes"]:
        id = ids[node["id"]]
        label = found["nodeLabels"][id].replace("\u2060", "")
        assert squeezed(label) == squeezed(shown(node["name"])), (node["name"], label)
        assert found["shapes"][id] == SHAPES[node["type"]], (node, found["shapes"][id])
    ends = sorted(map(tuple, found["edges"]))
    assert ends == sorted((ids[e["client"]], ids[e["server"]]) for e in body["edges"])
    assert len(found["nodeLabels"]) == len(found["shapes"]) == len(ids)
    frames = {node["namespace"] for node in body["nodes"] if node["namespace"]}
    assert sorted(map(squeezed, (f.replace("\u2060", "") for f in found["frameLabels"]))) == sorted(squeezed(shown(f)) for f in frames)
    assert not found["markup"], found["markup"]
    print(f"mermaid: draws {len(ids)} nodes in {len(frames)} namespaces and {len(ends)} edges, no markup")


def check_largest():
    """A graph beyond Mermaid's limits comes as a text that it takes, and the title says that it is a part."""
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "star.jsonl"
        path.write_text(json.dumps(star(1_000)))
        command = [os.environ["SPANGRAPH_BIN"], "replay", str(path), "--format=mermaid", "--query"]
        texts = [run([*command, f"label={label}"]) for label in ("none", "calls,rate,failed,p50,p90,p95,p99")]
    for text, found in zip(texts, mermaid("parse", texts)):
        assert found["length"] <= found["maxTextSize"] and 100 < len(found["edges"]) <= found["maxEdges"]
        assert f": the busiest {len(found['edges'])} of 1000 edges, " in text.split("\n")[1], text[:200]
        print(f"mermaid: takes {len(found['edges'])} of 1000 edges in {found['length']} characters")


def check_plantuml(body, text):
    svg = ET.fromstring(run([*PLANTUML, "-pipe", "-tsvg"], input=text.encode()))
    texts = [(t.text or "").replace("\u00a0", " ") for t in svg.iter(f"{SVG}text")]
    # A line of several scripts or with wide gaps comes in pieces.
    everything = "".join(texts).replace(" ", "")
    for node in body["nodes"]:
        assert squeezed(shown(node["name"])).replace(" ", "") in everything, node["name"]
    tags = {element.tag.removeprefix(SVG) for element in svg.iter()}
    assert tags <= {"svg", "defs", "g", "rect", "text", "path", "polygon", "ellipse", "line"}, tags
    assert not [e for e in svg.iter() if e.get(f"{XLINK}href") or e.get("href")]
    edges = [e for e in svg.iter(f"{SVG}path") if e.get("id")]
    assert len(edges) == len(body["edges"]), (len(edges), len(body["edges"]))
    print(f"plantuml: draws {len(body['nodes'])} nodes and {len(edges)} edges, no link")


def main():
    install_mermaid()
    with Served() as served:
        looks = ["", "?theme=dark&rankdir=TB&label=calls,p50", "?label=none&rankdir=RL"]
        for found in mermaid("draw", [served.text(f"/api/v1/topology.mmd{look}") for look in looks]):
            check_mermaid(served.body, found)
        for look in looks:
            told = run([*PLANTUML, "-syntax"], input=served.text(f"/api/v1/topology.puml{look}").encode())
            assert told.startswith("DESCRIPTION\n"), (look, told)
        check_plantuml(served.body, served.text("/api/v1/topology.puml"))
    check_largest()


if __name__ == "__main__":
    main()
