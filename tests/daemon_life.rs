//! The daemon's life as a supervisor sees it: the real binary, real signals, real sockets, exit codes and the last line.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, ChildStderr, Command, Stdio};
use std::time::Duration;

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue, any_value};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span};
use prost::Message as _;
use serde_json::Value;

const PATIENCE: Duration = Duration::from_secs(20);

/// A child process and its log so far. Killed when dropped.
struct Daemon {
    child: Child,
    log: BufReader<ChildStderr>,
    http: String,
    api: String,
}

impl Daemon {
    fn start(settings: &[&str]) -> Self {
        let free = ["receiver.grpc.listen", "receiver.http.listen", "api.listen"];
        let mut command = Command::new(env!("CARGO_BIN_EXE_spangraph"));
        command.env_clear().arg("--log-format=json");
        command.args(free.map(|key| format!("--set={key}=127.0.0.1:0")));
        command.args(settings.iter().map(|setting| format!("--set={setting}")));
        let mut child = command
            .stderr(Stdio::piped())
            .spawn()
            .expect("the binary starts");
        let log = BufReader::new(child.stderr.take().expect("it is piped"));
        let mut daemon = Self {
            child,
            log,
            http: String::new(),
            api: String::new(),
        };
        let listening = daemon.line("listening");
        let address = |name: &str| listening[name].as_str().map(str::to_owned);
        daemon.http = address("http").expect("an address");
        daemon.api = address("api").expect("an address");
        daemon
    }

    /// Reads the log up to the line with that message.
    fn line(&mut self, message: &str) -> Value {
        let mut text = String::new();
        while self.log.read_line(&mut text).expect("the log is UTF-8") > 0 {
            let line: Value = serde_json::from_str(&text).expect("every line is JSON");
            if line["message"] == message {
                return line;
            }
            text.clear();
        }
        panic!("the log ended without `{message}`");
    }

    fn terminate(&self) {
        let pid = self.child.id().to_string();
        let sent = Command::new("kill").args(["-TERM", &pid]).status();
        assert!(sent.expect("kill is there").success());
    }

    /// Its exit code and what it still wrote.
    fn end(mut self) -> (Option<i32>, String) {
        let mut rest = String::new();
        self.log
            .read_to_string(&mut rest)
            .expect("the log is UTF-8");
        (self.child.wait().expect("it ends").code(), rest)
    }

    /// Opens a request and sends all but the last byte of its body.
    fn begin_request(&self, body: &[u8]) -> TcpStream {
        self.begin_request_in("application/x-protobuf", body)
    }

    fn begin_request_in(&self, media_type: &str, body: &[u8]) -> TcpStream {
        let mut stream = connect(&self.http);
        let head = format!(
            "POST /v1/traces HTTP/1.1\r\nHost: x\r\nContent-Type: {media_type}\r\nContent-Length: {}\r\nExpect: 100-continue\r\n\r\n",
            body.len()
        );
        stream.write_all(head.as_bytes()).expect("it reads");
        // The interim answer says that the request has been admitted and its body is being waited for.
        let mut interim = [0; 25];
        stream.read_exact(&mut interim).expect("it answers");
        assert_eq!(&interim, b"HTTP/1.1 100 Continue\r\n\r\n");
        stream.write_all(&body[..body.len() - 1]).expect("it reads");
        stream
    }

    fn get(&self, path: &str) -> String {
        let mut stream = connect(&self.api);
        let request =
            format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).expect("it reads");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("it answers");
        answer
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn connect(address: &str) -> TcpStream {
    let stream = TcpStream::connect(address).expect("it listens");
    stream.set_read_timeout(Some(PATIENCE)).expect("not zero");
    stream
}

/// Sends the last byte and returns the answer's first line.
fn complete_request(mut stream: TcpStream, body: &[u8]) -> String {
    stream.write_all(&body[body.len() - 1..]).expect("it reads");
    let mut line = String::new();
    BufReader::new(stream)
        .read_line(&mut line)
        .expect("it answers");
    line
}

/// One call of `web` to `shop`: a CLIENT span and the SERVER span below it, and a span without a trace id.
fn one_call() -> Vec<u8> {
    let span = |trace: u8, id: u8, parent: Option<u8>, kind| Span {
        trace_id: vec![trace; 16],
        span_id: vec![id; 8],
        parent_span_id: parent.map_or_else(Vec::new, |parent| vec![parent; 8]),
        kind,
        flags: 0x300,
        end_time_unix_nano: 1_000_000,
        ..Span::default()
    };
    let service = |name: &str, spans| ResourceSpans {
        resource: Some(Resource {
            attributes: vec![KeyValue {
                key: "service.name".to_owned(),
                value: Some(AnyValue {
                    value: Some(any_value::Value::StringValue(name.to_owned())),
                }),
                ..KeyValue::default()
            }],
            ..Resource::default()
        }),
        scope_spans: vec![ScopeSpans {
            spans,
            ..ScopeSpans::default()
        }],
        ..ResourceSpans::default()
    };
    let (client, server, broken) = (
        span(1, 1, None, 3),
        span(1, 2, Some(1), 2),
        span(0, 3, None, 2),
    );
    let request = ExportTraceServiceRequest {
        resource_spans: vec![
            service("web", vec![client]),
            service("shop", vec![server, broken]),
        ],
    };
    request.encode_to_vec()
}

fn last_line(log: &str) -> Value {
    serde_json::from_str(log.lines().last().expect("it said something")).expect("it is JSON")
}

/// Scenario: a request, a stop.
/// Guarantees: exit code 0, and the last line accounts for every span that was sent.
#[test]
fn the_last_line_is_the_law() {
    let daemon = Daemon::start(&[]);
    let body = one_call();
    let answer = complete_request(daemon.begin_request(&body), &body);
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    daemon.terminate();
    let (code, log) = daemon.end();
    let last = last_line(&log);
    assert_eq!(code, Some(0), "{log}");
    assert_eq!(last["message"], "drained");
    let numbers = ["decoded", "accepted", "rejected", "outcomes", "calls"]
        .map(|name| last[name].as_u64().unwrap());
    assert_eq!(numbers[..3], [3, 2, 1]);
    assert_eq!(numbers[3] + last["pending"].as_u64().unwrap(), 2);
    assert_eq!(numbers[4], 1, "the server span settles at once: {last}");
}

/// The request of [`one_call`] in JSON; one kind is sent by name.
const ONE_CALL_JSON: &str = r#"{"resourceSpans":[
    {"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"web"}}]},"scopeSpans":[{"spans":[
        {"traceId":"01010101010101010101010101010101","spanId":"0101010101010101","kind":3,"flags":768,"endTimeUnixNano":"1000000"}]}]},
    {"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"shop"}}]},"scopeSpans":[{"spans":[
        {"traceId":"01010101010101010101010101010101","spanId":"0202020202020202","parentSpanId":"0101010101010101",
         "kind":"SPAN_KIND_SERVER","flags":768,"endTimeUnixNano":"1000000"},
        {"traceId":"","spanId":"0303030303030303","kind":2}]}]}]}"#;

/// Scenario: the same call as JSON on the HTTP port, then JSON that is none.
/// Guarantees: it counts as its protobuf form does; a partial success and an error are answered in JSON.
#[test]
fn json_counts_as_protobuf_does() {
    let daemon = Daemon::start(&[]);
    let post = |body: &[u8]| {
        let mut stream = daemon.begin_request_in("application/json", body);
        stream.write_all(&body[body.len() - 1..]).expect("it reads");
        let mut answer = [0; 1000];
        let read = stream.read(&mut answer).expect("it answers");
        String::from_utf8_lossy(&answer[..read]).into_owned()
    };
    let answer = post(ONE_CALL_JSON.as_bytes());
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert!(
        answer.contains("content-type: application/json"),
        "{answer}"
    );
    assert!(answer.contains(r#""rejectedSpans":"1""#), "{answer}");
    let answer = post(br#"{"resourceSpans":[{]}"#);
    assert!(answer.starts_with("HTTP/1.1 400"), "{answer}");
    assert!(answer.contains("at byte 19"), "{answer}");
    let metrics = daemon.get("/metrics");
    let names = r#"spangraph_receiver_json_enum_names_total{transport="http"} 1"#;
    assert!(metrics.contains(names), "{metrics}");
    daemon.terminate();
    let (code, log) = daemon.end();
    let last = last_line(&log);
    let numbers = ["decoded", "accepted", "rejected", "calls"].map(|name| last[name].as_u64());
    assert_eq!((code, numbers), (Some(0), [3, 2, 1, 1].map(Some)), "{log}");
}

/// Waits for the first slice, without which there is nothing to ask for.
fn until_ready(daemon: &Daemon) {
    while !daemon.get("/readyz").starts_with("HTTP/1.1 200") {
        assert!(daemon.get("/readyz?verbose").contains("first slice"));
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Scenario: a stop while a request's body is still coming.
/// Guarantees: not ready from the first moment, alive to the last, and the request is answered and counted.
#[test]
fn what_is_in_flight_is_finished_while_readiness_is_gone() {
    let mut daemon = Daemon::start(&[]);
    let body = one_call();
    let request = daemon.begin_request(&body);
    until_ready(&daemon);
    daemon.terminate();
    daemon.line("draining");
    assert!(daemon.get("/readyz").starts_with("HTTP/1.1 503"));
    assert!(daemon.get("/livez").starts_with("HTTP/1.1 200"));
    let answer = complete_request(request, &body);
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    let (code, log) = daemon.end();
    assert_eq!(
        (code, last_line(&log)["accepted"].as_u64()),
        (Some(0), Some(2)),
        "{log}"
    );
}

#[test]
fn requests_that_outlive_the_drain_are_cut_and_said_so() {
    let daemon = Daemon::start(&["shutdown.drain=200ms"]);
    let _request = daemon.begin_request(&one_call());
    daemon.terminate();
    let (code, log) = daemon.end();
    assert_eq!(code, Some(1));
    assert!(
        log.contains("1 connections were still busy when shutdown.drain was over"),
        "{log}"
    );
}

#[test]
fn a_second_signal_gives_the_drain_up() {
    let mut daemon = Daemon::start(&["shutdown.drain=10m"]);
    let _request = daemon.begin_request(&one_call());
    daemon.terminate();
    daemon.line("draining");
    daemon.terminate();
    let (code, log) = daemon.end();
    assert_eq!(code, Some(1));
    assert!(log.contains("second signal"), "{log}");
}

#[test]
fn a_taken_port_is_named() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    for key in ["receiver.grpc.listen", "receiver.http.listen", "api.listen"] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_spangraph"));
        command.env_clear();
        for other in ["receiver.grpc.listen", "receiver.http.listen", "api.listen"] {
            let value = if other == key {
                &address
            } else {
                "127.0.0.1:0"
            };
            command.arg(format!("--set={other}={value}"));
        }
        let output = command.output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{said}");
        assert!(
            said.contains(&format!("cannot listen on {address}")),
            "{said}"
        );
    }
}

/// Guarantees: `spangraph health` agrees with the daemon, and what is configured is what it says of itself.
#[test]
fn it_says_how_it_is() {
    let daemon = Daemon::start(&["graph.max_nodes=77", "limits.memory=100MiB"]);
    let health = |path: &str| {
        let url = format!("http://{}{path}", daemon.api);
        Command::new(env!("CARGO_BIN_EXE_spangraph"))
            .args(["health", "--url", &url])
            .output()
            .unwrap()
    };
    until_ready(&daemon);
    for path in ["/readyz", "/", ""] {
        assert_eq!(health(path).status.code(), Some(0), "{path}");
    }
    let elsewhere = health("/nowhere");
    assert_eq!(elsewhere.status.code(), Some(1));
    assert!(
        String::from_utf8(elsewhere.stderr)
            .unwrap()
            .contains("HTTP/1.1 404")
    );

    let status = daemon.get("/api/v1/status");
    let body: Value = serde_json::from_str(status.split_once("\r\n\r\n").unwrap().1).unwrap();
    let max = |name: &str| {
        let limits = body["limits"].as_array().unwrap();
        limits
            .iter()
            .find(|limit| limit["name"] == name)
            .map(|limit| limit["max"].as_u64().unwrap())
    };
    assert_eq!(max("graph.max_nodes"), Some(77));
    assert_eq!(max("limits.pairing"), Some(35 << 20));
    assert_eq!(body["config_digest"].as_str().unwrap().len(), 16);
    assert_eq!(body["ready"], true);

    let metrics = daemon.get("/metrics");
    for reading in [
        "spangraph_accepted_spans_total 0",
        "spangraph_law_violations_total 0",
    ] {
        assert!(
            metrics.contains(reading),
            "{reading} is missing in\n{metrics}"
        );
    }
    let guide =
        std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/OPERATING.md")).unwrap();
    // The others are there where a listener speaks TLS or asks for tokens, and looked for in the tests of these.
    let always = |name: &&str| !name.contains("_tls_") && !name.contains("_unauthorized_");
    let names = guide
        .split('`')
        .filter(|word| word.starts_with("spangraph_"))
        .filter(always);
    for name in names {
        assert!(
            metrics.contains(&format!("# TYPE {name} ")),
            "the guide names {name}, which there is not"
        );
    }
}

/// Guarantees: `api.compat_root` and `metrics.max_edges` reach the read side.
#[test]
fn facades_and_series_follow_the_configuration() {
    let status = |answer: &str| answer.lines().next().unwrap_or_default().to_owned();
    let daemon = Daemon::start(&["api.compat_root=true", "metrics.max_edges=7"]);
    assert!(!status(&daemon.get("/api/services")).contains("404"));
    let limit = r#"{"max":7,"name":"metrics.max_edges","unit":"edges","used":0}"#;
    assert!(daemon.get("/api/v1/status").contains(limit));
    let plain = Daemon::start(&[]);
    assert!(status(&plain.get("/api/services")).contains("404"));
}
