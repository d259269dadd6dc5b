//! `api.tls_cert` and `api.tls_key` as an operator meets them: the real binary, whose API then speaks TLS only.
#![allow(clippy::unwrap_used, reason = "a failed step is a failed test")]

#[path = "common/running.rs"]
mod running;
#[path = "common/scratch.rs"]
mod scratch;
#[path = "common/tls.rs"]
mod tls;

use http::{Request, StatusCode};
use http_body_util::{BodyExt as _, Empty};
use hyper::body::Bytes;
use hyper_util::rt::{TokioExecutor, TokioIo};
use running::{Logged, said, spangraph};
use scratch::Scratch;

fn set(key: &str, file: &str) -> String {
    format!("{key}={}", tls::path(file))
}

/// One GET over HTTP/2 and TLS, of a host that the request names.
async fn get(daemon: &Logged, host: &str, path: &str) -> (StatusCode, String) {
    let at = daemon.api.parse().unwrap();
    let stream = tls::connect(at, tls::client("ca.pem", &["h2"], false))
        .await
        .unwrap();
    let (mut sender, connection) =
        hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(stream))
            .await
            .unwrap();
    tokio::spawn(connection);
    let request = Request::get(format!("https://{host}{path}"));
    let request = request.body(Empty::<Bytes>::new()).unwrap();
    let answer = sender.send_request(request).await.unwrap();
    let status = answer.status();
    let body = answer.into_body().collect().await.unwrap().to_bytes();
    (status, String::from_utf8(body.to_vec()).unwrap())
}

/// Guarantees: the API answers over TLS, keeps to its hosts there, says so in its log, and answers nothing in plain text,
/// which it counts.
#[tokio::test]
async fn the_api_speaks_tls_and_nothing_else() {
    let cert = set("api.tls_cert", "server.pem");
    let daemon = Logged::start(&[&cert, &set("api.tls_key", "server.key")]);
    let page = daemon.listening["page"].as_str().unwrap();
    assert_eq!(page, format!("https://{}/ui/", daemon.api));

    let (status, body) = get(&daemon, "localhost", "/api/v1/status").await;
    assert_eq!(status, StatusCode::OK, "{body}");
    let (status, _) = get(&daemon, "evil.example", "/livez").await;
    assert_eq!(status, StatusCode::MISDIRECTED_REQUEST);
    assert_eq!(
        running::get(&daemon.api, "/livez", "").0,
        0,
        "no answer in plain text"
    );

    let (_, metrics) = get(&daemon, "localhost", "/metrics").await;
    let counted =
        "spangraph_net_tls_handshake_failures_total{listener=\"api\",reason=\"not_tls\"} 1";
    assert!(metrics.lines().any(|line| line == counted), "{metrics}");
}

/// Guarantees: half a pair, a pair that is none, and files that cannot be used are a wrong configuration that names the
/// key to mend.
#[test]
fn a_pair_of_no_use_is_a_wrong_configuration() {
    let dir = Scratch::new("bad-pair");
    let none = format!("api.tls_key={}", dir.path("none"));
    let long = format!(
        "api.tls_cert={}",
        dir.write("long", "#".repeat((256 << 10) + 1))
    );
    let (cert, key) = (
        set("api.tls_cert", "server.pem"),
        set("api.tls_key", "server.key"),
    );
    for (settings, why) in [
        (
            vec![&*cert],
            "`api.tls_cert` is of no use without `api.tls_key`",
        ),
        (
            vec![&*key],
            "`api.tls_key` is of no use without `api.tls_cert`",
        ),
        (vec![&*cert, &*none], "none): No such file"),
        (vec![&*long, &*key], "long): holds more than 256 KiB"),
        (
            vec![&*cert, &*set("api.tls_key", "self.key")],
            "`api.tls_key`",
        ),
        (
            vec![&*cert, &*set("api.tls_key", "locked.key")],
            "without a passphrase",
        ),
        (
            vec![&*set("api.tls_cert", "server.key"), &*key],
            "`api.tls_cert`",
        ),
    ] {
        for command in ["serve", "check-config"] {
            let settings = settings.iter().map(|setting| format!("--set={setting}"));
            let output = spangraph(&[command]).args(settings).output().unwrap();
            assert_eq!(output.status.code(), Some(78), "{command} {why}");
            assert!(said(&output).contains(why), "{}", said(&output));
        }
    }
}
