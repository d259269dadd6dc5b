//! The accept loop and the connection limits, over real sockets.
#![allow(missing_docs, clippy::unwrap_used, reason = "tests")]

use std::collections::VecDeque;
use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use hyper::body::Incoming;
use spangraph::net::{
    Accept, Bound, Drained, Limits, NetCounters, Panicked, Slots, Stop, caught, serve,
};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;
use tokio::time::Instant;

struct Server {
    at: SocketAddr,
    counters: Arc<NetCounters>,
    stop: Stop,
    task: JoinHandle<Drained>,
}

async fn bound() -> Bound {
    let at = SocketAddr::from(([127, 0, 0, 1], 0));
    Bound::bind(at).await.unwrap()
}

/// Answers `ok`; never answers `/hang`; answers `/large` with 64 MiB.
async fn answer(request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    let body = match request.uri().path() {
        "/hang" => std::future::pending().await,
        "/large" => Bytes::from(vec![0; 64 << 20]),
        _ => Bytes::from_static(b"ok"),
    };
    Ok(Response::new(Full::new(body)))
}

async fn start(limits: Limits) -> Server {
    let listener = bound().await;
    let at = listener.address();
    start_on(listener, at, limits)
}

fn start_on<A: Accept>(listener: A, at: SocketAddr, limits: Limits) -> Server {
    let (stop, shutdown) = Stop::new();
    let counters = Arc::new(NetCounters::new("test"));
    let service = tower::service_fn(answer);
    let task = tokio::spawn(serve(
        listener,
        service,
        limits,
        Arc::clone(&counters),
        shutdown,
    ));
    Server {
        at,
        counters,
        stop,
        task,
    }
}

fn limits() -> Limits {
    Limits::new(Slots::new(100))
}

async fn get(at: SocketAddr) -> io::Result<String> {
    let mut stream = TcpStream::connect(at).await?;
    stream
        .write_all(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        .await?;
    let mut reply = String::new();
    stream.read_to_string(&mut reply).await?;
    Ok(reply)
}

/// Reads to the end of the connection, orderly or not; how long that took.
async fn time_to_end(stream: &mut TcpStream) -> Duration {
    let start = Instant::now();
    let _ = stream.read_to_end(&mut Vec::new()).await;
    start.elapsed()
}

/// Scenario: the port is taken.
/// Guarantees: the error names the address.
#[tokio::test]
async fn a_bind_error_names_the_address() {
    let first = bound().await;
    let error = Bound::bind(first.address()).await.unwrap_err();
    assert!(error.to_string().contains(&first.address().to_string()));
    assert_ne!(first.address().port(), 0);
}

/// A listener that first fails in each of these ways.
struct Failing {
    errors: VecDeque<io::Error>,
    then: Bound,
}

impl Accept for Failing {
    type Io = TcpStream;

    async fn accept(&mut self) -> io::Result<(TcpStream, SocketAddr)> {
        match self.errors.pop_front() {
            Some(error) => Err(error),
            None => self.then.accept().await,
        }
    }
}

/// Scenario (A8, A9): `accept` fails by ECONNABORTED, EMFILE, ENFILE, ENOMEM, EINVAL.
/// Guarantees: the listener goes on, each error is counted, and those that would repeat are not retried at once
/// (10, 20, 40, 80 ms).
#[tokio::test]
async fn no_accept_error_ends_the_listener() {
    let then = bound().await;
    let at = then.address();
    let errors = [103, 24, 23, 12, 22]
        .map(io::Error::from_raw_os_error)
        .into();
    let start = Instant::now();
    let server = start_on(Failing { errors, then }, at, limits());
    assert!(get(at).await.unwrap().ends_with("ok"));
    assert_eq!(server.counters.snapshot().accept_errors, 5);
    assert!(start.elapsed() >= Duration::from_millis(150));
}

/// Scenario (A8): more connections than slots, then one closes.
/// Guarantees: the one too many is closed at once and counted, the others live, and a free slot is used again.
#[tokio::test]
async fn connections_beyond_the_slots_are_closed_and_counted() {
    let mut limits = limits();
    limits.slots = Slots::new(2);
    let server = start(limits).await;
    let mut held = Vec::new();
    for _ in 0..2 {
        let mut stream = TcpStream::connect(server.at).await.unwrap();
        stream
            .write_all(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            .await
            .unwrap();
        assert!(stream.read(&mut [0; 512]).await.unwrap() > 0);
        held.push(stream);
    }
    let reply = get(server.at).await;
    assert!(reply.is_err() || reply.unwrap().is_empty());
    let now = server.counters.snapshot();
    assert_eq!((now.open, now.opened, now.refused), (2, 2, 1));
    held.pop();
    while server.counters.snapshot().open == 2 {
        tokio::task::yield_now().await;
    }
    assert!(get(server.at).await.unwrap().ends_with("ok"));
}

/// Scenario (A7): a silent connection; half a request head; half a head after a whole request.
/// Guarantees: each is closed at the header timeout, not before, and counted.
#[tokio::test]
async fn a_head_that_does_not_end_is_closed() {
    let mut limits = limits();
    limits.header_timeout = Duration::from_millis(150);
    let server = start(limits).await;
    for (whole, sent) in [(false, ""), (false, "GET / HT"), (true, "GET / HT")] {
        let mut stream = TcpStream::connect(server.at).await.unwrap();
        if whole {
            stream
                .write_all(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
                .await
                .unwrap();
            assert!(stream.read(&mut [0; 512]).await.unwrap() > 0);
        }
        stream.write_all(sent.as_bytes()).await.unwrap();
        let took = time_to_end(&mut stream).await;
        assert!(
            (140..2000).contains(&took.as_millis()),
            "{sent:?}: {took:?}"
        );
    }
    assert_eq!(server.counters.snapshot().head_timeouts, 3);
}

/// Scenario: a kept-alive connection rests longer than the header timeout, then longer than the idle timeout; so does
/// one that speaks HTTP/2.
/// Guarantees: the first is no reason to close it, the second is.
#[tokio::test]
async fn resting_between_requests_is_allowed_until_the_idle_timeout() {
    let mut limits = limits();
    limits.header_timeout = Duration::from_millis(100);
    limits.idle_timeout = Duration::from_millis(600);
    let server = start(limits).await;
    let mut stream = TcpStream::connect(server.at).await.unwrap();
    for _ in 0..2 {
        stream
            .write_all(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            .await
            .unwrap();
        assert!(stream.read(&mut [0; 512]).await.unwrap() > 0);
        tokio::time::sleep(Duration::from_millis(250)).await;
    }
    assert!(time_to_end(&mut stream).await < Duration::from_secs(3));
    assert_eq!(server.counters.snapshot().idle_closed, 1);

    let tcp = TcpStream::connect(server.at).await.unwrap();
    let (client, connection) = h2::client::handshake(tcp).await.unwrap();
    let start = Instant::now();
    let ended = tokio::time::timeout(Duration::from_secs(5), connection).await;
    assert!(ended.is_ok());
    assert!(start.elapsed() >= Duration::from_millis(550));
    assert_eq!(server.counters.snapshot().idle_closed, 2);
    drop(client);
}

/// Scenario (A7): a request that is never answered, and a reply that is never read.
/// Guarantees: both connections go, and are counted as stalled.
#[tokio::test]
async fn what_does_not_move_is_cut() {
    let mut limits = limits();
    limits.idle_timeout = Duration::from_millis(200);
    limits.write_timeout = Duration::from_millis(100);
    let server = start(limits).await;
    let mut streams = Vec::new();
    for path in ["/hang", "/large"] {
        let mut stream = TcpStream::connect(server.at).await.unwrap();
        let head = format!("GET {path} HTTP/1.1\r\nHost: x\r\n\r\n");
        stream.write_all(head.as_bytes()).await.unwrap();
        streams.push(stream);
    }
    while server.counters.snapshot().stalled < 2 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    while server.counters.snapshot().open > 0 {
        tokio::task::yield_now().await;
    }
}

/// Scenario: an old connection.
/// Guarantees: it is asked to go after its age ± 10 %.
#[tokio::test]
async fn old_connections_are_renewed() {
    let mut limits = limits();
    limits.max_age = Some(Duration::from_millis(300));
    let server = start(limits).await;
    let mut stream = TcpStream::connect(server.at).await.unwrap();
    stream
        .write_all(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        .await
        .unwrap();
    let took = time_to_end(&mut stream).await;
    assert!((260..2000).contains(&took.as_millis()), "{took:?}");
    assert_eq!(server.counters.snapshot().aged_closed, 1);
}

/// Scenario: a shutdown while one request never ends.
/// Guarantees: the drain ends at its deadline and says how many it cut.
#[tokio::test]
async fn a_drain_has_a_deadline() {
    let mut limits = limits();
    limits.drain_timeout = Duration::from_millis(200);
    let server = start(limits).await;
    let mut stream = TcpStream::connect(server.at).await.unwrap();
    stream
        .write_all(b"GET /hang HTTP/1.1\r\nHost: x\r\n\r\n")
        .await
        .unwrap();
    while server.counters.snapshot().open == 0 {
        tokio::task::yield_now().await;
    }
    // Until the request is in the handler there is nothing to wait for.
    tokio::time::sleep(Duration::from_millis(50)).await;
    let start = Instant::now();
    server.stop.begin();
    assert_eq!(server.task.await.unwrap().cut, 1);
    assert!((190..2000).contains(&start.elapsed().as_millis()));
    let now = server.counters.snapshot();
    assert_eq!((now.open, now.drain_cut), (0, 1));
}

/// Scenario: an axum router on the same loop, by both protocols.
/// Guarantees: it is a service like any other.
#[tokio::test]
async fn an_axum_router_can_be_served() {
    let listener = bound().await;
    let at = listener.address();
    let (_stop, shutdown) = Stop::new();
    let router = axum::Router::new().route("/", axum::routing::get(|| async { "ok" }));
    let counters = Arc::new(NetCounters::new("api"));
    tokio::spawn(serve(listener, router, limits(), counters, shutdown));
    assert!(get(at).await.unwrap().ends_with("ok"));
}

/// Scenario: a future panics, another does not.
/// Guarantees: a value either way.
#[tokio::test]
async fn a_panic_becomes_a_value() {
    let number = std::hint::black_box(1);
    let bad = caught(async {
        assert_eq!(number, 2);
    });
    assert_eq!(bad.await, Err(Panicked));
    assert_eq!(caught(async { 5 }).await, Ok(5));
}
