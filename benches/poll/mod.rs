//! A thousand pollers at 1 Hz of a real daemon, over loopback sockets.

use std::convert::Infallible;
use std::fs;
use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::Empty;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{Instant, sleep, sleep_until};

const POLLERS: u32 = 1_000;
const EVERY: Duration = Duration::from_secs(1);
const ROUNDS: u32 = 10;

/// One call between two services, as JSON.
const CALL: &str = r#"{"resourceSpans":[
    {"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"web"}}]},"scopeSpans":[{"spans":[
        {"traceId":"01010101010101010101010101010101","spanId":"0101010101010101","kind":3,"flags":768,"endTimeUnixNano":"1000000"}]}]},
    {"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"shop"}}]},"scopeSpans":[{"spans":[
        {"traceId":"01010101010101010101010101010101","spanId":"0202020202020202","parentSpanId":"0101010101010101",
         "kind":2,"flags":768,"endTimeUnixNano":"1000000"}]}]}]}"#;

/// hyper with nothing around it, on a thread of its own: what any server of these parts costs here.
struct Bare {
    address: SocketAddr,
    stat: String,
}

/// The built daemon as a child, killed when dropped.
struct Daemon {
    child: Child,
    http: SocketAddr,
    api: SocketAddr,
}

pub(super) async fn pollers() {
    let daemon = Daemon::start();
    let body = CALL.len();
    let post = format!(
        "POST /v1/traces HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: {body}\r\n\r\n{CALL}"
    );
    let mut ingest = TcpStream::connect(daemon.http).await.unwrap();
    assert_eq!(exchange(&mut ingest, &post).await.0, 200);
    sleep(3 * EVERY).await;
    let idle = daemon.share_of_a_core(sleep(3 * EVERY)).await;
    println!("idle: {idle:.2} % of a core");
    let (status, answer) = daemon.get("/api/v1/topology", "").await;
    assert_eq!(status, 200);
    // A window that is over: its validator holds, as that of any window does until the next slice.
    let end = answer.split("\"end\":\"").nth(1).unwrap();
    let closed = format!("/api/v1/topology?at={}", end.split('"').next().unwrap());
    for (what, path) in [
        ("a closed window (budget 5 %)", &*closed),
        ("a new small body each second", "/api/v1/topology"),
        ("for comparison the least there is, /livez", "/livez"),
    ] {
        let pollers = Pollers::connect(daemon.api, path).await;
        let mut held = 0;
        let load = async { held = pollers.run(ROUNDS).await };
        let busy = daemon.share_of_a_core(load).await;
        let of = POLLERS * ROUNDS;
        println!(
            "{POLLERS} pollers at 1 Hz, {what}: {busy:.2} % of a core, {held} of {of} not modified"
        );
    }
    let bare = Bare::start();
    let pollers = Pollers::connect(bare.address, "/").await;
    let busy = share_of_a_core(|| bare.cpu_ns(), async { _ = pollers.run(ROUNDS).await }).await;
    println!(
        "{POLLERS} pollers at 1 Hz, for comparison a bare hyper on one thread: {busy:.2} % of a core"
    );
}

/// Pollers in steady state: connected, each with the validator that it was given last.
struct Pollers(Vec<Poller>);

struct Poller {
    stream: TcpStream,
    path: String,
    etag: String,
}

// === impl Pollers ===

impl Pollers {
    /// Connects them all, and has each ask once.
    async fn connect(api: SocketAddr, path: &str) -> Self {
        let mut pollers = Vec::new();
        for _ in 0..POLLERS {
            let mut poller = Poller {
                stream: TcpStream::connect(api).await.unwrap(),
                path: path.to_owned(),
                etag: String::new(),
            };
            poller.ask().await;
            pollers.push(poller);
        }
        Self(pollers)
    }

    /// So many rounds of a second, the requests of each spread over it. How many answers were "not modified".
    async fn run(self, rounds: u32) -> u32 {
        let start = Instant::now();
        let polling = self.0.into_iter().zip(0..).map(|(mut poller, n)| {
            let first = start + EVERY * n / POLLERS;
            tokio::spawn(async move {
                let mut held = 0;
                for round in 0..rounds {
                    sleep_until(first + EVERY * round).await;
                    held += u32::from(poller.ask().await == 304);
                }
                held
            })
        });
        let mut held = 0;
        for poller in polling.collect::<Vec<_>>() {
            held += poller.await.unwrap();
        }
        sleep_until(start + EVERY * rounds).await;
        held
    }
}

// === impl Poller ===

impl Poller {
    async fn ask(&mut self) -> u16 {
        let request = request(&self.path, &self.etag);
        let (status, answer) = exchange(&mut self.stream, &request).await;
        assert!(matches!(status, 200 | 304), "{status}");
        let sent = answer.split("etag: ").nth(1).unwrap_or_default();
        let line = sent.split("\r\n").next().unwrap_or_default();
        line.clone_into(&mut self.etag);
        status
    }
}

fn request(path: &str, etag: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nIf-None-Match: {etag}\r\n\r\n")
}

/// Sends a request and reads its answer: status, and head with body.
async fn exchange(stream: &mut TcpStream, request: &str) -> (u16, String) {
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    loop {
        let read = stream.read_buf(&mut answer).await.unwrap();
        assert!(read > 0, "closed in an answer");
        let text = String::from_utf8_lossy(&answer);
        let Some((head, body)) = text.split_once("\r\n\r\n") else {
            continue;
        };
        let length = head.split("content-length: ").nth(1);
        let length = length.map_or(0, |l| l.split("\r\n").next().unwrap().parse().unwrap());
        if body.len() >= length {
            let status = head.split(' ').nth(1).unwrap().parse().unwrap();
            return (status, text.into_owned());
        }
    }
}

/// By how much `cpu_ns` grows while `load` runs, in per cent of one core.
async fn share_of_a_core(cpu_ns: impl Fn() -> u64, load: impl Future<Output = ()>) -> f64 {
    let (start, before) = (Instant::now(), cpu_ns());
    load.await;
    let took = start.elapsed().as_nanos();
    #[expect(clippy::cast_precision_loss, reason = "per cent for people")]
    let share = (cpu_ns() - before) as f64 * 100.0 / took as f64;
    share
}

// === impl Bare ===

impl Bare {
    fn start() -> Self {
        let (send, receive) = std::sync::mpsc::sync_channel(1);
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap();
            runtime.block_on(async {
                let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
                let thread = fs::read_link("/proc/thread-self").unwrap();
                let stat = format!("/proc/{}/schedstat", thread.display());
                send.send((listener.local_addr().unwrap(), stat)).unwrap();
                loop {
                    let (stream, _) = listener.accept().await.unwrap();
                    let connection = http1::Builder::new()
                        .serve_connection(TokioIo::new(stream), service_fn(nothing_new));
                    tokio::spawn(connection);
                }
            });
        });
        let (address, stat) = receive.recv().unwrap();
        Self { address, stat }
    }

    fn cpu_ns(&self) -> u64 {
        super::on_cpu_ns(&self.stat)
    }
}

async fn nothing_new(_: Request<Incoming>) -> Result<Response<Empty<Bytes>>, Infallible> {
    let mut response = Response::new(Empty::new());
    *response.status_mut() = StatusCode::NOT_MODIFIED;
    Ok(response)
}

// === impl Daemon ===

impl Daemon {
    fn start() -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_spangraph"))
            .env_clear()
            .args(["serve", "--log-format=json"])
            .args(
                ["receiver.grpc", "receiver.http", "api"]
                    .map(|s| format!("--set={s}.listen=127.0.0.1:0")),
            )
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        let mut log = BufReader::new(child.stderr.take().unwrap());
        while !line.contains("\"listening\"") {
            line.clear();
            assert!(log.read_line(&mut line).unwrap() > 0, "it did not start");
        }
        std::thread::spawn(move || std::io::copy(&mut log, &mut std::io::sink()));
        let line: serde_json::Value = serde_json::from_str(&line).unwrap();
        let address = |name: &str| line[name].as_str().unwrap().parse().unwrap();
        Self {
            child,
            http: address("http"),
            api: address("api"),
        }
    }

    async fn get(&self, path: &str, etag: &str) -> (u16, String) {
        let mut stream = TcpStream::connect(self.api).await.unwrap();
        exchange(&mut stream, &request(path, etag)).await
    }

    /// Processor time of the daemon while `load` runs, in per cent of one core.
    async fn share_of_a_core(&self, load: impl Future<Output = ()>) -> f64 {
        share_of_a_core(|| self.cpu_ns(), load).await
    }

    /// Of all its threads. None of them ends here: the one that seals is asked for every second.
    fn cpu_ns(&self) -> u64 {
        super::all_cpu_ns(&self.child.id().to_string())
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
