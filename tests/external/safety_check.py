#!/usr/bin/env python3
"""TLS, tokens and CORS as their real consumers meet them: curl, openssl, gRPC's Python client, and a browser.

Both versions of TLS and of HTTP work and older ones do not; a certificate is replaced under load without one failed
request; a token opens HTTP and gRPC; a page of a listed origin reads answers, one of any other origin reads none; and the
live page asks for the token, shows it, and hands exports over.
"""

import http.server
import json
import os
import pathlib
import shutil
import subprocess
import tempfile
import threading

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

from _certificates import Authority, shown
from _daemon import Daemon, until
from _page import Page, browser, call, send

TOKEN = "check-0123456789abcdef"
TOPOLOGY = "/api/v1/topology?window=10m"


def curl(authority, url, *options):
    """Exit code, and what came: status, version of HTTP."""
    command = ["curl", "--silent", "--output", os.devnull, "--max-time", "10", "--write-out", "%{http_code} %{http_version}", *options, url]
    done = subprocess.run([*command, *(["--cacert", authority.path] if authority else [])], capture_output=True, text=True)
    return done.returncode, done.stdout


def bearer(token):
    return ["--header", f"Authorization: Bearer {token}"]


def check_tls(daemon, authority):
    url = f"https://{daemon.api}{TOPOLOGY}"
    for tls in ("--tls-max 1.2", "--tlsv1.3"):
        for version, said in (("--http1.1", "1.1"), ("--http2", "2")):
            options = [*tls.split(), version]
            assert curl(authority, url, *options, *bearer(TOKEN)) == (0, f"200 {said}"), (tls, version)
            assert curl(authority, url, *options) == (0, f"401 {said}")
    assert curl(None, url)[0] == 60, "curl trusts nobody's certificate"
    assert curl(None, f"http://{daemon.api}/livez")[1].startswith("000"), "an answer in plain text"
    code, report, _ = shown(daemon.api, "-alpn", "h2,http/1.1", "-CAfile", authority.path)
    assert code == 0 and "ALPN protocol: h2" in report and "Verify return code: 0 (ok)" in report, report
    for old in ("-tls1_1", "-tls1"):
        assert shown(daemon.api, old, "-cipher", "ALL:@SECLEVEL=0")[0] != 0, old
    return "TLS 1.2 and 1.3 with HTTP/1.1 and HTTP/2, nothing older"


def check_grpc(daemon, authority):
    roots = grpc.ssl_channel_credentials(pathlib.Path(authority.path).read_bytes())

    def status(metadata):
        with grpc.secure_channel(daemon.api, roots) as channel:
            ask = channel.unary_unary("/spangraph.v1.TopologyService/GetTopology")
            health = health_pb2_grpc.HealthStub(channel)
            codes = []
            for method, message in ((ask, b""), (health.Check, health_pb2.HealthCheckRequest())):
                try:
                    method(message, timeout=10, metadata=metadata)
                    codes.append("OK")
                except grpc.RpcError as error:
                    codes.append(error.code().name)
            return codes

    assert status([]) == ["UNAUTHENTICATED"] * 2
    assert status([("authorization", "Bearer no-such-token-here")]) == ["UNAUTHENTICATED"] * 2
    assert status([("authorization", f"Bearer {TOKEN}")]) == ["OK"] * 2
    return "gRPC over TLS with a token"


def check_rotation(daemon, authority, files):
    """Files that are replaced, while clients keep connecting."""
    answers, stop = [], threading.Event()

    def load():
        while not stop.is_set():
            answers.append(curl(authority, f"https://{daemon.api}/livez", "--http1.1"))

    clients = [threading.Thread(target=load) for _ in range(3)]
    for client in clients:
        client.start()
    _, _, before = shown(daemon.api)
    certificate, key, new = authority.certify("second")
    for fresh, used in zip((certificate, key), files):
        shutil.move(fresh, used)
    until(lambda: shown(daemon.api)[2] == new or None, 30, lambda: f"{new} is not shown: {daemon.lines}")
    stop.set()
    for client in clients:
        client.join()
    assert before != new and set(answers) == {(0, "200 1.1")}, set(answers)
    return f"a certificate replaced under {len(answers)} requests"


class Elsewhere:
    """A page on an origin of its own."""

    def __init__(self):
        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                self.send_response(200)
                self.send_header("content-type", "text/html")
                self.end_headers()
                self.wfile.write(b"<!doctype html><link rel=icon href=data:,><title>elsewhere</title>")

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.origin = f"http://127.0.0.1:{self.server.server_address[1]}"


READ = """async ([url, token]) => {
    try {
        const answer = await fetch(url, { headers: { Authorization: `Bearer ${token}`, "If-None-Match": "x" } });
        return [answer.status, (await answer.json()).schema ?? null, answer.headers.get("ETag") !== null];
    } catch (error) {
        return String(error);
    }
}"""
EMBED = """(url) => new Promise((done) => {
    const image = new Image();
    image.onload = () => done("shown");
    image.onerror = () => done("kept away");
    image.src = url;
})"""


def check_cors(started, tokens):
    listed, other = Elsewhere(), Elsewhere()
    with Daemon(**{"api.tokens_file": tokens, "api.cors_origins": listed.origin}) as daemon:
        url = f"http://{daemon.api}{TOPOLOGY}"
        wait_for_graph(daemon)

        def read(page, token):
            tab = started.new_page()
            tab.goto(page.origin)
            found = tab.evaluate(READ, [url, token])
            picture = tab.evaluate(EMBED, f"http://{daemon.api}/ui/icon.svg")
            tab.close()
            return found, picture

        assert read(listed, TOKEN) == ([200, "spangraph.topology/1", True], "kept away")
        assert read(listed, "no-such-token-here") == ([401, None, False], "kept away")
        assert read(other, TOKEN) == ("TypeError: Failed to fetch", "kept away")
    return "CORS for the listed origin only"


def wait_for_graph(daemon):
    def ready():
        return curl(None, f"http://{daemon.api}{TOPOLOGY}", *bearer(TOKEN))[1].startswith("200") or None
    until(ready, 20, lambda: f"no graph: {daemon.lines}")


def check_page(started, tokens):
    with Daemon(**{"api.tokens_file": tokens}) as daemon:
        wait_for_graph(daemon)  # The browser reports the 503 that comes before the first slice as an error.
        send(daemon, [call("shop/web", "shop/checkout")])
        page = Page(started, f"http://{daemon.api}/ui/#window=15m", accept_downloads=True)
        for given, words in (("not-the-token-at-all", "does not count"), (TOKEN, None)):
            page.page.wait_for_selector("dialog#token[open] input")
            page.page.fill("dialog#token input", given)
            page.page.click("dialog#token button")
            if words:
                page.wait("(words) => document.getElementById('token')?.textContent.includes(words)", words)
        page.wait("document.querySelectorAll('#world .node').length === 2 && !document.getElementById('token')")
        page.page.reload()
        page.wait("document.querySelectorAll('#world .node').length === 2 && document.getElementById('live').textContent.includes('asking')")
        page.page.click("#export summary")
        with page.page.expect_download() as download:
            page.page.click("#export a[href*='topology.json']")
        body = json.loads(pathlib.Path(download.value.path()).read_text())
        assert len(body["nodes"]) == 2 and download.value.suggested_filename == "topology.json"
        # What the browser itself says of answers with 401.
        page.wrong = [line for line in page.wrong if "401 (Unauthorized)" not in line]
        page.close()
    return "the page asks for the token, shows it, exports"


def main():
    said = []
    with tempfile.TemporaryDirectory() as directory:
        tokens = pathlib.Path(directory, "tokens")
        tokens.write_text(f"# of this check\n{TOKEN}\n")
        authority = Authority(directory)
        certificate, key, _ = authority.certify("first")
        safe = {"api.tls_cert": certificate, "api.tls_key": key, "api.tokens_file": tokens}
        with Daemon(**safe) as daemon:
            ready = lambda: curl(authority, f"https://{daemon.api}{TOPOLOGY}", *bearer(TOKEN))[1].startswith("200") or None
            until(ready, 20, lambda: f"no graph: {daemon.lines}")
            said += [check_tls(daemon, authority), check_grpc(daemon, authority), check_rotation(daemon, authority, (certificate, key))]
            assert daemon.stop() == 0
            assert TOKEN not in json.dumps(daemon.lines), "a token was logged"
        with browser() as started:
            said += [check_cors(started, tokens), check_page(started, tokens)]
    print("ok", "; ".join(said))


if __name__ == "__main__":
    main()
