//! Since when nodes and edges have been there, against a look through every slice still held.
#![allow(clippy::unwrap_used, reason = "a failed step is a failed test")]

mod history_support;

use std::collections::BTreeMap;

use history_support::{Past, decoded, step};
use proptest::prelude::*;
use spangraph::api::Source as _;
use spangraph::proto::{Edge, Node, Slice};

/// Who is in a slice: services by number, and calls between two of them by connection type.
#[derive(Debug, Clone)]
struct Present {
    nodes: Vec<usize>,
    edges: Vec<(usize, usize, i32)>,
}

fn present() -> impl Strategy<Value = Present> {
    let ends = (0_usize..6, 0_usize..6, 0_i32..2);
    (
        prop::collection::vec(0_usize..9, 0..4),
        prop::collection::vec(ends, 0..4),
    )
        .prop_map(|(nodes, edges)| Present { nodes, edges })
}

/// Puts them into a slice, nodes in an order of the slice's own.
fn draw(slice: &mut Slice, present: &Present) {
    let second = slice.start_unix_s;
    let ends = present.edges.iter().flat_map(|(c, s, _)| [*c, *s]);
    let mut nodes: Vec<usize> = present.nodes.iter().copied().chain(ends).collect();
    nodes.sort_unstable();
    nodes.dedup();
    slice.strings = nodes.iter().map(|n| format!("service-{n}")).collect();
    let place = |n: &usize| u32::try_from(nodes.binary_search(n).unwrap()).unwrap();
    slice.nodes = nodes
        .iter()
        .map(|n| Node {
            id_ref: place(n),
            name_ref: place(n),
            calls_no_caller: 1,
            first_seen_s: second,
            last_seen_s: second,
            ..Node::default()
        })
        .collect();
    let mut edges = present.edges.clone();
    edges.sort_unstable();
    edges.dedup();
    slice.edges = edges
        .iter()
        .map(|(client, server, kind)| Edge {
            client: place(client),
            server: place(server),
            connection_type: *kind,
            seen_both: 1,
            first_seen_s: second,
            last_seen_s: second,
            ..Edge::default()
        })
        .collect();
}

/// When each element was first seen, by what it is called.
fn firsts(slice: &Slice) -> BTreeMap<String, u64> {
    let id = |place: u32| &slice.strings[slice.nodes[place as usize].id_ref as usize];
    let nodes = slice.nodes.iter().map(|node| {
        let id = slice.strings[node.id_ref as usize].clone();
        (id, node.first_seen_s)
    });
    let edges = slice.edges.iter().map(|edge| {
        let (client, server) = (id(edge.client), id(edge.server));
        let name = format!("{client} {server} {}", edge.connection_type);
        (name, edge.first_seen_s)
    });
    nodes.chain(edges).collect()
}

/// The same, looked for in every slice pushed that is still held.
fn looked_for(past: &Past) -> BTreeMap<String, u64> {
    let mut found = BTreeMap::new();
    let held = past
        .pushed
        .iter()
        .filter(|s| s.start_unix_s >= past.oldest());
    for slice in held {
        for (element, second) in firsts(&decoded(&slice.bytes)) {
            found.entry(element).or_insert(second);
        }
    }
    found
}

/// Holds every element of some windows to the slices still held.
fn dated_right(past: &Past) {
    let truth = looked_for(past);
    for (window_s, ago) in [(1, 0), (90, 0), (400, 30), (90_000, 0), (2_000, 20_000)] {
        let end = past.newest().saturating_sub(ago);
        let Ok(answer) = past.history.resolve(window_s, Some(end)) else {
            continue;
        };
        let merged = past.history.merge(&answer).unwrap();
        for (element, second) in firsts(&merged) {
            assert_eq!(
                second, truth[&element],
                "{element} in {window_s} s by {end}"
            );
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(24) })]

    /// Scenario: elements that come and go, while seconds pass one by one or in leaps of up to half an hour, so that
    /// slots roll up and old ones are dropped, for want of places or of memory.
    /// Guarantees: in any window an element was first seen when the oldest slice held that has it says.
    #[test]
    fn the_first_second_is_that_of_the_oldest_slice_held(
        steps in prop::collection::vec((prop_oneof![step(), (300_u64..1800).prop_map(|leap| (leap, 1))], present()), 1..1500),
        share in prop_oneof![Just(u64::MAX), 20_000_u64..80_000],
    ) {
        let mut past = Past::new(share);
        for (at, (step, present)) in steps.iter().enumerate() {
            past.seal(*step, |slice| draw(slice, present));
            if at % 400 == 0 {
                dated_right(&past);
            }
        }
        dated_right(&past);
    }
}

/// Scenario: one service for a day and longer, and thousands that are seen once.
/// Guarantees: whoever is held no longer takes no room.
#[test]
fn who_is_gone_takes_no_room() {
    let mut past = Past::new(u64::MAX);
    let mut most = 0;
    for n in 0..2_000 {
        let nodes = vec![0, 1_000 + n];
        let edges = vec![(0, 1_000 + n, 0)];
        past.seal((600, 1), |slice| draw(slice, &Present { nodes, edges }));
        if n == 600 {
            most = past.history.index_bytes();
        }
    }
    let held = looked_for(&past).len();
    assert!(held < 1_200, "{held} elements are held");
    assert!(past.history.index_bytes() < most + most / 20);
}
