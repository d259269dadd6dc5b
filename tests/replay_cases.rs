//! The pairing cases through the real `replay` binary, each forward and reversed, as JSON lines and as frames.

#![allow(unreachable_pub, clippy::unwrap_used, reason = "test code")]

#[path = "common/cases.rs"]
mod cases;
#[path = "common/stored.rs"]
mod stored;

use std::collections::BTreeMap;
use std::fmt::Write as _;

use cases::{Case, CaseSpan, ExpectedEdge, Ids};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use serde_json::Value;
use stored::{STORED, Stored, printed, replay};

/// Time as the case has it: so many spans of a service of its own, about nothing else, that they outvote the case's
/// spans, which all end in the first second.
fn ticks(at_ms: u64, trace: &mut u64, count: usize) -> Vec<ExportTraceServiceRequest> {
    let tick = |_| {
        *trace += 1;
        let span = CaseSpan {
            trace: format!("{trace:032x}"),
            span: format!("tick {trace}"),
            parent: None,
            service: Some("metronome".to_owned()),
            kind: "INTERNAL".to_owned(),
            name: "tick".to_owned(),
            start_ms: at_ms,
            end_ms: at_ms,
            status: "UNSET".to_owned(),
            attrs: BTreeMap::new(),
            links: Vec::new(),
            at_ms,
            flags: 0,
            tracestate: String::new(),
        };
        cases::request(&[span], &mut Ids::default(), false)
    };
    (0..count).map(tick).collect()
}

/// One request a span, at the case's own times of arrival.
fn paced(spans: &[CaseSpan]) -> Vec<ExportTraceServiceRequest> {
    let (mut ids, mut trace) = (Ids::default(), 0xfeed_0000);
    let mut requests = Vec::new();
    for together in spans.chunk_by(|a, b| a.at_ms == b.at_ms) {
        let at_ms = together[0].at_ms;
        requests.extend(ticks(at_ms, &mut trace, 9));
        for span in together {
            requests.push(cases::request(std::slice::from_ref(span), &mut ids, false));
            requests.extend(ticks(at_ms, &mut trace, 2));
        }
        requests.extend(ticks(at_ms, &mut trace, 9));
    }
    requests
}

/// All spans in one request, which then arrives when they end.
fn together(spans: &[CaseSpan]) -> Vec<ExportTraceServiceRequest> {
    vec![cases::request(spans, &mut Ids::default(), true)]
}

fn settings(case: &Case) -> Vec<String> {
    let setting = |(key, value): (&String, &Value)| {
        let section = if key == "ignore" { "ingest" } else { "pairing" };
        match value {
            Value::String(text) => format!("--set={section}.{key}={text}"),
            other => format!("--set={section}.{key}={other}"),
        }
    };
    case.config.iter().map(setting).collect()
}

/// A counter by its name in the cases.
fn counter(body: &Value, name: &str) -> u64 {
    let law = &body["law"];
    let count = match name {
        "duplicates" => &law["outcomes"]["duplicate"],
        "unresolved_links" => &law[name],
        outcome => &law["outcomes"][outcome],
    };
    count.as_u64().unwrap()
}

/// The edges printed, by names.
fn edges(body: &Value) -> Vec<ExpectedEdge> {
    let list = |name: &str| body[name].as_array().unwrap().clone();
    let names: BTreeMap<String, String> = list("nodes")
        .iter()
        .map(|node| (text(&node["id"]), text(&node["name"])))
        .collect();
    let mut edges: Vec<_> = list("edges")
        .iter()
        .map(|edge| ExpectedEdge {
            client: names[&text(&edge["client"])].clone(),
            server: names[&text(&edge["server"])].clone(),
            connection_type: text(&edge["connection_type"]),
            calls: edge["calls"].as_u64().unwrap(),
            failed: edge["failed"].as_u64().unwrap(),
        })
        .collect();
    edges.sort();
    edges
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

fn ids_are_unshared(case: &Case) -> bool {
    let mut ids: Vec<_> = case
        .spans
        .iter()
        .map(|span| (&span.trace, &span.span))
        .collect();
    ids.sort();
    ids.dedup();
    ids.len() == case.spans.len()
}

/// Every way a case is put: what it is called, how it is stored, the requests.
fn ways(case: &Case) -> Vec<(String, Stored, Vec<ExportTraceServiceRequest>)> {
    let mut forward = case.spans.clone();
    forward.sort_by_key(|span| span.at_ms);
    let mut reversed: Vec<_> = case.spans.iter().rev().cloned().collect();
    reversed.sort_by_key(|span| span.at_ms);
    let mut ways = Vec::new();
    for (order, spans) in [("forward", &forward), ("reversed", &reversed)] {
        for stored in STORED {
            ways.push((format!("{order}, {stored:?}"), stored, paced(spans)));
        }
        if spans.iter().all(|span| span.at_ms == 0) && ids_are_unshared(case) {
            let how = format!("{order}, in one request");
            ways.push((how, Stored::Json, together(spans)));
        }
    }
    ways
}

/// Scenario: every case the served rules cover, its virtual nodes and their options among them, in either order, span
/// by span and in one request, in each way requests are stored.
/// Guarantees: the edges the case expects; JSON lines and frames of the same requests print the same bytes.
#[test]
fn every_case_gives_its_edges_through_replay() {
    let (mut runs, mut wrong) = (0, String::new());
    for case in cases::load() {
        let mut expected = case.expect.edges.clone();
        expected.sort();
        let settings = settings(&case);
        let settings: Vec<&str> = settings.iter().map(String::as_str).collect();
        let mut printed_before: BTreeMap<String, String> = BTreeMap::new();
        for (how, stored, requests) in ways(&case) {
            runs += 1;
            let output = replay(&settings, &stored.file(&requests));
            if case.spans.iter().all(is_rejected) && !output.status.success() {
                assert_eq!(expected, [], "{}", case.name);
                continue;
            }
            let json = printed(&output).to_owned();
            let body: Value = serde_json::from_str(&json).unwrap();
            for (name, count) in &case.expect.counters {
                assert_eq!(
                    counter(&body, name),
                    *count,
                    "{} ({how}): {name}",
                    case.name
                );
            }
            let got = edges(&body);
            if got != expected {
                let _ = write!(
                    wrong,
                    "\n{} ({how})\n  expected {expected:?}\n  got {got:?}",
                    case.name
                );
            }
            let order = how.split(',').next().unwrap().to_owned();
            if how.ends_with(&format!("{stored:?}")) {
                let first = printed_before.entry(order).or_insert_with(|| json.clone());
                assert_eq!(*first, json, "{} ({how})", case.name);
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
    assert!(runs > 400, "{runs} runs");
}

fn is_rejected(span: &CaseSpan) -> bool {
    let zero = |id: &str| id.chars().all(|c| c == '0');
    zero(&span.trace) || zero(&span.span)
}
