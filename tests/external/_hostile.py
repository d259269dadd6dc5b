"""Names that break formats, and a daemon whose graph bears them all, sent as real OTLP."""

import json
import secrets
import time
import urllib.request

from _daemon import Daemon, until

NAMES = [
    "plain", "orders-db.v2_x", 'say "hi"', "it's", "back\\slash", "trailing\\", "line\nbreak", "\r\ncarriage", "tab\there", "nul\0byte",
    "escape\x1b[31m", "c1\x9bcontrol", "\u202egnp.exe", "שלום עולם", "مرحبا", "emoji 🦀 👩\u200d💻", "non\uffffcharacter", "\ue000private\ue100use",
    "</script><script>alert(1)</script>", "<img src=x onerror=alert(1)>", "<b>bold</b>", "&lt;entity&amp;", "#60;#quot;", "<U+0041>",
    "=cmd|' /C calc'!A0", "'=1+1", "''-2", "'quoted'", "+1", "-1", "@SUM(1)", "＝1", "%date()", "%%{init: {}}%%", "!include /etc/passwd",
    "[[http://evil.example link]]", "[x](javascript:alert(1))", "javascript:alert(1)", "http://evil.example/", "**b** //s// __u__ --s--",
    "`code`", "1. item", "- item", "# heading", "$$$x^2$$$$", "fa:fa-user", "ﬂ°°60¶ß", "end", "graph", "class", "subgraph", "node", "default",
    "@enduml", "@startuml", 'a"]; b --> c', ":::failing", "n0", "NULL", "NA", "nan", "true", "0123", "1e5", "a,b;c|d", "{{x}}", "~x~", "..", "--", "==", "__",
    "\\N\\l", "long" + 126 * '"' + 126 * "é",
]


def kept(name):
    """As the daemon keeps it: the first 256 bytes that end where a character does."""
    return name.encode()[:256].decode(errors="ignore")


def hidden(c):
    """Whether a character must not be drawn as it is."""
    n = ord(c)
    return (n < 0x20 or 0x7F <= n <= 0x9F or n in (0x61C, 0x200B, 0xFEFF) or 0x200E <= n <= 0x200F or 0x2028 <= n <= 0x202E
            or 0x2060 <= n <= 0x206F or 0xFFF9 <= n <= 0xFFFB or 0xFFFE <= n <= 0xFFFF)


def shown(name, which=hidden):
    """A name as it is drawn: control pictures, and other hidden characters by number."""
    def one(c):
        if not which(c):
            return c
        return chr(0x2400 + ord(c)) if ord(c) < 0x20 else "␡" if c == "\x7f" else f"⟨U+{ord(c):04X}⟩"
    return "".join(map(one, name))


def control(c):
    """Whether tables break at a character."""
    return ord(c) < 0x20 and c not in "\t\n\r"


def forbidden(c):
    """Whether XML cannot hold a character."""
    return control(c) or ord(c) in (0xFFFE, 0xFFFF)


def _span(trace, span, parent, kind, start_ms, end_ms, attributes, failed):
    now = time.time_ns()
    return {
        "traceId": trace, "spanId": span, "parentSpanId": parent, "name": "call", "kind": kind,
        "startTimeUnixNano": str(now + start_ms * 1_000_000), "endTimeUnixNano": str(now + end_ms * 1_000_000),
        "status": {"code": 2 if failed else 0},
        "attributes": [{"key": key, "value": {"stringValue": value}} for key, value in attributes.items()],
    }


def _resource(name, namespace, spans):
    attributes = {"service.name": name, "service.namespace": namespace, "service.version": name}
    attributes = [{"key": key, "value": {"stringValue": value}} for key, value in attributes.items()]
    return {"resource": {"attributes": attributes}, "scopeSpans": [{"spans": spans}]}


def _request():
    """`root` calls a service of each name, in a namespace of that name, `number + 1` times; each calls a database and
    writes to a topic of that name. Every third name fails."""
    resources = []
    for number, name in enumerate(NAMES):
        callers, called = [], []
        for _ in range(number + 1):
            trace, ids = secrets.token_hex(16), [secrets.token_hex(8) for _ in range(4)]
            failed = number % 3 == 0
            callers.append(_span(trace, ids[0], "", 3, 0, 20, {}, failed))
            called.append(_span(trace, ids[1], ids[0], 2, 5, 15, {}, failed))
            database = {"db.system.name": "redis", "service.peer.name": name}
            called.append(_span(trace, ids[2], ids[1], 3, 6, 8, database, False))
            topic = {"messaging.system": "kafka", "messaging.destination.name": name}
            called.append(_span(trace, ids[3], ids[1], 4, 8, 9, topic, False))
        resources += [_resource("root", "front", callers), _resource(name, name, called)]
    return {"resourceSpans": resources}


def star(points):
    """A request in which `root` calls so many services, the first ones the most."""
    resources = []
    for point in range(points):
        callers, called = [], []
        for _ in range(1 + (point < 10)):
            trace, ids = secrets.token_hex(16), [secrets.token_hex(8) for _ in range(2)]
            callers.append(_span(trace, ids[0], "", 3, 0, 20, {}, False))
            called.append(_span(trace, ids[1], ids[0], 2, 5, 15, {}, False))
        resources += [_resource("root", "front", callers), _resource(f"point-{point}", "star", called)]
    return {"resourceSpans": resources}


class Served:
    """The daemon, once all is paired, with one closed window for every question."""

    def __init__(self):
        self.daemon = Daemon()
        url = f"http://{self.daemon.http}/v1/traces"
        body = json.dumps(_request()).encode()
        request = urllib.request.Request(url, body, {"content-type": "application/json"})
        with urllib.request.urlopen(request, timeout=30) as reply:
            assert json.loads(reply.read()) in ({}, {"partialSuccess": {}}), "some spans were rejected"
        self.at = until(self._settled, 30, lambda: f"not all calls are there: {self.daemon.topology()}")
        self.body = json.loads(self.get("/api/v1/topology"))
        self._check_names()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.daemon.__exit__()

    def _settled(self):
        body = self.daemon.topology()
        calls = sum(edge["calls"] for edge in body["edges"]) if body else 0
        if calls < 3 * len(NAMES) * (len(NAMES) + 1) // 2 or body["law"]["pending_after"]:
            return None
        return body["window"]["end"]

    def _check_names(self):
        """Every name arrived, whole, in JSON: what everything else is held against."""
        for kind in ("service", "database", "messaging"):
            names = [node["name"] for node in self.body["nodes"] if node["type"] == kind and node["name"] != "root"]
            assert sorted(names) == sorted(map(kept, NAMES)), (kind, set(map(kept, NAMES)) ^ set(names))

    def get(self, path, accept=None, parameters=""):
        """The body of a 200."""
        url = f"http://{self.daemon.api}{path}{'&' if '?' in path else '?'}window=10m&at={self.at}{parameters}"
        request = urllib.request.Request(url, headers={"accept": accept} if accept else {})
        with urllib.request.urlopen(request, timeout=10) as reply:
            return reply.read()

    def text(self, path, **more):
        return self.get(path, **more).decode()
