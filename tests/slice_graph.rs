//! The registries behind a slice: caps, names, and the release of idle entries.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use prost::Message;
use spangraph::graph::{EdgeId, Graph, GraphConfig, NodeId, SealInfo, TextId};
use spangraph::proto::{self, ConnectionType, NodeType};

const NOW: u64 = 1_700_000_000;

fn graph(max_nodes: u32, max_edges: u32) -> Graph {
    let config = GraphConfig {
        max_nodes,
        max_edges,
        idle_s: 900,
    };
    Graph::new(config, proto::Origin::default(), String::new())
}

#[test]
fn caps_of_nodes_are_exact_under_contention() {
    let graph = graph(50, 10);
    std::thread::scope(|scope| {
        for worker in 0..4 {
            let graph = &graph;
            scope.spawn(move || {
                for n in 0..200 {
                    graph.service(None, &format!("svc-{}", (n * 7 + worker) % 200), NOW);
                }
            });
        }
    });
    assert_eq!(graph.gauges().nodes, 50);
    let known =
        (0..200).filter(|n| graph.service(None, &format!("svc-{n}"), NOW) != NodeId::OVERFLOW);
    assert_eq!(known.count(), 50);
    let overflow = graph.node(NodeId::OVERFLOW).unwrap();
    assert_eq!(
        (&*overflow.id, overflow.kind),
        ("overflow:overflow", NodeType::Overflow)
    );
    let some = (0..200)
        .map(|n| graph.service(None, &format!("svc-{n}"), NOW))
        .find(|n| *n != NodeId::OVERFLOW);
    let edge = graph.edge(some.unwrap(), NodeId::OVERFLOW, ConnectionType::None, NOW);
    assert_ne!(
        edge,
        EdgeId::OVERFLOW,
        "an edge to the overflow node is an ordinary edge"
    );
}

#[test]
fn texts_beyond_their_cap_are_called_other() {
    let graph = graph(10, 10);
    let names: Vec<TextId> = (0..10_050)
        .map(|n| graph.span_name(format!("GET /{n}").as_bytes()))
        .collect();
    assert_eq!(graph.text(names[9_999]), "GET /9999");
    assert_eq!(graph.text(names[10_000]), "other");
    assert_eq!(graph.text(graph.span_name(b"GET /5")), "GET /5");
    assert_eq!(
        graph.text(graph.topic("orders")),
        "orders",
        "topics have room of their own"
    );
    assert_eq!(graph.text(graph.span_name(b"")), "");
    assert_eq!(graph.text(graph.span_name(b"bad \xff")), "other");
    assert_eq!(
        (graph.gauges().span_names, graph.gauges().topics),
        (10_000, 1)
    );
}

#[test]
fn names_compare_by_id_text() {
    let graph = graph(10, 10);
    let [b, a] = ["b", "a"].map(|name| graph.service(None, name, NOW));
    assert!(graph.compare_names(a, b).is_lt());
    assert!(graph.compare_names(b, a).is_gt());
    assert!(graph.compare_names(a, a).is_eq());
}

/// Scenario: nodes and edges fall idle, one of them still named by an open slice.
/// Guarantees: an id is used again only when nothing can name it any more.
#[test]
fn idle_entries_are_released_and_their_ids_used_again() {
    let graph = graph(3, 1);
    let [a, b] = ["a", "b"].map(|name| graph.service(None, name, NOW));
    let edge = graph.edge(a, b, ConnectionType::None, NOW);
    let lonely = graph.service(None, "lonely", NOW);
    let live = graph.open(NOW);
    live.saw_service(lonely, None, None);
    assert!(
        !graph.release_idle(NOW + 5000),
        "an open slice may name any of them"
    );
    let sealed = proto::Slice::decode(graph.seal(&live, &SealInfo::default()).0).unwrap();
    assert_eq!(sealed.nodes.len(), 1);
    drop(live);

    assert_eq!(graph.edge(a, b, ConnectionType::None, NOW + 9500), edge);
    assert!(graph.release_idle(NOW + 10_000), "the lonely node goes");
    assert!(graph.node(lonely).is_none());
    assert!(
        graph.node(a).is_some() && graph.node(b).is_some(),
        "ends of a living edge stay"
    );
    assert_eq!(graph.gauges().nodes, 2);
    assert_eq!(
        graph.service(None, "new", NOW + 10_000),
        lonely,
        "its id is free"
    );

    assert!(graph.release_idle(NOW + 20_000));
    assert_eq!((graph.gauges().nodes, graph.gauges().edges), (0, 0));
    assert_eq!(graph.gauges().released, 5);
}

#[test]
fn user_nodes_per_service_are_apart_and_all_named_user() {
    let graph = graph(10, 10);
    let shared = graph.virtual_node(NodeType::User, None, "user", NOW);
    let of_web = graph.virtual_node(NodeType::User, Some("shop"), "web", NOW);
    let (shared, of_web) = (graph.node(shared).unwrap(), graph.node(of_web).unwrap());
    assert_eq!((&*shared.id, &*of_web.id), ("user:user", "user:shop/web"));
    assert_eq!((&*shared.name, &*of_web.name), ("user", "user"));
}
