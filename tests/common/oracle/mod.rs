//! The pairing rules once more: naive, slow, and seeing all spans of a system at once with their seconds of arrival.
//!
//! Written from the rules' text, not from the code that serves them. Every question ("which span is its parent?",
//! "is it nested in that one?") is answered by looking through all spans. Where the text leaves something open, the
//! reading taken stands beside the function that takes it, marked *Reading*.

#![allow(
    clippy::similar_names,
    reason = "callers and callees are the field's own words"
)]

mod answer;
mod callees;
mod callers;
mod groups;
mod ignore;
mod input;
mod links;
mod matched;
mod paired;
mod record;
mod seen;
mod view;
mod weights;

use std::collections::BTreeMap;

pub use answer::{Answer, EdgeSums, NodeSums, Samples};
pub use ignore::Ignore;
pub use input::{Options, SharedIds, Span, Target, UserNode, Waits};
use view::World;

/// What the rules say of some spans. How long a span waits for others may decide whether a later one is its copy, and so
/// again who waits for whom: decided anew until nothing changes. It comes to an end, since each time what happens before
/// the first difference is as it was, and the difference lies later.
pub fn answer(spans: &[Span], options: &Options) -> Answer {
    let mut held = BTreeMap::new();
    loop {
        let (world, duplicates) = World::new(spans, options, &held);
        let (answer, decided) = decide(&world, duplicates);
        let mut until: BTreeMap<usize, u64> = BTreeMap::new();
        for (place, decided) in decided {
            let last = until.entry(place).or_default();
            *last = decided.max(*last);
        }
        if until == held {
            return answer;
        }
        held = until;
    }
}

/// The answer, and when each span that may be decided after its deadline was.
fn decide(world: &World<'_>, duplicates: u64) -> (Answer, Vec<(usize, u64)>) {
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
    let callers = callers.iter().map(|caller| (caller.span, caller.decided));
    let members = groups
        .members
        .iter()
        .map(|(member, known)| (*member, *known));
    let held = members.chain(callers);
    let held = held.map(|(span, until)| (world.spans[span].place, until));
    (recorder.finish(), held.collect())
}
