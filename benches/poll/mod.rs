//! A thousand pollers at 1 Hz of a real daemon, over loopback sockets.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
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
        let mut held = 0;
        let load = async { held = all(daemon.api, path).await };
        let busy = daemon.share_of_a_core(load).await;
        let of = POLLERS * ROUNDS;
        println!(
            "{POLLERS} pollers at 1 Hz, {what}: {busy:.2} % of a core, {held} of {of} not modified"
        );
    }
}

/// Each poller on a connection of its own, their requests spread over the second; each names the newest validator that
/// it was given. How many answers were "not modified".
async fn all(api: SocketAddr, path: &str) -> u32 {
    let start = Instant::now() + EVERY;
    let polling: Vec<_> = (0..POLLERS)
        .map(|n| tokio::spawn(poll(api, path.to_owned(), start + EVERY * n / POLLERS)))
        .collect();
    let mut held = 0;
    for poller in polling {
        held += poller.await.unwrap();
    }
    held
}

async fn poll(api: SocketAddr, path: String, first: Instant) -> u32 {
    let mut stream = TcpStream::connect(api).await.unwrap();
    let (mut etag, mut held) = (String::new(), 0);
    for round in 0..ROUNDS {
        sleep_until(first + EVERY * round).await;
        let (status, answer) = exchange(&mut stream, &request(&path, &etag)).await;
        assert!(matches!(status, 200 | 304), "{status}");
        held += u32::from(status == 304);
        let sent = answer.split("etag: ").nth(1).unwrap_or_default();
        let line = sent.split("\r\n").next().unwrap_or_default();
        line.clone_into(&mut etag);
    }
    held
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
        let (start, before) = (Instant::now(), self.cpu_ns());
        load.await;
        let took = start.elapsed().as_nanos();
        #[expect(clippy::cast_precision_loss, reason = "per cent for people")]
        let share = (self.cpu_ns() - before) as f64 * 100.0 / took as f64;
        share
    }

    /// Of all its threads. None of them ends here: the one that seals is asked for every second.
    fn cpu_ns(&self) -> u64 {
        let tasks = fs::read_dir(format!("/proc/{}/task", self.child.id())).unwrap();
        let stats = tasks.map(|task| task.unwrap().path().join("schedstat"));
        stats
            .map(|stat| super::on_cpu_ns(stat.to_str().unwrap()))
            .sum()
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
