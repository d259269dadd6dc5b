//! The close of a tick. The shards first exchange links and answers, before any of them settles what needs them, so that the
//! number of shards does not show; then each is swept of the waits that ended.
//!
//! One shard after the other is taken out of its door for it: what arrives meanwhile belongs to a later tick and is left there.

use std::sync::Arc;

use super::Pairing;
use super::batch::shard_of;
use super::door::{Door, Out};
use super::probe::LinkProbe;
use super::probes::LINK;
use super::shard::Context;
use crate::graph::call::Effects;
use crate::graph::{Graph, LiveSlice};
use crate::span::TraceId;

// === impl Pairing ===

impl Pairing {
    /// Closes `tick`, whose slice is `live` and in which nothing arrives any more. Returns how many spans have no outcome at
    /// that cut. By one caller at a time, tick after tick.
    pub fn close(&self, graph: &Graph, tick: u32, live: &Arc<LiveSlice>) -> u64 {
        let cx = self.context(graph, tick, live);
        let mut effects = Effects::default();
        let doors = self.doors.iter();
        let asked = doors.map(|door| self.collect(&cx, door, &mut effects));
        let asked: Vec<_> = asked.collect();
        self.exchange(&cx, asked, &mut effects);
        let mut pending = 0;
        for door in &self.doors {
            pending += self.sweep(&cx, door, &mut effects);
        }
        live.absorb(graph, &mut effects);
        pending
    }

    /// Takes in what was left at a door, and what was put off; returns the links that were asked since the last exchange,
    /// whose bytes stay counted.
    fn collect(&self, cx: &Context<'_>, door: &Door, fx: &mut Effects) -> Vec<LinkProbe> {
        let mut shard = door.take();
        while let Some(left) = shard.pop_left(cx.tick()) {
            shard.take_in(cx, &left, fx, |shard, fx| {
                self.keep_to_budget(cx, shard, fx);
            });
        }
        if shard.put_off.len() > 0 {
            shard.insert_put_off(cx, fx);
            self.keep_to_budget(cx, &mut shard, fx);
        }
        let asked = std::mem::take(&mut shard.probes.outbox);
        if !asked.is_empty() {
            shard.count_without((asked.len() as u64 * LINK).wrapping_neg());
        }
        asked
    }

    /// Sweeps a shard, whose links are answered; then takes in what was left at its door meanwhile.
    fn sweep(&self, cx: &Context<'_>, door: &Door, fx: &mut Effects) -> u64 {
        let mut shard = door.take();
        shard.begin_sweep(cx, fx);
        while shard.sweep_some(cx, fx) {
            // A record and the tombstone of its neighbour are more than two records.
            self.keep_to_budget(cx, &mut shard, fx);
        }
        shard.end_sweep(cx);
        self.keep_to_budget(cx, &mut shard, fx);
        let pending = shard.pending;
        self.take_in_left(cx.graph, &mut shard);
        pending
    }

    /// Takes in what lies at the door of a shard for its open tick; what comes meanwhile is for those who bring it.
    fn take_in_left(&self, graph: &Graph, shard: &mut Out<'_>) {
        let open = shard.swept + 1;
        for _ in 0..shard.left() {
            let Some(left) = shard.pop_left(open) else {
                return;
            };
            let cx = self.context(graph, open, left.live());
            let mut effects = Effects::default();
            shard.take_in(&cx, &left, &mut effects, |shard, fx| {
                self.keep_to_budget(&cx, shard, fx);
            });
            left.live().absorb(graph, &mut effects);
        }
    }

    /// Takes in what lies at all doors for their shards' open ticks, once those who have them out have put them back.
    pub fn clear_doors(&self, graph: &Graph) {
        for door in &self.doors {
            if door.open().has_left() {
                self.take_in_left(graph, &mut door.take());
            }
        }
    }

    /// Does something while nobody takes spans in, decides any, or names nodes and edges for it.
    pub fn undisturbed<T>(&self, act: impl FnOnce() -> T) -> T {
        let _shards = self.take_all();
        act()
    }

    /// All shards, each once whoever has it out has put it back.
    pub(super) fn take_all(&self) -> Vec<Out<'_>> {
        self.doors.iter().map(Door::take).collect()
    }

    /// Which shard a trace falls to.
    pub(super) fn shard(&self, trace: TraceId) -> usize {
        shard_of(self.hasher.hash_one(trace), self.doors.len())
    }
}
