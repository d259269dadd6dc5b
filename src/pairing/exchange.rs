//! The shards exchange links and answers at the close of each tick, before any of them settles what needs them, so that
//! the number of shards does not show.

use super::Pairing;
use std::sync::atomic::Ordering;

use super::intake::shard_of;
use super::probe::{Answer, LinkProbe};
use crate::graph::Graph;
use crate::graph::call::Effects;

// === impl Pairing ===

impl Pairing {
    /// Answers all links asked by the close of `tick`, unless that was done; `close` receives what that did. Takes each
    /// shard's lock in turn and holds none while waiting for another's exchange.
    pub fn exchange(&self, graph: &Graph, tick: u32, close: impl FnOnce(&mut Effects)) {
        let done = || self.exchanged.load(Ordering::Acquire) >= tick;
        if done() {
            return;
        }
        let exchanging = self.exchanging.lock();
        if done() {
            return;
        }
        let cx = self.context(graph, tick);
        let mut effects = Effects::default();
        let probes = self.collect();
        let mut answers: Vec<Vec<Answer>> = self.shards.iter().map(|_| Vec::new()).collect();
        let mut given = Vec::new();
        for (shard, probes) in self.shards.iter().zip(&probes) {
            let mut shard = shard.lock();
            shard.answer_links(&cx, probes, tick, &mut given, &mut effects);
            self.keep_within_budget(&mut shard, &cx, &mut effects);
            drop(shard);
            for answer in given.drain(..) {
                answers[self.shard(answer.to.trace)].push(answer);
            }
        }
        for (shard, answers) in self.shards.iter().zip(&answers) {
            if !answers.is_empty() {
                shard.lock().take_answers(answers, tick, &mut effects);
            }
        }
        close(&mut effects);
        self.exchanged.store(tick, Ordering::Release);
        drop(exchanging);
    }

    /// The links that were asked since the last exchange, by the shard of the span they name.
    fn collect(&self) -> Vec<Vec<LinkProbe>> {
        let mut probes: Vec<Vec<LinkProbe>> = self.shards.iter().map(|_| Vec::new()).collect();
        for shard in &self.shards {
            for probe in std::mem::take(&mut shard.lock().probes.outbox) {
                probes[self.shard(probe.target.trace)].push(probe);
            }
        }
        probes
    }

    fn shard(&self, trace: crate::span::TraceId) -> usize {
        shard_of(self.hasher.hash_one(trace), self.shards.len())
    }
}
