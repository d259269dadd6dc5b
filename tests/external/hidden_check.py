"""What filters took away is told by every format: in the head of each answer, and where the format has room in what its
real consumer reads: Graphviz, Mermaid, PlantUML, networkx, an XML parser.
"""

import io
import json
import subprocess
import urllib.request
import xml.etree.ElementTree as ET

import networkx

from _hostile import Served
from drawings_check import PLANTUML, SVG, install_mermaid, mermaid, run

WAYS = {
    "topology": ["json", "dot", "svg", "mermaid", "plantuml", "graphml", "node-link", "csv"],
    "nodes": ["json", "csv", "grafana"],
    "edges": ["json", "csv", "grafana"],
}
QUERIES = ("top=3", "service=*%3D*", "focus=front/root&up=0&down=1&min_calls=40", "namespace=nowhere", "")


def told(served, path):
    """The field's value as numbers, and the body."""
    url = f"http://{served.daemon.api}{path}&window=10m&at={served.at}"
    with urllib.request.urlopen(url, timeout=10) as reply:
        field = reply.headers["spangraph-hidden"]
        return {key: int(count) for key, count in (member.split("=") for member in field.split(", "))}, reply.read()


def counted(n, word):
    return f"{n} {word}" + ("" if n == 1 else "s")


def words(hidden):
    if not any(hidden.values()):
        return ""
    return "hidden by filters: " + ", ".join(counted(hidden[f"{word}s"], word) for word in ("node", "edge", "call"))


def drawn_by_dot(text):
    done = subprocess.run(["dot", "-Tdot_json"], input=text, capture_output=True, check=True, timeout=60)
    return json.loads(done.stdout, strict=False)["label"]


def drawn_by_plantuml(text):
    svg = ET.fromstring(run([*PLANTUML, "-pipe", "-tsvg"], input=text))
    return " ".join((t.text or "").replace("\u00a0", " ") for t in svg.iter(f"{SVG}text"))


def check(served, query):
    hidden = json.loads(told(served, f"/api/v1/topology?{query}")[1])["hidden"]
    bodies = {}
    for view, formats in WAYS.items():
        for form in formats:
            field, bodies[view, form] = told(served, f"/api/v1/{view}?format={form}&{query}")
            assert field == hidden, (view, form, field, hidden)
    if not any(hidden.values()):
        assert not [way for way, body in bodies.items() if b"hidden by filters" in body]
    graph = {form: bodies["topology", form] for form in WAYS["topology"]}
    found = networkx.read_graphml(io.BytesIO(graph["graphml"]))
    assert {word: found.graph[f"hidden_{word}"] for word in hidden} == hidden, found.graph
    assert networkx.node_link_graph(json.loads(graph["node-link"])).graph["hidden"] == hidden
    assert words(hidden) in drawn_by_dot(graph["dot"])
    assert words(hidden) in ET.fromstring(graph["svg"]).find(f"{SVG}title").text
    if json.loads(graph["json"])["nodes"]:
        assert words(hidden) in drawn_by_plantuml(graph["plantuml"])
    print(f"?{query}: {words(hidden) or 'nothing hidden'}, told {len(bodies)} ways")
    return words(hidden), graph["mermaid"].decode()


def main():
    install_mermaid()
    with Served() as served:
        checked = [check(served, query) for query in QUERIES]
    expected, texts = zip(*[pair for pair in checked if "-->" in pair[1]])
    for title, found in zip(expected, mermaid("draw", list(texts))):
        assert title in found["title"], (title, found["title"])
    print(f"mermaid: {len(texts)} titles")


main()
