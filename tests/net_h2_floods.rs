//! HTTP/2 floods, sent frame by frame: the connection that sends one ends, the server does not.
#![allow(missing_docs, clippy::unwrap_used, reason = "tests")]

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use spangraph::net::{Bound, Limits, NetCounters, Shutdown, Slots, serve};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

const DATA: u8 = 0;
const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
const GOAWAY: u8 = 7;
const WINDOW_UPDATE: u8 = 8;
const CONTINUATION: u8 = 9;
const END_HEADERS: u8 = 4;
const ENHANCE_YOUR_CALM: u32 = 11;

/// More window than a stream can have.
const OVERFLOW: [u8; 4] = [0x7f, 0xff, 0xff, 0xff];

/// POST http /, authority x, all from HPACK's static table but the last.
const HEAD: &[u8] = &[0x83, 0x86, 0x84, 0x41, 1, b'x'];

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let len = u32::try_from(payload.len()).unwrap().to_be_bytes();
    let mut out = vec![len[1], len[2], len[3], kind, flags];
    out.extend(stream.to_be_bytes());
    out.extend(payload);
    out
}

async fn server() -> SocketAddr {
    let listener = Bound::bind(SocketAddr::from(([127, 0, 0, 1], 0)))
        .await
        .unwrap();
    let at = listener.address();
    let service = tower::service_fn(|request: Request<Incoming>| async {
        let _ = request.into_body().collect().await;
        Ok::<_, Infallible>(Response::new(Full::new(Bytes::from_static(b"ok"))))
    });
    let limits = Limits::new(Slots::new(10));
    let counters = Arc::new(NetCounters::new("test"));
    tokio::spawn(serve(
        listener,
        service,
        limits,
        counters,
        Shutdown::never(),
    ));
    at
}

/// Sends all of `frames`; the error code of the GOAWAY that came before the connection ended.
async fn goaway_code(at: SocketAddr, frames: Vec<u8>) -> Option<u32> {
    let stream = TcpStream::connect(at).await.unwrap();
    let (mut read, mut write) = stream.into_split();
    let sending = tokio::spawn(async move {
        let mut all = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec();
        all.extend(frame(SETTINGS, 0, 0, &[]));
        all.extend(frames);
        let _ = write.write_all(&all).await;
        write
    });
    let mut got = Vec::new();
    let ended = tokio::time::timeout(Duration::from_secs(20), read.read_to_end(&mut got)).await;
    assert!(ended.is_ok(), "the connection is still open");
    drop(sending);
    let mut rest = &got[..];
    while rest.len() >= 9 {
        let len = u32::from_be_bytes([0, rest[0], rest[1], rest[2]]) as usize;
        let payload = &rest[9..9 + len];
        if rest[3] == GOAWAY {
            return Some(u32::from_be_bytes(payload[4..8].try_into().unwrap()));
        }
        rest = &rest[9 + len..];
    }
    None
}

async fn still_serves(at: SocketAddr) {
    let mut stream = TcpStream::connect(at).await.unwrap();
    let head = b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    stream.write_all(head).await.unwrap();
    let mut reply = String::new();
    stream.read_to_string(&mut reply).await.unwrap();
    assert!(reply.ends_with("ok"));
}

fn streams(n: u32) -> impl Iterator<Item = u32> {
    (0..n).map(|i| 2 * i + 1)
}

/// Scenario (A3): ten thousand streams opened and reset at once.
/// Guarantees: GOAWAY with `ENHANCE_YOUR_CALM`.
#[tokio::test]
async fn rapid_resets_end_the_connection() {
    let at = server().await;
    let pair = |id| {
        let open = frame(HEADERS, END_HEADERS, id, HEAD);
        [open, frame(RST_STREAM, 0, id, &8u32.to_be_bytes())].concat()
    };
    let frames = streams(10_000).flat_map(pair).collect();
    assert_eq!(goaway_code(at, frames).await, Some(ENHANCE_YOUR_CALM));
    still_serves(at).await;
}

/// Scenario (A4): streams on which the client makes an error that the server has to answer with a reset.
/// Guarantees: after 1024 of them, GOAWAY with `ENHANCE_YOUR_CALM`.
#[tokio::test]
async fn resets_forced_upon_the_server_end_the_connection() {
    let at = server().await;
    let pair = |id| {
        let open = frame(HEADERS, END_HEADERS, id, HEAD);
        [open, frame(WINDOW_UPDATE, 0, id, &OVERFLOW)].concat()
    };
    let frames = streams(5_000).flat_map(pair).collect();
    assert_eq!(goaway_code(at, frames).await, Some(ENHANCE_YOUR_CALM));
    still_serves(at).await;
}

/// Scenario (A5): a head that never ends, 64 MiB of it.
/// Guarantees: the connection ends by GOAWAY long before that is read.
#[tokio::test]
async fn endless_continuations_end_the_connection() {
    let at = server().await;
    let mut frames = frame(HEADERS, 0, 1, HEAD);
    // A literal header of 16,000 bytes, not indexed.
    let mut header = vec![0, 1, b'a', 0x7f, 0x81, 0x7c];
    header.resize(header.len() + 16_000, b'v');
    for _ in 0..4_000 {
        frames.extend(frame(CONTINUATION, 0, 1, &header));
    }
    assert!(goaway_code(at, frames).await.is_some());
    still_serves(at).await;
}

/// Scenario (A6): empty DATA frames without end, on one stream.
/// Guarantees: the connection ends by GOAWAY.
#[tokio::test]
async fn empty_data_frames_end_the_connection() {
    let at = server().await;
    let mut frames = frame(HEADERS, END_HEADERS, 1, HEAD);
    for _ in 0..200_000 {
        frames.extend(frame(DATA, 0, 1, &[]));
    }
    assert!(goaway_code(at, frames).await.is_some());
    still_serves(at).await;
}
