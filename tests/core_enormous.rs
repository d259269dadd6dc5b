//! One trace of very many spans, over half a minute. Nothing is timed: counted is how many entries of its index were
//! visited for each span, and how many bytes it took.

#![allow(unreachable_pub, clippy::unwrap_used, reason = "test code")]
#![allow(dead_code, reason = "the driver offers more than is needed here")]

#[path = "common/cases.rs"]
mod cases;
#[path = "common/drive.rs"]
mod drive;
#[path = "common/said.rs"]
mod said;

use std::collections::BTreeMap;
use std::ops::Range;

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::span::SpanKind;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span};
use prost::Message as _;
use spangraph::core::Scratch;
use spangraph::otlp::Encoding;
use spangraph::pairing::Rules;

/// Spans of the trace, unless `ENORMOUS_SPANS` says otherwise.
const SPANS: u64 = 100_000;

const SERVICES: u64 = 40;

/// One of the spans, and the number of its service. They are calls, each a CLIENT and its SERVER, from any of the servers
/// before.
fn span(id: u64, random: &mut u64) -> (u64, Span) {
    let (call, called) = (id / 2, id % 2 == 1);
    let above = if called {
        id - 1
    } else {
        *random = random.wrapping_mul(6_364_136_223_846_793_005) | 1;
        (*random >> 33) % call.max(1) * 2 + 1
    };
    let server = if called { call } else { above / 2 };
    let kind = if called {
        SpanKind::Server
    } else {
        SpanKind::Client
    };
    let wire = |id: u64| (id + 1).wrapping_mul(0xd129_0d3f_8a5b_1c67).to_be_bytes();
    let span = Span {
        trace_id: vec![7; 16],
        span_id: wire(id).to_vec(),
        parent_span_id: if id == 0 {
            Vec::new()
        } else {
            wire(above).to_vec()
        },
        kind: kind.into(),
        start_time_unix_nano: 1_000 + id,
        end_time_unix_nano: 2_000 + id,
        ..Span::default()
    };
    (server % SERVICES, span)
}

fn resource(service: u64) -> Resource {
    let name = Value::StringValue(format!("s{service}"));
    let attribute = KeyValue {
        key: "service.name".to_owned(),
        value: Some(AnyValue { value: Some(name) }),
        ..KeyValue::default()
    };
    Resource {
        attributes: vec![attribute],
        ..Resource::default()
    }
}

/// The request with these spans, service by service.
fn request(ids: Range<u64>, random: &mut u64) -> Vec<u8> {
    let mut by_service: BTreeMap<u64, Vec<Span>> = BTreeMap::new();
    for id in ids {
        let (service, span) = span(id, random);
        by_service.entry(service).or_default().push(span);
    }
    let resource_spans = by_service
        .into_iter()
        .map(|(service, spans)| ResourceSpans {
            resource: Some(resource(service)),
            scope_spans: vec![ScopeSpans {
                spans,
                ..ScopeSpans::default()
            }],
            ..ResourceSpans::default()
        });
    let request = ExportTraceServiceRequest {
        resource_spans: resource_spans.collect(),
    };
    request.encode_to_vec()
}

/// Scenario: a trace of very many spans, whose callers were often decided long before.
/// Guarantees: every call is found, for the same few visits and bytes a span however many there are, and nothing of it is
/// kept at the end.
#[test]
#[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
fn an_enormous_trace_costs_as_much_for_each_span_as_any_large_one() {
    let chosen = std::env::var("ENORMOUS_SPANS").ok();
    let spans = chosen.map_or(SPANS, |spans| spans.parse().unwrap());
    let rules = Rules {
        wait: 10,
        messaging_wait: 10,
        retain: 20,
        ..Rules::default()
    };
    let core = drive::core_of(rules, 1, 1 << 30);
    let (mut scratch, mut random, mut most_bytes) = (Scratch::default(), 1, 0);
    for from in (0..spans).step_by(1_000) {
        let request = request(from..spans.min(from + 1_000), &mut random);
        let at = drive::at_ms(from * 25_000 / spans);
        core.apply(&request, Encoding::Protobuf, &mut scratch, at)
            .unwrap();
        most_bytes = most_bytes.max(core.gauges().pairing.bytes);
    }
    core.advance(drive::at_ms(60_000));
    let (pairing, totals) = (core.gauges().pairing, core.totals());
    said::say(&format!(
        "a trace of {spans} spans: {:.1} visits and at most {:.1} bytes for each",
        pairing.visited as f64 / spans as f64,
        most_bytes as f64 / spans as f64
    ));
    assert_eq!((pairing.held, pairing.tombstones), (0, 0));
    assert_eq!(totals.outcomes.unwrap().paired, spans);
    assert!(pairing.visited <= 16 * spans, "{}", pairing.visited);
    assert!(most_bytes <= 192 * spans, "{most_bytes} bytes");
    assert!(pairing.bytes <= most_bytes / 16, "{}", pairing.bytes);
}
