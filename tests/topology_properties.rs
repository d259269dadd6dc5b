//! What holds of any slice under any filter.
#![allow(clippy::unwrap_used, reason = "a failed step is a failed test")]

mod read_support;

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use read_support::{World, build, build_with_idle, class_sum, histogram};
use spangraph::proto::{ConnectionType, Edge, Slice};
use spangraph::topology::Topology;

/// Calls from node to node: (client, server, both, client only, failed share in percent).
type Drawn = (usize, usize, u64, u64, u64);

const SERVICES: [&str; 8] = [
    "a", "b", "shop/a", "shop/web", "ops/web", "ops/log", "pay", "x/pay",
];
const VIRTUAL: [&str; 6] = [
    "external:pay",
    "external:a",
    "external:unknown",
    "database:a",
    "messaging:t",
    "user:user",
];

/// A lawful slice: every call stands on an edge, at its called node, and in a class.
fn slice(drawn: &[Drawn], roots: u64) -> Slice {
    let mut w = World::new();
    let mut nodes: Vec<u32> = SERVICES.iter().map(|id| w.service(id)).collect();
    nodes.extend(VIRTUAL.iter().map(|id| w.virtual_node(id)));
    w.slice.nodes[0].calls_no_caller = roots;
    for (client, server, both, client_only, failed) in drawn {
        let (c, s) = (*client % SERVICES.len(), *server % nodes.len());
        let (connection, calls) = match VIRTUAL.get(s.wrapping_sub(SERVICES.len())) {
            None => (ConnectionType::None, (*both, 0)),
            Some(id) if id.starts_with("database") => (ConnectionType::Database, (0, *client_only)),
            Some(id) if id.starts_with("messaging") => {
                (ConnectionType::MessagingSystem, (0, *client_only))
            }
            Some(_) => (ConnectionType::VirtualNode, (0, *client_only)),
        };
        let total = calls.0 + calls.1;
        let edge = w.call(
            (nodes[c], nodes[s]),
            connection,
            calls,
            total * failed / 100,
        );
        edge.client_latency = histogram(&[1_000_000 * (*both + 1); 3], 4);
    }
    w.done()
}

/// The same, of nodes that call or are called alone.
fn used(drawn: &[Drawn]) -> Slice {
    let mut slice = slice(drawn, 0);
    let ends = |edge: &Edge| [edge.client, edge.server];
    let used: BTreeSet<u32> = slice.edges.iter().flat_map(ends).collect();
    let place = |node: u32| u32::try_from(used.range(..node).count()).unwrap();
    for edge in &mut slice.edges {
        (edge.client, edge.server) = (place(edge.client), place(edge.server));
    }
    let nodes = std::mem::take(&mut slice.nodes);
    let kept = (0..).zip(nodes).filter(|(at, _)| used.contains(at));
    slice.nodes = kept.map(|(_, node)| node).collect();
    slice
}

/// Calls, and how many of them are of the window.
fn windows() -> impl Strategy<Value = (Vec<Drawn>, usize)> {
    let call = (0_usize..32, 0_usize..32, 1_u64..200, 1_u64..200, 0_u64..20);
    (prop::collection::vec(call, 0..16), 0_usize..16).prop_map(|(mut drawn, window)| {
        let mut seen = BTreeSet::new();
        drawn.retain(|d| {
            seen.insert((d.0 % SERVICES.len(), d.1 % (SERVICES.len() + VIRTUAL.len())))
        });
        let window = window.min(drawn.len());
        (drawn, window)
    })
}

fn slices() -> impl Strategy<Value = Slice> {
    let call = (0_usize..32, 0_usize..32, 1_u64..200, 1_u64..200, 0_u64..20);
    (prop::collection::vec(call, 0..40), 0_u64..50).prop_map(|(mut drawn, roots)| {
        let mut seen = BTreeSet::new();
        drawn.retain(|d| {
            seen.insert((d.0 % SERVICES.len(), d.1 % (SERVICES.len() + VIRTUAL.len())))
        });
        slice(&drawn, roots)
    })
}

fn queries() -> impl Strategy<Value = String> {
    let parts = prop::sample::subsequence(
        vec![
            "namespace=shop",
            "namespace=*",
            "service=*/*",
            "service=*",
            "exclude=*a*",
            "exclude=external:*",
            "focus=a&up=2&down=1",
            "min_calls=50",
            "min_rate_per_s=0.3",
            "top=3",
            "health=problems",
            "type=service",
            "type=database,external",
            "include=histograms,exemplars",
            "quantiles=0.5,0.99",
        ],
        0..6,
    );
    (parts, any::<bool>()).prop_map(|(parts, grouped)| {
        let mut query = parts.join("&");
        if grouped {
            query.push_str("&group_by=namespace");
        }
        query
    })
}

fn raw_calls(t: &Topology) -> u64 {
    t.edges.iter().map(|e| e.counted.calls()).sum()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    /// Guarantees: consumers that look an edge's ends up always find them, lists are sorted and free of repeats, and
    /// every call is either shown or reported as hidden.
    #[test]
    fn every_filter_keeps_ends_and_reports_what_it_hides(slice in slices(), query in queries()) {
        let t = build(&slice, &query).unwrap();
        let ids: Vec<&str> = t.nodes.iter().map(|n| n.counted.id.as_str()).collect();
        let set: BTreeSet<&str> = ids.iter().copied().collect();
        prop_assert!(ids.windows(2).all(|w| w[0] < w[1]), "nodes sorted: {:?}", ids);
        prop_assert!(t.edges.windows(2).all(|w| w[0].id < w[1].id));
        for edge in &t.edges {
            prop_assert!(set.contains(edge.client.as_str()) && set.contains(edge.server.as_str()), "{}", query);
        }
        let everything = class_sum(t.law.calls.unwrap_or_default());
        prop_assert_eq!(raw_calls(&t) + t.hidden.calls, everything, "{}", query);
        prop_assert_eq!(Some(t.law), slice.law.or(Some(spangraph::proto::Law::default())));
    }

    /// Guarantees: what is idle stands beside what was called, and changes nothing of it: neither which nodes and edges there
    /// are, nor what they count, nor what folds into what.
    #[test]
    fn what_is_idle_changes_nothing_of_what_was_called((drawn, window) in windows()) {
        let (window, retained) = (used(&drawn[..window]), used(&drawn));
        let alone = build(&window, "").unwrap();
        let beside = build_with_idle(&window, &retained, "include=idle").unwrap();
        let busy = |t: &Topology| -> (Vec<String>, Vec<String>) {
            let nodes = t.nodes.iter().filter(|n| !n.counted.idle).map(|n| format!("{n:?}"));
            let edges = t.edges.iter().filter(|e| !e.counted.idle).map(|e| format!("{e:?}"));
            (nodes.collect(), edges.collect())
        };
        prop_assert_eq!(busy(&beside), busy(&alone));
        for edge in beside.edges.iter().filter(|e| e.counted.idle) {
            prop_assert_eq!(edge.counted.calls(), 0);
        }
    }

    /// Guarantees: without filters nothing is hidden, and every node's calls from edges are what its incoming edges'
    /// servers reported, folded and rolled up or not.
    #[test]
    fn nodes_and_edges_tell_the_same_calls(slice in slices(), grouped in any::<bool>()) {
        let t = build(&slice, if grouped { "group_by=namespace" } else { "" }).unwrap();
        prop_assert_eq!((t.hidden.nodes, t.hidden.edges, t.hidden.calls), (0, 0, 0));
        let mut incoming: BTreeMap<&str, u64> = BTreeMap::new();
        for edge in &t.edges {
            *incoming.entry(&edge.server).or_default() += edge.counted.seen.both + edge.counted.seen.server;
        }
        for node in &t.nodes {
            let id = node.counted.id.as_str();
            prop_assert_eq!(node.counted.calls_from.edges, incoming.get(id).copied().unwrap_or(0), "{}", id);
        }
        let samples: u64 = slice.edges.iter().filter_map(|e| Some(e.client_latency.as_ref()?.count)).sum();
        let kept: u64 = t.edges.iter().filter_map(|e| Some(e.counted.client_latency.as_ref()?.count)).sum();
        prop_assert_eq!(samples, kept);
    }
}
