"""A real browser on the live page, a reverse proxy that adds a prefix, and spans to show."""

import http.client
import http.server
import json
import secrets
import shutil
import threading
import time
import urllib.request
from contextlib import contextmanager

from playwright.sync_api import sync_playwright

from _daemon import until

SERVER, CLIENT, PRODUCER, CONSUMER = 2, 3, 4, 5
# What the page must never cause: reports of the policy, dialogs, errors.
WATCH = """
window.reports = [];
document.addEventListener("securitypolicyviolation", (e) => window.reports.push(`${e.violatedDirective} ${e.blockedURI} ${e.sample}`));
"""


class Proxy:
    """Serves the daemon under a prefix, as a reverse proxy does; `cut` drops everything, as a network does."""

    def __init__(self, upstream, prefix):
        self.prefix, self.cut, self.asked = prefix, False, []
        proxy = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                proxy.asked.append(self.path)
                if proxy.cut or not self.path.startswith(prefix + "/"):
                    self.close_connection = True
                    return None if proxy.cut else self.send_error(404)
                return proxy.hand_on(self, upstream)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}{prefix}"

    def hand_on(self, handler, upstream):
        connection = http.client.HTTPConnection(upstream, timeout=30)
        headers = {name: value for name, value in handler.headers.items() if name.lower() not in ("host", "connection")}
        connection.request("GET", handler.path[len(self.prefix):], headers={**headers, "Host": upstream})
        answer = connection.getresponse()
        handler.send_response(answer.status)
        for name, value in answer.getheaders():
            if name.lower() not in ("transfer-encoding", "connection", "date", "content-length"):
                handler.send_header(name, value)
        handler.send_header("Connection", "close")
        handler.end_headers()
        handler.close_connection = True
        try:
            while not self.cut and (part := answer.read1(1 << 16)):
                handler.wfile.write(part)
                handler.wfile.flush()
        except (http.client.HTTPException, OSError):
            pass  # One of the two went away; the other is told by the end of the connection.
        connection.close()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()


@contextmanager
def browser():
    """Debian's Chromium; the driver must not fetch one of its own."""
    with sync_playwright() as driver:
        started = driver.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        yield started
        started.close()


class Page:
    """One page; `wrong` collects what must not happen."""

    def __init__(self, started, url, **context):
        self.wrong = []
        self.context = started.new_context(**{"viewport": {"width": 1280, "height": 800}, **context})
        self.page = self.context.new_page()
        self.page.set_default_timeout(20_000)
        self.page.add_init_script(WATCH)
        self.page.on("console", lambda m: m.type in ("error", "warning") and self.wrong.append(f"console: {m.text}"))
        self.page.on("pageerror", lambda error: self.wrong.append(f"error: {error}"))
        self.page.on("dialog", lambda dialog: (self.wrong.append(f"dialog: {dialog.message}"), dialog.dismiss()))
        self.page.goto(url)

    def reports(self):
        return self.page.evaluate("window.reports")

    def close(self):
        """Everything went as it should."""
        assert not self.wrong and not self.reports(), (self.wrong, self.reports())
        self.context.close()

    def wait(self, condition, argument=None):
        """Until it holds, asked from outside: the policy keeps the driver from evaluating text within the page."""
        def holds():
            return self.page.evaluate(condition, argument) or None
        return until(holds, 25, lambda: f"never: {condition} {argument}; {self.page.url} {self.page.inner_text('body')[:600]}")

    def places(self):
        """Ids of the nodes with where they stand."""
        nodes = self.page.evaluate("[...document.querySelectorAll('#world .node')].map((n) => [n.dataset.id, n.getAttribute('transform')])")
        assert len(dict(nodes)) == len(nodes), "a node is drawn twice"
        return dict(nodes)

    def focused(self):
        return self.page.evaluate("document.activeElement.getAttribute('data-id')")

    def params(self):
        return dict(self.page.evaluate("[...new URLSearchParams(location.hash.slice(1))]"))

    def rows(self):
        """Cells of the table by the id of their row."""
        return dict(self.page.evaluate("""[...document.querySelectorAll('#table tbody tr')]
            .map((row) => [row.dataset.id, [...row.children].map((cell) => cell.textContent)])"""))


def span(trace, own, parent, kind, milliseconds, failed=False, **attributes):
    end = time.time_ns()
    return {
        "traceId": trace, "spanId": own, "parentSpanId": parent, "name": "call <b>&amp;", "kind": kind, "status": {"code": 2 if failed else 0},
        "startTimeUnixNano": str(end - milliseconds * 1_000_000), "endTimeUnixNano": str(end),
        "attributes": [{"key": key.replace("__", "."), "value": {"stringValue": value}} for key, value in attributes.items()],
    }


def of(service, spans):
    namespace, _, name = service.rpartition("/")
    pairs = [("service.name", name), ("service.namespace", namespace), ("telemetry.sdk.name", "opentelemetry")]
    attributes = [{"key": key, "value": {"stringValue": value}} for key, value in pairs if value]
    return {"resource": {"attributes": attributes}, "scopeSpans": [{"spans": spans}]}


def call(client, server, failed=False):
    """Both halves of one call."""
    trace, ids = secrets.token_hex(16), [secrets.token_hex(8) for _ in range(2)]
    return [of(client, [span(trace, ids[0], "", CLIENT, 12, failed)]), of(server, [span(trace, ids[1], ids[0], SERVER, 9, failed)])]


def lost(service):
    """One span whose caller never comes."""
    return [of(service, [span(secrets.token_hex(16), secrets.token_hex(8), secrets.token_hex(8), SERVER, 5)])]


def send(daemon, parts):
    body = json.dumps({"resourceSpans": [part for some in parts for part in some]}).encode()
    request = urllib.request.Request(f"http://{daemon.http}/v1/traces", body, {"content-type": "application/json"})
    with urllib.request.urlopen(request, timeout=20) as reply:
        assert json.loads(reply.read()) in ({}, {"partialSuccess": {}}), "some spans were rejected"
