//! The built binary: run to its end, or as a daemon.
#![allow(
    dead_code,
    missing_docs,
    unreachable_pub,
    clippy::unwrap_used,
    reason = "each test binary uses its part"
)]

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::ops::RangeInclusive;
use std::process::{Child, ChildStderr, Command, Output, Stdio};
use std::thread;

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue, any_value};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span};
use prost::Message as _;
use serde_json::Value;

/// A child process, killed when dropped.
pub struct Running(pub Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

pub struct Daemon {
    pub process: Running,
    http: String,
    pub api: String,
}

/// A daemon whose log is read.
pub struct Logged {
    _process: Running,
    log: BufReader<ChildStderr>,
    pub api: String,
    pub listening: Value,
    /// Everything it said so far.
    pub seen: String,
}

/// Status and whole answer of one GET, or what came of it before it was cut; `headers` are lines that end with CRLF.
pub fn get(address: &str, path: &str, headers: &str) -> (u16, String) {
    let mut stream = TcpStream::connect(address).unwrap();
    let head =
        format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{headers}\r\n");
    stream.write_all(head.as_bytes()).unwrap();
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    let answer = String::from_utf8_lossy(&answer).into_owned();
    let status = answer.split(' ').nth(1).and_then(|word| word.parse().ok());
    (status.unwrap_or_default(), answer)
}

pub fn spangraph(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_spangraph"));
    command.env_clear().args(arguments);
    command
}

pub fn said(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).expect("it says text")
}

// === impl Logged ===

impl Logged {
    /// On free loopback ports, unless a setting says another thing.
    pub fn start(settings: &[&str]) -> Self {
        let mut command = spangraph(&["--log-format=json"]);
        let free = ["receiver.grpc.listen", "receiver.http.listen", "api.listen"];
        command.args(free.map(|key| format!("--set={key}=127.0.0.1:0")));
        command.args(settings.iter().map(|setting| format!("--set={setting}")));
        let mut process = Running(command.stderr(Stdio::piped()).spawn().unwrap());
        let mut daemon = Self {
            log: BufReader::new(process.0.stderr.take().unwrap()),
            _process: process,
            api: String::new(),
            listening: Value::Null,
            seen: String::new(),
        };
        daemon.listening = daemon.until("listening");
        daemon.listening["api"]
            .as_str()
            .unwrap()
            .clone_into(&mut daemon.api);
        daemon
    }

    /// The next line with this message. A daemon that never says it ends the test by its time-out.
    pub fn until(&mut self, words: &str) -> Value {
        loop {
            let mut line = String::new();
            let more = self.log.read_line(&mut line).unwrap() > 0;
            assert!(more, "it ended before it said `{words}`: {}", self.seen);
            self.seen += &line;
            let line: Value = serde_json::from_str(&line).unwrap();
            if line["message"] == words {
                return line;
            }
        }
    }
}

// === impl Daemon ===

impl Daemon {
    pub fn start(api: &str, settings: &[&str]) -> Self {
        let mut command = spangraph(&["--log-format=json"]);
        let free = ["receiver.grpc.listen", "receiver.http.listen"];
        command.args(free.map(|key| format!("--set={key}=127.0.0.1:0")));
        command.arg(format!("--set=api.listen={api}"));
        command.args(settings.iter().map(|setting| format!("--set={setting}")));
        let mut process = Running(command.stderr(Stdio::piped()).spawn().unwrap());
        let mut log = BufReader::new(process.0.stderr.take().unwrap());
        let listening = loop {
            let mut line = String::new();
            assert!(log.read_line(&mut line).unwrap() > 0, "it ended early");
            let line: Value = serde_json::from_str(&line).unwrap();
            if line["message"] == "listening" {
                break line;
            }
        };
        // Whoever logs must not be kept from it.
        thread::spawn(move || std::io::copy(&mut log, &mut std::io::sink()));
        let address = |name: &str| listening[name].as_str().unwrap().to_owned();
        Self {
            process,
            http: address("http"),
            api: address("api"),
        }
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.api)
    }

    /// Sends one root SERVER span of a service.
    pub fn send_root(&self, resource: &[(&str, &str)]) {
        self.send_roots(resource, 7..=7);
    }

    /// Sends one root SERVER span of a service for each of these trace ids, given by their bytes.
    pub fn send_roots(&self, resource: &[(&str, &str)], traces: RangeInclusive<u8>) {
        let attribute = |(key, value): &(&str, &str)| KeyValue {
            key: (*key).to_owned(),
            value: Some(AnyValue {
                value: Some(any_value::Value::StringValue((*value).to_owned())),
            }),
            ..KeyValue::default()
        };
        let span = |id: u8| Span {
            trace_id: vec![id; 16],
            span_id: vec![id; 8],
            kind: 2,
            end_time_unix_nano: 5_000_000,
            ..Span::default()
        };
        let request = ExportTraceServiceRequest {
            resource_spans: vec![ResourceSpans {
                resource: Some(Resource {
                    attributes: resource.iter().map(attribute).collect(),
                    ..Resource::default()
                }),
                scope_spans: vec![ScopeSpans {
                    spans: traces.map(span).collect(),
                    ..ScopeSpans::default()
                }],
                ..ResourceSpans::default()
            }],
        };
        let body = request.encode_to_vec();
        let mut stream = TcpStream::connect(&self.http).unwrap();
        let head = format!(
            "POST /v1/traces HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-protobuf\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
            body.len()
        );
        stream
            .write_all(&[head.as_bytes(), &body].concat())
            .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    }
}
