//! Two daemons that share the traces between them know together what one daemon knows that sees all of them.

#![allow(unreachable_pub, clippy::unwrap_used, reason = "test code")]
#![allow(dead_code, reason = "the oracle is asked elsewhere")]

#[path = "common/oracle/mod.rs"]
mod oracle;
#[path = "common/served.rs"]
mod served;
#[path = "common/systems/mod.rs"]
mod systems;

use std::collections::BTreeMap;

use proptest::prelude::*;
use spangraph::slice::{Join, join};
use systems::System;

type Trace = (u64, u64);

/// A trace as ids compare in this system.
fn trace(system: &System, sent: Trace) -> Trace {
    let high = if system.options.match_low64 {
        0
    } else {
        sent.0
    };
    (high, sent.1)
}

/// Which daemon gets which trace: one bit of `split` for each group of traces that links connect.
fn sides(system: &System, split: u64) -> BTreeMap<Trace, bool> {
    let mut group: BTreeMap<Trace, usize> = BTreeMap::new();
    for span in &system.spans {
        let next = group.len();
        let own = *group.entry(trace(system, span.trace)).or_insert(next);
        for (linked, _) in &span.links {
            let next = group.len();
            let other = *group.entry(trace(system, *linked)).or_insert(next);
            for at in group.values_mut().filter(|at| **at == other) {
                *at = own;
            }
        }
    }
    let side = |at: usize| split >> (at % 64) & 1 == 1;
    group.into_iter().map(|(id, at)| (id, side(at))).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, failure_persistence: None, ..ProptestConfig::default() })]

    /// Scenario: each trace goes whole to one of two daemons, and with it the traces that links connect it to.
    /// Guarantees: their slices of a second, put side by side, are byte for byte the slice of one that saw all spans.
    #[test]
    fn two_daemons_beside_each_other_are_one(
        system in systems::system(true), a in systems::way(), b in systems::way(), split in any::<u64>()
    ) {
        let sides = sides(&system, split);
        let side = |sent: &systems::Sent| sides[&trace(&system, sent.trace)];
        let (whole, _) = served::sealed(&system, &a, |_| true);
        let (left, _) = served::sealed(&system, &a, |sent| side(sent));
        let (right, _) = served::sealed(&system, &b, |sent| !side(sent));
        prop_assert_eq!((left.len(), right.len()), (whole.len(), whole.len()));
        for ((left, right), whole) in left.iter().zip(&right).zip(&whole) {
            let both = join(Join::Beside, [&*left.bytes, &*right.bytes]).unwrap();
            prop_assert_eq!(both, &whole.bytes);
        }
    }
}
