//! `snapshot`, `diff` and `health` against a daemon that speaks TLS and asks for tokens: whom they trust and what they
//! show, by flags and by the configuration.
#![allow(clippy::unwrap_used, reason = "a failed step is a failed test")]

#[path = "common/running.rs"]
mod running;
#[path = "common/scratch.rs"]
mod scratch;
#[path = "common/tls.rs"]
mod tls;

use running::{Logged, said, spangraph};
use scratch::Scratch;

const TOKEN: &str = "token-0123456789abcdef";

fn pair(name: &str) -> [String; 2] {
    ["cert", "key"].map(|what| {
        let suffix = if what == "cert" { "pem" } else { "key" };
        format!("api.tls_{what}={}", tls::path(&format!("{name}.{suffix}")))
    })
}

/// Exit code and standard error, once the daemon has a graph.
fn run(arguments: &[&str]) -> (i32, String) {
    loop {
        let output = spangraph(arguments).output().unwrap();
        let said = said(&output);
        assert!(!said.contains("0123456789"), "{said}");
        if !said.contains("no slice has been sealed yet") {
            return (output.status.code().unwrap(), said);
        }
    }
}

/// Guarantees: a client trusts an authority's daemon, or the very certificate it was handed, under its name; and nobody
/// else, whatever it would have shown.
#[test]
fn a_client_trusts_whom_it_was_told_to() {
    let [ca, own, other] = ["ca.pem", "self.pem", "rsa.pem"].map(tls::path);
    for (name, good) in [("server", &ca), ("self", &own)] {
        let [cert, key] = pair(name);
        let daemon = Logged::start(&[&cert, &key, "api.listen=0.0.0.0:0"]);
        let port = daemon.api.rsplit(':').next().unwrap();
        let ask = |command: &str, host: &str, trusted: &[&str]| {
            let path = if command == "health" { "/livez" } else { "" };
            let url = format!("--url=https://{host}:{port}{path}");
            run(&[&[command, &url], trusted].concat())
        };
        for command in ["health", "snapshot"] {
            for host in ["127.0.0.1", "localhost"] {
                let (code, said) = ask(command, host, &["--ca-file", good]);
                assert_eq!(code, 0, "{command} {name} {host}: {said}");
            }
            let (code, said) = ask(command, "127.0.0.1", &["--ca-file", &other]);
            assert!(
                code == 1 && said.contains("invalid peer certificate"),
                "{said}"
            );
            let (code, said) = ask(command, "127.0.0.2", &["--ca-file", good]);
            assert!(code == 1 && said.contains("not valid for name"), "{said}");
            let (code, said) = ask(command, "127.0.0.1", &[]);
            assert_eq!(code, 1, "{said}");
        }
        let plain = format!("--url=http://127.0.0.1:{port}");
        assert_eq!(run(&["snapshot", &plain]).0, 1);
    }
}

/// Guarantees: a token from a file opens what asks for one, for every client; without it they say how to show one.
#[test]
fn a_client_shows_its_token() {
    let dir = Scratch::new("client-token");
    let file = dir.write(
        "tokens",
        format!("# of the pipeline\n{TOKEN}\nanother-0123456789\n"),
    );
    let wrong = dir.write("wrong", "wrong-0123456789abcdef\n");
    let daemon = Logged::start(&[&format!("api.tokens_file={file}")]);
    let url = format!("--url=http://{}", daemon.api);
    for command in ["snapshot", "diff"] {
        for token in [&[][..], &["--token-file", &wrong]] {
            let (code, said) = run(&[&[command, &url], token].concat());
            assert!(code > 0 && said.contains("--token-file"), "{said}");
        }
        let shown = ["--token-file", &file];
        let (_, said) = run(&[&[command, &url], &shown[..]].concat());
        assert!(!said.contains("answers 401"), "{said}");
    }
    let (code, said) = run(&["snapshot", &url, "--token-file", &file]);
    assert_eq!(code, 0, "{said}");
    let status = format!("{url}/api/v1/status");
    assert_eq!(run(&["health", &status]).0, 1);
    assert_eq!(run(&["health", &status, "--token-file", &file]).0, 0);
}

/// Guarantees: without a URL the configuration says scheme, trust and token; readiness needs no token, not even one that
/// can be read.
#[test]
fn the_configuration_says_how_to_ask_ones_own_daemon() {
    let dir = Scratch::new("client-own");
    let file = dir.write("tokens", format!("{TOKEN}\n"));
    let tokens = format!("api.tokens_file={file}");
    let [cert, key] = pair("self");
    let daemon = Logged::start(&[&cert, &key, &tokens]);
    let listen = format!("api.listen={}", daemon.api);
    let own = [&listen, &cert, &key, &tokens].map(|setting| format!("--set={setting}"));
    let own: Vec<&str> = own.iter().map(String::as_str).collect();
    while run(&[&["health"], &own[..]].concat())
        .1
        .contains("HTTP/1.1 503")
    {
        // Its first slice is not sealed yet.
    }
    for command in ["health", "snapshot"] {
        let (code, said) = run(&[&[command], &own[..]].concat());
        assert_eq!(code, 0, "{command}: {said}");
    }
    let [_, other_key] = pair("rsa");
    let [other_cert, _] = pair("rsa");
    let other = [&listen, &other_cert, &other_key].map(|setting| format!("--set={setting}"));
    let other: Vec<&str> = other.iter().map(String::as_str).collect();
    let (code, said) = run(&[&["health"], &other[..]].concat());
    assert!(code == 1 && said.contains("UnknownIssuer"), "{said}");
    dir.remove("tokens");
    assert_eq!(run(&[&["health"], &own[..]].concat()).0, 0);
    let (code, said) = run(&[&["snapshot"], &own[..]].concat());
    assert!(code == 1 && said.contains(&file), "{said}");
}

/// Guarantees: a file of no use is named, and trust that would not be asked for is an error rather than passed over.
#[test]
fn a_file_of_no_use_to_a_client_is_named() {
    let key = tls::path("server.key");
    for (arguments, why) in [
        (
            ["--url=https://127.0.0.1:1", "--ca-file=/none"],
            "cannot use /none",
        ),
        (
            ["--url=https://127.0.0.1:1", "--token-file=/none"],
            "cannot use /none",
        ),
        (
            ["--url=http://127.0.0.1:1", "--ca-file=/none"],
            "with https:// only",
        ),
    ] {
        let (code, said) = run(&[&["health"], &arguments[..]].concat());
        assert!(code == 1 && said.contains(why), "{said}");
        // Of a diff, 1 would say that something differs.
        let (code, said) = run(&[&["diff"], &arguments[..]].concat());
        assert!(
            code == 2 && (said.contains(why) || said.contains("nothing answers")),
            "{said}"
        );
    }
    let daemon = Logged::start(&[]);
    let url = format!("--url=https://{}", daemon.api);
    let (code, said) = run(&["snapshot", &url, "--ca-file", &key]);
    assert!(
        code == 1 && said.contains("holds no PEM certificate"),
        "{said}"
    );
}
