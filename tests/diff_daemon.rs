//! `spangraph diff` against a real daemon.
#![allow(clippy::unwrap_used, reason = "a failed step is a failed test")]

#[path = "common/running.rs"]
mod running;

use std::process::Output;

use running::{Daemon, said, spangraph};
use serde_json::Value;

fn diff(arguments: &[&str]) -> Output {
    let output = spangraph(&["diff"]).args(arguments).output();
    output.expect("the binary starts")
}

fn printed(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

/// Scenario: a daemon sees nothing, then two hundred calls of a new service.
/// Guarantees: the diff of before and after has them, in every format, of the same two windows; that of a window with
/// itself has nothing; and what the daemon refuses is told in its words.
#[test]
fn a_real_daemon_is_compared_with_itself() {
    let daemon = Daemon::start("127.0.0.1:0", &["pairing.wait=1s"]);
    let url = ["--url", &daemon.url()];
    let snapshot = || {
        let output = spangraph(&["snapshot"]).args(url).output().unwrap();
        serde_json::from_slice::<Value>(&output.stdout).ok()
    };
    // Until the first second is sealed there is no window at all, and the first may have begun near its end: in a
    // moment without calls nothing is missing.
    let before = loop {
        if let Some(body) =
            snapshot().filter(|body| body["window"]["covered_s"].as_f64() > Some(1.0))
        {
            break body["window"]["end"].as_str().unwrap().to_owned();
        }
    };
    daemon.send_roots(&[("service.name", "web")], 1..=200);
    while snapshot().is_none_or(|body| body["edges"].as_array().unwrap().is_empty()) {}

    let ends = ["--base", &before, "--window", "1h"];
    let compared = |more: &[&str]| diff(&[&url[..], &ends, more].concat());
    let json = compared(&["--format", "json"]);
    assert_eq!(json.status.code(), Some(1), "{}", said(&json));
    assert!(said(&json).contains("added"), "{}", said(&json));
    let body: Value = serde_json::from_slice(&json.stdout).unwrap();
    assert_eq!(body["edges"][0]["client"], "user:user");
    assert_eq!(body["edges"][0]["head"]["calls"], 200);
    assert_eq!(body["query"]["base"], before.as_str());
    let table = printed(&compared(&[]));
    assert!(table.contains("user:user → web"), "{table}");
    let dot = compared(&["--format", "dot", "--query", "theme=dark&include=same"]);
    assert_eq!(dot.status.code(), Some(1), "{}", said(&dot));
    let dot = printed(&dot);
    assert!(
        dot.starts_with("digraph spangraph_diff {") && dot.contains("label=\"added, "),
        "{dot}"
    );
    assert!(dot.contains("bgcolor=\"#121212\""), "{dot}");

    let svg = printed(&compared(&["--format", "svg"]));
    assert!(
        svg.starts_with("<svg ") && svg.contains(">user:user to web&#10;added"),
        "{svg}"
    );

    let same = diff(&[&url[..], &["--base", "now", "--head", "now"]].concat());
    assert_eq!(same.status.code(), Some(0), "{}", said(&same));
    let refused = compared(&["--query", "alpha=2"]);
    assert_eq!(refused.status.code(), Some(2));
    assert!(
        said(&refused).contains("parameter `alpha` = `2`"),
        "{}",
        said(&refused)
    );
    let gone = diff(&[&url[..], &["--base", "-2h"]].concat());
    assert_eq!(gone.status.code(), Some(2));
    assert!(said(&gone).contains("answers 410"), "{}", said(&gone));
}
