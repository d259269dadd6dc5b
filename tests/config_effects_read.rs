//! Keys whose effect is on what is read: each is set as a user sets it, and the real binary prints the graph.

#![allow(unreachable_pub, clippy::unwrap_used, reason = "test code")]
#![allow(dead_code, reason = "the readers offer more than is needed here")]

#[path = "common/cases.rs"]
mod cases;
#[path = "common/stored.rs"]
mod stored;

use cases::{CaseSpan, Ids};
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue, any_value};
use serde_json::{Value, json};
use stored::{Stored, printed, replay};

fn span(value: &Value) -> CaseSpan {
    let mut span = json!({
        "trace": "t1", "parent": null, "name": "op", "start_ms": 0, "end_ms": 10, "status": "UNSET",
        "attrs": {}, "links": []
    });
    let fields = span.as_object_mut().unwrap();
    fields.extend(value.as_object().unwrap().clone());
    serde_json::from_value(span).unwrap()
}

/// A failing call from web to app, seen from both sides.
fn pair(tracestate: &str, attrs: &Value) -> Vec<CaseSpan> {
    let both = [
        json!({"service": "web", "kind": "CLIENT", "span": "a", "attrs": attrs}),
        json!({"service": "app", "kind": "SERVER", "span": "b", "parent": "a", "status": "ERROR",
               "tracestate": tracestate}),
    ];
    both.iter().map(span).collect()
}

/// The snapshot under these settings; every resource has these attributes besides its name.
fn snapshot(settings: &[&str], spans: &[CaseSpan], resource: &[(&str, f64)]) -> Value {
    let mut request = cases::request(spans, &mut Ids::default(), false);
    for spans in &mut request.resource_spans {
        let attribute = |(key, number): &(&str, f64)| KeyValue {
            key: (*key).to_owned(),
            value: Some(AnyValue {
                value: Some(any_value::Value::DoubleValue(*number)),
            }),
            ..KeyValue::default()
        };
        let attributes = &mut spans.resource.as_mut().unwrap().attributes;
        attributes.extend(resource.iter().map(attribute));
    }
    let settings: Vec<String> = settings.iter().map(|set| format!("--set={set}")).collect();
    let settings: Vec<&str> = settings.iter().map(String::as_str).collect();
    let of = |stored: Stored| {
        let output = replay(&settings, &stored.file(std::slice::from_ref(&request)));
        serde_json::from_str::<Value>(printed(&output)).unwrap()
    };
    let body = of(Stored::Json);
    assert_eq!(body["edges"], of(Stored::Varint)["edges"]);
    body
}

/// Scenario: one call of four, as its server's tracestate says.
/// Guarantees: with `pairing.sampling` the edge shows four calls, failed, and the raw one beside; what is raw stays raw.
#[test]
fn sampling_weighs_calls_and_shows_the_raw_ones_beside() {
    let spans = pair("ot=th:c", &json!({}));
    let raw = snapshot(&[], &spans, &[]);
    let weighed = snapshot(&["pairing.sampling=true"], &spans, &[]);
    let (before, after) = (&raw["edges"][0], &weighed["edges"][0]);
    let counts =
        |edge: &Value| ["calls", "failed", "raw_calls", "raw_failed"].map(|key| edge[key].as_u64());
    assert_eq!(counts(before), [Some(1), Some(1), None, None]);
    assert_eq!(counts(after), [Some(4), Some(4), Some(1), Some(1)]);
    let adjusted = |body: &Value| body["law"]["sampling_adjusted"].as_bool();
    assert_eq!(
        (adjusted(&raw), adjusted(&weighed)),
        (Some(false), Some(true))
    );
    for same in [
        "seen",
        "latency",
        "protocols",
        "failed_ratio",
        "server_failed",
    ] {
        assert_eq!(before[same], after[same], "{same}");
    }
    for same in ["nodes", "hidden"] {
        assert_eq!(raw[same], weighed[same], "{same}");
    }
    assert_eq!(raw["law"]["calls"], weighed["law"]["calls"]);
    let rate = |edge: &Value| edge["rate_per_s"].as_f64().unwrap();
    assert!((rate(after) - 4.0 * rate(before)).abs() < 1e-9);
}

/// Guarantees: of tracestate, span and resource, the first that says something counts; nothing is read unasked.
#[test]
fn sampling_attribute_is_read_of_the_span_then_of_its_resource() {
    let keys = [
        "pairing.sampling=true",
        "pairing.sampling_attribute=sampled.p",
    ];
    let calls = |settings: &[&str], tracestate: &str, span: Value, resource: f64| {
        let spans = pair(tracestate, &span);
        let body = snapshot(settings, &spans, &[("sampled.p", resource)]);
        body["edges"][0]["calls"].as_u64().unwrap()
    };
    assert_eq!(calls(&keys, "", json!({}), 0.25), 4);
    assert_eq!(calls(&keys, "", json!({"sampled.p": 0.125}), 0.25), 8);
    assert_eq!(calls(&keys, "ot=th:f", json!({}), 0.25), 16);
    assert_eq!(calls(&keys, "", json!({}), 3.0), 1, "no probability");
    assert_eq!(calls(&keys[..1], "", json!({"sampled.p": 0.125}), 0.25), 1);
    assert_eq!(
        calls(&keys[1..], "ot=th:f", json!({"sampled.p": 0.125}), 0.25),
        1
    );
}

/// Scenario: a server that answered one call crashes before it tells of the next.
/// Guarantees: with `pairing.learn_aliases` that call joins the real edge as `inferred`, error and all.
#[test]
fn learn_aliases_joins_calls_to_a_known_address() {
    let at = json!({"server.address": "app.prod.svc.cluster.local", "server.port": 8080});
    let mut spans = pair("", &at);
    let crashed = json!({"service": "web", "kind": "CLIENT", "trace": "t2", "span": "c", "status": "ERROR",
                         "attrs": at});
    spans.push(span(&crashed));
    let edges = |settings: &[&str]| snapshot(settings, &spans, &[])["edges"].clone();
    let apart = edges(&[]);
    assert_eq!(apart.as_array().unwrap().len(), 2);
    let joined = edges(&["pairing.learn_aliases=true"]);
    assert_eq!(joined.as_array().unwrap().len(), 1);
    let edge = &joined[0];
    let named = ["client", "server", "connection_type"].map(|field| edge[field].as_str().unwrap());
    assert_eq!(named, ["web", "app", ""]);
    let counts = ["calls", "failed", "inferred"].map(|field| edge[field].as_u64().unwrap());
    assert_eq!(counts, [2, 2, 1]);
}
