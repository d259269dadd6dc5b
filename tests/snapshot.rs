//! `spangraph snapshot` as its users meet it: the real binary against a real daemon, against nothing, and against
//! servers that answer something else.

#![expect(clippy::unwrap_used, reason = "a test may panic, its support included")]

#[path = "common/running.rs"]
mod running;

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpListener;
use std::process::{ChildStdout, Output, Stdio};
use std::thread;

use running::{Daemon, Running, said, spangraph};
use serde_json::Value;
use spangraph::render::View;

fn snapshot(arguments: &[&str]) -> Output {
    let output = spangraph(&["snapshot"]).args(arguments).output();
    output.expect("the binary starts")
}

/// A running `snapshot --watch` whose tables are read off a pipe.
struct Watch {
    _process: Running,
    lines: BufReader<ChildStdout>,
}

// === impl Watch ===

impl Watch {
    fn start(url: &str) -> Self {
        let arguments = ["snapshot", "--watch", "--every=200ms", "--url", url];
        let mut process = Running(
            spangraph(&arguments)
                .stdout(Stdio::piped())
                .spawn()
                .unwrap(),
        );
        Self {
            lines: BufReader::new(process.0.stdout.take().unwrap()),
            _process: process,
        }
    }

    /// Reads up to the first line that holds `words`, and returns it. A daemon that never says it ends the test by
    /// its time-out; two hundred lines are far more than any wait here takes.
    fn until(&mut self, words: &str) -> String {
        let mut seen = String::new();
        for _ in 0..200 {
            let mut line = String::new();
            self.lines.read_line(&mut line).unwrap();
            if line.contains(words) {
                return line;
            }
            seen += &line;
        }
        panic!("no `{words}` in\n{seen}");
    }
}

/// Scenario: a daemon whose keys name nodes otherwise, and one root span.
/// Guarantees: the watch shows the edge, and both formats print it, under the names the keys give.
#[test]
fn what_the_daemon_drew_is_shown_and_printed() {
    let keys = [
        "pairing.wait=1s",
        "pairing.user_node=per_service",
        "graph.namespace_from=[k8s.namespace.name]",
    ];
    let daemon = Daemon::start("127.0.0.1:0", &keys);
    daemon.send_root(&[("service.name", "web"), ("k8s.namespace.name", "prod")]);
    let mut watch = Watch::start(&daemon.url());
    let header = watch.until("1 edge");
    assert!(
        header.contains("1 service ") && header.contains("law ok"),
        "{header}"
    );
    watch.until("CLIENT");
    let line = watch.until("→");
    let cells: Vec<&str> = line.split_whitespace().collect();
    assert_eq!(
        cells[..4],
        ["user:prod/web", "→", "prod/web", "virtual"],
        "{line}"
    );
    assert!(
        line.contains("5.0 ms") && line.trim_end().ends_with("● ok"),
        "{line}"
    );

    let json = snapshot(&[
        "--url",
        &daemon.url(),
        "--query",
        "window=1m&focus=prod/web",
    ]);
    let body: Value = serde_json::from_slice(&json.stdout).unwrap();
    assert_eq!(body["edges"][0]["client"], "user:prod/web");
    assert_eq!(
        body["query"]["focus"][0], "prod/web",
        "the query was passed on"
    );
    assert!(json.stdout.ends_with(b"}\n"));

    for view in View::ALL {
        for format in view.formats() {
            let printed = snapshot(&[
                "--url",
                &daemon.url(),
                "--format",
                format.name(),
                "--view",
                view.name(),
            ]);
            let printed = String::from_utf8(printed.stdout).unwrap();
            assert!(
                printed.contains("prod/web") || printed.contains("web"),
                "{printed}"
            );
            assert!(printed.ends_with('\n'));
        }
    }
    let rare = ["--format=csv", "--query=min_calls=1000"];
    let none = snapshot(&[&["--url", &daemon.url()][..], &rare].concat());
    let said = said(&none);
    assert!(
        said.starts_with("spangraph: hidden by filters: ") && said.ends_with(" 1 call\n"),
        "{said}"
    );
    let dot = snapshot(&["--url", &daemon.url(), "--format", "dot"]);
    assert!(dot.stderr.is_empty());
    let dot = String::from_utf8(dot.stdout).unwrap();
    assert!(
        dot.starts_with("digraph") && dot.contains("\"user:prod/web\" -> \"prod/web\""),
        "{dot}"
    );
}

/// Guarantees: what the daemon refuses is told in its own words, with exit code 1 and nothing on standard output.
#[test]
fn a_refusal_is_told_in_the_daemons_words() {
    let daemon = Daemon::start("127.0.0.1:0", &[]);
    for (query, words) in [
        ("window=soon", "parameter `window` = `soon`: "),
        ("widnow=5m", "parameter `widnow` = `5m`: unknown parameter"),
    ] {
        for watch in [&[][..], &["--watch"]] {
            let output = snapshot(&[&["--url", &daemon.url(), "--query", query], watch].concat());
            assert_eq!(output.status.code(), Some(1));
            assert!(said(&output).contains(words), "{}", said(&output));
            assert!(output.stdout.is_empty());
        }
    }
}

/// Scenario: a daemon is watched, killed, and started again at its address.
/// Guarantees: the watch says so, and goes on.
#[test]
fn a_watch_survives_its_daemon() {
    let first = Daemon::start("127.0.0.1:0", &[]);
    let api = first.api.clone();
    let mut watch = Watch::start(&first.url());
    watch.until("law ok");
    drop(first.process);
    watch.until("not reachable, retrying");
    let _second = Daemon::start(&api, &[]);
    // Until then the last table stays, with the trouble below its header.
    loop {
        watch.until("law ok");
        if !watch.until("").contains("retrying") {
            break;
        }
    }
}

#[test]
fn exit_codes_tell_usage_from_failure() {
    let unheard = snapshot(&["--url", "http://127.0.0.1:1"]);
    assert_eq!(unheard.status.code(), Some(1));
    assert!(
        said(&unheard).contains("nothing answers at http://127.0.0.1:1: Connection refused"),
        "{}",
        said(&unheard)
    );
    let configured = ["--set", "api.listen=127.0.0.1:2"];
    assert!(said(&snapshot(&configured)).contains("nothing answers at http://127.0.0.1:2:"));
    let usage: [&[&str]; 9] = [
        &["--view", "nodes", "--format", "dot"],
        &["--format", "grafana"],
        &["--watch", "--view", "nodes"],
        &["--url", "nonsense"],
        &["--url", "ftp://127.0.0.1:7317"],
        &["--format", "pdf"],
        &["--watch", "--format", "dot"],
        &["--watch", "--every", "0s"],
        &["--every", "2s"],
    ];
    for arguments in usage {
        assert_eq!(snapshot(arguments).status.code(), Some(2), "{arguments:?}");
    }
}

/// Answers one connection with these bytes, and hands back what was asked.
fn answer_once(answer: &'static [u8]) -> (String, thread::JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/maps/", listener.local_addr().unwrap());
    let serving = thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut asked = Vec::new();
        let mut byte = [0];
        while !asked.ends_with(b"\r\n\r\n") && stream.read(&mut byte).unwrap() == 1 {
            asked.push(byte[0]);
        }
        stream.write_all(answer).unwrap();
        String::from_utf8(asked).unwrap()
    });
    (url, serving)
}

/// Scenario: a proxy under a prefix that sends the body in chunks.
/// Guarantees: the answer is put together, and the request was one that any server understands.
#[test]
fn a_proxy_that_chunks_is_understood() {
    let (url, serving) = answer_once(
        b"HTTP/1.1 200 OK\r\nContent-Type: application/json; charset=utf-8\r\nTransfer-Encoding: chunked\r\n\r\n\
          4\r\n{\"a\"\r\n3\r\n:1}\r\n0\r\n\r\n",
    );
    let output = snapshot(&["--url", &url, "--query", "service=größe"]);
    assert_eq!(output.stdout, b"{\"a\":1}\n", "{}", said(&output));
    let asked = serving.join().unwrap().to_ascii_lowercase();
    let first = "get /maps/api/v1/topology.json?service=gr%c3%b6%c3%9fe http/1.1\r\n";
    assert!(
        asked.starts_with(first) && asked.contains("\r\nhost: 127.0.0.1:"),
        "{asked}"
    );
}

/// Guarantees: what a field of that name says is told only if it is three numbers: nothing of a stranger's is repeated.
#[test]
fn only_numbers_are_told_as_hidden() {
    let cases: [(&[u8], &str); 3] = [
        (
            b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\
              Spangraph-Hidden: more=5, nodes=1 ,edges=2, calls=3\r\n\r\n{}",
            "spangraph: hidden by filters: 1 node, 2 edges, 3 calls\n",
        ),
        (
            b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\
              Spangraph-Hidden: nodes=many, edges=2, calls=3\r\n\r\n{}",
            "",
        ),
        (
            b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\
              Spangraph-Hidden: nodes=-1, edges=2\r\n\r\n{}",
            "",
        ),
    ];
    for (answer, expected) in cases {
        let (url, serving) = answer_once(answer);
        let output = snapshot(&["--url", &url]);
        assert_eq!(said(&output), expected);
        serving.join().unwrap();
    }
}

/// Guarantees: whatever else answers is named, nothing of it reaches standard output, and no byte of it controls the
/// terminal.
#[test]
fn what_is_no_graph_is_never_printed() {
    let cases: [(&[u8], &str); 6] = [
        (b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 2\r\n\r\nhi", "answers 200 OK with text/html"),
        (b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", "answers 404 Not Found"),
        (b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 99\r\n\r\n{\"edges\":[", "nothing answers"),
        (b"SSH-2.0-OpenSSH_9.2\r\n", "nothing answers"),
        (b"", "nothing answers"),
        (
            b"HTTP/1.1 400 Bad Request\r\nContent-Type: application/problem+json\r\nContent-Length: 26\r\n\r\n\
              {\"detail\":\"a\\u001b[2J\\nb\"}",
            "a\u{241B}[2J\u{240A}b",
        ),
    ];
    for (answer, words) in cases {
        let (url, _serving) = answer_once(answer);
        let output = snapshot(&["--url", &url, "--timeout", "2s"]);
        assert_eq!(output.status.code(), Some(1));
        assert!(said(&output).contains(words), "{words}: {}", said(&output));
        assert!(output.stdout.is_empty());
        assert!(!said(&output).trim_end().contains(char::is_control));
    }
}

/// Scenario: a server that accepts and never says anything.
#[test]
fn a_silent_server_is_given_up() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let output = snapshot(&["--url", &url, "--timeout", "200ms"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(
        said(&output).contains("no answer within 200ms"),
        "{}",
        said(&output)
    );
}
