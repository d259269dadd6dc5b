//! OTLP/HTTP over real sockets: one exact answer per row of the conformance table (H1-H19).
#![allow(missing_docs, clippy::unwrap_used, reason = "tests")]

mod receiver_support;

use http::Method;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceResponse;
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message as _;
use receiver_support::*;
use spangraph::receiver::{Class, Transport};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

const MIB: u64 = 1024 * 1024;
const LIMIT: usize = 1024 * 1024;

/// `google.rpc.Status`, read without our own definition of it.
#[derive(Clone, PartialEq, prost::Message)]
struct RpcStatus {
    #[prost(int32, tag = "1")]
    code: i32,
    #[prost(string, tag = "2")]
    message: String,
}

/// The status in `reply`'s body, by the encoding its header names; a body that does not decode fails the test.
fn rpc_status(reply: &H1Reply) -> RpcStatus {
    let status = match reply.header("content-type") {
        Some("application/x-protobuf") => RpcStatus::decode(&reply.body[..]).unwrap(),
        Some("application/json") => {
            let json: serde_json::Value = serde_json::from_slice(&reply.body).unwrap();
            RpcStatus {
                code: i32::try_from(json["code"].as_i64().unwrap()).unwrap(),
                message: json["message"].as_str().unwrap().into(),
            }
        }
        other => panic!("an error body of type {other:?}"),
    };
    assert!(status.code > 0 && !status.message.is_empty(), "{status:?}");
    status
}

/// Scenario (H1, H3, H8): good requests, in every accepted coding and spelling.
/// Guarantees: 200, the request's media type, and a body of no bytes.
#[tokio::test]
async fn good_requests_get_200_and_an_empty_response() {
    let daemon = Daemon::start(4 * MIB).await;
    let good = request(vec![span()]);
    let two_members = [gzip(&good[..10]), gzip(&good[10..])].concat();
    let rows: Vec<(&str, &str, Vec<u8>)> = vec![
        ("application/x-protobuf", "", good.clone()),
        ("Application/X-Protobuf", "", good.clone()),
        ("application/x-protobuf; charset=utf-8", "", good.clone()),
        ("application/x-protobuf ;v=1", "", good.clone()),
        (
            "application/x-protobuf",
            "Content-Encoding: identity",
            good.clone(),
        ),
        ("application/x-protobuf", "Content-Encoding:", good.clone()),
        (
            "application/x-protobuf",
            "Content-Encoding: gzip",
            gzip(&good),
        ),
        (
            "application/x-protobuf",
            "Content-Encoding: GZIP",
            gzip(&good),
        ),
        (
            "application/x-protobuf",
            "Content-Encoding: gzip",
            two_members,
        ),
        (
            "application/x-protobuf",
            "Content-Encoding: zstd",
            zstd(&good),
        ),
        (
            "application/x-protobuf",
            "Content-Encoding: deflate",
            zlib(&good),
        ),
        ("application/x-protobuf", "", vec![]),
    ];
    let sent = rows.len() as u64;
    for (media_type, coding, body) in rows {
        let media_type = format!("Content-Type: {media_type}");
        let coding = if coding.is_empty() { "X: y" } else { coding };
        let reply = h1_raw(daemon.http, &h1_post(&[&media_type, coding], &body)).await;
        assert_eq!(reply.status, 200, "{media_type} {coding}");
        assert_eq!(reply.header("content-type"), Some("application/x-protobuf"));
        assert!(reply.body.is_empty());
    }
    assert_eq!(daemon.applied(), sent);
    // Both members were read: the padding-free request has one span each time, but for the empty one.
    let counted = daemon.receiver.counters().snapshot(Transport::Http);
    assert_eq!(counted.accepted_spans, sent - 1);
}

/// Scenario (H4-H14): one request per kind of fault.
/// Guarantees: exactly this status, and a `google.rpc.Status` body in the request's encoding, JSON if that is unknown.
#[tokio::test]
async fn every_fault_has_its_one_status_and_a_body() {
    let daemon = Daemon::start(2 * MIB).await;
    let good = request(vec![span()]);
    let mut truncated = gzip(&good);
    truncated.truncate(truncated.len() - 4);
    let trailing = [gzip(&good), b"junk".to_vec()].concat();
    let zlib_trailing = [zlib(&good), b"junk".to_vec()].concat();
    let over = request_of(LIMIT + 1);
    let gz = "Content-Encoding: gzip";
    let zipped = [PROTOBUF, gz];
    let twice = [PROTOBUF, gz, gz];
    let rows: Vec<(&[&str], Vec<u8>, u16, &str)> = vec![
        (&[], good.clone(), 415, "json"),
        (&["Content-Type: text/plain"], good.clone(), 415, "json"),
        (
            &["Content-Type: application/grpc"],
            good.clone(),
            415,
            "json",
        ),
        (
            &["Content-Type: application/json"],
            b"{}".to_vec(),
            415,
            "json",
        ),
        (
            &["Content-Type: application/x-protobuffer"],
            good.clone(),
            415,
            "json",
        ),
        (
            &[PROTOBUF, "Content-Encoding: br"],
            good.clone(),
            415,
            "x-protobuf",
        ),
        (
            &[PROTOBUF, "Content-Encoding: gzip, gzip"],
            gzip(&gzip(&good)),
            415,
            "x-protobuf",
        ),
        (&twice, gzip(&gzip(&good)), 415, "x-protobuf"),
        (
            &[PROTOBUF, "Content-Encoding: snappy"],
            good.clone(),
            415,
            "x-protobuf",
        ),
        (&[PROTOBUF], b"\xff\xff\xff".to_vec(), 400, "x-protobuf"),
        (&zipped, good.clone(), 400, "x-protobuf"),
        (&zipped, truncated, 400, "x-protobuf"),
        (&zipped, trailing, 400, "x-protobuf"),
        (&zipped, vec![], 400, "x-protobuf"),
        (
            &[PROTOBUF, "Content-Encoding: deflate"],
            zlib_trailing,
            400,
            "x-protobuf",
        ),
        (
            &[PROTOBUF, "Content-Encoding: zstd"],
            good.clone(),
            400,
            "x-protobuf",
        ),
        (&zipped, gzip(&over), 413, "x-protobuf"),
        (
            &[PROTOBUF, "Content-Encoding: zstd"],
            zstd(&over),
            413,
            "x-protobuf",
        ),
        (&[PROTOBUF], over, 413, "x-protobuf"),
    ];
    for (headers, body, status, encoding) in rows {
        let reply = h1_raw(daemon.http, &h1_post(headers, &body)).await;
        assert_eq!(reply.status, status, "{headers:?}");
        let media_type = format!("application/{encoding}");
        assert_eq!(
            reply.header("content-type"),
            Some(&media_type[..]),
            "{headers:?}"
        );
        let said = rpc_status(&reply);
        if headers == ["Content-Type: application/json"] {
            assert_eq!(said.message, "only application/x-protobuf is read");
        }
        let codings = reply.header("accept-encoding");
        let is_coding_fault = status == 415 && headers.len() > 1;
        assert_eq!(codings, is_coding_fault.then_some("gzip, zstd, deflate"));
        assert_eq!(reply.header("retry-after"), None);
    }
    assert_eq!(daemon.applied(), 0);
    assert_eq!(daemon.admission.in_flight(), 0);
}

/// Scenario (H5): header values with bytes that are no text.
/// Guarantees: an answer, no panic.
#[tokio::test]
async fn header_bytes_beyond_ascii_are_an_ordinary_mistake() {
    let daemon = Daemon::start(2 * MIB).await;
    let rows: [(&[u8], u16); 4] = [
        (b"Content-Type: \xff\xfe", 415),
        (b"Content-Type: application/x-protobuf\x80", 415),
        (
            b"Content-Type: application/x-protobuf\r\nContent-Encoding: \xe9",
            415,
        ),
        (b"Content-Type: application/x-protobuf\r\nX-Odd: \xff", 200),
    ];
    for (header, status) in rows {
        let head: &[&[u8]] = &[
            b"POST /v1/traces HTTP/1.1\r\nHost: x\r\n",
            header,
            b"\r\nContent-Length: 0\r\n\r\n",
        ];
        assert_eq!(h1_raw(daemon.http, &head.concat()).await.status, status);
    }
    let counted = daemon.receiver.counters().snapshot(Transport::Http);
    assert_eq!(counted.requests(Class::Internal), 0);
}

/// Scenario (H6, H7): other methods and other paths.
/// Guarantees: 405 with `Allow`, 404, each with a status body.
#[tokio::test]
async fn other_methods_and_paths_are_refused() {
    let daemon = Daemon::start(2 * MIB).await;
    for method in ["GET", "PUT", "DELETE", "OPTIONS", "PATCH"] {
        let head = format!("{method} /v1/traces HTTP/1.1\r\nHost: x\r\n\r\n");
        let reply = h1_raw(daemon.http, head.as_bytes()).await;
        assert_eq!((reply.status, reply.header("allow")), (405, Some("POST")));
        rpc_status(&reply);
    }
    for path in [
        "/v1/metrics",
        "/v1/logs",
        "/",
        "/v1/traces/",
        "//v1/traces",
        "/v1/tracesx",
    ] {
        let head =
            format!("POST {path} HTTP/1.1\r\nHost: x\r\n{PROTOBUF}\r\nContent-Length: 0\r\n\r\n");
        let reply = h1_raw(daemon.http, head.as_bytes()).await;
        assert_eq!(reply.status, 404, "{path}");
        assert_eq!(reply.header("content-type"), Some("application/x-protobuf"));
        rpc_status(&reply);
    }
    let head = "POST /v1/traces?x=y HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n";
    let reply = h1_raw(daemon.http, format!("{head}{PROTOBUF}\r\n\r\n").as_bytes()).await;
    assert_eq!(reply.status, 200, "a query changes nothing");
}

/// Scenario (H11): bodies one byte under, at and over the limit; with a length, chunked, and inflated.
/// Guarantees: the last byte decides, in all three ways.
#[tokio::test]
async fn the_limit_is_exact_in_every_way_to_send() {
    let daemon = Daemon::start(2 * MIB).await;
    for (len, status) in [(LIMIT - 1, 200), (LIMIT, 200), (LIMIT + 1, 413)] {
        let body = request_of(len);
        let sized = h1_raw(daemon.http, &h1_post(&[PROTOBUF], &body)).await;
        assert_eq!(sized.status, status, "{len} sized");
        let gzipped = h1_post(&[PROTOBUF, "Content-Encoding: gzip"], &gzip(&body));
        assert_eq!(
            h1_raw(daemon.http, &gzipped).await.status,
            status,
            "{len} gzip"
        );
        let mut chunked = b"POST /v1/traces HTTP/1.1\r\nHost: x\r\n".to_vec();
        chunked.extend(format!("{PROTOBUF}\r\nTransfer-Encoding: chunked\r\n\r\n").bytes());
        for part in body.chunks(100_000) {
            chunked.extend(format!("{:x}\r\n", part.len()).bytes());
            chunked.extend(part);
            chunked.extend(b"\r\n");
        }
        chunked.extend(b"0\r\n\r\n");
        assert_eq!(
            h1_raw(daemon.http, &chunked).await.status,
            status,
            "{len} chunked"
        );
    }
    assert_eq!(daemon.admission.in_flight(), 0);
}

/// Scenario (H11, H15): a length over the limit is announced, with and without `Expect`, and no body ever sent.
/// Guarantees: 413 at once, no `100 Continue`; one within the limit is invited.
#[tokio::test]
async fn too_large_is_said_before_the_body_is_read() {
    let daemon = Daemon::start(2 * MIB).await;
    for expect in ["", "Expect: 100-continue\r\n"] {
        let head = format!(
            "POST /v1/traces HTTP/1.1\r\nHost: x\r\n{PROTOBUF}\r\n{expect}Content-Length: {}\r\n\r\n",
            LIMIT + 1
        );
        let reply = h1_raw(daemon.http, head.as_bytes()).await;
        assert_eq!(reply.status, 413);
        rpc_status(&reply);
    }
    let mut stream = TcpStream::connect(daemon.http).await.unwrap();
    let head = format!(
        "POST /v1/traces HTTP/1.1\r\nHost: x\r\n{PROTOBUF}\r\nExpect: 100-continue\r\nContent-Length: {LIMIT}\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    assert_eq!(h1_read(&mut stream).await.status, 100);
    stream.write_all(&request_of(LIMIT)).await.unwrap();
    assert_eq!(h1_read(&mut stream).await.status, 200);
}

/// Scenario (H12, partial): spans without a trace id among good ones.
/// Guarantees: 200 with the exact count and an English reason.
#[tokio::test]
async fn rejected_spans_are_named_in_the_reply() {
    let daemon = Daemon::start(2 * MIB).await;
    let bad = Span {
        trace_id: vec![],
        ..span()
    };
    let body = request(vec![bad.clone(), span(), bad]);
    let reply = h1_raw(daemon.http, &h1_post(&[PROTOBUF], &body)).await;
    assert_eq!(reply.status, 200);
    let response = ExportTraceServiceResponse::decode(&reply.body[..]).unwrap();
    let partial = response.partial_success.unwrap();
    assert_eq!(partial.rejected_spans, 2);
    let says = "2 of 3 spans rejected: 2 with a trace id that is zero or not 16 bytes";
    assert_eq!(partial.error_message, says);
}

/// Scenario (H13): the budget is taken, for a sized and for a chunked body.
/// Guarantees: 503 with `Retry-After`, and a connection that serves the next request.
#[tokio::test]
async fn no_room_is_503_with_retry_after() {
    let daemon = Daemon::start(2 * MIB).await;
    let hog = daemon.admission.admit(2 * LIMIT).await.unwrap();
    let chunked = format!(
        "POST /v1/traces HTTP/1.1\r\nHost: x\r\n{PROTOBUF}\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
    );
    for body in [
        h1_post(&[PROTOBUF], &request(vec![span()])),
        chunked.into_bytes(),
    ] {
        let reply = h1_raw(daemon.http, &body).await;
        assert_eq!(
            (reply.status, reply.header("retry-after")),
            (503, Some("1"))
        );
        assert_eq!(rpc_status(&reply).code, 14);
    }
    drop(hog);
    let body = h1_post(&[PROTOBUF], &request(vec![span()]));
    assert_eq!(h1_raw(daemon.http, &body).await.status, 200);
}

/// Scenario (H16): two requests sent at once on one connection, the first bad; and HTTP/2 without a handshake.
/// Guarantees: answers come in the order of the requests; HTTP/2 gets the same answers.
#[tokio::test]
async fn pipelined_requests_and_http_2_both_work() {
    let daemon = Daemon::start(2 * MIB).await;
    let bad = h1_post(&[PROTOBUF], b"\xff\xff\xff");
    let good = h1_post(&[PROTOBUF], &request(vec![span()]));
    let mut stream = TcpStream::connect(daemon.http).await.unwrap();
    stream.write_all(&[bad, good].concat()).await.unwrap();
    assert_eq!(h1_read(&mut stream).await.status, 400);
    assert_eq!(h1_read(&mut stream).await.status, 200);

    let client = h2_connect(daemon.http).await;
    let headers = [("content-type", &b"application/x-protobuf"[..])];
    for (body, status) in [(request(vec![span()]), 200), (b"\xff".to_vec(), 400)] {
        let reply = h2_send(&client, Method::POST, "/v1/traces", &headers, body).await;
        assert_eq!(reply.status, status);
    }
    // Without a length, by which HTTP/2 bodies usually come.
    let over = request_of(LIMIT + 1);
    let reply = h2_send(&client, Method::POST, "/v1/traces", &headers, over).await;
    assert_eq!(reply.status, 413);
    assert_eq!(daemon.applied(), 2);
}

/// Scenario (H17): messages whose length can be read in two ways.
/// Guarantees: refused, or one reading with the connection closed after it; never a second request smuggled in.
#[tokio::test]
async fn ambiguous_lengths_never_smuggle_a_request() {
    let daemon = Daemon::start(2 * MIB).await;
    let head = format!("POST /v1/traces HTTP/1.1\r\nHost: x\r\n{PROTOBUF}\r\n");
    let smuggled = "0\r\n\r\nPOST /v1/traces HTTP/1.1\r\nHost: x\r\n\r\n";
    let rows = [
        (
            format!("{head}Content-Length: 4\r\nContent-Length: 5\r\n\r\n{smuggled}"),
            400,
        ),
        (format!("{head}Content-Length: 4, 5\r\n\r\n{smuggled}"), 400),
        (format!("{head}Content-Length: +4\r\n\r\n{smuggled}"), 400),
        (
            format!("{head}Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n{smuggled}"),
            200,
        ),
        (
            format!("{head}Transfer-Encoding: chunked, identity\r\n\r\n{smuggled}"),
            400,
        ),
    ];
    for (bytes, status) in rows {
        let mut stream = TcpStream::connect(daemon.http).await.unwrap();
        stream.write_all(bytes.as_bytes()).await.unwrap();
        let mut all = Vec::new();
        stream.read_to_end(&mut all).await.unwrap();
        let all = String::from_utf8_lossy(&all);
        assert!(
            all.starts_with(&format!("HTTP/1.1 {status} ")),
            "{bytes:?}: {all}"
        );
        assert_eq!(all.matches("HTTP/1.1").count(), 1, "{bytes:?}: {all}");
    }
}

/// Scenario (A11): a handler panics.
/// Guarantees: 500 with a body for that request; the same connection serves the next.
#[tokio::test]
async fn a_panic_costs_one_request_only() {
    let daemon = Daemon::start(2 * MIB).await;
    let poison = Span {
        name: PANIC.into(),
        ..span()
    };
    let mut stream = TcpStream::connect(daemon.http).await.unwrap();
    for (span, status) in [(poison, 500), (span(), 200)] {
        let body = h1_post(&[PROTOBUF], &request(vec![span]));
        stream.write_all(&body).await.unwrap();
        assert_eq!(h1_read(&mut stream).await.status, status);
    }
    let counted = daemon.receiver.counters().snapshot(Transport::Http);
    assert_eq!(counted.requests(Class::Internal), 1);
}
