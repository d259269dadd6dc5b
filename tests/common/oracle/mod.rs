//! The pairing rules once more: naive, slow, and seeing all spans of a system at once with their seconds of arrival.
//!
//! Written from the rules' text, not from the code that serves them. Every question ("which span is its parent?",
//! "is it nested in that one?") is answered by looking through all spans. Where the text leaves something open, the
//! reading taken stands beside the function that takes it, marked *Reading*.

#![allow(
    clippy::similar_names,
    reason = "callers and callees are the field's own words"
)]

mod callees;
mod callers;
mod groups;
mod record;
mod view;

use std::collections::BTreeMap;

use crate::systems::System;
use view::World;

/// Seconds that spans wait and are remembered.
#[derive(Debug, Clone, Copy)]
pub struct Waits {
    pub wait: u64,
    pub messaging_wait: u64,
    pub retain: u64,
}

/// What all slices say together.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Answer {
    /// By client, server and connection type.
    pub edges: BTreeMap<(String, String, i32), EdgeSums>,
    /// By id; only nodes that something happened to.
    pub nodes: BTreeMap<String, NodeSums>,
    /// Spans per outcome; none that are 0.
    pub outcomes: BTreeMap<&'static str, u64>,
    pub negative_duration: u64,
    pub negative_gap: u64,
    pub clock_skew: u64,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EdgeSums {
    pub seen_both: u64,
    pub seen_client: u64,
    pub seen_server: u64,
    pub failed: u64,
    pub client_failed: u64,
    pub server_failed: u64,
    pub client: Samples,
    pub server: Samples,
    pub gap: Samples,
    pub queue: Samples,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NodeSums {
    pub from_edges: u64,
    pub no_caller: u64,
    pub unpaired: u64,
    pub failed: u64,
    pub latency: Samples,
}

/// A histogram's count and sum.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Samples {
    pub count: u64,
    pub sum_ns: u64,
}

// === impl Waits ===

impl Waits {
    /// How long after its deadline a span may be needed: as tombstone, or waiting for what came last below it.
    fn longest(self) -> u64 {
        self.retain.max(self.wait).max(self.messaging_wait)
    }
}

/// What the rules say of a system. How long a span waits for others may decide whether a later one is its copy, and so
/// again who waits for whom: decided anew until nothing changes, and never for less long than before.
pub fn answer(system: &System, waits: Waits) -> Answer {
    let mut held = BTreeMap::new();
    loop {
        let (world, duplicates) = World::new(system, waits, &held);
        let (answer, decided) = decide(&world, duplicates);
        let before = held.clone();
        for (place, until) in decided {
            let held: &mut u64 = held.entry(place).or_default();
            *held = until.max(*held);
        }
        if held == before {
            return answer;
        }
    }
}

/// The answer, and when each outbound span was decided.
fn decide(world: &World, duplicates: u64) -> (Answer, BTreeMap<usize, u64>) {
    let callees = callees::settle(world);
    let groups = groups::settle(world);
    let mut calls = callees::calls(world, &callees);
    calls.extend(groups::calls(world, &groups));
    let callers = callers::decide(world, &callees, &groups, &calls);
    let mut recorder = record::Recorder::new(world);
    recorder.outcomes("duplicate", duplicates);
    recorder.callees(&callees);
    recorder.calls(&calls);
    recorder.groups(&groups);
    recorder.callers(&callers);
    let held = callers
        .iter()
        .map(|caller| (world.spans[caller.span].place, caller.decided));
    (recorder.finish(), held.collect())
}
