"""gRPC health and reflection, asked by gRPC's own Python clients.

Both gRPC ports say SERVING while they serve; a drain turns that into NOT_SERVING for whoever watches, ends the watch, and
is not held up by it. Reflection is enough to call the topology service without its .proto files.
"""

import http.client
import json
import queue
import signal
import socket
import threading

import grpc
from google.protobuf import descriptor_pool, message_factory
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from _daemon import Daemon, until

STATUS = health_pb2.HealthCheckResponse.ServingStatus
TRACES = "opentelemetry.proto.collector.trace.v1.TraceService"
TOPOLOGY = "spangraph.v1.TopologyService"


def check(channel, service):
    """The status, or the code of the refusal."""
    try:
        answer = health_pb2_grpc.HealthStub(channel).Check(health_pb2.HealthCheckRequest(service=service), timeout=10)
        return STATUS.Name(answer.status)
    except grpc.RpcError as error:
        return error.code().name


class Watch:
    """Collects what one watcher is sent; `None` is the end of the stream."""

    def __init__(self, channel, service):
        self.seen = queue.Queue()
        stream = health_pb2_grpc.HealthStub(channel).Watch(health_pb2.HealthCheckRequest(service=service))
        threading.Thread(target=self.read, args=(stream,), daemon=True).start()

    def read(self, stream):
        try:
            for answer in stream:
                self.seen.put(STATUS.Name(answer.status))
            self.seen.put(None)
        except grpc.RpcError as error:
            self.seen.put(error.code().name)

    def next(self):
        return self.seen.get(timeout=10)


def serving(daemon):
    for address, own, other in ((daemon.grpc, TRACES, TOPOLOGY), (daemon.api, TOPOLOGY, TRACES)):
        with grpc.insecure_channel(address) as channel:
            answers = [check(channel, service) for service in ("", own, other, "x" * 10_000)]
            assert answers == ["SERVING", "SERVING", "NOT_FOUND", "OUT_OF_RANGE"], (address, answers)
            assert Watch(channel, other).next() == "SERVICE_UNKNOWN"


def reflection(daemon):
    with grpc.insecure_channel(daemon.api) as channel:
        database = ProtoReflectionDescriptorDatabase(channel)
        services = sorted(database.get_services())
        assert {TOPOLOGY, "grpc.health.v1.Health"} <= set(services), services
        pool = descriptor_pool.DescriptorPool(database)
        method = pool.FindServiceByName(TOPOLOGY).FindMethodByName("GetTopology")
        request, response = map(message_factory.GetMessageClass, (method.input_type, method.output_type))
        call = channel.unary_unary(f"/{TOPOLOGY}/{method.name}", request.SerializeToString, response.FromString)

        def equal():
            status, body = daemon.get("/api/v1/topology?at=-1s&window=1s")
            answer = call(request(query="at=-1s&window=1s"), timeout=10) if status == 200 else None
            return answer if answer and answer.body == body else None

        answer = until(equal, 20, lambda: "HTTP and gRPC differ")
        assert json.loads(answer.body)["schema"] == "spangraph.topology/1"
        assert pool.FindMessageTypeByName("spangraph.v1.Slice").fields_by_name["edges"].number == 13
        # The same messages under the name of version 1.
        asked = reflection_pb2.ServerReflectionRequest(list_services="")
        version_1 = channel.stream_stream("/grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
                                          asked.SerializeToString, reflection_pb2.ServerReflectionResponse.FromString)
        listed = next(version_1(iter([asked]), timeout=10)).list_services_response.service
        assert TOPOLOGY in {service.name for service in listed}, listed
    return services


def held_request(daemon, body):
    """A request that lacks its last byte: what a drain waits for."""
    host, port = daemon.http.rsplit(":", 1)
    stream = socket.create_connection((host, int(port)), timeout=10)
    stream.sendall(b"POST /v1/traces HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-protobuf\r\n"
                   b"Content-Length: %d\r\nExpect: 100-continue\r\n\r\n" % len(body))
    assert stream.recv(25) == b"HTTP/1.1 100 Continue\r\n\r\n"
    stream.sendall(body[:-1])
    return stream


def draining(daemon):
    request = ExportTraceServiceRequest()
    request.resource_spans.add().scope_spans.add().spans.add(trace_id=b"t" * 16, span_id=b"s" * 8, name="held")
    body = request.SerializeToString()
    with grpc.insecure_channel(daemon.grpc) as ingest, grpc.insecure_channel(daemon.api) as api:
        watches = [Watch(ingest, ""), Watch(ingest, TRACES), Watch(api, ""), Watch(api, TOPOLOGY)]
        assert [watch.next() for watch in watches] == ["SERVING"] * 4
        held = held_request(daemon, body)
        daemon.process.send_signal(signal.SIGTERM)
        assert [watch.next() for watch in watches] == ["NOT_SERVING"] * 4
        assert [watch.next() for watch in watches] == [None] * 4, "the streams end"
        assert check(api, "") == check(api, TOPOLOGY) == "NOT_SERVING", "readers are still served"
        assert daemon.get("/readyz")[0] == 503
        with grpc.insecure_channel(daemon.grpc) as late:
            assert check(late, "") == "UNAVAILABLE", "no new connections"
        held.sendall(body[-1:])
        reply = http.client.HTTPResponse(held)
        reply.begin()
        assert reply.status == 200
        held.close()
        code = daemon.process.wait(20)
    assert code == 0, (code, daemon.lines)


def main():
    with Daemon() as daemon:
        serving(daemon)
        services = reflection(daemon)
        draining(daemon)
    print(f"ok health on both ports until the drain, reflection of {', '.join(services)}")


if __name__ == "__main__":
    main()
