"""A load of exactly the same calls each second, one of each kind there is, and what it must add to the graph."""

import threading
import time
import urllib.request

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

HOSTILE = 'a"b\\c\nd{le="1"} 7 # {} \u202eevil </script> =cmd() %date() \U0001f980 ,}'
SERVER, CLIENT, PRODUCER, CONSUMER = 2, 3, 4, 5
CALLS_PER_S = 20
LATE_FROM_S = 4
GAP_S = 0.0005
QUEUE_S = 0.3


def duration_s(number):
    """Of the server of call `number` of a second: spread over eight buckets, none on a bound."""
    return 0.0013 * 2 ** (number % 8)


class Trace:
    """Spans of one trace, each put under its service."""

    def __init__(self, request, number):
        self.request, self.trace_id = request, number.to_bytes(16, "big")
        self.last_id = 0

    def span(self, service, kind, start_s, duration, parent=None, failed=False, **attributes):
        namespace, _, name = service.rpartition("/") if service.startswith("shop/") else ("", "", service)
        resource = self.request.resource_spans.add()
        for key, value in (("service.name", name), ("service.namespace", namespace)):
            if value:
                resource.resource.attributes.add(key=key).value.string_value = value
        self.last_id += 1
        begin = 1_700_000_000 * 10**9 + round(start_s * 1e9)
        span = resource.scope_spans.add().spans.add(
            trace_id=self.trace_id, span_id=self.last_id.to_bytes(8, "big"), name="work", kind=kind,
            parent_span_id=parent.to_bytes(8, "big") if parent else b"",
            start_time_unix_nano=begin, end_time_unix_nano=begin + round(duration * 1e9))
        for key, value in attributes.items():
            span.attributes.add(key=key.replace("__", ".")).value.string_value = value
        if failed:
            span.status.code = 2
        return self.last_id


class Load:
    """In the middle of each second, exactly the same calls; the service `late` shows itself only after some seconds."""

    def __init__(self, daemon):
        self.daemon, self.seconds, self.traces, self.spans, self.ids = daemon, 0, 0, 0, set()
        self.stopping = threading.Event()
        self.thread = threading.Thread(target=self.run)
        self.thread.start()

    def run(self):
        while not self.stopping.is_set():
            time.sleep(1.5 - time.time() % 1)
            self.send()

    def send(self):
        request = ExportTraceServiceRequest()
        for number in range(CALLS_PER_S):
            self.fill(request, number)
        body = request.SerializeToString()
        headers = {"Content-Type": "application/x-protobuf"}
        post = urllib.request.Request(f"http://{self.daemon.http}/v1/traces", body, headers)
        with urllib.request.urlopen(post, timeout=10) as reply:
            assert reply.status == 200 and reply.read() == b"", "all is accepted"
        self.seconds += 1
        self.spans += len(request.resource_spans)

    def trace(self, request):
        self.traces += 1
        trace = Trace(request, self.traces)
        self.ids.add(trace.trace_id.hex())
        return trace

    def fill(self, request, number):
        long, failed = duration_s(number), number == 3
        trace = self.trace(request)
        root = trace.span("shop/web", SERVER, 0, 2 * long)
        call = trace.span("shop/web", CLIENT, 0, long + GAP_S, root, failed=failed)
        served = trace.span("shop/checkout", SERVER, GAP_S / 2, long, call, failed=failed)
        trace.span("shop/checkout", CLIENT, 0, long, served, db__system__name="postgresql", server__address="orders-db")
        trace.span("shop/checkout", CLIENT, 0, long, served, server__address="api.example.org")
        trace.span("shop/checkout", CLIENT, 0, long, served, server__address="late")
        sent = trace.span("shop/checkout", PRODUCER, 0, long, served, messaging__destination__name="orders")
        trace.span("audit", CONSUMER, long + QUEUE_S, long, sent, messaging__destination__name="orders")
        trace = self.trace(request)
        hostile = trace.span(HOSTILE, CLIENT, 0, long + GAP_S)
        trace.span("victim", SERVER, 0, long, hostile)
        if self.seconds >= LATE_FROM_S:
            self.trace(request).span("shop/late", SERVER, 0, long)

    def stop(self):
        self.stopping.set()
        self.thread.join()


def expected():
    """Labels to what a second adds: calls, failed, and the durations of server, client and queue."""
    numbers = range(CALLS_PER_S)
    durations = [duration_s(number) for number in numbers]
    clients = [long + GAP_S for long in durations]
    queue = [QUEUE_S] * CALLS_PER_S
    n = CALLS_PER_S
    return {
        ("user", "", "web", "shop", "virtual_node"): (n, 0, [2 * long for long in durations], None, None),
        ("user", "", "late", "shop", "virtual_node"): (n, 0, durations, None, None),
        ("web", "shop", "checkout", "shop", ""): (n, 1, durations, clients, None),
        ("checkout", "shop", "orders-db", "", "database"): (n, 0, durations, durations, None),
        ("checkout", "shop", "api.example.org", "", "virtual_node"): (n, 0, durations, durations, None),
        ("checkout", "shop", "late", "shop", ""): (n, 0, None, durations, None),
        ("checkout", "shop", "audit", "", "messaging_system"): (n, 0, durations, durations, queue),
        (HOSTILE, "", "victim", "", ""): (n, 0, durations, clients, None),
    }
