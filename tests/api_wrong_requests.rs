//! Every wrong request and its one exact answer, byte for byte over a real socket.
#![allow(clippy::unwrap_used, reason = "a failed step is a failed test")]

mod read_support;

use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Empty};
use hyper::client::conn::http2;
use hyper_util::rt::{TokioExecutor, TokioIo};
use read_support::http::shop_state;
use serde_json::Value;
use spangraph::api::router;
use spangraph::net::{Bound, Limits, NetCounters, Slots, Stop, serve};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// The table: a request line (without version), a header or none, the status, type and detail of the problem; both are
/// empty where the answer is no problem of ours, and a detail that lists what is served is left out. The types `jaeger`
/// and `zipkin` stand for a refusal in the shape of a facade. The state is that of
/// [`shop_state`]: an hour is held, and a day is the longest window.
const TABLE: &str = include_str!("data/wrong_requests.json");

type Row = (String, String, u16, String, String);

struct Answer {
    status: u16,
    head: String,
    body: Vec<u8>,
}

struct Server {
    at: SocketAddr,
    counters: Arc<NetCounters>,
    _stop: Stop,
}

impl Server {
    async fn start() -> Self {
        let listener = Bound::bind(SocketAddr::from(([127, 0, 0, 1], 0)))
            .await
            .unwrap();
        let at = listener.address();
        let (stop, shutdown) = Stop::new();
        let limits = Limits::new(Slots::new(64));
        let counters = Arc::new(NetCounters::new("api"));
        tokio::spawn(serve(
            listener,
            router(shop_state()),
            limits,
            Arc::clone(&counters),
            shutdown,
        ));
        Self {
            at,
            counters,
            _stop: stop,
        }
    }

    async fn ask(&self, request: &str, headers: &str) -> Answer {
        self.ask_in(1, request, headers).await
    }

    /// Sends the request in so many pieces, each in a packet of its own unless the system is busy.
    async fn ask_in(&self, pieces: usize, request: &str, headers: &str) -> Answer {
        let mut stream = TcpStream::connect(self.at).await.unwrap();
        let headers = if headers.is_empty() {
            String::new()
        } else {
            format!("{headers}\r\n")
        };
        let request =
            format!("{request} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{headers}\r\n");
        stream.set_nodelay(true).unwrap();
        for piece in request.as_bytes().chunks(request.len().div_ceil(pieces)) {
            // A server that has refused a head need not take the rest of it.
            if stream.write_all(piece).await.is_err() {
                break;
            }
            tokio::task::yield_now().await;
        }
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await.unwrap();
        let end = answer.windows(4).position(|w| w == b"\r\n\r\n").unwrap();
        let head = String::from_utf8(answer[..end].to_vec())
            .unwrap()
            .to_ascii_lowercase();
        Answer {
            status: head.split(' ').nth(1).unwrap().parse().unwrap(),
            body: answer[end + 4..].to_vec(),
            head,
        }
    }
}

/// Guarantees: the status, the kind and the sentence of the table; a problem is never stored and always whole.
#[tokio::test]
async fn every_wrong_request_has_one_exact_answer() {
    let server = Server::start().await;
    let table: Vec<Row> = serde_json::from_str(TABLE).unwrap();
    assert!(table.len() > 80);
    for (request, headers, status, kind, detail) in &table {
        let answer = server.ask(request, headers).await;
        let row = format!("{request} {headers}");
        assert_eq!(answer.status, *status, "{row}");
        if kind.is_empty() {
            assert!(!answer.head.contains("problem+json"), "{row}");
            continue;
        }
        assert!(answer.head.contains("cache-control: no-store"), "{row}");
        if *status == 405 {
            assert!(answer.head.contains("allow: get, head"), "{row}");
        }
        if let Some(told) = told_by_facade(kind, &answer) {
            assert_eq!(told, *detail, "{row}");
            continue;
        }
        assert!(
            answer
                .head
                .contains("content-type: application/problem+json"),
            "{row}"
        );
        assert!(
            answer.head.contains("x-content-type-options: nosniff"),
            "{row}"
        );
        let body: Value = serde_json::from_slice(&answer.body).unwrap();
        assert_eq!(
            (&body["type"], &body["status"]),
            (&(&**kind).into(), &(*status).into()),
            "{row}"
        );
        if !detail.is_empty() {
            assert_eq!(body["detail"], **detail, "{row}");
        }
        if kind == "invalid-parameter" {
            let named = body["invalid_params"][0]["name"].as_str().unwrap();
            assert!(
                body["detail"]
                    .as_str()
                    .unwrap()
                    .starts_with(&format!("parameter `{named}`")),
                "{row}"
            );
        }
    }
}

/// What a facade says in its own shape: Jaeger's envelope with one error, Zipkin's bare text.
fn told_by_facade(kind: &str, answer: &Answer) -> Option<String> {
    match kind {
        "jaeger" => {
            assert!(answer.head.contains("content-type: application/json\r\n"));
            let body: Value = serde_json::from_slice(&answer.body).unwrap();
            assert_eq!(body["errors"][0]["code"], answer.status);
            Some(body["errors"][0]["msg"].as_str().unwrap().to_owned())
        }
        "zipkin" => {
            let text = "content-type: text/plain; charset=utf-8\r\n";
            assert!(answer.head.contains(text));
            Some(String::from_utf8(answer.body.clone()).unwrap())
        }
        _ => None,
    }
}

/// Guarantees: HEAD has the head of GET, wrong or right, and no body.
#[tokio::test]
async fn a_wrong_head_is_as_wrong_as_a_get() {
    let server = Server::start().await;
    for path in [
        "/api/v1/topology",
        "/api/v1/topology?widnow=5m",
        "/api/v1/node",
        "/api/v1/stream?every=2h",
        "/nowhere",
    ] {
        let get = server.ask(&format!("GET {path}"), "").await;
        let head = server.ask(&format!("HEAD {path}"), "").await;
        let but_date = |head: &str| {
            let lines = head.lines().filter(|line| !line.starts_with("date:"));
            lines.map(str::to_owned).collect::<Vec<_>>()
        };
        assert_eq!(but_date(&head.head), but_date(&get.head), "{path}");
        assert!(head.body.is_empty() && !get.body.is_empty(), "{path}");
    }
}

/// Guarantees: a URL up to 32 KiB is read, and only a little of it repeated; a longer one is refused, in the shape of
/// whoever is asked.
#[tokio::test]
async fn a_url_has_a_bound() {
    let server = Server::start().await;
    let ask = async |bytes: usize| {
        let head = "GET /api/v1/topology?widnow=";
        server
            .ask(&format!("{head}{}", "x".repeat(bytes)), "")
            .await
    };
    let prefix = "/api/v1/topology?widnow=".len();
    let below = ask((32 << 10) - prefix).await;
    let body: Value = serde_json::from_slice(&below.body).unwrap();
    let shown = body["invalid_params"][0]["value"].as_str().unwrap();
    assert_eq!(
        (below.status, shown),
        (400, &*format!("{}…", "x".repeat(64)))
    );
    assert!(below.body.len() < 1_000);
    for bytes in [(32 << 10) - prefix + 1, 60_000] {
        let above = ask(bytes).await;
        let body: Value = serde_json::from_slice(&above.body).unwrap();
        assert_eq!((above.status, &body["type"]), (414, &"uri-too-long".into()));
        assert!(
            above
                .head
                .contains("content-type: application/problem+json")
        );
        assert!(above.head.contains("cache-control: no-store"));
        assert!(above.head.contains("x-content-type-options: nosniff"));
    }
    let jaeger = format!("GET /compat/jaeger/{}", "x".repeat(40_000));
    let jaeger = server.ask(&jaeger, "").await;
    assert_eq!(jaeger.status, 414);
    assert!(told_by_facade("jaeger", &jaeger).is_some());
}

/// Guarantees: a URL of any length has one answer, however its bytes come: up to 65,534 bytes, the longest that a URI can
/// have here, it is ours; then 414 without a body, and 431 where the head is beyond 72 KiB or has more than 100 fields.
#[tokio::test]
async fn every_length_has_one_answer() {
    const HEAD: usize = 72 << 10;
    let server = Server::start().await;
    // What the head has besides the URL.
    let rest = "GET  HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".len();
    let field = |bytes: usize| format!("A: {}", "x".repeat(bytes - "A: \r\n".len()));
    let url = |bytes: usize| format!("GET /{}", "x".repeat(bytes - 1));
    for (bytes, fields, status, ours) in [
        (32 << 10, String::new(), 404, true),
        ((32 << 10) + 1, String::new(), 414, true),
        (65_534, String::new(), 414, true),
        (65_534, field(HEAD - rest - 65_534), 414, true),
        (65_535, String::new(), 414, false),
        (65_536, String::new(), 414, false),
        (HEAD - rest, String::new(), 414, false),
        (HEAD - rest + 1, String::new(), 431, false),
        (200_000, String::new(), 431, false),
        (1, field(HEAD - rest - 1), 200, true),
        (1, field(HEAD - rest), 431, false),
        (1, ["A: x"; 98].join("\r\n"), 200, true),
        (1, ["A: x"; 99].join("\r\n"), 431, false),
    ] {
        for pieces in [1, 2, 50] {
            let answer = server.ask_in(pieces, &url(bytes), &fields).await;
            let row = format!("{bytes} bytes and {} of fields", fields.len());
            assert_eq!((answer.status, &*row), (status, &*row));
            let guarded = answer.head.contains("x-content-type-options: nosniff");
            assert_eq!(guarded, ours, "{row}: {}", answer.head);
            assert!(ours || answer.body.is_empty(), "{row}");
        }
    }
    while server.counters.snapshot().open > 0 {
        tokio::task::yield_now().await;
    }
    assert_eq!(server.counters.snapshot().heads_refused, 3 * 7);
}

/// Guarantees: over HTTP/2 a head of 16 KiB, each field counted with 32 bytes (RFC 9113, 6.5.2), is answered 431
/// without a body, so no URL comes to its own bound there, and the connection goes on; beyond four times as much it ends.
#[tokio::test]
async fn a_head_of_http2_has_a_smaller_bound() {
    let server = Server::start().await;
    let io = TokioIo::new(TcpStream::connect(server.at).await.unwrap());
    let (mut requests, connection) = http2::handshake(TokioExecutor::new(), io).await.unwrap();
    tokio::spawn(connection);
    let get = |bytes: usize| {
        let uri = format!("http://localhost/{}", "x".repeat(bytes - 1));
        http::Request::get(uri).body(Empty::<Bytes>::new()).unwrap()
    };
    // `:method`, `:scheme`, `:authority` and the name of `:path`.
    let rest = 4 * 32 + ":methodGET:schemehttp:authoritylocalhost:path".len();
    for (bytes, status) in [
        ((16 << 10) - rest - 1, 404),
        ((16 << 10) - rest, 431),
        (40_000, 431),
        ((64 << 10) - rest, 431),
        (1, 200),
    ] {
        let answer = requests.send_request(get(bytes)).await.unwrap();
        assert_eq!(answer.status(), status, "{bytes} bytes");
        let body = answer.into_body().collect().await.unwrap().to_bytes();
        assert_eq!(body.is_empty(), status == 431, "{bytes} bytes");
    }
    let beyond = requests.send_request(get((64 << 10) - rest + 1)).await;
    assert!(beyond.is_err(), "{beyond:?}");
    assert!(requests.send_request(get(1)).await.is_err());
}

/// Guarantees: many parameters, and many mistakes, are refused in an answer of bounded size.
#[tokio::test]
async fn the_number_of_mistakes_has_a_bound() {
    let server = Server::start().await;
    let many = |n: usize| format!("GET /api/v1/topology?{}", "x=1&".repeat(n));
    for (parameters, reason) in [(20, "unknown parameter"), (300, "more than 256 parameters")] {
        let answer = server.ask(&many(parameters), "").await;
        let body: Value = serde_json::from_slice(&answer.body).unwrap();
        let mistakes = body["invalid_params"].as_array().unwrap();
        assert_eq!((answer.status, mistakes.len()), (400, 16));
        assert_eq!(mistakes[0]["reason"], reason);
    }
}
