"""Three services made with OpenTelemetry's own SDK call each other over real HTTP, and the daemon's map is theirs.

Once by OTLP over gRPC and once over HTTP/protobuf: exactly the expected edges, calls and failures, latencies as the
SDK itself recorded them, and a picture drawn by Graphviz. Then a stop under load: every span that was acknowledged is
in the law's last line.
"""

import html
import http.client
import json
import math
import random
import subprocess
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import grpc
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter as GrpcExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter as HttpExporter
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (ExportTraceServiceRequest,
                                                                      ExportTraceServiceResponse)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2_grpc import TraceServiceStub
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, Status, StatusCode
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from _daemon import Daemon, until

ORDERS = 30
FAILING = 7
PROPAGATOR = TraceContextTextMapPropagator()
# One bucket of the daemon's histograms: 2^(1/16) wide, so its middle is at most 2.2 % off.
TOLERANCE = 0.022

#   user -> web -> checkout -> payment -> database:orders-db
#                           -> stock
CALLS = {"web": ["checkout"], "checkout": ["payment", "stock"], "payment": [], "stock": []}


class Service:
    """An HTTP server with a tracer of its own; its spans go to the daemon and into memory."""

    def __init__(self, name, exporter, peers):
        self.name, self.peers = name, peers
        self.provider = TracerProvider(resource=Resource.create({"service.name": name, "service.namespace": "shop"}))
        self.memory = InMemorySpanExporter()
        self.provider.add_span_processor(SimpleSpanProcessor(self.memory))
        self.provider.add_span_processor(BatchSpanProcessor(exporter, schedule_delay_millis=100))
        self.tracer = self.provider.get_tracer("shop")
        service = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                service.answer(self)

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def answer(self, request):
        """One SERVER span; calls the peers, or fails."""
        parent = PROPAGATOR.extract(dict(request.headers.items()))
        order = int(request.path.rsplit("/", 1)[1])
        with self.tracer.start_as_current_span("GET /order", context=parent, kind=SpanKind.SERVER) as span:
            time.sleep(random.uniform(0.001, 0.004))
            codes = [self.call(peer, order) for peer in self.peers]
            if self.name == "payment":
                self.query()
                codes.append(503 if order == FAILING else 200)
            code = max(codes, default=200)
            span.set_attribute("http.response.status_code", code)
            if code >= 500:
                span.set_status(Status(StatusCode.ERROR))
        request.send_response(code)
        request.send_header("Content-Length", "0")
        request.end_headers()

    def call(self, peer, order):
        """One CLIENT span around a real request. A failed payment is not the shop's failure above checkout."""
        with self.tracer.start_as_current_span("GET", kind=SpanKind.CLIENT) as span:
            host, port = peer.server.server_address
            span.set_attribute("server.address", host)
            span.set_attribute("server.port", port)
            headers = {}
            PROPAGATOR.inject(headers)
            code = get(host, port, f"/order/{order}", headers)
            span.set_attribute("http.response.status_code", code)
            if code >= 400:
                span.set_status(Status(StatusCode.ERROR))
        return 200 if self.name == "checkout" else code

    def query(self):
        """A CLIENT span nobody answers: a database without instrumentation."""
        with self.tracer.start_as_current_span("INSERT orders", kind=SpanKind.CLIENT) as span:
            span.set_attribute("db.system.name", "postgresql")
            span.set_attribute("server.address", "orders-db")
            time.sleep(0.001)

    def close(self):
        self.server.shutdown()
        self.server.server_close()
        self.provider.shutdown()

    def durations_ms(self, kind, name=None):
        spans = [s for s in self.memory.get_finished_spans() if s.kind is kind and name in (None, s.name)]
        return sorted((s.end_time - s.start_time) / 1e6 for s in spans)


def get(host, port, path, headers):
    connection = http.client.HTTPConnection(host, port, timeout=10)
    try:
        connection.request("GET", path, headers=headers)
        reply = connection.getresponse()
        reply.read()
        return reply.status
    finally:
        connection.close()


def open_shop(exporter):
    services = {}
    for name in ("stock", "payment", "checkout", "web"):
        services[name] = Service(name, exporter(), [services[peer] for peer in CALLS[name]])
    return services


def close_shop(services):
    for service in services.values():
        service.close()


def place_orders(services):
    host, port = services["web"].server.server_address
    with ThreadPoolExecutor(4) as pool:
        codes = list(pool.map(lambda order: get(host, port, f"/order/{order}", {}), range(ORDERS)))
    assert codes == [200] * ORDERS, codes


def expected_edges():
    """(client, server, connection type) -> (calls, failed)"""
    return {
        ("user:user", "shop/web", "virtual_node"): (ORDERS, 0),
        ("shop/web", "shop/checkout", ""): (ORDERS, 0),
        ("shop/checkout", "shop/payment", ""): (ORDERS, 1),
        ("shop/checkout", "shop/stock", ""): (ORDERS, 0),
        ("shop/payment", "database:orders-db", "database"): (ORDERS, 0),
    }


def edges_of(topology):
    return {(e["client"], e["server"], e["connection_type"]): (e["calls"], e["failed"]) for e in topology["edges"]}


def the_map_is_the_shops(daemon):
    """Waits for the deadlines of roots and leaves, then asserts all of it."""
    last = {}

    def complete():
        last["topology"] = topology = daemon.topology()
        return topology if topology and edges_of(topology) == expected_edges() else None

    topology = until(complete, 20, lambda: f"not the shop: {last['topology']}")
    spans = ORDERS * 8
    law = topology["law"]
    assert law["accepted"] == spans and sum(law["rejected"].values()) == 0, law
    assert law["pending_before"] + law["accepted"] == sum(law["outcomes"].values()) + law["pending_after"], law
    assert sum(law["calls"].values()) == sum(calls for calls, _ in expected_edges().values()), law
    nodes = {n["id"]: n for n in topology["nodes"]}
    for name in CALLS:
        assert nodes[f"shop/{name}"]["calls"] == ORDERS, nodes[f"shop/{name}"]
    return topology


def latencies_are_the_sdks(topology, services):
    """p50 and p95 of every edge that one kind of span alone explains, against that kind's recorded durations."""
    recorded = {
        ("shop/web", "shop/checkout"): {
            "client": services["web"].durations_ms(SpanKind.CLIENT),
            "server": services["checkout"].durations_ms(SpanKind.SERVER),
        },
        ("shop/checkout", "shop/payment"): {"server": services["payment"].durations_ms(SpanKind.SERVER)},
        ("shop/checkout", "shop/stock"): {"server": services["stock"].durations_ms(SpanKind.SERVER)},
        ("user:user", "shop/web"): {"server": services["web"].durations_ms(SpanKind.SERVER)},
        ("shop/payment", "database:orders-db"): {"client": services["payment"].durations_ms(SpanKind.CLIENT)},
    }
    worst = 0.0
    for edge in topology["edges"]:
        for side, durations in recorded[edge["client"], edge["server"]].items():
            for quantile in (0.5, 0.95):
                truth = durations[math.ceil(quantile * len(durations)) - 1]
                shown = edge["latency"][side][f"p{round(quantile * 100)}_ms"]
                off = abs(shown - truth) / truth
                worst = max(worst, off)
                assert off <= TOLERANCE, (edge["client"], edge["server"], side, quantile, shown, truth)
    return worst


def graphviz_draws_it(daemon):
    command = f"curl -sf 'http://{daemon.api}/api/v1/topology.dot?window=10m' | dot -Tsvg"
    run = subprocess.run(["bash", "-o", "pipefail", "-c", command], capture_output=True, text=True)
    assert run.returncode == 0 and run.stderr == "", run.stderr
    shown = html.unescape(run.stdout)
    for name in (*CALLS, "orders-db"):
        assert name in shown, f"{name} is not in the picture"


def check_shop(transport, exporter):
    with Daemon() as daemon:
        services = open_shop(lambda: exporter(daemon))
        place_orders(services)
        close_shop(services)
        topology = the_map_is_the_shops(daemon)
        worst = latencies_are_the_sdks(topology, services)
        graphviz_draws_it(daemon)
        assert daemon.stop() == 0, daemon.lines
    print(f"ok the shop by {transport}: {len(topology['edges'])} edges, {topology['law']['accepted']} spans, "
          f"quantiles at most {worst:.2%} off")


class Load:
    """Raw requests from several threads until the daemon goes; counts the spans that were acknowledged."""

    SPANS = 50

    def __init__(self, daemon):
        self.acknowledged = 0
        self.lock = threading.Lock()
        workers = [lambda: self.by_http(daemon.http), lambda: self.by_grpc(daemon.grpc)] * 2
        self.threads = [threading.Thread(target=worker) for worker in workers]
        for thread in self.threads:
            thread.start()

    def request(self):
        request = ExportTraceServiceRequest()
        resource = request.resource_spans.add()
        attribute = resource.resource.attributes.add(key="service.name")
        attribute.value.string_value = f"service-{random.randrange(5)}"
        scope = resource.scope_spans.add()
        for _ in range(self.SPANS):
            scope.spans.add(trace_id=random.randbytes(16), span_id=random.randbytes(8), name="work", kind=2,
                            start_time_unix_nano=10**18, end_time_unix_nano=10**18 + 10**6)
        return request

    def count(self, response):
        with self.lock:
            self.acknowledged += self.SPANS - response.partial_success.rejected_spans

    def by_http(self, address):
        headers = {"Content-Type": "application/x-protobuf"}
        try:
            connection = http.client.HTTPConnection(address, timeout=10)
            while True:
                connection.request("POST", "/v1/traces", self.request().SerializeToString(), headers)
                reply = connection.getresponse()
                body = reply.read()
                if reply.status != 200:
                    return
                self.count(ExportTraceServiceResponse.FromString(body))
        except (OSError, http.client.HTTPException):
            pass

    def by_grpc(self, address):
        with grpc.insecure_channel(address) as channel:
            stub = TraceServiceStub(channel)
            try:
                while True:
                    self.count(stub.Export(self.request(), timeout=10))
            except grpc.RpcError:
                pass


def check_stop_under_load():
    with Daemon() as daemon:
        load = Load(daemon)
        time.sleep(2)
        code = daemon.stop()
        for thread in load.threads:
            thread.join(20)
            assert not thread.is_alive(), "a sender was left hanging"
        last = daemon.lines[-1]
        assert code == 0, daemon.lines
        assert last["message"] == "drained", daemon.lines
        assert last["accepted"] == load.acknowledged > 0, (last, load.acknowledged)
        assert last["decoded"] == last["accepted"] + last["rejected"], last
        assert last["accepted"] == last["outcomes"] + last["pending"], last
    print(f"ok a stop under load: {load.acknowledged} spans acknowledged, {json.dumps(last)}")


def main():
    random.seed(7317)
    check_shop("gRPC", lambda daemon: GrpcExporter(endpoint=f"http://{daemon.grpc}", insecure=True))
    check_shop("HTTP/protobuf", lambda daemon: HttpExporter(endpoint=f"http://{daemon.http}/v1/traces"))
    check_stop_under_load()


if __name__ == "__main__":
    main()
