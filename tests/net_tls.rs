//! TLS over real sockets: what is negotiated, what is refused, and that no peer holds another up.
#![allow(missing_docs, clippy::unwrap_used, reason = "tests")]

#[path = "common/tls.rs"]
mod tls;

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
    BadPair, Bound, Identity, Limits, NetCounters, Pair, Slots, Stop, TlsListener, serve,
};
use tls::{client, connect, pem};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpStream;

struct Server {
    at: SocketAddr,
    counters: Arc<NetCounters>,
    identity: Identity,
    _stop: Stop,
}

fn pair(chain: &str, key: &str) -> Result<Pair, BadPair> {
    Pair::read(&pem(chain), &pem(key))
}

/// Answers with the version of HTTP it was asked in.
async fn answer(request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    let said = format!("{:?}", request.version());
    Ok(Response::new(Full::new(said.into())))
}

async fn start(deadline: Duration) -> Server {
    let bound = Bound::bind(([127, 0, 0, 1], 0).into()).await.unwrap();
    let at = bound.address();
    let counters = Arc::new(NetCounters::new("test"));
    let identity = Identity::new(pair("server.pem", "server.key").unwrap());
    let listener = TlsListener::new(bound, identity.clone(), deadline, Arc::clone(&counters));
    let (stop, shutdown) = Stop::new();
    let limits = Limits::new(Slots::new(100));
    let service = tower::service_fn(answer);
    tokio::spawn(serve(
        listener,
        service,
        limits,
        Arc::clone(&counters),
        shutdown,
    ));
    Server {
        at,
        counters,
        identity,
        _stop: stop,
    }
}

const LONG: Duration = Duration::from_mins(10);

/// Asks over a connection that is open.
async fn get(mut stream: impl AsyncRead + AsyncWrite + Unpin) -> io::Result<String> {
    let head = b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    stream.write_all(head).await?;
    let mut reply = String::new();
    stream.read_to_string(&mut reply).await?;
    Ok(reply)
}

impl Server {
    async fn get(&self, authority: &str, old: bool) -> io::Result<String> {
        get(connect(self.at, client(authority, &["http/1.1"], old)).await?).await
    }

    /// Failures by reason, once there are so many.
    async fn failures(&self, reason: &str, many: u64) -> u64 {
        while self.counters.snapshot().tls_failed < many {
            tokio::task::yield_now().await;
        }
        let metrics = self.counters.metrics();
        let mut found = metrics
            .iter()
            .filter(|m| m.labels.contains(&("reason", reason)));
        found
            .find(|m| m.name == "spangraph_net_tls_handshake_failures_total")
            .unwrap()
            .value
    }
}

/// Guarantees: TLS 1.2 and 1.3 both work, and so do both kinds of HTTP, as ALPN and without it.
#[tokio::test]
async fn both_versions_of_tls_and_of_http_are_spoken() {
    let server = start(LONG).await;
    for old in [true, false] {
        let reply = server.get("ca.pem", old).await.unwrap();
        assert!(reply.ends_with("HTTP/1.1"), "{reply}");
        let stream = connect(server.at, client("ca.pem", &["h2", "http/1.1"], old))
            .await
            .unwrap();
        assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"h2"[..]));
        let (mut sender, connection) = h2::client::handshake(stream).await.unwrap();
        tokio::spawn(connection);
        let request = Request::get("https://localhost/").body(()).unwrap();
        let (reply, _) = sender.send_request(request, true).unwrap();
        let body = reply.await.unwrap().into_body().data().await;
        assert_eq!(body.unwrap().unwrap(), "HTTP/2.0");
    }
    let stream = connect(server.at, client("ca.pem", &[], false))
        .await
        .unwrap();
    assert!(get(stream).await.unwrap().starts_with("HTTP/1.1 200"));
    assert_eq!(server.counters.snapshot().tls_failed, 0);
}

/// Scenario: plain HTTP, noise, a client that trusts somebody else, one that speaks neither protocol, a mere probe.
/// Guarantees: each is closed and counted by its reason, and the next client is served.
#[tokio::test]
async fn a_failed_handshake_ends_its_connection_only() {
    let server = start(LONG).await;
    let plain = get(TcpStream::connect(server.at).await.unwrap()).await;
    assert!(
        !plain.unwrap_or_default().contains("HTTP"),
        "no answer in plain text"
    );
    assert_eq!(server.failures("not_tls", 1).await, 1);

    let mut noise = TcpStream::connect(server.at).await.unwrap();
    noise.write_all(&[0xff; 4096]).await.unwrap();
    assert_eq!(server.failures("not_tls", 2).await, 2);

    server.get("self.pem", false).await.unwrap_err();
    assert_eq!(server.failures("refused", 3).await, 1);

    connect(server.at, client("ca.pem", &["smtp"], false))
        .await
        .unwrap_err();
    assert_eq!(server.failures("protocol", 4).await, 1);

    drop(TcpStream::connect(server.at).await.unwrap());
    assert_eq!(server.failures("closed", 5).await, 1);

    server.get("ca.pem", false).await.unwrap();
    let counted = server.counters.snapshot();
    assert_eq!(
        (counted.tls_failed, counted.panics, counted.accept_errors),
        (5, 0, 0)
    );
}

/// Scenario: peers that connect and say nothing, or half a greeting.
/// Guarantees: others are served meanwhile; at the deadline the silent ones are closed and counted.
#[tokio::test]
async fn silent_peers_hold_nobody_up_and_are_closed() {
    let server = start(Duration::from_secs(1)).await;
    let mut silent = Vec::new();
    for said in [&b""[..], &b"\x16\x03\x01\x02\x00\x01"[..]] {
        let mut stream = TcpStream::connect(server.at).await.unwrap();
        stream.write_all(said).await.unwrap();
        silent.push(stream);
    }
    server.get("ca.pem", false).await.unwrap();
    for mut stream in silent {
        let _ = stream.read_to_end(&mut Vec::new()).await;
    }
    assert_eq!(server.failures("timeout", 2).await, 2);
    assert_eq!(server.counters.snapshot().head_timeouts, 0);
}

/// Guarantees: another pair is shown to new connections, while one that is open goes on.
#[tokio::test]
async fn a_pair_is_replaced_without_closing_connections() {
    let server = start(LONG).await;
    let mut open = connect(server.at, client("ca.pem", &[], false))
        .await
        .unwrap();
    let shown = |stream: &tokio_rustls::client::TlsStream<TcpStream>| {
        stream.get_ref().1.peer_certificates().unwrap()[0].to_vec()
    };
    server.identity.replace(pair("rsa.pem", "rsa.key").unwrap());
    server.get("ca.pem", false).await.unwrap_err();
    let new = connect(server.at, client("rsa.pem", &[], false))
        .await
        .unwrap();
    assert_ne!(shown(&open), shown(&new));
    assert!(get(new).await.unwrap().starts_with("HTTP/1.1 200"));
    assert!(get(&mut open).await.unwrap().starts_with("HTTP/1.1 200"));
}

/// Guarantees: every usual form of a key is read, and what is of no use is told apart without its words.
#[test]
fn a_pair_is_read_or_says_what_is_wrong() {
    for name in ["server", "self", "rsa"] {
        pair(&format!("{name}.pem"), &format!("{name}.key")).unwrap();
    }
    assert_eq!(pair("server.pem", "self.key").unwrap_err(), BadPair::Unlike);
    let chain = |text: &[u8]| Pair::read(text, &pem("server.key")).unwrap_err();
    assert_eq!(chain(b"").to_string(), "holds no PEM certificate");
    assert_eq!(
        chain(&pem("server.key")).to_string(),
        "holds no PEM certificate"
    );
    let cut = pem("server.pem");
    assert_eq!(
        chain(&cut[..300]).to_string(),
        "holds a PEM section without its end"
    );
    let wrong = b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    assert_eq!(
        chain(wrong).to_string(),
        "holds a certificate that is broken"
    );
    for key in ["locked.key", "server.pem"] {
        let said = pair("server.pem", key).unwrap_err().to_string();
        assert!(said.contains("no private key"), "{said}");
    }
    let wrong = b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n";
    let said = Pair::read(&pem("server.pem"), wrong).unwrap_err();
    assert!(matches!(said, BadPair::Key(_)), "{said}");
}
