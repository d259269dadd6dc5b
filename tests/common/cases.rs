//! `tests/data/pairing.json` and its like as OTLP requests, and what a core makes of them.

#![allow(dead_code, reason = "each test uses a part of it")]

use std::collections::{BTreeMap, BTreeSet, HashMap};

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue, any_value};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span, Status, span};
use serde::Deserialize;
use serde_json::Value;

/// The file.
#[derive(Debug, Deserialize)]
pub struct Cases {
    pub cases: Vec<Case>,
}

/// One case.
#[derive(Debug, Deserialize)]
pub struct Case {
    pub name: String,
    /// What holds where the rules leave something open.
    pub decided: Option<String>,
    /// The seconds of arrival matter: they may not be changed.
    #[serde(default)]
    pub timed: bool,
    #[serde(default)]
    pub config: BTreeMap<String, Value>,
    pub spans: Vec<CaseSpan>,
    pub expect: Expect,
}

#[derive(Debug, Deserialize)]
pub struct Expect {
    pub edges: Vec<ExpectedEdge>,
    #[serde(default)]
    pub counters: BTreeMap<String, u64>,
    /// Topics, by `client->server`.
    #[serde(default)]
    pub destinations: BTreeMap<String, BTreeSet<String>>,
    /// Number of samples, by `client->server` and histogram.
    #[serde(default)]
    pub samples: BTreeMap<String, BTreeMap<String, u64>>,
}

#[derive(Debug, Clone, Deserialize, PartialEq, Eq, PartialOrd, Ord)]
pub struct ExpectedEdge {
    pub client: String,
    pub server: String,
    pub connection_type: String,
    pub calls: u64,
    pub failed: u64,
}

/// One span of a case. The default has no parent, attributes or links, and arrives at the beginning.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct CaseSpan {
    pub trace: String,
    pub span: String,
    pub parent: Option<String>,
    pub service: Option<String>,
    pub kind: String,
    pub name: String,
    pub start_ms: u64,
    pub end_ms: u64,
    pub status: String,
    pub attrs: BTreeMap<String, Value>,
    pub links: Vec<CaseLink>,
    #[serde(default)]
    pub at_ms: u64,
    #[serde(default)]
    pub flags: u32,
    #[serde(default)]
    pub tracestate: String,
}

#[derive(Debug, Clone, Deserialize)]
pub struct CaseLink {
    pub trace: String,
    pub span: String,
    /// So many links are alike.
    #[serde(default = "once")]
    pub times: usize,
}

fn once() -> usize {
    1
}

/// All cases of the checkout's copy, and those of rules with options of their own.
pub fn load() -> Vec<Case> {
    let files = ["pairing.json", "rules.json"];
    files.into_iter().flat_map(load_from).collect()
}

/// All cases of a file in `tests/data`.
pub fn load_from(file: &str) -> Vec<Case> {
    let data = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/");
    let text = std::fs::read_to_string(format!("{data}{file}")).unwrap();
    serde_json::from_str::<Cases>(&text).unwrap().cases
}

/// Maps symbolic ids to real ones.
#[derive(Debug, Default)]
pub struct Ids {
    known: HashMap<String, u64>,
}

impl Ids {
    fn number(&mut self, space: &str, symbol: &str) -> u64 {
        if symbol.chars().all(|c| c == '0') {
            return 0;
        }
        let next = 0x0101_0101_0101 + 0x1_0001 * self.known.len() as u64;
        *self
            .known
            .entry(format!("{space}/{symbol}"))
            .or_insert(next)
    }

    fn trace(&mut self, symbol: &str) -> Vec<u8> {
        if symbol.len() == 32
            && let Ok(literal) = u128::from_str_radix(symbol, 16)
        {
            return literal.to_be_bytes().to_vec();
        }
        u128::from(self.number("trace", symbol))
            .to_be_bytes()
            .to_vec()
    }

    fn span(&mut self, symbol: &str) -> Vec<u8> {
        if symbol.len() == 16
            && let Ok(literal) = u64::from_str_radix(symbol, 16)
        {
            return literal.to_be_bytes().to_vec();
        }
        self.number("span", symbol).to_be_bytes().to_vec()
    }
}

/// The request that carries these spans, each under a resource of its own.
pub fn request(spans: &[CaseSpan], ids: &mut Ids, sdk: bool) -> ExportTraceServiceRequest {
    let resource_spans = spans
        .iter()
        .map(|span| resource_spans(span, ids, sdk))
        .collect();
    ExportTraceServiceRequest { resource_spans }
}

fn resource_spans(span: &CaseSpan, ids: &mut Ids, sdk: bool) -> ResourceSpans {
    let mut attributes = Vec::new();
    if let Some(service) = &span.service {
        attributes.push(key_value("service.name", &Value::from(service.as_str())));
    }
    if sdk {
        attributes.push(key_value(
            "telemetry.sdk.name",
            &Value::from("opentelemetry"),
        ));
    }
    ResourceSpans {
        resource: Some(Resource {
            attributes,
            ..Resource::default()
        }),
        scope_spans: vec![ScopeSpans {
            spans: vec![otlp_span(span, ids)],
            ..ScopeSpans::default()
        }],
        ..ResourceSpans::default()
    }
}

fn otlp_span(case: &CaseSpan, ids: &mut Ids) -> Span {
    let kinds = [
        "UNSPECIFIED",
        "INTERNAL",
        "SERVER",
        "CLIENT",
        "PRODUCER",
        "CONSUMER",
    ];
    let codes = ["UNSET", "OK", "ERROR"];
    let position =
        |list: &[&str], name: &str| list.iter().position(|known| *known == name).unwrap();
    let links = case.links.iter().flat_map(|link| {
        let sent = span::Link {
            trace_id: ids.trace(&link.trace),
            span_id: ids.span(&link.span),
            ..span::Link::default()
        };
        vec![sent; link.times]
    });
    Span {
        links: links.collect(),
        trace_id: ids.trace(&case.trace),
        span_id: ids.span(&case.span),
        parent_span_id: case
            .parent
            .as_deref()
            .map(|parent| ids.span(parent))
            .unwrap_or_default(),
        trace_state: case.tracestate.clone(),
        flags: case.flags,
        name: case.name.clone(),
        kind: i32::try_from(position(&kinds, &case.kind)).unwrap(),
        start_time_unix_nano: 1_795_395_600_000_000_000 + case.start_ms * 1_000_000,
        end_time_unix_nano: 1_795_395_600_000_000_000 + case.end_ms * 1_000_000,
        attributes: case
            .attrs
            .iter()
            .map(|(key, value)| key_value(key, value))
            .collect(),
        status: Some(Status {
            code: i32::try_from(position(&codes, &case.status)).unwrap(),
            ..Status::default()
        }),
        ..Span::default()
    }
}

fn key_value(key: &str, value: &Value) -> KeyValue {
    let value = match value {
        Value::String(text) => any_value::Value::StringValue(text.clone()),
        Value::Bool(flag) => any_value::Value::BoolValue(*flag),
        Value::Number(number) => match number.as_i64() {
            Some(whole) => any_value::Value::IntValue(whole),
            None => any_value::Value::DoubleValue(number.as_f64().unwrap()),
        },
        other => panic!("no such attribute value in the cases: {other}"),
    };
    KeyValue {
        key: key.to_owned(),
        value: Some(AnyValue { value: Some(value) }),
        ..KeyValue::default()
    }
}
