//! What a live slice absorbs, as its sealed form tells it: complete, in the law, and the same in any order.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use proptest::prelude::*;
use prost::Message;
use spangraph::graph::call::{
    Call, CallClass, CalledFrom, Effects, NodeCall, Outcome, Reason, Sample, Unpaired,
};
use spangraph::graph::{Graph, GraphConfig, LiveSlice, SealInfo, TextId};
use spangraph::proto::{self, ConnectionType};
use spangraph::slice::{self, Join, law};
use spangraph::span::{CallStatus, Protocol, SpanKind, TraceId};

const NOW: u64 = 1_700_000_000;

fn graph(max_nodes: u32, max_edges: u32) -> Graph {
    let config = GraphConfig {
        max_nodes,
        max_edges,
        idle_s: 900,
    };
    Graph::new(
        config,
        proto::Origin {
            instance: "pod".into(),
            ..proto::Origin::default()
        },
        "digest".into(),
    )
}

fn trace(n: u64) -> TraceId {
    TraceId::new(&[[1; 8], n.to_be_bytes()].concat()).unwrap()
}

fn seal(graph: &Graph, live: &LiveSlice) -> proto::Slice {
    let info = SealInfo {
        end_unix_s: NOW + 1,
        monotonic_ns: 1_000_000_000,
        ..SealInfo::default()
    };
    let slice = proto::Slice::decode(graph.seal(live, &info).0).unwrap();
    assert_eq!(law::check(&slice), Vec::<String>::new());
    assert_eq!(graph.gauges().law_violations, 0);
    slice
}

/// A call seen from both sides, and what the called node saw of it.
#[derive(Debug, Clone)]
struct Seen {
    client: String,
    server: String,
    class: CallClass,
    duration: Sample,
    topic: String,
    failed: bool,
    trace: u64,
}

fn seen() -> impl Strategy<Value = Seen> {
    let class = prop_oneof![
        4 => Just(CallClass::Paired),
        1 => Just(CallClass::Entry),
        1 => Just(CallClass::Linked),
        2 => Just(CallClass::VirtualServer),
        2 => Just(CallClass::VirtualClient),
    ];
    let duration = prop_oneof![
        8 => (0_u64..200_000_000).prop_map(Sample::Ns),
        1 => Just(Sample::Negative),
        1 => Just(Sample::None),
    ];
    (
        0..6_u8,
        0..6_u8,
        class,
        duration,
        0..30_u8,
        any::<bool>(),
        0..50_u64,
    )
        .prop_map(
            |(client, server, class, duration, topic, failed, trace)| Seen {
                client: format!("svc-{client}"),
                server: format!("svc-{server}"),
                class,
                duration,
                topic: if topic < 20 {
                    format!("topic-{topic:02}")
                } else {
                    String::new()
                },
                failed,
                trace,
            },
        )
}

fn record(graph: &Graph, effects: &mut Effects, seen: &Seen) {
    let client = graph.service(Some("shop"), &seen.client, NOW);
    let server = graph.service(None, &seen.server, NOW);
    effects.calls.push(Call {
        weight: 0,
        weighted_failed: 0,
        address: TextId::default(),
        logical: false,
        edge: graph.edge(client, server, ConnectionType::None, NOW),
        class: seen.class,
        failed: u32::from(seen.failed),
        client_failed: 0,
        server_failed: seen.failed,
        client: seen.duration,
        server: seen.duration,
        gap: seen.duration,
        queue: Sample::None,
        status: CallStatus {
            protocol: Protocol::Http,
            code: if seen.failed { 503 } else { 200 },
        },
        destination: graph.topic(&seen.topic),
        trace: trace(seen.trace),
        span: seen.trace,
        duration: seen.duration,
    });
    if seen.class != CallClass::VirtualServer {
        effects.node_calls.push(NodeCall {
            node: server,
            from: CalledFrom::Edges,
            failed: seen.failed,
            server: seen.duration,
            address: TextId::default(),
        });
    }
    effects.accepted += 1;
    effects.outcome(Outcome::Paired);
    if seen.trace.is_multiple_of(5) {
        effects.unpaired.push(Unpaired {
            node: client,
            kind: SpanKind::Client,
            name: graph.span_name(seen.topic.as_bytes()),
            reason: Reason::NoServerSpan,
            trace: trace(seen.trace),
        });
    }
}

/// Absorbs the calls in chunks, into a graph of its own.
fn sealed(calls: &[Seen], chunk: usize) -> proto::Slice {
    let graph = graph(100, 100);
    let live = graph.open(NOW);
    live.decoded(calls.len() as u64, [0; 3]);
    let mut effects = Effects::default();
    for calls in calls.chunks(chunk) {
        for call in calls {
            record(&graph, &mut effects, call);
        }
        live.absorb(&graph, &mut effects);
        assert!(
            effects.calls.is_empty() && effects.accepted == 0,
            "left cleared"
        );
    }
    seal(&graph, &live)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(150) })]

    #[test]
    fn a_sealed_slice_is_the_same_to_the_byte_in_any_order_and_any_chunks(
        calls in prop::collection::vec(seen(), 0..200),
        chunk in 1_usize..50,
        turn in any::<usize>(),
    ) {
        let mut turned = calls.clone();
        turned.reverse();
        let by = turn % turned.len().max(1);
        turned.rotate_left(by);
        prop_assert_eq!(sealed(&calls, 1000).encode_to_vec(), sealed(&turned, chunk).encode_to_vec());
    }

    #[test]
    fn counts_of_an_edge_are_those_of_its_calls(calls in prop::collection::vec(seen(), 1..200)) {
        let slice = sealed(&calls, 64);
        for edge in &slice.edges {
            let name = |at: u32| slice.strings[slice.nodes[at as usize].name_ref as usize].clone();
            let mine: Vec<&Seen> = calls.iter().filter(|c| c.client == name(edge.client) && c.server == name(edge.server)).collect();
            let count = |test: &dyn Fn(&Seen) -> bool| mine.iter().filter(|c| test(c)).count() as u64;
            prop_assert_eq!(edge.seen_both + edge.seen_client + edge.seen_server, mine.len() as u64);
            prop_assert_eq!(edge.seen_client, count(&|c| c.class == CallClass::VirtualServer));
            prop_assert_eq!(edge.failed, count(&|c| c.failed));
            prop_assert_eq!(edge.calls_without_client_sample, count(&|c| !matches!(c.duration, Sample::Ns(_))));
            let slowest = mine.iter().filter_map(|c| match c.duration { Sample::Ns(ns) => Some((ns, c.trace)), _ => None }).max();
            prop_assert_eq!(edge.slowest.as_ref().map(|x| (x.duration_ns, x.trace_id.clone())), slowest.map(|(ns, t)| (ns, trace(t).bytes().to_vec())));
            let mut topics: Vec<&str> = mine.iter().map(|c| c.topic.as_str()).filter(|t| !t.is_empty()).collect();
            topics.sort_unstable();
            topics.dedup();
            let set = edge.destinations.clone().unwrap_or_default();
            prop_assert_eq!(set.more, topics.len() > 16);
            topics.truncate(16);
            let listed: Vec<&str> = set.string_refs.iter().map(|at| slice.strings[*at as usize].as_str()).collect();
            prop_assert_eq!(listed, topics);
        }
        let law = slice.law.unwrap();
        let negative = |c: &&Seen| c.duration == Sample::Negative;
        let gaps = calls.iter().filter(negative).count() as u64;
        let servers = calls.iter().filter(negative).filter(|c| c.class != CallClass::VirtualServer).count() as u64;
        prop_assert_eq!(law.negative_gap, gaps);
        prop_assert_eq!(law.negative_duration, gaps + servers, "once per span");
    }
}

/// Scenario: four workers absorb at once.
#[test]
fn concurrent_chunks_add_up() {
    let graph = graph(100, 100);
    let live = graph.open(NOW);
    live.decoded(4 * 5000, [0; 3]);
    std::thread::scope(|scope| {
        for worker in 0..4_u64 {
            let (graph, live) = (&graph, &live);
            scope.spawn(move || {
                let mut effects = Effects::default();
                for n in 0..5000_u64 {
                    let call = Seen {
                        client: format!("svc-{}", n % 7),
                        server: format!("svc-{}", n % 5),
                        class: CallClass::Paired,
                        duration: Sample::Ns(n * 1000),
                        topic: String::new(),
                        failed: false,
                        trace: worker,
                    };
                    record(graph, &mut effects, &call);
                    if n % 100 == 99 {
                        live.absorb(graph, &mut effects);
                    }
                }
            });
        }
    });
    let slice = seal(&graph, &live);
    assert_eq!(slice.law.unwrap().calls.unwrap().paired, 20_000);
    assert_eq!(
        slice.edges.iter().map(|edge| edge.seen_both).sum::<u64>(),
        20_000
    );
}

#[test]
fn a_service_that_only_sent_spans_is_in_the_slice_with_its_smallest_instances() {
    let graph = graph(10, 10);
    let live = graph.open(NOW);
    let node = graph.service(None, "quiet", NOW);
    for n in (0..20).rev() {
        live.saw_service(node, Some(&format!("pod-{n:02}")), Some("1.8.2"));
    }
    let slice = seal(&graph, &live);
    assert_eq!(slice.strings[slice.nodes[0].id_ref as usize], "quiet");
    let instances = slice.nodes[0].instances.as_ref().unwrap();
    assert_eq!(instances.string_refs.len(), 16);
    assert!(instances.more);
    assert_eq!(slice.strings[instances.string_refs[15] as usize], "pod-15");
    assert!(!slice.nodes[0].versions.as_ref().unwrap().more);
    assert_eq!(slice.nodes[0].first_seen_s, NOW);
}

#[test]
fn beyond_the_edge_cap_calls_lie_on_the_overflow_edge_while_nodes_stay_true() {
    let graph = graph(100, 2);
    let live = graph.open(NOW);
    let mut effects = Effects::default();
    live.decoded(30, [0; 3]);
    for n in 0..30_u64 {
        let call = Seen {
            client: "web".into(),
            server: format!("svc-{}", n % 6),
            class: CallClass::Paired,
            duration: Sample::Ns(1000 + n),
            topic: String::new(),
            failed: false,
            trace: 1,
        };
        record(&graph, &mut effects, &call);
    }
    live.absorb(&graph, &mut effects);
    let slice = seal(&graph, &live);
    assert_eq!(graph.gauges().edges, 2);
    assert_eq!(slice.edges.len(), 3);
    assert_eq!(slice.law.unwrap().overflow_calls, 20);
    assert!(
        slice
            .nodes
            .iter()
            .filter(|node| node.calls_edges > 0)
            .all(|node| node.calls_edges == 5)
    );
}

/// Scenario: one number of a sound slice is changed.
/// Guarantees: the checker sees it and says which identity is broken, and where.
#[test]
fn the_checker_names_what_is_broken() {
    let call = Seen {
        client: "web".into(),
        server: "checkout".into(),
        class: CallClass::Paired,
        duration: Sample::Ns(5_000_000),
        topic: String::new(),
        failed: false,
        trace: 1,
    };
    let sound = sealed(&[call], 1);
    let broken = |change: &dyn Fn(&mut proto::Slice)| {
        let mut slice = sound.clone();
        change(&mut slice);
        law::check(&slice).join("\n")
    };
    assert!(
        broken(&|s| s.law.as_mut().unwrap().decoded += 1).contains("decoded = accepted + rejected")
    );
    assert!(broken(&|s| s.law.as_mut().unwrap().pending_after += 1).contains("pending before"));
    assert!(broken(&|s| s.edges[0].seen_both += 1).contains("edge shop/web -> checkout"));
    assert!(broken(&|s| s.edges[0].calls_without_server_sample += 1).contains("server samples"));
    assert!(broken(&|s| s.edges[0].gap.as_mut().unwrap().count += 1).contains("gap histogram"));
    assert!(broken(&|s| s.nodes[0].calls_edges += 1).contains("node checkout"));
    assert!(broken(&|s| s.law.as_mut().unwrap().overflow_calls += 1).contains("overflow"));
}

/// Scenario: in one second a service with 6,000 span names, among 700 services with one each; in several orders.
/// Guarantees: of the one service 100 names are kept, of the others all, and the slice is the same byte for byte.
#[test]
fn which_unpaired_spans_are_named_does_not_hang_on_their_order() {
    let mut spans: Vec<(String, String)> = (0..6_000)
        .map(|n| ("aaa".to_owned(), format!("GET /{n:04}")))
        .collect();
    spans.extend((0..700).map(|n| (format!("svc-{n:03}"), "op".to_owned())));
    let slice = |step: usize| {
        let graph = graph(5_000, 100);
        let live = graph.open(NOW);
        live.decoded(spans.len() as u64, [0; 3]);
        for at in 0..spans.len() {
            let (service, name) = &spans[at * step % spans.len()];
            let mut effects = Effects::default();
            effects.unpaired.push(Unpaired {
                node: graph.service(None, service, NOW),
                kind: SpanKind::Client,
                name: graph.span_name(name.as_bytes()),
                reason: Reason::NoServerSpan,
                trace: trace(1),
            });
            effects.accepted += 1;
            effects.outcome(Outcome::UnpairedClient);
            live.absorb(&graph, &mut effects);
        }
        seal(&graph, &live)
    };
    let first = slice(1);
    let further: Vec<_> = first
        .unpaired
        .iter()
        .filter(|row| row.further_names)
        .collect();
    assert_eq!(
        (first.unpaired.len(), further.len(), further[0].count),
        (801, 1, 5_900)
    );
    for step in [3, 7, spans.len() - 1] {
        assert_eq!(slice(step).unpaired, first.unpaired, "{step}");
    }
}

/// Scenario: 2,500 services with an unpaired span each in one second, and a slice has room for 1,000 rows with a span name
/// and for 1,000 without.
/// Guarantees: the smallest keys are kept and the rest counted; nothing is named that only a row left out would name; and
/// merging the slice with nothing changes no byte.
#[test]
fn a_slice_names_only_what_its_kept_unpaired_rows_name() {
    let graph = graph(5_000, 100);
    let live = graph.open(NOW);
    let mut effects = Effects::default();
    live.decoded(2_500, [0; 3]);
    for n in (0..2_500_u64).rev() {
        effects.unpaired.push(Unpaired {
            node: graph.service(None, &format!("svc-{n:04}"), NOW),
            kind: SpanKind::Client,
            name: graph.span_name(format!("op-{n:04}").as_bytes()),
            reason: Reason::NoServerSpan,
            trace: trace(n),
        });
        effects.accepted += 1;
        effects.outcome(Outcome::UnpairedClient);
    }
    live.absorb(&graph, &mut effects);
    let slice = seal(&graph, &live);
    let of = |row: &proto::UnpairedRow| {
        let node = slice.nodes[row.node as usize].id_ref;
        let name = (!row.further_names).then_some(row.span_name_ref);
        [Some(node), name].map(|text| text.map(|text| slice.strings[text as usize].clone()))
    };
    let kept: Vec<_> = slice.unpaired.iter().map(of).collect();
    let named = |n: u64| (n < 1_000).then(|| format!("op-{n:04}"));
    let expected: Vec<_> = (0..2_000)
        .map(|n| [Some(format!("svc-{n:04}")), named(n)])
        .collect();
    assert_eq!((kept, slice.unpaired_other), (expected, 500));
    assert_eq!(slice.nodes.len(), 2_000);
    assert!(!slice.strings.iter().any(|text| text.ends_with("op-1000")));
    let bytes = slice.encode_to_vec();
    assert_eq!(slice::join(Join::Then, [&*bytes]).unwrap(), bytes);
}
