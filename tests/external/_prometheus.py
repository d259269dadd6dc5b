"""Debian's Prometheus as a child process, for the checks here."""

import contextlib
import json
import pathlib
import subprocess
import tempfile
import urllib.parse
import urllib.request

from _daemon import until


class Prometheus:
    """Debian's binary on a free port, with the daemon as its only target."""

    def __init__(self, daemon, directory):
        self.daemon, self.directory = daemon, pathlib.Path(directory)
        self.process, self.address = None, None

    def start(self, phase):
        config = {
            "global": {"scrape_interval": "1s", "scrape_timeout": "1s"},
            "scrape_configs": [{
                "job_name": f"graph-{phase}", "metrics_path": "/metrics/graph",
                "static_configs": [{"targets": [self.daemon.api]}],
            }],
        }
        (self.directory / "prometheus.yml").write_text(json.dumps(config))
        log = open(self.directory / f"log-{phase}", "w+")
        self.process = subprocess.Popen(
            ["prometheus", f"--config.file={self.directory}/prometheus.yml", "--web.listen-address=127.0.0.1:0",
             f"--storage.tsdb.path={self.directory}/data-{phase}", "--enable-feature=exemplar-storage",
             "--log.format=json"], stdout=log, stderr=subprocess.STDOUT)

        def address():
            lines = (json.loads(line) for line in pathlib.Path(log.name).read_text().splitlines() if line[:1] == "{")
            return next((line["address"] for line in lines if line.get("msg") == "Listening on"), None)

        self.address = until(address, 20, lambda: pathlib.Path(log.name).read_text())
        until(lambda: self.get("/-/ready", raw=True), 20, lambda: "not ready")

    def stop(self):
        if self.process:
            self.process.terminate()
            self.process.wait(20)
            self.process = None

    def get(self, path, raw=False, **parameters):
        url = f"http://{self.address}{path}?{urllib.parse.urlencode(parameters)}"
        try:
            with urllib.request.urlopen(url, timeout=20) as reply:
                body = reply.read()
        except OSError:
            if raw:
                return None
            raise
        return True if raw else json.loads(body)["data"]

    def query(self, query, at=None):
        """Label sets to values, as an instant query gives them."""
        parameters = {"query": query, **({"time": at} if at else {})}
        result = self.get("/api/v1/query", **parameters)["result"]
        keyed = {}
        for row in result:
            labels = frozenset((k, v) for k, v in row["metric"].items() if k not in ("job", "instance", "__name__"))
            assert labels not in keyed, f"{query}: twice {labels}"
            keyed[labels] = float(row["value"][1])
        return keyed

    def scraped_at(self):
        """Where in the second the target is scraped, once it is."""
        targets = self.get("/api/v1/targets")["activeTargets"]
        if not targets:
            return None
        target = targets[0]
        assert target["lastError"] == "", target["lastError"]
        return float("0." + target["lastScrape"].split(".")[1][:6]) if target["health"] == "up" else None


@contextlib.contextmanager
def prometheus(daemon):
    """One that scrapes well away from where a second is sealed, so that each scrape sees one slice more."""
    with tempfile.TemporaryDirectory() as directory:
        server = Prometheus(daemon, directory)
        try:
            for phase in range(20):
                server.start(phase)
                if 0.2 < until(server.scraped_at, 20, lambda: "not scraped") < 0.9:
                    break
                server.stop()
            yield server
        finally:
            server.stop()
