#!/usr/bin/env python3
"""The daemon's SVG and its layout before real consumers: an XML parser, librsvg, Graphviz' `neato -n`.

Services with hostile names send real OTLP. Every picture must parse, hold every node and edge once, be made of nothing
that could run, fetch or restyle, and render without a complaint. A service that comes later moves no other, and
`neato -n` draws nodes exactly where the daemon put them.
"""

import json
import re
import shutil
import struct
import subprocess
import sys
import urllib.request
import xml.etree.ElementTree as ET

from _daemon import Daemon, until

SVG = "{http://www.w3.org/2000/svg}"
ELEMENTS = {"svg", "title", "rect", "text", "tspan", "g", "path", "circle"}
HOSTILE = [
    "</title></svg><script>alert(1)</script>",
    "\"><image href='http://example.com/x.png'/>",
    "]]> <!-- --> <![CDATA[ <?php ?>",
    "&lt;&amp;&#x202e;&nbsp;",
    "javascript:alert(1)",
    "url(http://example.com)",
    "line\nbreak\tand\rmore",
    "nul\u0000 bell\u0007 escape\u001b[31m",
    "not\ufffe a\uffff character",
    "right \u202egnp.exe",
    "שלום עולם",
    "支付服务支付服务支付服务支付服务",
    "emoji 🦀 👩‍💻",
    "e" + "\u0301" * 60,
    "\ufdfd" * 30,
    "W" * 200,
    "back\\slash 'quote' \"double\"",
]
NAMESPACE = "team <b>&\"one\"</b>"


def attribute(key, value):
    return {"key": key, "value": {"stringValue": value}}


def spans_of(service, spans):
    resource = [attribute("service.name", service), attribute("service.namespace", NAMESPACE), attribute("telemetry.sdk.name", "opentelemetry")]
    return {"resource": {"attributes": resource}, "scopeSpans": [{"spans": spans}]}


def call(server, trace, failed=False):
    """One call entrance -> server, both halves, and one of the server to its store."""
    ids = [f"{trace * 10 + n:016x}" for n in (1, 2, 3)]
    half = {"traceId": f"{trace:032x}", "startTimeUnixNano": "1000000000", "endTimeUnixNano": "1031000000"}
    status = {"code": 2} if failed else {}
    client = {**half, "spanId": ids[0], "name": "call", "kind": 3, "status": status}
    serve = {**half, "spanId": ids[1], "parentSpanId": ids[0], "name": "serve", "kind": 2, "status": status}
    query = {**half, "spanId": ids[2], "parentSpanId": ids[1], "name": "SELECT", "kind": 3,
             "attributes": [attribute("db.system.name", "postgresql"), attribute("server.address", f"db{trace % 3}")]}
    return [spans_of("entrance", [client]), spans_of(server, [serve, query])]


def send(daemon, calls):
    body = json.dumps({"resourceSpans": [part for parts in calls for part in parts]}).encode()
    request = urllib.request.Request(f"http://{daemon.http}/v1/traces", body, {"content-type": "application/json"})
    with urllib.request.urlopen(request, timeout=10) as reply:
        assert reply.status == 200, reply.status


def graph(daemon, names):
    """The graph with layout, once all of `names` are in it and every span has its outcome."""
    def ready():
        status, body = daemon.get("/api/v1/topology?window=10m&include=layout")
        if status != 200:
            return None
        found = json.loads(body)
        whole = {node["name"] for node in found["nodes"]} >= set(names) and found["law"]["pending_after"] == 0
        return found if whole else None
    return until(ready, 20, lambda: f"never whole: {len(daemon.topology()['nodes'])} nodes")


def storable(c):
    return ord(c) >= 0x20 and c not in "\ufffe\uffff" or c in "\t\n\r"


def in_xml(text):
    return "".join(c if storable(c) else "".join(f"%{byte:02X}" for byte in c.encode()) for c in text)


def check_inert(svg):
    for element in svg.iter():
        assert element.tag.removeprefix(SVG) in ELEMENTS, element.tag
        for name, value in element.attrib.items():
            assert not name.startswith("on") and "href" not in name and name != "style", (name, value)
            assert name == "data-id" or "url(" not in value and ":" not in value, (name, value)


def render(text):
    done = subprocess.run(["rsvg-convert"], input=text, capture_output=True, check=False, timeout=60)
    assert done.returncode == 0 and not done.stderr, done.stderr.decode()
    assert done.stdout.startswith(b"\x89PNG")
    return struct.unpack(">II", done.stdout[16:24])


def check_picture(daemon, expected, look):
    path = f"/api/v1/topology.svg?window=10m&{look}"
    with urllib.request.urlopen(f"http://{daemon.api}{path}", timeout=10) as reply:
        assert reply.headers["content-type"] == "image/svg+xml", reply.headers
        assert "default-src 'none'" in reply.headers["content-security-policy"]
        text = reply.read()
    svg = ET.fromstring(text)
    check_inert(svg)
    ids = [element.get("data-id") for element in svg.iter() if element.get("data-id")]
    assert sorted(ids) == sorted(expected), set(ids) ^ set(expected)
    size = render(text)
    assert size == (int(svg.get("width")), int(svg.get("height"))), size
    return size


def places(found):
    return {node["id"]: (node["layout"]["x"], node["layout"]["y"]) for node in found["nodes"]}


def check_neato(daemon, expected):
    _, dot = daemon.get("/api/v1/topology.dot?window=10m&include=layout")
    # As the text itself says, but in a format that can be read back.
    command = re.match(rb"// .*: (neato .*) -Tsvg keeps the places", dot)[1].decode().split()
    done = subprocess.run([*command, "-Tdot_json"], input=dot, capture_output=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr.decode()
    objects = json.loads(done.stdout, strict=False)["objects"]
    drawn = sorted(tuple(map(float, o["pos"].split(","))) for o in objects if "pos" in o)
    # Graphviz counts upwards, and may shift the whole.
    wanted = sorted((x, -y) for x, y in expected.values())
    shift = (drawn[0][0] - wanted[0][0], drawn[0][1] - wanted[0][1])
    moved = [(x + shift[0], y + shift[1]) for x, y in wanted]
    assert len(drawn) == len(moved)
    for (x, y), (right, up) in zip(drawn, moved):
        assert abs(x - right) < 0.01 and abs(y - up) < 0.01, (x, y, right, up)


def main():
    for tool in ("rsvg-convert", "neato"):
        if not shutil.which(tool):
            sys.exit(f"{tool} is missing: install librsvg2-bin and graphviz")
    with Daemon() as daemon:
        send(daemon, [call(name, at + 1, failed=at % 4 == 0) for at, name in enumerate(HOSTILE)])
        before = graph(daemon, HOSTILE)
        expected = [in_xml(node["id"]) for node in before["nodes"]] + [edge["id"] for edge in before["edges"]]
        for rankdir in ("LR", "TB", "RL", "BT"):
            for theme in ("light", "dark"):
                size = check_picture(daemon, expected, f"rankdir={rankdir}&theme={theme}")
                print(f"{rankdir} {theme}: {len(expected)} elements in {size[0]} x {size[1]} pixels")
        check_neato(daemon, places(before))
        print(f"neato -n: {len(before['nodes'])} nodes stay where they were put")
        send(daemon, [call("newcomer", 1000)])
        after = graph(daemon, [*HOSTILE, "newcomer"])
        assert after["layout_epoch"] == before["layout_epoch"]
        then, now = places(before), places(after)
        moved = [node for node in then if then[node] != now[node]]
        assert not moved and len(set(now.values())) == len(now), moved
        print(f"one more service: {len(then)} nodes stay where they were")


if __name__ == "__main__":
    main()
