"""networkx and pandas read the graph of a daemon that was sent hostile names, and find what JSON says: every node, edge,
call and name. And Grafana's arrays are what its Node Graph panel takes.
"""

import csv
import io
import json
import math
import urllib.parse

import networkx
import pandas

from _hostile import NAMES, Served, control, forbidden, shown


def as_sent(text):
    """node-link holds everything."""
    return text


def in_xml(text):
    """A text as XML holds it."""
    return shown(text, forbidden)


def id_in_xml(id):
    """Ids hold no controls; the rest of what XML forbids is percent-encoded."""
    return "".join(urllib.parse.quote(c) if forbidden(c) else c for c in id)


def in_table(text):
    """A text as a table holds it."""
    return shown(text, control)


def check_graph(name, graph, body, id, text):
    """The same nodes and edges, with the same calls, failures and names."""
    assert set(graph.nodes) == {id(node["id"]) for node in body["nodes"]}, name
    for node in body["nodes"]:
        found = graph.nodes[id(node["id"])]
        expected = {field: node[field] for field in ("type", "calls", "failed")} | {"name": text(node["name"])}
        for field, value in expected.items():
            assert found[field] == value, (name, node["id"], field, found[field])
    ends = sorted((u, v, data["calls"], data["failed"]) for u, v, data in graph.edges(data=True))
    assert ends == sorted((id(e["client"]), id(e["server"]), e["calls"], e["failed"]) for e in body["edges"]), name
    print(f"{name}: networkx finds all {len(graph.nodes)} nodes and {len(ends)} edges")


def check_node_link(served):
    data = json.loads(served.get("/api/v1/topology?format=node-link"))
    graph = networkx.node_link_graph(data)
    assert graph.is_directed() and graph.is_multigraph()
    check_graph("node-link", graph, served.body, as_sent, as_sent)
    assert graph.graph["law"] == served.body["law"]
    keys = {(u, v, key) for u, v, key in graph.edges(keys=True)}
    assert keys == {(e["client"], e["server"], e["connection_type"]) for e in served.body["edges"]}


def check_graphml(served):
    graph = networkx.read_graphml(io.BytesIO(served.get("/api/v1/topology.graphml")))
    assert graph.is_directed()
    check_graph("graphml", graph, served.body, id_in_xml, in_xml)
    assert graph.graph["window_end"] == served.body["window"]["end"]
    for node in served.body["nodes"]:
        if node["latency"]:
            assert graph.nodes[id_in_xml(node["id"])]["p95_ms"] == node["latency"]["p95_ms"]


def plain(cell):
    """A cell without the quote that says "this is text"."""
    formula = tuple("=+-@\t\r\n＝＋－＠")
    assert not cell.startswith(formula), f"{cell!r} runs"
    return cell[1:] if cell.startswith("'") and cell.lstrip("'").startswith(formula) else cell


def check_csv(served):
    for kind, path in (("nodes", "/api/v1/nodes.csv"), ("edges", "/api/v1/edges.csv"), ("edges", "/api/v1/topology.csv")):
        text = served.get(path)
        frame = pandas.read_csv(io.BytesIO(text), keep_default_na=False, na_values=[""], dtype={"id": str, "name": str, "namespace": str})
        expected = served.body[kind]
        assert [plain(cell) for cell in frame["id"]] == [element["id"] for element in expected]
        assert list(frame["calls"]) == [element["calls"] for element in expected]
        assert math.fsum(frame["rate_per_s"].dropna()) == math.fsum(e["rate_per_s"] for e in expected if e["rate_per_s"])
        rows = list(csv.DictReader(io.StringIO(text.decode(), newline=""), strict=True))
        assert len(rows) == len(expected) == len(frame)
        texts = ("id", "name", "namespace") if kind == "nodes" else ("id", "client", "server")
        for row, element in zip(rows, expected):
            assert all(plain(row[t]) == in_table(element[t] or "") for t in texts), (row, element)
        for column in ("name", "namespace") if kind == "nodes" else ("client", "server"):
            assert [plain(c) if isinstance(c, str) else None for c in frame[column]] == [
                None if e[column] is None else in_table(e[column]) for e in expected]
        print(f"{path}: pandas and Python's csv read all {len(rows)} rows")
    latency = frame.loc[frame["connection_type"].isna(), "client_p95_ms"]
    assert (latency.round(6) > 0).all() and len(latency) == len(NAMES)


def check_grafana(served):
    """What the panel does with the two frames (public/app/plugins/panel/nodeGraph/utils.ts): it looks names up in lower
    case, draws one node an id, and throws at an edge whose end is no node."""
    nodes = json.loads(served.get("/api/v1/nodes?format=grafana"))
    edges = json.loads(served.get("/api/v1/edges?format=grafana"))
    by_id = {node["id"]: node for node in nodes}
    assert len(by_id) == len(nodes) == len(served.body["nodes"]) and len(edges) == len(served.body["edges"])
    for node in served.body["nodes"]:
        assert by_id[node["id"]]["title"] == node["name"]
    for record in nodes + edges:
        assert all(key == key.lower() for key in record)
        for key, value in record.items():
            assert value is None or isinstance(value, (str, int, float)), (key, value)
    for node in nodes:
        arcs = [value for key, value in node.items() if key.startswith("arc__") and not key.endswith("_color")]
        assert math.isclose(sum(arcs), 1) and all(0 <= arc <= 1 for arc in arcs), node
        assert all(f"{key}_color" in node for key in node if key.startswith("arc__") and not key.endswith("_color"))
    for edge in edges:
        assert edge["source"] in by_id and edge["target"] in by_id
        assert edge["thickness"] > 0
    for records in (nodes, edges):
        assert len({tuple(record) for record in records}) == 1, "columns differ between records"
    print(f"grafana: {len(nodes)} nodes and {len(edges)} edges in the panel's shape")


def check_filters(served):
    """Both ends of every edge are nodes under every filter, in all three."""
    for query in ("top=3", "min_calls=40", "type=database", "health=problems", "service=*%3D*", "group_by=namespace"):
        nodes = json.loads(served.get(f"/api/v1/nodes?format=grafana&{query}"))
        edges = json.loads(served.get(f"/api/v1/edges?format=grafana&{query}"))
        ids = {node["id"] for node in nodes}
        assert all(edge["source"] in ids and edge["target"] in ids for edge in edges), query
        graph = networkx.read_graphml(io.BytesIO(served.get(f"/api/v1/topology.graphml?{query}")))
        assert set(graph.nodes) == set(map(id_in_xml, ids)) and len(graph.edges) == len(edges), query


def check_ways(served):
    """Suffix, parameter and Accept give the same bytes."""
    for media, name, suffix in (("text/csv", "csv", "csv"), ("application/graphml+xml", "graphml", "graphml"),
                                ("text/vnd.mermaid", "mermaid", "mmd"), ("text/x-plantuml", "plantuml", "puml")):
        by_accept = served.get("/api/v1/topology", accept=media)
        assert by_accept == served.get(f"/api/v1/topology?format={name}") == served.get(f"/api/v1/topology.{suffix}"), name


def main():
    with Served() as served:
        check_node_link(served)
        check_graphml(served)
        check_csv(served)
        check_grafana(served)
        check_filters(served)
        check_ways(served)


main()
