//! Spans as OTLP requests: protobuf by prost, JSON by hand.

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value as Any;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::span::Link;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span, Status};
use prost::Message as _;
use serde_json::{Value, json};
use spangraph::otlp::Encoding;

use super::{RATIO_KEY, Sent};
use crate::oracle::Target;

/// The request that carries these spans, each under a resource of its own.
pub fn request(spans: &[&Sent], encoding: Encoding, begin_s: u64) -> Vec<u8> {
    let request = ExportTraceServiceRequest {
        resource_spans: spans
            .iter()
            .map(|span| resource_spans(span, begin_s))
            .collect(),
    };
    match encoding {
        Encoding::Protobuf => request.encode_to_vec(),
        Encoding::Json => json(&request).to_string().into_bytes(),
    }
}

fn resource_spans(span: &Sent, begin_s: u64) -> ResourceSpans {
    let service = span.service.map(|name| text("service.name", name));
    let sdk = span
        .sdk
        .then(|| text("telemetry.sdk.name", "opentelemetry"));
    ResourceSpans {
        resource: Some(Resource {
            attributes: service.into_iter().chain(sdk).collect(),
            ..Resource::default()
        }),
        scope_spans: vec![ScopeSpans {
            spans: vec![otlp_span(span, begin_s)],
            ..ScopeSpans::default()
        }],
        ..ResourceSpans::default()
    }
}

fn otlp_span(sent: &Sent, begin_s: u64) -> Span {
    let ns = |ms: u64| begin_s * 1_000_000_000 + ms * 1_000_000;
    let facts = sent.facts.attributes();
    let facts = facts.into_iter().map(|(key, value)| text(key, value));
    let ratio = sent
        .ratio()
        .map(|ratio| key_value(RATIO_KEY, Any::DoubleValue(ratio)));
    Span {
        trace_id: trace_id(sent.trace),
        span_id: sent.id.to_be_bytes().to_vec(),
        parent_span_id: sent
            .parent
            .map(|parent| parent.to_be_bytes().to_vec())
            .unwrap_or_default(),
        trace_state: sent.tracestate.to_owned(),
        flags: sent.flags,
        name: sent.name.to_owned(),
        kind: sent.kind as i32,
        start_time_unix_nano: ns(sent.start_ms),
        end_time_unix_nano: ns(sent.end_ms),
        attributes: facts.chain(ratio).collect(),
        links: sent.links.iter().map(link).collect(),
        status: Some(Status {
            code: if sent.failed { 2 } else { 0 },
            ..Status::default()
        }),
        ..Span::default()
    }
}

fn trace_id((high, low): (u64, u64)) -> Vec<u8> {
    let trace = u128::from(high) << 64 | u128::from(low + 1);
    trace.to_be_bytes().to_vec()
}

fn link((trace, id): &Target) -> Link {
    let trace_id = if *id == 0 {
        vec![0; 16]
    } else {
        trace_id(*trace)
    };
    Link {
        trace_id,
        span_id: id.to_be_bytes().to_vec(),
        ..Link::default()
    }
}

fn text(key: &str, value: &str) -> KeyValue {
    key_value(key, Any::StringValue(value.to_owned()))
}

fn key_value(key: &str, value: Any) -> KeyValue {
    KeyValue {
        key: key.to_owned(),
        value: Some(AnyValue { value: Some(value) }),
        ..KeyValue::default()
    }
}

fn json(request: &ExportTraceServiceRequest) -> Value {
    let resources = request.resource_spans.iter().map(|spans| {
        let resource = spans.resource.as_ref().map(|resource| &resource.attributes);
        let scopes = spans.scope_spans.iter().map(|scope| {
            let spans: Vec<Value> = scope.spans.iter().map(json_span).collect();
            json!({ "spans": spans })
        });
        json!({
            "resource": { "attributes": json_attributes(resource.map_or(&[], Vec::as_slice)) },
            "scopeSpans": scopes.collect::<Vec<_>>(),
        })
    });
    json!({ "resourceSpans": resources.collect::<Vec<_>>() })
}

fn json_span(span: &Span) -> Value {
    let link =
        |link: &Link| json!({ "traceId": hex(&link.trace_id), "spanId": hex(&link.span_id) });
    json!({
        "traceId": hex(&span.trace_id),
        "spanId": hex(&span.span_id),
        "parentSpanId": hex(&span.parent_span_id),
        "traceState": span.trace_state,
        "flags": span.flags,
        "name": span.name,
        "kind": span.kind,
        "startTimeUnixNano": span.start_time_unix_nano.to_string(),
        "endTimeUnixNano": span.end_time_unix_nano.to_string(),
        "attributes": json_attributes(&span.attributes),
        "links": span.links.iter().map(link).collect::<Vec<_>>(),
        "status": { "code": span.status.as_ref().map_or(0, |status| status.code) },
    })
}

fn json_attributes(attributes: &[KeyValue]) -> Value {
    let attribute = |attribute: &KeyValue| {
        let value = attribute
            .value
            .as_ref()
            .and_then(|value| value.value.as_ref());
        let value = match value {
            Some(Any::StringValue(text)) => json!({ "stringValue": text }),
            Some(Any::DoubleValue(number)) => json!({ "doubleValue": number }),
            other => unreachable!("no such attribute value in the systems: {other:?}"),
        };
        json!({ "key": attribute.key, "value": value })
    };
    attributes.iter().map(attribute).collect()
}

fn hex(id: &[u8]) -> String {
    use std::fmt::Write as _;
    id.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").expect("a string takes everything");
        text
    })
}
