"""A real Prometheus scrapes the daemon under load: the graph's series are what Grafana's service graph view asks for.

Under a load of exactly so many calls a second each of Grafana's queries gives the right label sets, and values within
2 %. After it, every counter and bucket equals /api/v1/topology over all history. Both expositions pass `promtool check
metrics` and the strict OpenMetrics parser, hostile service names and all.
"""

import json
import math
import shutil
import subprocess
import time
import urllib.request

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as open_metrics
from prometheus_client.parser import text_string_to_metric_families as text_format

from _daemon import Daemon, until
from _graph_load import CALLS_PER_S, CLIENT, HOSTILE, LATE_FROM_S, QUEUE_S, Load, Trace, expected
from _prometheus import prometheus

PREFIX = "traces_service_graph_request"
LABELS = ("client", "client_service_namespace", "server", "server_service_namespace", "connection_type")
ALL_HISTORY = "/api/v1/topology?window=26h&top=100000&include=histograms"
BOUNDS = [2.0**exponent for exponent in range(-10, 6)]
OPEN = "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,text/plain;q=0.5"
RANGE_S = 10
TOLERANCE = 0.02


def labels_of(key, names=LABELS):
    """As Prometheus shows a label set: without the empty ones."""
    return frozenset((name, value) for name, value in zip(LABELS, key) if name in names and value)


def close(shown, truth):
    return math.isclose(shown, truth, rel_tol=TOLERANCE, abs_tol=1e-9)


def same(shown, truth, what):
    assert shown.keys() == truth.keys(), f"{what}: {shown.keys() ^ truth.keys()}"
    wrong = {key: (shown[key], truth[key]) for key in truth if not close(shown[key], truth[key])}
    assert not wrong, f"{what}: {wrong}"


def histogram_quantile(quantile, durations):
    """Prometheus' own estimate from exact classic buckets."""
    counts = [sum(duration <= bound for duration in durations) for bound in BOUNDS]
    rank = quantile * len(durations)
    bucket = next(at for at, count in enumerate(counts) if count >= rank)
    low, below = (0.0, 0) if bucket == 0 else (BOUNDS[bucket - 1], counts[bucket - 1])
    return low + (BOUNDS[bucket] - low) * (rank - below) / (counts[bucket] - below)


def rates_are_right(server, rows):
    """Grafana's table queries, one for each metric, with and without namespaces and with a filter."""
    figures = {
        f"{PREFIX}_total": lambda row: row[0],
        f"{PREFIX}_failed_total": lambda row: row[1],
        f"{PREFIX}_server_seconds_sum": lambda row: sum(row[2]) if row[2] else None,
        f"{PREFIX}_server_seconds_bucket": lambda row: buckets_rate(row[2]) if row[2] else None,
    }
    at, asked = time.time(), 0
    for names in (("client", "server"), LABELS[:4]):
        by = ", ".join(names)
        for metric, of in figures.items():
            for selector, keep in (("", lambda key: True), ('client="web"', lambda key: key[0] == "web")):
                truth = {}
                for key, row in rows.items():
                    if keep(key) and of(row) is not None:
                        labels = labels_of(key, names)
                        truth[labels] = truth.get(labels, 0) + of(row)
                query = f"sum by ({by}) (rate({metric}{{{selector}}}[{RANGE_S}s]))"
                same(server.query(query, at), truth, query)
                query = f"group by ({by}, connection_type) ({metric}{{{selector}}})"
                groups = {labels_of(key, (*names, "connection_type")): 1.0
                          for key, row in rows.items() if keep(key) and of(row) is not None}
                same(server.query(query, at), groups, query)
                asked += 2
    return asked


def buckets_rate(durations):
    """What the sum over all `le` adds a second."""
    return sum(duration <= bound for bound in [*BOUNDS, math.inf] for duration in durations)


def quantiles_are_right(server, rows):
    query = f"histogram_quantile(0.9, sum(rate({PREFIX}_server_seconds_bucket[{RANGE_S}s])) by (le, client, server))"
    truth = {labels_of(key, ("client", "server")): histogram_quantile(0.9, row[2]) for key, row in rows.items() if row[2]}
    same(server.query(query), truth, query)
    query = f"histogram_quantile(0.5, sum(rate({PREFIX}_messaging_system_seconds_bucket[{RANGE_S}s])) by (le))"
    same(server.query(query), {frozenset(): histogram_quantile(0.5, [QUEUE_S])}, query)


def named(topology):
    """Edges by their labels."""
    nodes = {node["id"]: node for node in topology["nodes"]}

    def key(edge):
        ends = [part for end in ("client", "server") for part in (nodes[edge[end]]["name"], nodes[edge[end]]["namespace"] or "")]
        return (*ends, edge["connection_type"])

    return {key(edge): edge for edge in topology["edges"]}


def classic(histogram):
    """Cumulative counts of an exponential histogram, by the definition of its buckets."""
    base = 2.0 ** (2.0 ** -histogram["scale"])
    counts = []
    for bound in [*BOUNDS, math.inf]:
        inside = [count for at, count in enumerate(histogram["counts"])
                  if base ** (histogram["offset"] + at + 1) <= bound * (1 + 1e-9)]
        counts.append(histogram["zero_count"] + sum(inside))
    return counts


def counters_equal_the_topology(daemon, server):
    """Waits until the last scrape has the last slice; then everything is equal, exactly."""
    topology = json.loads(daemon.get(ALL_HISTORY)[1])
    edges = named(topology)
    assert len(edges) == len(topology["edges"]), "this load has no two edges of one label set"
    calls = {labels_of(key): float(edge["calls"]) for key, edge in edges.items()}
    shown = {}

    def complete():
        shown["calls"] = server.query(f"{PREFIX}_total")
        return True if shown["calls"] == calls else None

    until(complete, 10, lambda: f"calls differ: {shown['calls'].items() ^ calls.items()}")
    failed = {labels_of(key): float(edge["failed"]) for key, edge in edges.items()}
    assert server.query(f"{PREFIX}_failed_total") == failed
    buckets = 0
    for metric, side in (("server", "server"), ("client", "client"), ("messaging_system", "queue")):
        truth, sums = {}, {}
        for key, edge in edges.items():
            histogram = edge["histograms"][side]
            if histogram is None:
                continue
            sums[labels_of(key)] = histogram["sum_s"]
            for le, count in zip([*map(str, BOUNDS), "+Inf"], classic(histogram)):
                truth[labels_of(key) | {("le", le)}] = float(count)
        buckets += len(truth)
        assert server.query(f"{PREFIX}_{metric}_seconds_bucket") == truth, metric
        found = server.query(f"{PREFIX}_{metric}_seconds_sum")
        assert found.keys() == sums.keys(), metric
        assert all(math.isclose(found[key], sums[key], rel_tol=1e-12) for key in sums), metric
    return len(calls), buckets


def exemplars_lead_to_traces(server, load):
    now = time.time()
    selector = f"{PREFIX}_server_seconds_bucket"
    found = server.get("/api/v1/query_exemplars", query=selector, start=now - 120, end=now)
    exemplars = [exemplar for series in found for exemplar in series["exemplars"]]
    assert exemplars and all(e["labels"]["trace_id"] in load.ids for e in exemplars), exemplars[:3]
    for series in found:
        upper = float(series["seriesLabels"]["le"])
        assert all(float(e["value"]) <= upper for e in series["exemplars"]), series
    return len(exemplars)


def fetch(daemon, path, accept):
    request = urllib.request.Request(f"http://{daemon.api}{path}", headers={"Accept": accept})
    with urllib.request.urlopen(request, timeout=20) as reply:
        return reply.headers["Content-Type"], reply.read().decode()


def both_dialects_are_clean(daemon):
    for path in ("/metrics", "/metrics/graph"):
        kind, text = fetch(daemon, path, "*/*")
        assert kind == "text/plain; version=0.0.4; charset=utf-8", kind
        run = subprocess.run(["promtool", "check", "metrics"], input=text, capture_output=True, text=True)
        assert run.returncode == 0 and run.stdout + run.stderr == "", (path, run.stdout, run.stderr)
        kind, strict = fetch(daemon, path, OPEN)
        assert kind == "application/openmetrics-text; version=1.0.0; charset=utf-8", kind
        families = list(open_metrics(strict))
        assert families, path
    of_text = {(s.name, frozenset(s.labels.items())): s.value for family in text_format(text) for s in family.samples}
    samples = [sample for family in families for sample in family.samples]
    of_open = {(s.name, frozenset(s.labels.items())): s.value for s in samples if not s.name.endswith("_created")}
    assert of_open == of_text, "both dialects say the same"
    created = [sample for sample in samples if sample.name.endswith("_created")]
    assert len(created) == sum(s.name.endswith(("_total", "_count")) for s in samples), "each has its beginning"
    assert any(sample.exemplar for sample in samples)
    clients = {sample.labels["client"] for sample in samples}
    assert HOSTILE in clients, "the hostile name came through whole"
    return len(of_text)


def the_graph_is_complete(daemon, load):
    """Waits until every call of the load is settled."""
    def settled():
        status, body = daemon.get(ALL_HISTORY)
        law = json.loads(body)["law"] if status == 200 else {}
        return True if law.get("accepted") == load.spans and law["pending_after"] == 0 else None

    until(settled, 20, lambda: "spans are still pending")


def check_under_load():
    with Daemon() as daemon, prometheus(daemon) as server:
        load = Load(daemon)
        try:
            until(lambda: load.seconds >= LATE_FROM_S + RANGE_S + 8 or None, 60, lambda: f"{load.seconds} s of load")
            rows = expected()
            asked = rates_are_right(server, rows)
            quantiles_are_right(server, rows)
        finally:
            load.stop()
        the_graph_is_complete(daemon, load)
        edges, buckets = counters_equal_the_topology(daemon, server)
        late = [edge for key, edge in named(json.loads(daemon.get(ALL_HISTORY)[1])).items() if key[2] == "late"]
        assert any(edge["inferred"] == edge["calls"] > LATE_FROM_S * CALLS_PER_S for edge in late), "it was folded"
        exemplars = exemplars_lead_to_traces(server, load)
        samples = both_dialects_are_clean(daemon)
        assert daemon.stop() == 0, daemon.lines
    print(f"ok {load.seconds} s of load: {asked} of Grafana's queries within {TOLERANCE:.0%}, then {edges} edges and "
          f"{buckets} buckets equal to the topology, {exemplars} exemplars, {samples} samples in both dialects")


def check_bounds():
    """More edges than `metrics.max_edges`: no call is lost, and the facades answer at the root."""
    with Daemon(**{"metrics.max_edges": "3", "api.compat_root": "true"}) as daemon:
        request = ExportTraceServiceRequest()
        for number in range(1, 41):
            trace = Trace(request, number)
            name = f"leaf-{number % 8}"
            trace.span("shop/web", CLIENT, 0, 0.01, server__address=name)
        post = urllib.request.Request(f"http://{daemon.http}/v1/traces", request.SerializeToString(),
                                      {"Content-Type": "application/x-protobuf"})
        urllib.request.urlopen(post, timeout=10).close()

        def series():
            families = text_format(daemon.get("/metrics/graph")[1].decode())
            found = {s.labels["server"]: s.value for f in families for s in f.samples if s.name == f"{PREFIX}_total"}
            return found if sum(found.values()) == 40 else None

        found = until(series, 20, lambda: "not all calls are there")
        assert len(found) == 4 and found["overflow"] == 25, found
        own = daemon.get("/metrics")[1].decode()
        assert "spangraph_series_overflow_calls_total 25" in own and "spangraph_series_edges 3" in own
        links = json.loads(daemon.get("/api/dependencies")[1])["data"]
        assert sum(link["callCount"] for link in links) == 40 and len(links) == 8, links
        assert daemon.get("/api/v2/services") == daemon.get("/compat/zipkin/api/v2/services") == (200, b'["web"]')
    print(f"ok 8 edges in 3 places: {found}")


def main():
    assert shutil.which("prometheus") and shutil.which("promtool"), "Debian's package prometheus is not installed"
    check_under_load()
    check_bounds()


if __name__ == "__main__":
    main()
