//! A receiver on real sockets, with raw clients that send exactly what they are told.
#![allow(dead_code, reason = "each test binary uses some of it")]
#![allow(
    clippy::missing_panics_doc,
    clippy::unwrap_used,
    missing_debug_implementations,
    clippy::missing_docs_in_private_items,
    missing_docs,
    unreachable_pub,
    reason = "test support"
)]

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use http::{HeaderMap, Method, Request, StatusCode};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span};
use prost::Message as _;
use spangraph::net::{
    Admission, Bound, Drained, Limits, NetCounters, Shutdown, Slots, Stop, serve,
};
use spangraph::otlp::{Counts, Malformed};
use spangraph::receiver::{Encoding, Ingest, Receiver};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;

/// Decodes with prost, which the real walker never does, and keeps a ledger.
#[derive(Debug, Default)]
pub struct Ledger {
    pub applied: AtomicU64,
    pub spans: AtomicU64,
}

/// A span of this name makes the handler panic.
pub const PANIC: &str = "panic";

impl Ingest for Ledger {
    fn apply(&self, request: &[u8], _encoding: Encoding) -> Result<Counts, Malformed> {
        let request = ExportTraceServiceRequest::decode(request).map_err(|_| Malformed {
            what: "not a request",
            offset: 0,
        })?;
        let mut counts = Counts::default();
        for span in spans_of(&request) {
            assert_ne!(span.name, PANIC);
            counts.decoded += 1;
            if span.trace_id.len() != 16 {
                counts.rejected[0] += 1;
            } else if span.span_id.len() != 8 {
                counts.rejected[1] += 1;
            }
        }
        self.applied.fetch_add(1, Ordering::SeqCst);
        self.spans.fetch_add(counts.decoded, Ordering::SeqCst);
        Ok(counts)
    }
}

fn spans_of(request: &ExportTraceServiceRequest) -> impl Iterator<Item = &Span> {
    let scopes = request.resource_spans.iter().flat_map(|r| &r.scope_spans);
    scopes.flat_map(|s| &s.spans)
}

pub struct Daemon {
    pub grpc: SocketAddr,
    pub http: SocketAddr,
    pub receiver: Receiver,
    pub admission: Arc<Admission>,
    pub ledger: Arc<Ledger>,
    pub stop: Stop,
    pub servers: [JoinHandle<Drained>; 2],
}

impl Daemon {
    /// With `budget` bytes in flight: the largest message is half of that.
    pub async fn start(budget: u64) -> Self {
        let (stop, shutdown) = Stop::new();
        let admission = Admission::new(budget);
        let ledger = Arc::new(Ledger::default());
        let ingest: Arc<dyn Ingest> = Arc::<Ledger>::clone(&ledger);
        let receiver = Receiver::new(ingest, Arc::clone(&admission), shutdown.clone());
        let limits = Limits::new(Slots::new(1000));
        let grpc = bound().await;
        let http = bound().await;
        let (grpc_at, http_at) = (grpc.address(), http.address());
        let counters = || Arc::new(NetCounters::new("test"));
        let run = |shutdown: &Shutdown| (limits.clone(), counters(), shutdown.clone());
        let (l, c, s) = run(&shutdown);
        let first = tokio::spawn(serve(grpc, receiver.grpc(), l, c, s));
        let (l, c, s) = run(&shutdown);
        let second = tokio::spawn(serve(http, receiver.http(), l, c, s));
        Self {
            grpc: grpc_at,
            http: http_at,
            receiver,
            admission,
            ledger,
            stop,
            servers: [first, second],
        }
    }

    pub fn applied(&self) -> u64 {
        self.ledger.applied.load(Ordering::SeqCst)
    }
}

pub async fn bound() -> Bound {
    Bound::bind(SocketAddr::from(([127, 0, 0, 1], 0)))
        .await
        .unwrap()
}

/// One good span.
pub fn span() -> Span {
    Span {
        trace_id: vec![7; 16],
        span_id: vec![9; 8],
        name: "GET /".into(),
        ..Span::default()
    }
}

pub fn request(spans: Vec<Span>) -> Vec<u8> {
    let request = ExportTraceServiceRequest {
        resource_spans: vec![ResourceSpans {
            scope_spans: vec![ScopeSpans {
                spans,
                ..ScopeSpans::default()
            }],
            ..ResourceSpans::default()
        }],
    };
    request.encode_to_vec()
}

/// A valid request of exactly `len` bytes: padded by an unknown length-delimited field.
pub fn request_of(len: usize) -> Vec<u8> {
    let mut out = request(vec![span()]);
    // Tag of field 1000, length as a four-byte varint.
    out.extend([0xc2, 0x3e]);
    let pad = len - out.len() - 4;
    for shift in [0, 7, 14] {
        out.push(u8::try_from((pad >> shift) & 0x7f).unwrap() | 0x80);
    }
    out.push(u8::try_from(pad >> 21).unwrap());
    out.resize(len, 0);
    out
}

pub fn gzip(bytes: &[u8]) -> Vec<u8> {
    use std::io::Write as _;
    let mut out = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    out.write_all(bytes).unwrap();
    out.finish().unwrap()
}

pub fn zlib(bytes: &[u8]) -> Vec<u8> {
    use std::io::Write as _;
    let mut out = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::default());
    out.write_all(bytes).unwrap();
    out.finish().unwrap()
}

pub fn zstd(bytes: &[u8]) -> Vec<u8> {
    ::zstd::stream::encode_all(bytes, 0).unwrap()
}

/// A gRPC message with its five-byte prefix.
pub fn framed(flag: u8, message: &[u8]) -> Vec<u8> {
    let mut out = vec![flag];
    out.extend(u32::try_from(message.len()).unwrap().to_be_bytes());
    out.extend(message);
    out
}

// === HTTP/2 ===

#[derive(Debug)]
pub struct H2Reply {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub data: Vec<u8>,
    pub trailers: HeaderMap,
}

impl H2Reply {
    /// `grpc-status`, wherever it stands.
    pub fn code(&self) -> i32 {
        let value = self.trailers.get("grpc-status");
        let value = value.or_else(|| self.headers.get("grpc-status"));
        value.map_or(-1, |v| v.to_str().unwrap().parse().unwrap())
    }

    pub fn details(&self) -> Option<Vec<u8>> {
        let status = tonic::Status::from_header_map(&self.headers)?;
        Some(status.details().to_vec()).filter(|d| !d.is_empty())
    }
}

pub type H2Client = h2::client::SendRequest<Bytes>;

pub async fn h2_connect(addr: SocketAddr) -> H2Client {
    let tcp = TcpStream::connect(addr).await.unwrap();
    let (client, connection) = h2::client::Builder::new()
        // What gRPC clients assume until they have read the server's settings.
        .initial_max_send_streams(100)
        .initial_window_size(1 << 20)
        .handshake(tcp)
        .await
        .unwrap();
    tokio::spawn(connection);
    client
}

pub async fn h2_send(
    client: &H2Client,
    method: Method,
    path: &str,
    headers: &[(&str, &[u8])],
    body: Vec<u8>,
) -> H2Reply {
    let mut request = Request::builder()
        .method(method)
        .uri(format!("http://spangraph{path}"));
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let mut client = client.clone().ready().await.unwrap();
    let (reply, mut stream) = client
        .send_request(request.body(()).unwrap(), false)
        .unwrap();
    let sending = async move {
        let mut body = Bytes::from(body);
        while !body.is_empty() {
            stream.reserve_capacity(body.len());
            let granted = std::future::poll_fn(|cx| stream.poll_capacity(cx)).await;
            let Some(Ok(granted)) = granted else { return };
            let part = body.split_to(granted.min(body.len()));
            if stream.send_data(part, false).is_err() {
                return;
            }
        }
        // The server may have answered and reset the stream before it had it all.
        let _ = stream.send_data(Bytes::new(), true);
    };
    let ((), reply) = tokio::join!(sending, reply);
    let (head, mut body) = reply.unwrap().into_parts();
    let mut data = Vec::new();
    while let Some(part) = body.data().await {
        let part = part.unwrap();
        let _ = body.flow_control().release_capacity(part.len());
        data.extend(part);
    }
    let trailers = body.trailers().await.unwrap().unwrap_or_default();
    H2Reply {
        status: head.status,
        headers: head.headers,
        data,
        trailers,
    }
}

pub const EXPORT: &str = "/opentelemetry.proto.collector.trace.v1.TraceService/Export";

pub async fn export(daemon: &Daemon, headers: &[(&str, &[u8])], body: Vec<u8>) -> H2Reply {
    let client = h2_connect(daemon.grpc).await;
    let mut all = vec![
        ("content-type", &b"application/grpc"[..]),
        ("te", b"trailers"),
    ];
    all.extend(headers);
    h2_send(&client, Method::POST, EXPORT, &all, body).await
}

// === HTTP/1 ===

#[derive(Debug)]
pub struct H1Reply {
    pub status: u16,
    pub head: String,
    pub body: Vec<u8>,
}

impl H1Reply {
    pub fn header(&self, name: &str) -> Option<&str> {
        let lines = self.head.lines().skip(1);
        let mut named = lines.filter_map(|line| line.split_once(": "));
        let found = named.find(|(key, _)| key.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value)
    }
}

/// Reads one reply with a `Content-Length` (or none and no body).
pub async fn h1_read(stream: &mut TcpStream) -> H1Reply {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let byte = stream.read_u8().await;
        head.push(byte.unwrap_or_else(|e| panic!("{e} after {}", String::from_utf8_lossy(&head))));
    }
    let head = String::from_utf8(head).unwrap();
    let mut reply = H1Reply {
        status: head[9..12].parse().unwrap(),
        head,
        body: Vec::new(),
    };
    let len = reply
        .header("content-length")
        .map_or(0, |v| v.parse().unwrap());
    reply.body.resize(len, 0);
    stream.read_exact(&mut reply.body).await.unwrap();
    reply
}

pub async fn h1_raw(addr: SocketAddr, bytes: &[u8]) -> H1Reply {
    let mut stream = TcpStream::connect(addr).await.unwrap();
    // A reply may come, and the connection close, before all is written.
    let _ = stream.write_all(bytes).await;
    h1_read(&mut stream).await
}

/// `POST /v1/traces` with these header lines and this body.
pub fn h1_post(headers: &[&str], body: &[u8]) -> Vec<u8> {
    let mut out = b"POST /v1/traces HTTP/1.1\r\nHost: x\r\n".to_vec();
    for header in headers {
        out.extend(header.as_bytes());
        out.extend(b"\r\n");
    }
    out.extend(format!("Content-Length: {}\r\n\r\n", body.len()).bytes());
    out.extend(body);
    out
}

pub const PROTOBUF: &str = "Content-Type: application/x-protobuf";
