//! OTLP/gRPC over real sockets: one exact answer per row of the conformance table (G1-G19).
#![allow(missing_docs, clippy::unwrap_used, reason = "tests")]

mod receiver_support;

use http::{Method, StatusCode};
use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTraceServiceRequest, ExportTraceServiceResponse, trace_service_client::TraceServiceClient,
};
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span};
use prost::Message as _;
use receiver_support::*;
use spangraph::receiver::{Class, Transport};
use tonic::Code;
use tonic::codec::CompressionEncoding;

const MIB: u64 = 1024 * 1024;
const LIMIT: usize = 1024 * 1024;

fn code(code: Code) -> i32 {
    i32::from(code)
}

/// Scenario (G1): a tonic-generated client sends one good span, plain and gzipped.
/// Guarantees: an empty response, `partial_success` unset, and the spans were counted when it came.
#[tokio::test]
async fn a_generated_client_gets_an_empty_response() {
    let daemon = Daemon::start(2 * MIB).await;
    let channel = tonic::transport::Endpoint::from_shared(format!("http://{}", daemon.grpc));
    let channel = channel.unwrap().connect().await.unwrap();
    let good = ExportTraceServiceRequest::decode(&request(vec![span()])[..]).unwrap();
    let mut plain = TraceServiceClient::new(channel.clone());
    let mut gzip = TraceServiceClient::new(channel).send_compressed(CompressionEncoding::Gzip);
    for (client, applied) in [(&mut plain, 1), (&mut gzip, 2)] {
        let reply = client.export(good.clone()).await.unwrap().into_inner();
        assert_eq!(reply, ExportTraceServiceResponse::default());
        assert_eq!(daemon.applied(), applied);
    }
}

/// Scenario (G1, G2, G3, G6): each encoding, and requests that are empty in four ways.
/// Guarantees: status 0 and a response message of no bytes at all.
#[tokio::test]
async fn good_requests_of_every_encoding_and_emptiness_get_status_zero() {
    let daemon = Daemon::start(4 * MIB).await;
    let no_spans = ExportTraceServiceRequest {
        resource_spans: vec![ResourceSpans {
            scope_spans: vec![ScopeSpans::default()],
            ..ResourceSpans::default()
        }],
    };
    let no_scopes = ExportTraceServiceRequest {
        resource_spans: vec![ResourceSpans::default()],
    };
    let good = request(vec![span()]);
    let large = request_of(LIMIT);
    let rows: Vec<(&str, Vec<u8>)> = vec![
        ("", framed(0, &good)),
        ("identity", framed(0, &good)),
        ("gzip", framed(0, &good)),
        ("gzip", framed(1, &gzip(&good))),
        ("gzip", framed(1, &gzip(&large))),
        ("zstd", framed(1, &zstd(&good))),
        ("zstd", framed(1, &zstd(&large))),
        ("", framed(0, &large)),
        ("", framed(0, &[])),
        ("", framed(0, &no_spans.encode_to_vec())),
        ("", framed(0, &no_scopes.encode_to_vec())),
        ("", framed(0, &request(vec![]))),
    ];
    for (encoding, body) in rows {
        let mut headers: Vec<(&str, &[u8])> = vec![];
        if !encoding.is_empty() {
            headers.push(("grpc-encoding", encoding.as_bytes()));
        }
        let reply = export(&daemon, &headers, body).await;
        assert_eq!(
            (reply.status, reply.code()),
            (StatusCode::OK, 0),
            "{encoding}"
        );
        assert_eq!(reply.data, [0; 5]);
        assert_eq!(reply.headers["content-type"], "application/grpc");
    }
    assert_eq!(daemon.admission.in_flight(), 0);
}

/// Scenario (G4, G5, G9, G10, G13, G15): one request per kind of fault.
/// Guarantees: exactly this code; details only where the code alone does not say it all.
#[tokio::test]
async fn every_fault_has_its_one_code() {
    let daemon = Daemon::start(2 * MIB).await;
    let good = request(vec![span()]);
    let over = request_of(LIMIT + 1);
    let mut short = framed(0, &good);
    short.truncate(10);
    let two = [framed(0, &good), framed(0, &good)].concat();
    let rows: Vec<(&str, &str, Vec<u8>, Code, bool)> = vec![
        (
            "over the limit",
            "",
            framed(0, &over),
            Code::ResourceExhausted,
            false,
        ),
        (
            "gzip, over",
            "gzip",
            framed(1, &gzip(&over)),
            Code::ResourceExhausted,
            false,
        ),
        (
            "zstd, over",
            "zstd",
            framed(1, &zstd(&over)),
            Code::ResourceExhausted,
            false,
        ),
        (
            "length 2^32-1",
            "",
            vec![0, 255, 255, 255, 255],
            Code::ResourceExhausted,
            false,
        ),
        (
            "snappy",
            "snappy",
            framed(1, &good),
            Code::Unimplemented,
            false,
        ),
        ("no encoding", "", framed(1, &good), Code::Internal, false),
        ("flag 2", "gzip", framed(2, &good), Code::Internal, false),
        (
            "undecodable",
            "",
            framed(0, b"\xff\xff"),
            Code::InvalidArgument,
            true,
        ),
        (
            "not gzip",
            "gzip",
            framed(1, b"plainly not"),
            Code::InvalidArgument,
            true,
        ),
        (
            "empty gzip",
            "gzip",
            framed(1, b""),
            Code::InvalidArgument,
            true,
        ),
        ("no message", "", vec![], Code::InvalidArgument, true),
        ("half a prefix", "", vec![0, 0], Code::InvalidArgument, true),
        ("truncated", "", short, Code::InvalidArgument, true),
        ("two messages", "", two, Code::InvalidArgument, true),
    ];
    for (what, encoding, body, expected, with_details) in rows {
        let mut headers: Vec<(&str, &[u8])> = vec![];
        if !encoding.is_empty() {
            headers.push(("grpc-encoding", encoding.as_bytes()));
        }
        let reply = export(&daemon, &headers, body).await;
        assert_eq!(reply.status, StatusCode::OK, "{what}");
        assert_eq!(reply.code(), code(expected), "{what}");
        assert_eq!(reply.details().is_some(), with_details, "{what}");
        if expected == Code::Unimplemented {
            assert_eq!(reply.headers["grpc-accept-encoding"], "gzip,zstd,identity");
        }
    }
    assert_eq!(daemon.applied(), 0);
    assert_eq!(daemon.admission.in_flight(), 0);
}

/// Scenario (G5): messages one byte under, at and over the limit, as sent and inflated.
/// Guarantees: the last byte decides.
#[tokio::test]
async fn the_limit_is_exact_raw_and_inflated() {
    let daemon = Daemon::start(2 * MIB).await;
    for (len, expected) in [(LIMIT - 1, 0), (LIMIT, 0), (LIMIT + 1, 8)] {
        let message = request_of(len);
        let raw = export(&daemon, &[], framed(0, &message)).await;
        assert_eq!(raw.code(), expected, "{len} raw");
        for (name, squeezed) in [("gzip", gzip(&message)), ("zstd", zstd(&message))] {
            let headers = [("grpc-encoding", name.as_bytes())];
            let reply = export(&daemon, &headers, framed(1, &squeezed)).await;
            assert_eq!(reply.code(), expected, "{len} {name}");
        }
    }
}

/// Scenario (G7, G18): bad spans among good ones, few and very many.
/// Guarantees: status 0, the exact count, an English message under 1 KiB; nothing else grows with the input.
#[tokio::test]
async fn rejected_spans_are_counted_in_a_small_reply() {
    let daemon = Daemon::start(8 * MIB).await;
    let bad = Span {
        trace_id: vec![1; 3],
        ..span()
    };
    let nameless = Span {
        span_id: vec![],
        ..span()
    };
    let many = vec![bad.clone(); 50_000];
    let rows = [
        (vec![span(), bad, nameless], 2, "2 of 3 spans"),
        (many, 50_000, "50000 of 50000"),
    ];
    for (spans, rejected, says) in rows {
        let reply = export(&daemon, &[], framed(0, &request(spans))).await;
        assert_eq!(reply.code(), 0);
        let response = ExportTraceServiceResponse::decode(&reply.data[5..]).unwrap();
        let partial = response.partial_success.unwrap();
        assert_eq!(partial.rejected_spans, rejected);
        assert!(
            partial.error_message.contains(says),
            "{}",
            partial.error_message
        );
        assert!(partial.error_message.contains("trace id"));
        assert!(partial.error_message.len() <= 1024);
    }
    let counted = daemon.receiver.counters().snapshot(Transport::Grpc);
    assert_eq!(counted.requests(Class::Partial), 2);
    assert_eq!(counted.rejected_spans, [50_001, 1, 0]);
    assert_eq!(counted.accepted_spans, 1);
}

/// Scenario (G10): the whole budget is taken by somebody else.
/// Guarantees: `UNAVAILABLE` with a `RetryInfo`, within the 100 ms that a request may wait; then all is well again.
#[tokio::test]
async fn no_room_is_unavailable_with_a_hint_when_to_retry() {
    let daemon = Daemon::start(2 * MIB).await;
    let hog = daemon.admission.admit(2 * LIMIT).await.unwrap();
    let body = framed(0, &request(vec![span()]));
    let reply = export(&daemon, &[], body.clone()).await;
    assert_eq!(reply.code(), code(Code::Unavailable));
    let details = reply.details().unwrap();
    let retry_info = b"type.googleapis.com/google.rpc.RetryInfo";
    assert!(details.windows(retry_info.len()).any(|w| w == retry_info));
    assert_eq!(daemon.admission.refused(), 1);
    drop(hog);
    assert_eq!(export(&daemon, &[], body).await.code(), 0);
}

/// Scenario (G13, G14): other services, other methods, other media types.
/// Guarantees: `UNIMPLEMENTED` to gRPC clients, 405 and 415 to the rest, and nothing was handled.
#[tokio::test]
async fn only_posts_of_grpc_to_export_are_handled() {
    let daemon = Daemon::start(2 * MIB).await;
    let client = h2_connect(daemon.grpc).await;
    let metrics = "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export";
    let logs = "/opentelemetry.proto.collector.logs.v1.LogsService/Export";
    let grpc = "application/grpc";
    let rows = [
        (Method::POST, metrics, grpc, 200, 12),
        (Method::POST, logs, "application/grpc+proto", 200, 12),
        (Method::POST, "/", grpc, 200, 12),
        (Method::POST, EXPORT, "Application/gRPC; x=y", 200, 0),
        (Method::GET, EXPORT, grpc, 405, -1),
        (Method::PUT, EXPORT, grpc, 405, -1),
        (Method::POST, EXPORT, "application/json", 415, -1),
        (Method::POST, EXPORT, "application/grpc-web", 415, -1),
        (Method::POST, EXPORT, "application/grpc+json", 415, -1),
        (Method::POST, EXPORT, "\u{ff}\u{fe}", 415, -1),
        (Method::POST, EXPORT, "", 415, -1),
    ];
    for (method, path, media_type, status, expected) in rows {
        let body = framed(0, &request(vec![span()]));
        let headers = [("content-type", media_type.as_bytes())];
        let reply = h2_send(&client, method, path, &headers, body).await;
        let got = (reply.status.as_u16(), reply.code());
        assert_eq!(got, (status, expected), "{path} {media_type}");
        if status == 405 {
            assert_eq!(reply.headers["allow"], "POST");
        }
    }
    assert_eq!(daemon.applied(), 1);
}

/// Scenario (G16): the client's timeout is over before its message is complete.
/// Guarantees: `DEADLINE_EXCEEDED`, and nothing was counted.
#[tokio::test]
async fn a_batch_past_the_clients_deadline_is_not_counted() {
    let daemon = Daemon::start(2 * MIB).await;
    let body = framed(0, &request(vec![span()]));
    let reply = export(&daemon, &[("grpc-timeout", b"1n")], body.clone()).await;
    assert_eq!(reply.code(), code(Code::DeadlineExceeded));
    assert_eq!(daemon.applied(), 0);
    for timeout in [&b"10S"[..], b"99999999H", b"x", b"123456789S", b"\xff"] {
        let reply = export(&daemon, &[("grpc-timeout", timeout)], body.clone()).await;
        assert_eq!(reply.code(), 0);
    }
}

/// Scenario (G17): a thousand calls at once on one connection, ten times the advertised streams.
/// Guarantees: all are answered.
#[tokio::test]
async fn a_thousand_calls_share_a_connection() {
    let daemon = Daemon::start(2 * MIB).await;
    let client = h2_connect(daemon.grpc).await;
    let mut calls = tokio::task::JoinSet::new();
    for _ in 0..1000 {
        let client = client.clone();
        calls.spawn(async move {
            let headers = [("content-type", &b"application/grpc"[..])];
            let body = framed(0, &request(vec![span()]));
            h2_send(&client, Method::POST, EXPORT, &headers, body)
                .await
                .code()
        });
    }
    assert!(calls.join_all().await.iter().all(|&code| code == 0));
    assert_eq!(daemon.applied(), 1000);
}

/// Scenario (G19): an HTTP/1.1 client on the gRPC port.
/// Guarantees: an answer it can show its user, and the connection ends.
#[tokio::test]
async fn http_1_on_the_grpc_port_is_told_so_and_closed() {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let daemon = Daemon::start(2 * MIB).await;
    let mut stream = tokio::net::TcpStream::connect(daemon.grpc).await.unwrap();
    let body = h1_post(&[PROTOBUF], &request(vec![span()]));
    stream.write_all(&body).await.unwrap();
    let reply = h1_read(&mut stream).await;
    assert_eq!(reply.status, 505);
    assert_eq!(stream.read(&mut [0; 1]).await.unwrap(), 0);
}

/// Scenario (A11): a handler panics.
/// Guarantees: `INTERNAL` for that call, counted; the same connection serves the next one.
#[tokio::test]
async fn a_panic_costs_one_call_only() {
    let daemon = Daemon::start(2 * MIB).await;
    let client = h2_connect(daemon.grpc).await;
    let poison = Span {
        name: PANIC.into(),
        ..span()
    };
    for (spans, expected) in [(poison, code(Code::Internal)), (span(), 0)] {
        let headers = [("content-type", &b"application/grpc"[..])];
        let body = framed(0, &request(vec![spans]));
        let reply = h2_send(&client, Method::POST, EXPORT, &headers, body).await;
        assert_eq!(reply.code(), expected);
    }
    let counted = daemon.receiver.counters().snapshot(Transport::Grpc);
    assert_eq!(counted.requests(Class::Internal), 1);
    assert_eq!(daemon.admission.in_flight(), 0);
}

/// Scenario (A1): a kilobyte-sized gzip and a zstd of 64 MiB of zeros, a hundred at once.
/// Guarantees: all are refused at the limit, and their bytes in flight never passed the budget.
#[tokio::test]
async fn bombs_stop_at_the_limit() {
    let daemon = Daemon::start(8 * MIB).await;
    let zeros = vec![0; 64 << 20];
    let bombs = [("gzip", gzip(&zeros)), ("zstd", zstd(&zeros))];
    drop(zeros);
    let client = h2_connect(daemon.grpc).await;
    let mut calls = tokio::task::JoinSet::new();
    for n in 0..100 {
        let (name, bomb) = bombs[n % 2].clone();
        let client = client.clone();
        calls.spawn(async move {
            let headers = [
                ("content-type", &b"application/grpc"[..]),
                ("grpc-encoding", name.as_bytes()),
            ];
            h2_send(&client, Method::POST, EXPORT, &headers, framed(1, &bomb))
                .await
                .code()
        });
    }
    let codes = calls.join_all().await;
    let refused = [code(Code::ResourceExhausted), code(Code::Unavailable)];
    assert!(codes.iter().all(|c| refused.contains(c)), "{codes:?}");
    assert!(codes.contains(&refused[0]));
    assert_eq!(daemon.admission.in_flight(), 0);
    assert_eq!(daemon.applied(), 0);
}
