//! `spangraph demo` as a newcomer meets it: the real binary, its greeting, the commands it offers, the graph it draws.

#![allow(clippy::unwrap_used, reason = "a failed step is a failed test")]

use std::collections::BTreeSet;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, ChildStderr, Command, Stdio};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use serde_json::Value;

const FREE_PORTS: [&str; 3] = [
    "--set=receiver.grpc.listen=127.0.0.1:0",
    "--set=receiver.http.listen=127.0.0.1:0",
    "--set=api.listen=127.0.0.1:0",
];

/// A demo in a process of its own, and what it says. Killed when dropped.
struct Demo {
    child: Child,
    log: BufReader<ChildStderr>,
    said: Option<JoinHandle<String>>,
    api: String,
}

impl Demo {
    fn start(arguments: &[&str]) -> Self {
        let mut child = command(arguments)
            .args(["--log-level=info", "--log-format=json"])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the binary starts");
        let mut stdout = child.stdout.take().expect("it is piped");
        let said = thread::spawn(move || {
            let mut text = String::new();
            stdout.read_to_string(&mut text).expect("it is UTF-8");
            text
        });
        let mut log = BufReader::new(child.stderr.take().expect("it is piped"));
        let api = loop {
            let mut line = String::new();
            assert!(log.read_line(&mut line).expect("the log is UTF-8") > 0);
            let line: Value = serde_json::from_str(&line).expect("every line is JSON");
            if line["message"] == "listening" {
                break line["api"].as_str().expect("an address").to_owned();
            }
        };
        Self {
            child,
            log,
            said: Some(said),
            api,
        }
    }

    fn get(&self, path: &str) -> (String, String) {
        get(&self.api, path)
    }

    /// Presses Ctrl-C and returns the exit code, standard output and the log's last line.
    fn interrupt(mut self) -> (Option<i32>, String, Value) {
        let pid = self.child.id().to_string();
        let sent = Command::new("kill").args(["-INT", &pid]).status();
        assert!(sent.expect("kill is there").success());
        let mut log = String::new();
        self.log.read_to_string(&mut log).expect("it is UTF-8");
        let said = self.said.take().expect("asked once").join();
        let code = self.child.wait().expect("it ends").code();
        let last = serde_json::from_str(log.lines().last().expect("it says something"));
        (code, said.expect("it was read"), last.expect("it is JSON"))
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_spangraph"));
    command.env_clear().arg("demo").args(arguments);
    command
}

/// The first line of the answer, and its body.
fn get(address: &str, path: &str) -> (String, String) {
    let mut stream = TcpStream::connect(address).expect("it listens");
    let request = format!("GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).expect("it reads");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("it answers");
    let (head, body) = answer.split_once("\r\n\r\n").expect("a head");
    (
        head.lines().next().unwrap_or_default().to_owned(),
        body.to_owned(),
    )
}

fn count(value: &Value) -> u64 {
    value
        .as_u64()
        .unwrap_or_else(|| panic!("{value} is no count"))
}

fn sum(values: &Value) -> u64 {
    values
        .as_object()
        .expect("an object")
        .values()
        .map(count)
        .sum()
}

/// The sums that every body must keep.
fn assert_law(graph: &Value) {
    let law = &graph["law"];
    assert_eq!(
        count(&law["decoded"]),
        count(&law["accepted"]) + sum(&law["rejected"])
    );
    assert_eq!(
        count(&law["pending_before"]) + count(&law["accepted"]),
        sum(&law["outcomes"]) + count(&law["pending_after"]),
    );
    let edges = graph["edges"].as_array().unwrap();
    let calls: u64 = edges.iter().map(|edge| count(&edge["calls"])).sum();
    assert_eq!(calls, sum(&law["calls"]));
}

const NODES: [&str; 21] = [
    "database:session-cache",
    "database:shop-db",
    "external:api.cardpay.example",
    "external:api.mail.example",
    "messaging:clicks",
    "payments/fraud",
    "payments/ledger",
    "payments/payments",
    "platform/accounts",
    "platform/gateway",
    "shop/cart",
    "shop/catalog",
    "shop/checkout",
    "shop/inventory",
    "shop/notifications",
    "shop/orders",
    "shop/recommendations",
    "shop/search",
    "shop/shipping",
    "shop/storefront",
    "user:user",
];

/// Caller, callee, connection type, protocol; from what a visitor of such a shop would expect, not from the code.
const EDGES: [[&str; 4]; 9] = [
    ["user:user", "platform/gateway", "virtual_node", "http"],
    ["platform/gateway", "shop/checkout", "", "http"],
    ["shop/checkout", "payments/payments", "", "grpc"],
    [
        "payments/payments",
        "external:api.cardpay.example",
        "virtual_node",
        "http",
    ],
    ["shop/catalog", "database:shop-db", "database", "db"],
    ["shop/inventory", "database:shop-db", "database", "db"],
    ["shop/cart", "database:session-cache", "database", "db"],
    [
        "shop/orders",
        "payments/ledger",
        "messaging_system",
        "messaging",
    ],
    [
        "shop/orders",
        "shop/notifications",
        "messaging_system",
        "messaging",
    ],
];

fn edge<'a>(graph: &'a Value, client: &str, server: &str) -> Option<&'a Value> {
    let edges = graph["edges"].as_array()?;
    edges
        .iter()
        .find(|edge| edge["client"] == client && edge["server"] == server)
}

/// What is missing in the graph; nothing after some seconds.
fn missing(graph: &Value) -> Vec<String> {
    let nodes = graph["nodes"].as_array().unwrap();
    let ids: BTreeSet<_> = nodes
        .iter()
        .filter_map(|node| node["id"].as_str())
        .collect();
    let mut missing: Vec<String> = NODES
        .iter()
        .filter(|id| !ids.contains(*id))
        .map(ToString::to_string)
        .collect();
    let quiet = nodes
        .iter()
        .filter(|node| node["type"] == "service" && node["latency"]["p95_ms"].as_f64().is_none());
    missing.extend(quiet.map(|node| format!("latency of {}", node["id"])));
    for [client, server, ..] in EDGES {
        if edge(graph, client, server).is_none() {
            missing.push(format!("{client} → {server}"));
        }
    }
    let failing = [
        ("payments/payments", "external:api.cardpay.example"),
        ("shop/storefront", "shop/recommendations"),
    ];
    for (client, server) in failing {
        if edge(graph, client, server).is_none_or(|edge| edge["failed"] == 0) {
            missing.push(format!("failures of {client} → {server}"));
        }
    }
    missing
}

/// Guarantees: the whole shop is there as the API tells it, every span sent was counted, and the law holds throughout.
#[test]
fn the_whole_shop_shows_up_and_every_span_is_accounted_for() {
    let demo = Demo::start(&[&["--rate=1500", "--duration=100s"], &FREE_PORTS[..]].concat());
    let graph = (0..180)
        .find_map(|_| {
            thread::sleep(Duration::from_millis(500));
            let (status, body) = demo.get("/api/v1/topology?window=2m");
            let graph = status
                .contains(" 200 ")
                .then(|| serde_json::from_str(&body).unwrap())?;
            assert_law(&graph);
            missing(&graph).is_empty().then_some(graph)
        })
        .unwrap_or_else(|| {
            let graph = serde_json::from_str(&demo.get("/api/v1/topology?window=2m").1).unwrap();
            panic!("missing: {:?}", missing(&graph))
        });
    assert_eq!(graph["nodes"].as_array().unwrap().len(), NODES.len());
    for [client, server, connection, protocol] in EDGES {
        let edge = edge(&graph, client, server).unwrap();
        assert_eq!(edge["connection_type"], connection, "{edge}");
        assert!(count(&edge["protocols"][protocol]) > 0, "{edge}");
        let measured = ["client", "server"].map(|side| edge["latency"][side]["p95_ms"].as_f64());
        assert!(measured.iter().any(Option::is_some), "{edge}");
        if connection == "messaging_system" {
            assert_eq!(edge["destinations"][0], "orders", "{edge}");
        }
    }
    let slow = |client, server| {
        edge(&graph, client, server).unwrap()["latency"]["client"]["p50_ms"]
            .as_f64()
            .unwrap()
    };
    let (slow, quick) = (
        slow("shop/storefront", "shop/recommendations"),
        slow("shop/storefront", "shop/catalog"),
    );
    assert!(slow > 10.0 * quick, "{slow} ms against {quick} ms");

    let (code, said, drained) = demo.interrupt();
    assert_eq!(code, Some(0), "{said}");
    let last = said.lines().last().unwrap();
    let numbers: Vec<u64> = last
        .split(|c: char| !c.is_ascii_digit())
        .filter_map(|word| word.parse().ok())
        .collect();
    let [_, sent, accepted, not_accepted, ..] = numbers[..] else {
        panic!("{last}")
    };
    assert_eq!((sent, not_accepted), (accepted, 0), "{last}");
    assert_eq!(drained["message"], "drained");
    assert_eq!(count(&drained["decoded"]), sent);
    assert_eq!(count(&drained["accepted"]), sent);
    assert_eq!(
        count(&drained["outcomes"]) + count(&drained["pending"]),
        sent
    );
}

/// Guarantees: every command in the greeting works as printed.
#[test]
fn the_commands_it_offers_work() {
    let demo = Demo::start(&FREE_PORTS);
    while !demo
        .get("/api/v1/topology?focus=shop/checkout")
        .0
        .contains(" 200 ")
    {
        thread::sleep(Duration::from_millis(200));
    }
    // What it said is only complete at the end; by then nobody answers. So the offers are read from a second one.
    let output = command(&[&["--duration=1s"], &FREE_PORTS[..]].concat())
        .output()
        .unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(0), "{said}");
    let urls = said.lines().filter_map(|line| {
        let url = line.trim().strip_prefix("curl -s 'http://")?;
        url.split('\'').next()
    });
    let paths: Vec<_> = urls.map(|url| &url[url.find('/').unwrap()..]).collect();
    assert_eq!(paths.len(), 3, "{said}");
    for path in paths {
        let (status, body) = demo.get(path);
        assert!(status.contains(" 200 "), "{path}: {status}");
        assert!(body.contains("checkout"), "{path}");
    }
    assert_eq!(demo.interrupt().0, Some(0));
}

/// Guarantees: where the usual ports are taken, it runs on others and says so.
#[test]
fn taken_ports_are_replaced_and_said_so() {
    let names = [(4317, "OTLP/gRPC"), (4318, "OTLP/HTTP"), (7317, "the API")];
    // A port that we cannot take is somebody else's, perhaps not for long: nothing can be said about it.
    let taken: Vec<_> = names
        .into_iter()
        .filter_map(|(port, name)| Some((TcpListener::bind(("127.0.0.1", port)).ok()?, port, name)))
        .collect();
    let output = command(&["--duration=1s"]).output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(0), "{said}");
    for (_, port, name) in &taken {
        let line = format!("127.0.0.1:{port} is taken: {name} has a free port.");
        assert!(said.contains(&line), "{said}");
        assert_eq!(
            said.matches(&format!("127.0.0.1:{port}")).count(),
            1,
            "{said}"
        );
    }
}

#[test]
fn a_taken_port_that_was_asked_for_is_an_error() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap();
    let api = format!("--set=api.listen={address}");
    let output = command(&[FREE_PORTS[0], FREE_PORTS[1], &api])
        .output()
        .unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(
        said.contains(&format!("cannot listen on {address}")),
        "{said}"
    );
}

/// Guarantees: a reader that has seen enough (`spangraph demo | head`) ends it, without an error.
#[test]
fn it_ends_when_nobody_reads() {
    let mut child = command(&FREE_PORTS)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    let log = String::from_utf8(output.stderr).unwrap();
    assert_eq!((output.status.code(), log.as_str()), (Some(0), ""));
}
