#!/usr/bin/env python3
"""The daemon against its own description: OpenAPI 3.1, JSON Schema, and schemathesis.

Examples and live answers must validate against the schemas of the document that the daemon serves; events of the stream
too; and schemathesis, which invents requests right and wrong for every route, must find no answer that the document does
not describe.
"""

import http.client
import json
import os
import pathlib
import subprocess
import urllib.parse

from jsonschema import Draft202012Validator
from openapi_spec_validator import validate as validate_document

from _daemon import Daemon, until

# Requests besides the plain ones; every element is asked one by one as well.
ASKED = [
    "/compat/zipkin/api/v2/dependencies?endTs=4102444800000&lookback=4102444800000",
    "/compat/jaeger/api/dependencies?service=shop%2Fweb",
    "/api/v1/topology?include=histograms,exemplars&quantiles=0.5,0.999",
    "/api/v1/topology?focus=shop/web&up=0&down=2",
    "/api/v1/topology?group_by=namespace&health=problems",
    "/api/v1/topology?type=database,virtual_node&min_calls=1&top=3",
    "/api/v1/topology?at=-1s&window=1h30m&exclude=*/web",
    "/api/v1/nodes?include=histograms",
    "/api/v1/edges?include=histograms,exemplars",
    "/api/v1/services?namespace=sh*",
    "/api/v1/unpaired?service=shop/*",
    "/api/v1/diff?base=now&include=same&quantiles=0.5,0.999",
    "/api/v1/diff.dot?base=now&theme=dark",
    "/api/v1/diff.mmd?base=now&rankdir=TB",
    "/api/v1/diff.svg?base=now&include=same",
]
# Requests that are wrong, with the status they have.
WRONG = [
    ("/api/v1/topology?widnow=5m", 400),
    ("/api/v1/topology?at=1", 410),
    ("/api/v1/node?id=nobody", 404),
    ("/api/v1/edge", 400),
    ("/nowhere", 404),
]
# A stream has no end that could be waited for; it is read below.
ENDLESS = "/api/v1/stream"


class Document:
    """What the daemon serves, and validators of its parts."""

    def __init__(self, text):
        self.whole = json.loads(text)
        validate_document(self.whole)

    def check(self, schema, value, what):
        whole = {"components": self.whole["components"], "allOf": [schema]}
        errors = sorted(Draft202012Validator(whole).iter_errors(value), key=lambda e: list(e.absolute_path))
        if errors:
            error = errors[0]
            raise SystemExit(f"{what}: {error.json_path}: {error.message[:500]}")

    def named(self, name, value, what):
        self.check({"$ref": f"#/components/schemas/{name}"}, value, what)

    def response(self, path, status):
        response = self.whole["paths"][path]["get"]["responses"][str(status)]
        if "$ref" in response:
            response = self.whole["components"]["responses"][response["$ref"].rsplit("/", 1)[1]]
        return response

    def answer(self, path, status, media, body, what):
        """Holds an answer to the schema that its path, status and media type have."""
        content = self.response(path, status)["content"]
        assert media in content, (what, media, list(content))
        value = json.loads(body) if media.endswith("json") else body.decode()
        self.check(content[media]["schema"], value, what)


def spans(trace, failed):
    """One visit: user, web, cart, a database, a queue, and a call that nobody answers."""
    def span(service, name, kind, own, parent, **attributes):
        return {
            "resource": {"attributes": [text("service.name", service), text("service.namespace", "shop")]},
            "scopeSpans": [{"spans": [{
                "traceId": f"{trace:032x}", "spanId": f"{trace:08x}{own:08x}",
                "parentSpanId": f"{trace:08x}{parent:08x}" if parent else "",
                "name": name, "kind": kind, "flags": 768,
                "startTimeUnixNano": "1000000000", "endTimeUnixNano": str(1_000_000_000 + own * 3_000_000),
                "attributes": [text(key.replace("__", "."), value) for key, value in attributes.items()],
                "status": {"code": 2 if failed else 0},
            }]}],
        }
    return [
        span("web", "GET /", 2, 1, 0), span("web", "GET", 3, 2, 1),
        span("cart", "GET /cart", 2, 3, 2, http__request__method="GET"),
        span("cart", "SELECT", 3, 4, 3, db__system__name="postgresql", server__address="carts-db"),
        span("cart", "orders send", 4, 5, 3, messaging__system="kafka", messaging__destination__name="orders"),
        span("mailer", "orders process", 5, 6, 5, messaging__system="kafka", messaging__destination__name="orders"),
        span("web", "GET", 3, 7, 1),
        span("stray", "GET /lost", 2, 8, 77),
    ]


def text(key, value):
    return {"key": key, "value": {"stringValue": value}}


def send(daemon, traces):
    batch = [span for trace in traces for span in spans(trace, failed=trace % 9 == 0)]
    connection = http.client.HTTPConnection(daemon.http, timeout=10)
    connection.request("POST", "/v1/traces", json.dumps({"resourceSpans": batch}), {"Content-Type": "application/json"})
    answer = connection.getresponse()
    assert (answer.status, answer.read()) == (200, b"{}"), answer.status


def ask(daemon, path):
    connection = http.client.HTTPConnection(daemon.api, timeout=10)
    connection.request("GET", path)
    answer = connection.getresponse()
    return answer.status, answer.getheader("Content-Type"), answer.read()


def full_graph(daemon):
    """A graph with something of everything, once it is there."""
    def found():
        graph = daemon.topology() or {"nodes": [], "edges": []}
        unpaired = json.loads(daemon.get("/api/v1/unpaired")[1]).get("rows", [])
        ids = {node["id"] for node in graph["nodes"]}
        wanted = {"shop/web", "shop/cart", "shop/mailer", "shop/stray", "database:carts-db", "user:user"}
        return graph if wanted <= ids and len(unpaired) >= 2 else None
    return until(found, 30, lambda: f"not all there: {daemon.topology()}")


def check_examples(document):
    checked = 0
    for path, operation in document.whole["paths"].items():
        for status, response in operation["get"]["responses"].items():
            for content in response.get("content", {}).values():
                for example in content.get("examples", {}).values():
                    example = document.whole["components"]["examples"][example["$ref"].rsplit("/", 1)[1]]
                    document.check(content["schema"], example["value"], f"example of {path} {status}")
                    checked += 1
    assert checked >= 8, checked
    print(f"{checked} examples validate")


def check_live(document, daemon, graph):
    # A young daemon does not hold the window before the newest, which a plain diff would need.
    demanding = (ENDLESS, "/ui", "/ui/{file}", "/api/v1/node", "/api/v1/edge", "/compat/zipkin/api/v2/dependencies")
    plain = [path for path in document.whole["paths"] if path not in demanding]
    plain = [path for path in plain if not path.startswith("/api/v1/diff")]
    elements = [f"/api/v1/node?id={urllib.parse.quote(node['id'])}" for node in graph["nodes"]]
    elements += [f"/api/v1/edge?id={edge['id']}" for edge in graph["edges"]]
    for request in plain + ASKED + elements:
        status, media, body = ask(daemon, request)
        assert status == 200, (request, status, body[:300])
        document.answer(request.split("?")[0], 200, media, body, request)
    for request, wanted in WRONG:
        status, media, body = ask(daemon, request)
        assert (status, media) == (wanted, "application/problem+json"), (request, status, media)
        document.named("Problem", json.loads(body), request)
    print(f"{len(plain + ASKED + elements)} live answers and {len(WRONG)} problems validate")


def check_strict(document):
    """A schema that took anything would make the rest worthless: each spoilt example must be refused."""
    node = document.whole["components"]["examples"]["node"]["value"]
    for spoil in [
        lambda body: body.pop("history"),
        lambda body: body.update(extra=1),
        lambda body: body["node"].update(calls=-1),
        lambda body: body["node"].update(calls="90"),
        lambda body: body["node"]["latency"].update(p50=1) if body["node"]["latency"] else body["node"].update(latency={}),
        lambda body: body["window"].update(end="yesterday"),
        lambda body: body["incoming"][0].update(id="x"),
    ]:
        body = json.loads(json.dumps(node))
        spoil(body)
        try:
            document.named("NodeAnswer", body, "spoilt")
        except SystemExit:
            continue
        raise SystemExit(f"a spoilt answer validates: {body}")
    print("7 spoilt answers are refused")


def check_stream(document, daemon, traces):
    connection = http.client.HTTPConnection(daemon.api, timeout=20)
    connection.request("GET", ENDLESS + "?every=1s&window=1m", headers={"Accept": "text/event-stream"})
    answer = connection.getresponse()
    assert (answer.status, answer.getheader("Content-Type")) == (200, "text/event-stream"), answer.status
    seen, event = [], None
    while seen.count("delta") < 3:
        send(daemon, [next(traces)])
        line = answer.readline().decode().rstrip("\n")
        if line.startswith("event: "):
            event = line[7:]
        elif line.startswith("data: "):
            shape = {"snapshot": "Topology", "delta": "Delta"}[event]
            document.named(shape, json.loads(line[6:]), event)
            seen.append(event)
    assert seen[0] == "snapshot", seen
    connection.close()
    print(f"events validate: {seen}")


def check_invented(daemon):
    """schemathesis, with every check it has; the same requests each time unless SCHEMATHESIS_SEED says otherwise."""
    settings = pathlib.Path(__file__).with_name("openapi_check.toml")
    command = [
        "schemathesis", "--config-file", str(settings), "run", f"http://{daemon.api}/api/v1/openapi.json",
        "--exclude-path", ENDLESS, "--max-examples", os.environ.get("SCHEMATHESIS_EXAMPLES", "15"),
        "--seed", os.environ.get("SCHEMATHESIS_SEED", "1"),
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=280, check=False)
    if done.returncode:
        raise SystemExit(done.stdout[-8000:] + done.stderr[-2000:])
    print("\n".join(line for line in done.stdout.splitlines() if "generated," in line))


def main():
    traces = iter(range(1, 1 << 30))
    with Daemon() as daemon:
        send(daemon, [next(traces) for _ in range(20)])
        graph = full_graph(daemon)
        status, _, body = ask(daemon, "/api/v1/openapi.json")
        assert status == 200, status
        document = Document(body)
        check_examples(document)
        check_strict(document)
        check_live(document, daemon, graph)
        check_stream(document, daemon, traces)
        check_invented(daemon)
        assert daemon.process.poll() is None, "it died"
        assert daemon.stop() == 0


if __name__ == "__main__":
    main()
