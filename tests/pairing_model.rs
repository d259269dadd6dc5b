//! The core against the rules written down once more (`common/oracle`): random systems, random seconds of arrival,
//! random orders, splits and shard counts.

#![allow(unreachable_pub, clippy::unwrap_used, reason = "test code")]

#[path = "common/oracle/mod.rs"]
mod oracle;
#[path = "common/systems.rs"]
mod systems;

use std::cell::Cell;
use std::collections::BTreeMap;
use std::fmt::Write as _;

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue, any_value};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span, Status};
use oracle::{Answer, EdgeSums, NodeSums, Samples, Waits};
use proptest::prelude::*;
use proptest::test_runner::{RngAlgorithm, TestCaseError, TestError, TestRng, TestRunner};
use prost::Message as _;
use spangraph::clock::Timestamp;
use spangraph::core::{Core, CoreConfig, Scratch};
use spangraph::otlp::{Encoding, ResourceKeys};
use spangraph::pairing::Rules;
use spangraph::proto::{Histogram, Origin, Slice};
use spangraph::slice::law;
use systems::{Sent, System, Way};

/// Unix second in which every system begins.
const BEGIN_S: u64 = 1_795_395_600;

/// Short waits, so that twenty seconds hold everything that can happen around them.
const WAITS: Waits = Waits {
    wait: 3,
    messaging_wait: 5,
    retain: 4,
};

/// Systems tried unless `PAIRING_CASES` says otherwise.
const CASES: u32 = 3_000;

/// What a core makes of a system that comes in this way.
fn served(system: &System, way: &Way) -> Answer {
    let core = core(system, way);
    let mut order: Vec<usize> = (0..system.spans.len()).collect();
    order.sort_by_key(|&at| (system.spans[at].second, shuffled(at, way)));
    let mut scratch = Scratch::default();
    for second in order.chunk_by(|&a, &b| system.spans[a].second == system.spans[b].second) {
        for request in second.chunks(way.spans_per_request) {
            let spans = request.iter().map(|&at| resource_spans(&system.spans[at]));
            let whole = ExportTraceServiceRequest {
                resource_spans: spans.collect(),
            };
            let at = at_second(system.spans[request[0]].second);
            core.apply(&whole.encode_to_vec(), Encoding::Protobuf, &mut scratch, at)
                .unwrap();
        }
    }
    let mut answer = Answer::default();
    let last = system.spans.iter().map(|span| span.second).max();
    let all_decided = last.unwrap_or(0) + 2 * WAITS.messaging_wait + WAITS.retain;
    let sealed = core.advance(at_second(all_decided));
    for slice in &sealed {
        let slice = Slice::decode(slice.bytes.clone()).unwrap();
        assert_eq!(law::check(&slice), Vec::<String>::new());
        add(&mut answer, &slice);
    }
    let pending = core.totals().pending_after;
    if pending > 0 {
        answer.outcomes.insert("pending", pending);
    }
    answer
}

fn shuffled(at: usize, way: &Way) -> u64 {
    (at as u64 + 1)
        .wrapping_mul(way.order | 1)
        .rotate_left(29)
        .wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

fn core(system: &System, way: &Way) -> Core {
    let seconds = |s: u64| u32::try_from(s).unwrap();
    let rules = Rules {
        wait: seconds(WAITS.wait),
        messaging_wait: seconds(WAITS.messaging_wait),
        retain: seconds(WAITS.retain),
        match_low64: system.match_low64,
        ..Rules::default()
    };
    let config = CoreConfig {
        resource_keys: ResourceKeys::default(),
        idle_s: 15 * 60,
        rules,
        pairing_bytes: 64 << 20,
        shards: way.shards,
        max_nodes: 1_000,
        max_edges: 1_000,
        digest: "test".to_owned(),
    };
    Core::new(config, Origin::default(), at_second(0))
}

fn at_second(second: u64) -> Timestamp {
    Timestamp::from_unix_ns((BEGIN_S + second) * 1_000_000_000)
}

fn resource_spans(span: &Sent) -> ResourceSpans {
    let service = span.service.map(|name| key_value("service.name", name));
    let sdk = span
        .sdk
        .then(|| key_value("telemetry.sdk.name", "opentelemetry"));
    ResourceSpans {
        resource: Some(Resource {
            attributes: service.into_iter().chain(sdk).collect(),
            ..Resource::default()
        }),
        scope_spans: vec![ScopeSpans {
            spans: vec![otlp_span(span)],
            ..ScopeSpans::default()
        }],
        ..ResourceSpans::default()
    }
}

fn otlp_span(sent: &Sent) -> Span {
    let trace = u128::from(sent.trace.0) << 64 | u128::from(sent.trace.1 + 1);
    let ns = |ms: u64| BEGIN_S * 1_000_000_000 + ms * 1_000_000;
    let attributes = sent.facts.attributes();
    Span {
        trace_id: trace.to_be_bytes().to_vec(),
        span_id: sent.id.to_be_bytes().to_vec(),
        parent_span_id: sent
            .parent
            .map(|parent| parent.to_be_bytes().to_vec())
            .unwrap_or_default(),
        flags: sent.flags,
        name: "op".to_owned(),
        kind: sent.kind as i32,
        start_time_unix_nano: ns(sent.start_ms),
        end_time_unix_nano: ns(sent.end_ms),
        attributes: attributes
            .into_iter()
            .map(|(key, value)| key_value(key, value))
            .collect(),
        status: Some(Status {
            code: if sent.failed { 2 } else { 0 },
            ..Status::default()
        }),
        ..Span::default()
    }
}

fn key_value(key: &str, value: &str) -> KeyValue {
    KeyValue {
        key: key.to_owned(),
        value: Some(AnyValue {
            value: Some(any_value::Value::StringValue(value.to_owned())),
        }),
        ..KeyValue::default()
    }
}

/// Adds one slice to the sums.
fn add(answer: &mut Answer, slice: &Slice) {
    let id = |node: u32| {
        let node = &slice.nodes[node as usize];
        slice.strings[node.id_ref as usize].clone()
    };
    for edge in &slice.edges {
        let key = (id(edge.client), id(edge.server), edge.connection_type);
        let sums: &mut EdgeSums = answer.edges.entry(key).or_default();
        sums.seen_both += edge.seen_both;
        sums.seen_client += edge.seen_client;
        sums.seen_server += edge.seen_server;
        sums.failed += edge.failed;
        sums.client_failed += edge.client_failed;
        sums.server_failed += edge.server_failed;
        add_samples(&mut sums.client, edge.client_latency.as_ref());
        add_samples(&mut sums.server, edge.server_latency.as_ref());
        add_samples(&mut sums.gap, edge.gap.as_ref());
        add_samples(&mut sums.queue, edge.queue.as_ref());
    }
    for (at, node) in (0..).zip(&slice.nodes) {
        let sums: &mut NodeSums = answer.nodes.entry(id(at)).or_default();
        sums.from_edges += node.calls_edges;
        sums.no_caller += node.calls_no_caller;
        sums.unpaired += node.calls_unpaired;
        sums.failed += node.failed;
        add_samples(&mut sums.latency, node.latency.as_ref());
    }
    answer.nodes.retain(|_, sums| *sums != NodeSums::default());
    let law = slice.law.unwrap();
    answer.negative_duration += law.negative_duration;
    answer.negative_gap += law.negative_gap;
    answer.clock_skew += law.clock_skew;
    let outcomes = law.outcomes.unwrap_or_default();
    let named = [
        ("paired", outcomes.paired),
        ("virtual", outcomes.r#virtual),
        ("internal", outcomes.internal),
        ("root", outcomes.root),
        ("unpaired_client", outcomes.unpaired_client),
        ("unpaired_server", outcomes.unpaired_server),
        ("filtered", outcomes.filtered),
        ("duplicate", outcomes.duplicate),
        ("late", outcomes.late),
    ];
    for (name, spans) in named.into_iter().filter(|(_, spans)| *spans > 0) {
        *answer.outcomes.entry(name).or_default() += spans;
    }
}

fn add_samples(sums: &mut Samples, histogram: Option<&Histogram>) {
    let Some(histogram) = histogram else { return };
    sums.count += histogram.count;
    sums.sum_ns += histogram.sum_ns;
}

/// What differs, in lines; empty when nothing does.
fn difference(expected: &Answer, served: &Answer) -> String {
    let mut lines = String::new();
    compare(&mut lines, &expected.edges, &served.edges);
    compare(&mut lines, &expected.nodes, &served.nodes);
    compare(&mut lines, &expected.outcomes, &served.outcomes);
    let rest = |answer: &Answer| {
        BTreeMap::from([
            ("negative_duration", answer.negative_duration),
            ("negative_gap", answer.negative_gap),
            ("clock_skew", answer.clock_skew),
        ])
    };
    compare(&mut lines, &rest(expected), &rest(served));
    lines
}

fn compare<K, V>(lines: &mut String, expected: &BTreeMap<K, V>, served: &BTreeMap<K, V>)
where
    K: Ord + std::fmt::Debug,
    V: PartialEq + std::fmt::Debug,
{
    for key in expected
        .keys()
        .chain(served.keys().filter(|key| !expected.contains_key(key)))
    {
        let (rules, core) = (expected.get(key), served.get(key));
        if rules != core {
            write!(
                lines,
                "\n  {key:?}\n    rules {rules:?}\n    core  {core:?}"
            )
            .unwrap();
        }
    }
}

/// Scenario: any system of services, with everything that goes wrong in real ones, arriving around the ends of waits;
/// any order inside a second, any split into requests, any number of shards.
/// Guarantees: the calls, failures, samples and outcomes that the rules say, and the law in every slice.
#[test]
#[expect(
    clippy::print_stdout,
    reason = "how many cases were tried is part of the answer"
)]
fn the_core_agrees_with_the_rules_on_random_systems() {
    let chosen = std::env::var("PAIRING_CASES").ok();
    let cases = chosen
        .as_ref()
        .map_or(CASES, |cases| cases.parse().unwrap());
    let config = ProptestConfig {
        cases,
        failure_persistence: None,
        max_shrink_iters: 2_000,
        ..ProptestConfig::default()
    };
    let (run, spans) = (Cell::new(0_u64), Cell::new(0_u64));
    let any = (systems::system(), systems::way());
    // By default the same systems each time; a longer run is for finding new ones.
    let mut runner = if chosen.is_none() {
        TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha))
    } else {
        TestRunner::new(config)
    };
    let result = runner.run(&any, |(system, way)| {
        run.set(run.get() + 1);
        spans.set(spans.get() + system.spans.len() as u64);
        match disagreement(&system, &way) {
            None => Ok(()),
            Some(lines) => Err(TestCaseError::fail(lines)),
        }
    });
    println!("{} cases, {} spans", run.get(), spans.get());
    match result {
        Ok(()) => {}
        Err(TestError::Fail(_, (system, way))) => panic!("{}", simplest(system, &way)),
        Err(other) => panic!("{other}"),
    }
}

/// Where the core and the rules differ, if they do.
fn disagreement(system: &System, way: &Way) -> Option<String> {
    let expected = oracle::answer(system, WAITS);
    Some(difference(&expected, &served(system, way))).filter(|lines| !lines.is_empty())
}

/// The simplest system on which they still do, and how.
fn simplest(mut system: System, way: &Way) -> String {
    for _ in 0..200 {
        let simpler = |next: &System| disagreement(next, way).is_some();
        let Some(next) = system.simpler().find(simpler) else {
            break;
        };
        system = next;
    }
    let lines = disagreement(&system, way).unwrap_or_default();
    format!("{way:?}{system:?}\n{lines}")
}
