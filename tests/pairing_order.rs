//! The order of spans inside one second never shows.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue, any_value::Value};
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span, span::SpanKind};
use prost::Message as _;
use spangraph::clock::Timestamp;
use spangraph::core::{Core, CoreConfig, Scratch};
use spangraph::otlp::{Encoding, ResourceKeys};
use spangraph::pairing::Rules;
use spangraph::proto::{Origin, Outcomes, Slice};

fn at(second: u64) -> Timestamp {
    Timestamp::from_unix_ns((1_795_395_600 + second) * 1_000_000_000)
}

fn span(id: u8, parent: u8, kind: SpanKind, attribute: (&str, &str)) -> Span {
    let id8 = |id: u8| vec![0, 0, 0, 0, 0, 0, 0, id];
    Span {
        trace_id: vec![7; 16],
        span_id: id8(id),
        parent_span_id: id8(parent),
        kind: kind as i32,
        attributes: vec![KeyValue {
            key: attribute.0.to_owned(),
            value: Some(AnyValue {
                value: Some(Value::StringValue(attribute.1.to_owned())),
            }),
            ..KeyValue::default()
        }],
        ..Span::default()
    }
}

/// The outcomes of all slices when the spans arrive in one second, in this order.
fn outcomes(spans: Vec<Span>) -> Vec<Outcomes> {
    let config = CoreConfig {
        rules: Rules {
            wait: 10,
            messaging_wait: 60,
            retain: 60,
            ..Rules::default()
        },
        resource_keys: ResourceKeys::default(),
        pairing_bytes: 64 << 20,
        shards: 1,
        max_nodes: 100,
        max_edges: 100,
        idle_s: 900,
        digest: String::new(),
    };
    let core = Core::new(config, Origin::default(), at(0));
    let request = ExportTraceServiceRequest {
        resource_spans: vec![ResourceSpans {
            scope_spans: vec![ScopeSpans {
                spans,
                ..ScopeSpans::default()
            }],
            ..ResourceSpans::default()
        }],
    };
    let bytes = request.encode_to_vec();
    core.apply(&bytes, Encoding::Protobuf, &mut Scratch::default(), at(0))
        .unwrap();
    let slices = core.advance(at(100));
    let read = |bytes| Slice::decode(bytes).unwrap().law.unwrap();
    slices
        .into_iter()
        .map(|slice| read(slice.bytes).outcomes.unwrap())
        .collect()
}

/// Scenario: a database span, an internal span below it and the driver's socket span below that end together.
/// Guarantees: the socket span is transport, however the three stand in the request.
#[test]
fn transport_below_an_internal_span_is_found_in_any_order() {
    let database = span(1, 0, SpanKind::Client, ("db.system", "postgresql"));
    let internal = span(2, 1, SpanKind::Internal, ("x", "y"));
    let socket = span(3, 2, SpanKind::Client, ("server.address", "pg.internal"));
    let down = outcomes(vec![database.clone(), internal.clone(), socket.clone()]);
    let up = outcomes(vec![socket, internal, database]);
    assert_eq!(down, up);
    assert_eq!(down[10].r#virtual, 1);
    assert_eq!(down[10].internal, 2);
}
