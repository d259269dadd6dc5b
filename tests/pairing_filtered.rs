//! Ignore rules take calls away and never add one: random systems with and without them.

#![allow(unreachable_pub, clippy::unwrap_used, reason = "test code")]
#![allow(dead_code, reason = "the oracle is asked elsewhere")]

#[path = "common/oracle/mod.rs"]
mod oracle;
#[path = "common/served.rs"]
mod served;
#[path = "common/systems/mod.rs"]
mod systems;

use std::collections::BTreeMap;

use oracle::{Answer, Ignore};
use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use systems::System;

fn ignoring(system: &System, ignore: Vec<Ignore>) -> System {
    let mut ignoring = system.clone();
    ignoring.options.ignore = ignore;
    ignoring
}

/// Calls by who called whom.
fn calls(answer: &Answer) -> BTreeMap<(String, String, i32), u64> {
    let sums = |edge: &oracle::EdgeSums| edge.seen_both + edge.seen_client + edge.seen_server;
    let edges = answer.edges.iter();
    edges.map(|(key, edge)| (key.clone(), sums(edge))).collect()
}

/// The same systems each time.
fn config() -> ProptestConfig {
    ProptestConfig {
        cases: 500,
        failure_persistence: None,
        rng_seed: RngSeed::Fixed(1),
        ..ProptestConfig::default()
    }
}

proptest! {
    #![proptest_config(config())]

    /// Guarantees: no edge that was not there without the rules, none with more calls; not a span more or less.
    #[test]
    fn ignoring_never_adds_a_call(system in systems::system(false), way in systems::way()) {
        let with = served::served(&system, &way);
        let without = served::served(&ignoring(&system, Vec::new()), &way);
        let drawn = calls(&without);
        for (edge, calls) in calls(&with) {
            prop_assert!(drawn.get(&edge).is_some_and(|before| calls <= *before), "{:?}", edge);
        }
        let spans = |answer: &Answer| answer.outcomes.values().sum::<u64>();
        prop_assert_eq!(spans(&with), spans(&without));
        prop_assert!(!without.outcomes.contains_key("filtered"));
    }

    /// Guarantees: what is ignored altogether is filtered altogether.
    #[test]
    fn ignoring_everything_leaves_nothing(system in systems::system(false), way in systems::way()) {
        let everything = Ignore {
            span_name: Some("*".to_owned()),
            ..Ignore::default()
        };
        let answer = served::served(&ignoring(&system, vec![everything]), &way);
        prop_assert!(answer.edges.is_empty() && answer.nodes.is_empty());
        let left = |outcome: &&&str| !["filtered", "duplicate"].contains(*outcome);
        prop_assert_eq!(answer.outcomes.keys().find(left), None);
    }
}
