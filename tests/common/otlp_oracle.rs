//! What a walk must yield, read by prost: from the full types, and from a trimmed schema in which everything that the
//! walker does not look into is `bytes`. The trimmed one says exactly which requests are malformed; whatever the full
//! one accepts, both must.

#![allow(
    dead_code,
    unreachable_pub,
    reason = "each user of this file needs another part of it"
)]
#![allow(
    clippy::unwrap_used,
    clippy::cast_possible_truncation,
    reason = "test code, on small numbers"
)]

#[path = "otlp_trimmed.rs"]
mod trimmed_schema;

use std::collections::HashMap;

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::{KeyValue, any_value};
use prost::Message;
use spangraph::otlp::{Counts, Malformed, ResourceKeys, Scratch, walk, walk_json};
use spangraph::semconv::host::Host;
use spangraph::span::{
    Attrs, CallStatus, Operation, Protocol, Resource as Read, SpanId, SpanKind, SpanRef, TraceId,
};

use trimmed_schema::{Attribute, Link, NameOnly, Request, value as trimmed_value};

/// One span as text, resource and links included, and the counts of rejected ones.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Seen {
    pub spans: Vec<String>,
    pub decoded: u64,
    pub rejected: [u64; 3],
}

/// What the walker says.
pub fn walked(request: &[u8], scratch: &mut Scratch) -> Result<Seen, Malformed> {
    let mut seen = Seen::default();
    let mut sum = Counts::default();
    let counts = walk(request, &ResourceKeys::default(), scratch, &mut |chunk| {
        sum += chunk.counts;
        assert_eq!(chunk.spans().count(), chunk.len());
        for span in chunk.spans() {
            seen.spans.push(show(&span, &chunk.resource(span.resource)));
        }
    })?;
    assert_eq!(sum, counts, "the chunks' counts add up");
    seen.decoded = counts.decoded;
    seen.rejected = counts.rejected;
    Ok(seen)
}

/// What the JSON reader says.
pub fn walked_json(request: &[u8], scratch: &mut Scratch) -> Result<Seen, Malformed> {
    let mut seen = Seen::default();
    let counts = walk_json(request, &ResourceKeys::default(), scratch, &mut |chunk| {
        for span in chunk.spans() {
            seen.spans.push(show(&span, &chunk.resource(span.resource)));
        }
    })?;
    seen.decoded = counts.decoded;
    seen.rejected = counts.rejected;
    Ok(seen)
}

/// Everything a rule may read of a span.
pub fn show(span: &SpanRef<'_>, resource: &Read<'_>) -> String {
    let links: Vec<_> = span
        .links
        .targets()
        .map(|link| (link.trace, link.span, link.flags))
        .collect();
    format!(
        "{:?} {:?} {:?} {:?} {} {} {} {:x} {:?} {:?} {:?} {} {links:?} {resource:?}",
        span.trace,
        span.span,
        span.parent,
        span.kind,
        span.failed,
        span.start_ns,
        span.end_ns,
        span.flags,
        span.name,
        span.trace_state,
        span.attrs,
        span.links.count,
    )
}

/// What the full types say.
pub fn full(bytes: &[u8]) -> Option<Seen> {
    let request = ExportTraceServiceRequest::decode(bytes).ok()?;
    let mut seen = Seen::default();
    for spans in request.resource_spans {
        let resource = spans.resource.unwrap_or_default();
        let resource = values(&resource.attributes);
        for span in spans.scope_spans.into_iter().flat_map(|scope| scope.spans) {
            let status = span.status.map_or(0, |status| status.code);
            let raw = Raw {
                trace_id: &span.trace_id,
                span_id: &span.span_id,
                parent: &span.parent_span_id,
                kind: span.kind,
                status,
                times: (span.start_time_unix_nano, span.end_time_unix_nano),
                flags: span.flags,
                texts: (span.name.as_bytes(), span.trace_state.as_bytes()),
            };
            let links = || {
                span.links
                    .iter()
                    .map(|l| (l.trace_id.clone(), l.span_id.clone(), l.flags))
                    .collect()
            };
            seen.take(
                &raw,
                &resource,
                || Some(values(&span.attributes)),
                || Some(links()),
            );
        }
    }
    Some(seen)
}

/// What the trimmed schema says.
pub fn trimmed(bytes: &[u8]) -> Option<Seen> {
    let request = Request::decode(bytes).ok()?;
    let mut seen = Seen::default();
    for spans in request.resource_spans {
        let resource = trimmed_values(
            &spans.resource.unwrap_or_default().attributes,
            &RESOURCE_KEYS,
        )?;
        for span in spans.scope_spans.into_iter().flat_map(|scope| scope.spans) {
            let raw = Raw {
                trace_id: &span.trace_id,
                span_id: &span.span_id,
                parent: &span.parent_span_id,
                kind: span.kind,
                status: span.status.unwrap_or_default().code,
                times: (span.start, span.end),
                flags: span.flags,
                texts: (&span.name, &span.trace_state),
            };
            let keys: Vec<_> = keys().collect();
            let attributes = || trimmed_values(&span.attributes, &keys);
            let links = || {
                let links = span
                    .links
                    .iter()
                    .map(|link| Link::decode(link.as_slice()).ok());
                links
                    .map(|link| link.map(|l| (l.trace_id, l.span_id, l.flags)))
                    .collect()
            };
            seen.take(&raw, &resource, attributes, links)?;
        }
    }
    Some(seen)
}

/// A value of any use.
#[derive(Debug, Clone, PartialEq)]
enum Held {
    Text(String),
    Int(i64),
    Bool(bool),
    Useless,
}

type Values = HashMap<String, Held>;
type LinkIds = Vec<(Vec<u8>, Vec<u8>, u32)>;

struct Raw<'a> {
    trace_id: &'a [u8],
    span_id: &'a [u8],
    parent: &'a [u8],
    kind: i32,
    status: i32,
    times: (u64, u64),
    flags: u32,
    texts: (&'a [u8], &'a [u8]),
}

/// The last value of each key.
fn values(attributes: &[KeyValue]) -> Values {
    let held = |attribute: &KeyValue| match attribute.value.clone().and_then(|any| any.value) {
        Some(any_value::Value::StringValue(text)) => Held::Text(text),
        Some(any_value::Value::IntValue(number)) => Held::Int(number),
        Some(any_value::Value::BoolValue(flag)) => Held::Bool(flag),
        _ => Held::Useless,
    };
    attributes
        .iter()
        .map(|attribute| (attribute.key.clone(), held(attribute)))
        .collect()
}

fn trimmed_values(attributes: &[Vec<u8>], wanted: &[&str]) -> Option<Values> {
    let mut values = Values::new();
    for attribute in attributes {
        let name = NameOnly::decode(attribute.as_slice()).ok()?.key;
        let Some(key) = wanted.iter().find(|key| key.as_bytes() == name) else {
            continue;
        };
        let value = Attribute::decode(attribute.as_slice())
            .ok()?
            .value
            .unwrap_or_default();
        let held = match value.value {
            Some(trimmed_value::Value::Text(text)) => Held::Text(text),
            Some(trimmed_value::Value::Int(number)) => Held::Int(number),
            Some(trimmed_value::Value::Bool(flag)) => Held::Bool(flag),
            _ => Held::Useless,
        };
        values.insert((*key).to_owned(), held);
    }
    Some(values)
}

// === impl Seen ===

impl Seen {
    fn take(
        &mut self,
        raw: &Raw<'_>,
        resource: &Values,
        attributes: impl FnOnce() -> Option<Values>,
        links: impl FnOnce() -> Option<LinkIds>,
    ) -> Option<()> {
        self.decoded += 1;
        let reasons = [
            raw.trace_id.len() != 16 || raw.trace_id == [0; 16],
            raw.span_id.len() != 8 || raw.span_id == [0; 8],
            !matches!(raw.parent.len(), 0 | 8),
        ];
        if let Some(reason) = reasons.iter().position(|reason| *reason) {
            self.rejected[reason] += 1;
            return Some(());
        }
        let parent =
            Some(raw.parent).filter(|id| !id.is_empty() && *id != [0; 8] && *id != raw.span_id);
        let kind = match raw.kind {
            1 => SpanKind::Internal,
            2 => SpanKind::Server,
            3 => SpanKind::Client,
            4 => SpanKind::Producer,
            5 => SpanKind::Consumer,
            _ => SpanKind::Unspecified,
        };
        let inert = kind == SpanKind::Internal;
        let values = if inert { Values::new() } else { attributes()? };
        let mut attrs = attrs(&values, kind);
        if kind == SpanKind::Server && parent.is_some() {
            attrs = Attrs {
                status: attrs.status,
                ..Attrs::default()
            };
        }
        let linkless = matches!(kind, SpanKind::Internal | SpanKind::Server);
        let links = if linkless { Vec::new() } else { links()? };
        let targets: Vec<_> = links
            .iter()
            .take(128)
            .filter_map(|(trace, span, flags)| {
                Some((TraceId::new(trace)?, SpanId::new(span)?, *flags))
            })
            .collect();
        self.spans.push(format!(
            "{:?} {:?} {:?} {kind:?} {} {} {} {:x} {:?} {:?} {:?} {} {targets:?} {:?}",
            TraceId::new(raw.trace_id)?,
            SpanId::new(raw.span_id)?,
            parent.and_then(SpanId::new),
            raw.status == 2,
            raw.times.0,
            raw.times.1,
            raw.flags,
            raw.texts.0,
            raw.texts.1,
            attrs,
            links.len(),
            resource_of(resource),
        ));
        Some(())
    }
}

/// Every key of every meaning, best first, by the field it fills; written down a second time on purpose.
const LADDERS: [(&str, &[&str]); 22] = [
    ("logical_peer", &["service.peer.name", "peer.service"]),
    ("logical_peer_namespace", &["service.peer.namespace"]),
    ("host", &["server.address", "net.peer.name"]),
    ("port", &["server.port", "net.peer.port"]),
    (
        "socket",
        &["network.peer.address", "net.sock.peer.addr", "net.peer.ip"],
    ),
    ("http_host", &["http.host"]),
    ("url", &["url.full", "http.url"]),
    ("db_system", &["db.system.name", "db.system"]),
    ("db_namespace", &["db.namespace"]),
    ("db_name", &["db.name"]),
    ("messaging_system", &["messaging.system"]),
    ("template", &["messaging.destination.template"]),
    (
        "destination",
        &["messaging.destination.name", "messaging.destination"],
    ),
    (
        "generated",
        &[
            "messaging.destination.temporary",
            "messaging.destination.anonymous",
        ],
    ),
    (
        "operation",
        &["messaging.operation.type", "messaging.operation"],
    ),
    ("rpc_system", &["rpc.system.name", "rpc.system"]),
    ("rpc_service", &["rpc.method", "rpc.service"]),
    ("faas_invoked", &["faas.invoked_name"]),
    ("faas_trigger", &["faas.trigger"]),
    ("http_method", &["http.request.method", "http.method"]),
    (
        "http_code",
        &["http.response.status_code", "http.status_code"],
    ),
    (
        "grpc_code",
        &[
            "rpc.status_code",
            "rpc.response.status_code",
            "rpc.grpc.status_code",
        ],
    ),
];

const RESOURCE_KEYS: [&str; 5] = [
    "service.name",
    "service.namespace",
    "service.instance.id",
    "service.version",
    "telemetry.sdk.name",
];

/// Every recognised span key.
pub fn keys() -> impl Iterator<Item = &'static str> {
    LADDERS.iter().flat_map(|(_, keys)| keys.iter().copied())
}

fn ladder(field: &str) -> &'static [&'static str] {
    LADDERS
        .iter()
        .find(|(name, _)| *name == field)
        .expect(field)
        .1
}

/// A host of the older keys comes with the port of these alone.
fn port(values: &Values) -> Option<u16> {
    let named = ladder("host")
        .iter()
        .filter_map(|key| name(values.get(*key)?))
        .map(|text| is_name(Host::parse(text), false));
    let older_host = named.eq([false, true]);
    let ports = ladder("port").iter().skip(usize::from(older_host));
    let within = |port: &u16| *port > 0;
    let read = |key: &&str| {
        u16::try_from(number(values.get(*key)?)?)
            .ok()
            .filter(within)
    };
    ports.into_iter().find_map(read)
}

/// Whether a name that is no host's is an IP literal.
fn is_literal(text: &str) -> bool {
    let inner = text
        .strip_prefix('[')
        .and_then(|text| text.strip_suffix(']'));
    let bare = inner.unwrap_or(text).split('%').next().unwrap();
    Host::parse(bare).is_some_and(|host| host.is_ip && host.name == bare)
}

/// Whether a value can name the peer: IP literals cannot; what is no host can only where it need not be one.
fn is_name(host: Option<Host<'_>>, without_host: bool) -> bool {
    host.map_or(without_host, |host| !host.is_ip)
}

fn attrs(values: &Values, kind: SpanKind) -> Attrs<'_> {
    let text = |field| ladder(field).iter().find_map(|key| name(values.get(*key)?));
    let peer = |field, is_name: fn(&&str) -> bool| {
        let texts = || {
            ladder(field)
                .iter()
                .filter_map(|key| name(values.get(*key)?))
        };
        texts().find(is_name).or_else(|| texts().next())
    };
    let number = |field, low, high| {
        let within = |number: &i64| (low..=high).contains(number);
        ladder(field)
            .iter()
            .find_map(|key| number(values.get(*key)?).filter(within))
    };
    let service = |value: &str| {
        value
            .rsplit_once('/')
            .map(|(service, _)| service.trim_start_matches('/').to_owned())
    };
    let method = match values.get("rpc.method") {
        Some(Held::Text(method)) => service(method).filter(|service| !service.is_empty()),
        _ => None,
    };
    let method: Option<&str> = method.map(|service| {
        let Some(Held::Text(whole)) = values.get("rpc.method") else {
            unreachable!()
        };
        let start = whole.len() - whole.trim_start_matches('/').len();
        &whole[start..start + service.len()]
    });
    let operation = match text("operation") {
        Some("create") => Operation::Create,
        Some("send" | "publish") => Operation::Send,
        Some("receive") => Operation::Receive,
        Some("process" | "deliver") => Operation::Process,
        Some("settle") => Operation::Settle,
        _ => Operation::None,
    };
    let whole = |key: &&str| match values.get(*key) {
        Some(Held::Text(text)) if !text.is_empty() => Some(text.as_str()),
        _ => None,
    };
    let urls = || ladder("url").iter().filter_map(whole);
    let mut attrs = Attrs {
        logical_peer: peer("logical_peer", |text| is_name(Host::parse(text), true)),
        logical_peer_namespace: text("logical_peer_namespace"),
        host: peer("host", |text| is_name(Host::parse(text), false)),
        port: port(values),
        socket_address: peer("socket", |text| is_name(Host::parse(text), false)),
        http_host: text("http_host"),
        url: urls()
            .find(|url| is_name(Host::of_url(url), false))
            .or_else(|| urls().next()),
        db_system: text("db_system"),
        db_namespace: text("db_namespace"),
        db_name: text("db_name"),
        messaging_system: text("messaging_system"),
        destination_template: text("template"),
        destination: peer("destination", |text| !is_literal(text)),
        destination_generated: ladder("generated")
            .iter()
            .any(|key| values.get(*key) == Some(&Held::Bool(true))),
        operation,
        rpc_system: text("rpc_system"),
        rpc_service: method.map(cut).or_else(|| name(values.get("rpc.service")?)),
        faas_invoked: text("faas_invoked"),
        timer_triggered: text("faas_trigger") == Some("timer"),
        status: CallStatus::default(),
    };
    let http = number("http_code", 100, 999);
    let is_http = http.is_some() || attrs.http_host.is_some() || text("http_method").is_some();
    let grpc = ladder("grpc_code")
        .iter()
        .find_map(|key| grpc_code(values.get(*key)?));
    attrs.status = status(&attrs, kind, is_http, http, grpc);
    attrs
}

fn status(
    attrs: &Attrs<'_>,
    kind: SpanKind,
    is_http: bool,
    http: Option<i64>,
    grpc: Option<i64>,
) -> CallStatus {
    let of_a_message = matches!(kind, SpanKind::Producer | SpanKind::Consumer);
    let db = [attrs.db_system, attrs.db_namespace, attrs.db_name];
    let messaging = [
        attrs.messaging_system,
        attrs.destination_template,
        attrs.destination,
    ];
    let (protocol, code) = match attrs.rpc_system {
        _ if db.iter().any(Option::is_some) && of_a_message => (Protocol::Messaging, 0),
        _ if db.iter().any(Option::is_some) => (Protocol::Db, 0),
        _ if messaging.iter().any(Option::is_some) || attrs.operation != Operation::None => {
            (Protocol::Messaging, 0)
        }
        Some("grpc") => (Protocol::Grpc, grpc.map_or(0, |code| code + 1)),
        Some(_) => (Protocol::Rpc, 0),
        None if grpc.is_some() => (Protocol::Grpc, grpc.map_or(0, |code| code + 1)),
        None if attrs.rpc_service.is_some() => (Protocol::Rpc, 0),
        None if is_http => (Protocol::Http, http.unwrap_or(0)),
        None => (Protocol::Unknown, 0),
    };
    CallStatus {
        protocol,
        code: code.try_into().unwrap(),
    }
}

/// A non-empty string, cut to 256 bytes.
fn name(value: &Held) -> Option<&str> {
    match value {
        Held::Text(text) if !text.is_empty() => Some(cut(text)),
        _ => None,
    }
}

fn cut(text: &str) -> &str {
    let ends = text.char_indices().map(|(at, char)| at + char.len_utf8());
    &text[..ends.take_while(|end| *end <= 256).last().unwrap_or(0)]
}

fn number(value: &Held) -> Option<i64> {
    match value {
        Held::Int(number) => Some(*number),
        Held::Text(text) if text.chars().all(|char| char.is_ascii_digit()) => text.parse().ok(),
        _ => None,
    }
}

fn grpc_code(value: &Held) -> Option<i64> {
    let names = "OK CANCELLED UNKNOWN INVALID_ARGUMENT DEADLINE_EXCEEDED NOT_FOUND ALREADY_EXISTS PERMISSION_DENIED \
        RESOURCE_EXHAUSTED FAILED_PRECONDITION ABORTED OUT_OF_RANGE UNIMPLEMENTED INTERNAL UNAVAILABLE DATA_LOSS \
        UNAUTHENTICATED";
    let position = |text: &String| names.split_whitespace().position(|name| name == text);
    let by_name = match value {
        Held::Text(text) => position(text).map(|code| code.try_into().unwrap()),
        _ => None,
    };
    by_name
        .or_else(|| number(value))
        .filter(|code| (0..=16).contains(code))
}

fn resource_of(values: &Values) -> Read<'_> {
    let text = |key| name(values.get(key)?);
    Read {
        service_name: text("service.name"),
        namespace: text("service.namespace"),
        instance: text("service.instance.id"),
        version: text("service.version"),
        sampled: None,
        dimensions: Default::default(),
        sdk: text("telemetry.sdk.name").is_some(),
    }
}
