//! The pairing oracle (`common/oracle`) against what must hold whatever the rules say, on random systems that exercise
//! all of them: the law, and that the order inside a second does not show.

#![allow(
    dead_code,
    unreachable_pub,
    unused_imports,
    reason = "parts of it other tests use"
)]

#[path = "common/oracle/mod.rs"]
mod oracle;
#[path = "common/systems/mod.rs"]
mod systems;

use std::collections::BTreeMap;

use oracle::Answer;
use proptest::prelude::*;
use proptest::test_runner::RngAlgorithm;
use systems::{System, Way};

/// The same spans, those of a second in another order.
fn reordered(system: &System, way: &Way) -> System {
    let mut spans: Vec<_> = system.spans.iter().zip(1_u64..).collect();
    spans.sort_by_key(|(_, at)| at.wrapping_mul(way.order | 1).rotate_left(29));
    System {
        spans: spans.into_iter().map(|(span, _)| span.clone()).collect(),
        ..system.clone()
    }
}

/// The identities of the law that do not hold.
fn violations(system: &System, answer: &Answer) -> Vec<String> {
    let mut violations = Vec::new();
    let mut same = |what: &str, left: u64, right: u64| {
        if left != right {
            violations.push(format!("{what}: {left} against {right}"));
        }
    };
    let outcomes = answer.outcomes.values().sum();
    same("spans = outcomes", system.spans.len() as u64, outcomes);
    let mut classes: BTreeMap<&str, u64> = BTreeMap::new();
    let mut incoming: BTreeMap<&String, u64> = BTreeMap::new();
    for ((client, server, _), edge) in &answer.edges {
        let name = format!("{client}->{server}");
        let class = |class| edge.classes.get(class).copied().unwrap_or_default();
        let both = class("paired") + class("entry") + class("linked");
        same(&format!("{name}: both"), edge.seen_both, both);
        same(&name, edge.seen_client, class("virtual_server"));
        same(&name, edge.seen_server, class("virtual_client"));
        let calls = edge.seen_both + edge.seen_client + edge.seen_server;
        same(&format!("{name}: failed"), edge.failed.max(calls), calls);
        *incoming.entry(server).or_default() += edge.seen_both + edge.seen_server;
        for (class, calls) in &edge.classes {
            *classes.entry(class).or_default() += calls;
        }
        let weight = edge.weighted_calls;
        let least = if system.options.sampling {
            calls << 20
        } else {
            0
        };
        same(&format!("{name}: weight"), weight.max(least), weight);
        let failed = edge.weighted_failed;
        same(
            &format!("{name}: failed weight"),
            failed.min(weight),
            failed,
        );
    }
    for (name, node) in &answer.nodes {
        let calls = incoming.remove(name).unwrap_or_default();
        same(name, node.from_edges, calls);
    }
    same("unknown nodes", incoming.values().sum(), 0);
    same("classes", u64::from(classes == answer.classes), 1);
    violations
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, rng_algorithm: RngAlgorithm::XorShift, ..ProptestConfig::default() })]

    /// Scenario: any system, under all rules, and the same with the spans of each second in another order.
    /// Guarantees: the same answer, in which every span has one outcome and every call two ends and one class.
    #[test]
    fn the_oracle_keeps_the_law_in_any_order(system in systems::system(true), way in systems::way()) {
        let answer = system.answer();
        prop_assert_eq!(violations(&system, &answer), Vec::<String>::new());
        let other = reordered(&system, &way).answer();
        prop_assert_eq!(&answer, &other, "{:?}", system);
    }
}
