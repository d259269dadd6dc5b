//! Requests as they are stored: OTLP/JSON lines as the Collector's file exporter writes them, and framed protobuf; and
//! the real binary that replays them.

#![allow(
    dead_code,
    unreachable_pub,
    clippy::unwrap_used,
    reason = "test code; each user needs another part of it"
)]

use std::io::Write as _;
use std::process::{Command, Output, Stdio};

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value as Any;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue};
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span};
use prost::Message as _;
use serde_json::{Value, json};

/// How requests follow each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stored {
    Json,
    Be32,
    Varint,
}

pub const STORED: [Stored; 3] = [Stored::Json, Stored::Be32, Stored::Varint];

// === impl Stored ===

impl Stored {
    /// The file that holds these requests.
    pub fn file(self, requests: &[ExportTraceServiceRequest]) -> Vec<u8> {
        let mut file = Vec::new();
        for request in requests {
            match self {
                Self::Json => file.extend_from_slice(format!("{}\n", json(request)).as_bytes()),
                Self::Be32 => file.extend_from_slice(&be32(&request.encode_to_vec())),
                Self::Varint => request.encode_length_delimited(&mut file).unwrap(),
            }
        }
        file
    }
}

/// One frame with a big-endian length.
pub fn be32(body: &[u8]) -> Vec<u8> {
    let len = u32::try_from(body.len()).unwrap();
    [&len.to_be_bytes()[..], body].concat()
}

/// Runs `spangraph replay` on standard input.
pub fn replay(arguments: &[&str], input: &[u8]) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_spangraph"))
        .env_clear()
        .args(["replay", "-"])
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // Whoever refuses the command line reads nothing.
    let _ = child.stdin.take().unwrap().write_all(input);
    child.wait_with_output().unwrap()
}

/// What a replay that went well printed.
pub fn printed(output: &Output) -> &str {
    assert!(output.status.success(), "{}", said(output));
    std::str::from_utf8(&output.stdout).unwrap()
}

/// What it said beside.
pub fn said(output: &Output) -> &str {
    std::str::from_utf8(&output.stderr).unwrap()
}

/// One request as the Collector writes it: ids in hex, 64-bit numbers quoted, what is empty left out or empty.
pub fn json(request: &ExportTraceServiceRequest) -> Value {
    let spans: Vec<_> = request.resource_spans.iter().map(resource_spans).collect();
    json!({ "resourceSpans": spans })
}

fn resource_spans(spans: &ResourceSpans) -> Value {
    let resource = spans.resource.as_ref();
    let attributes = resource.map_or(&[][..], |resource| &resource.attributes);
    let scopes: Vec<_> = spans.scope_spans.iter().map(scope_spans).collect();
    json!({ "resource": { "attributes": key_values(attributes) }, "scopeSpans": scopes })
}

fn scope_spans(spans: &ScopeSpans) -> Value {
    let spans: Vec<_> = spans.spans.iter().map(span).collect();
    json!({ "scope": {}, "spans": spans })
}

fn span(span: &Span) -> Value {
    let links: Vec<_> = span
        .links
        .iter()
        .map(|link| json!({ "traceId": hex(&link.trace_id), "spanId": hex(&link.span_id), "flags": link.flags }))
        .collect();
    let code = span.status.as_ref().map_or(0, |status| status.code);
    json!({
        "traceId": hex(&span.trace_id),
        "spanId": hex(&span.span_id),
        "traceState": span.trace_state,
        "parentSpanId": hex(&span.parent_span_id),
        "flags": span.flags,
        "name": span.name,
        "kind": span.kind,
        "startTimeUnixNano": span.start_time_unix_nano.to_string(),
        "endTimeUnixNano": span.end_time_unix_nano.to_string(),
        "attributes": key_values(&span.attributes),
        "links": links,
        "status": if code == 0 { json!({}) } else { json!({ "code": code }) },
    })
}

fn key_values(attributes: &[KeyValue]) -> Vec<Value> {
    let value = |value: &Option<AnyValue>| match value.as_ref().and_then(|v| v.value.as_ref()) {
        Some(Any::StringValue(text)) => json!({ "stringValue": text }),
        Some(Any::BoolValue(flag)) => json!({ "boolValue": flag }),
        Some(Any::IntValue(number)) => json!({ "intValue": number.to_string() }),
        Some(Any::DoubleValue(number)) => json!({ "doubleValue": number }),
        other => panic!("the tests send no {other:?}"),
    };
    let attributes = attributes.iter();
    attributes
        .map(|attribute| json!({ "key": attribute.key, "value": value(&attribute.value) }))
        .collect()
}

fn hex(id: &[u8]) -> String {
    id.iter()
        .fold(String::new(), |hex, byte| hex + &format!("{byte:02x}"))
}
