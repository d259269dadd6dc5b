//! What the log says of listeners that other machines can reach.

#[path = "common/running.rs"]
mod running;
#[path = "common/scratch.rs"]
mod scratch;
#[path = "common/tls.rs"]
mod tls;

use running::Logged;
use scratch::Scratch;
use serde_json::Value;

const API: &str = "api.listen=0.0.0.0:0";

/// Section, what it lacks and the cure, of each warning before `listening`.
fn warnings(settings: &[&str]) -> Vec<[String; 3]> {
    let daemon = Logged::start(settings);
    let lines = daemon.seen.lines().map(serde_json::from_str::<Value>);
    let lines = lines.map(|line| line.expect("it logs JSON"));
    let warned = lines.filter(|line| line["message"] == "listening on a public address");
    warned
        .map(|line| {
            ["section", "lacks", "mend"]
                .map(|key| line[key].as_str().unwrap_or_default().to_owned())
        })
        .collect()
}

/// Guarantees: each public listener is warned of by itself, with what it lacks and how to mend it; the API's warning
/// goes away when it has both, and none is there on loopback.
#[test]
fn each_public_listener_is_told_what_it_lacks() {
    let dir = Scratch::new("public");
    let file = dir.write("tokens", "token-0123456789abcdef\n");
    let tokens = format!("api.tokens_file={file}");
    let cert = format!("api.tls_cert={}", tls::path("server.pem"));
    let key = format!("api.tls_key={}", tls::path("server.key"));
    assert_eq!(warnings(&[]), [[""; 3]; 0]);

    let [[section, lacks, mend]] = warnings(&[API]).try_into().expect("one warning");
    assert_eq!((&*section, &*lacks), ("api", "tls and tokens"));
    assert!(
        mend.contains("api.tls_cert, api.tls_key and api.tokens_file"),
        "{mend}"
    );

    let [[_, lacks, mend]] = warnings(&[API, &tokens]).try_into().expect("one warning");
    assert!(
        lacks.starts_with("tls") && mend.contains("api.tls_key"),
        "{lacks}"
    );
    assert!(!mend.contains("tokens_file"), "{mend}");

    let [[_, lacks, mend]] = warnings(&[API, &cert, &key])
        .try_into()
        .expect("one warning");
    assert_eq!(lacks, "tokens");
    assert!(
        mend.contains("api.tokens_file") && !mend.contains("tls"),
        "{mend}"
    );

    let receiver = "receiver.grpc.listen=0.0.0.0:0";
    let [[section, lacks, _]] = warnings(&[API, &cert, &key, &tokens, receiver])
        .try_into()
        .expect("one warning");
    assert_eq!((&*section, &*lacks), ("receiver.grpc", "tls and tokens"));
}

/// Guarantees: `api.cors_origins` reaches the daemon's answers.
#[test]
fn a_listed_origin_is_echoed_by_the_daemon() {
    let daemon = Logged::start(&["api.cors_origins=https://a.example"]);
    let allowed = |origin: &str| {
        let header = format!("Origin: {origin}\r\n");
        let (status, answer) = running::get(&daemon.api, "/livez", &header);
        assert_eq!(status, 200);
        answer
            .to_ascii_lowercase()
            .contains("access-control-allow-origin: https://a.example\r\n")
    };
    assert!(allowed("https://a.example") && !allowed("https://b.example"));
}
