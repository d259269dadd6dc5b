//! All waiting and remembered spans and links as plain data (checkpoint.proto), and back into other shards.
//!
//! Written between two chunks and with every shard swept of the ticks before the open one, so that no answer to a link
//! is on its way. What follows from the rest (indexes, counts, who gives way to whom) is not written but made anew.

mod groups;
mod links;
mod names;
mod spans;

use std::sync::Arc;

use ahash::HashMap;

use super::record::Flags;
use super::ring::Ring;
use super::shard::Shard;
use super::shed::Cut;
use super::tomb::Waits;
use super::{Pairing, Rules};
use crate::graph::call::Effects;
use crate::graph::{Graph, LiveSlice};
use crate::proto;
use crate::span::TraceId;
use names::{Ids, Names};

/// Why data is not the state of any pairing, in a few words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unreadable(pub &'static str);

/// Within which ticks everything lies. So nothing that is read makes a ring of buckets larger than traffic could.
#[derive(Debug)]
struct Bounds {
    /// The open tick.
    tick: u32,
    waits: Waits,
}

// === impl Pairing ===

impl Pairing {
    /// Everything that waits or is remembered. Only between two chunks, with every shard swept and all links of closed
    /// ticks answered. Takes in what lies at the doors and what is put off, into `live`, the slice
    /// of the open `tick`, which is encoded too, before anybody decides more.
    pub fn checkpoint(
        &self,
        graph: &Graph,
        tick: u32,
        live: &Arc<LiveSlice>,
    ) -> (proto::Waiting, Vec<u8>) {
        self.clear_doors(graph);
        let mut shards = self.take_all();
        let mut effects = Effects::default();
        for shard in &mut shards {
            shard.insert_put_off(&self.context(graph, tick, live), &mut effects);
        }
        live.absorb(graph, &mut effects);
        let mut names = Names::default();
        for shard in &shards {
            shard.each_trace(&mut names, drop);
            shard.each_link(&mut names, drop);
            shard.each_group(&mut names, drop);
        }
        let mut waiting = names.tables(graph);
        for shard in &shards {
            shard.each_trace(&mut names, |trace| waiting.traces.push(trace));
            shard.each_link(&mut names, |link| waiting.links.push(link));
            shard.each_group(&mut names, |group| waiting.groups.push(group));
        }
        let id = |trace: &proto::WaitingTrace| (trace.id_high, trace.id_low);
        waiting.traces.sort_unstable_by_key(id);
        waiting.links.sort_unstable();
        waiting.groups.sort_unstable();
        let last = |of: fn(Cut) -> u32| shards.iter().map(|s| of(s.cut)).max().unwrap_or(0);
        waiting.wait_cut_tick = last(|cut| cut.wait);
        waiting.messaging_wait_cut_tick = last(|cut| cut.messaging_wait);
        waiting.retain_cut_tick = last(|cut| cut.retain);
        let open = graph.carry(live);
        drop(shards);
        (waiting, open)
    }

    /// Takes it all back, as of the open `tick` with which this was made. Returns how many spans have no outcome. After
    /// an error it holds a part of it: throw it away.
    pub fn restore(
        &self,
        graph: &Graph,
        waiting: &proto::Waiting,
        tick: u32,
    ) -> Result<u64, Unreadable> {
        let ids = Ids::intern(graph, waiting, u64::from(tick))?;
        let bounds = Bounds::new(&self.rules, tick);
        let mut shards = self.take_all();
        let mut pending = 0;
        for trace in &waiting.traces {
            let id = trace_id(trace.id_high, trace.id_low)?;
            let hash = self.hasher.hash_one(id);
            pending += shards[self.shard(id)].take_back(hash, id, trace, &ids, &bounds)?;
        }
        for link in &waiting.links {
            let (probe, state) = links::read(link, &ids, &bounds)?;
            match state {
                None => {
                    let shard = &mut shards[self.shard(probe.from.trace)];
                    shard.probes.outbox.push(probe);
                }
                Some(state) => {
                    let shard = &mut shards[self.shard(probe.target.trace)];
                    shard.probes.take_back(probe, state, link.woken, tick);
                }
            }
        }
        for group in &waiting.groups {
            let (group, until) = groups::read(group, &ids, &bounds)?;
            let shard = &mut shards[self.shard(group.trace)];
            shard.groups.insert(group, until, tick);
        }
        for shard in &mut shards {
            shard.cut = Cut {
                wait: waiting.wait_cut_tick,
                messaging_wait: waiting.messaging_wait_cut_tick,
                retain: waiting.retain_cut_tick,
            };
        }
        Ok(pending)
    }
}

// === impl Shard ===

impl Shard {
    /// Visits all traces of this shard.
    fn each_trace(&self, names: &mut Names, mut visit: impl FnMut(proto::WaitingTrace)) {
        let (mut due, mut expiring) = (asked(&self.due), asked(&self.expiring));
        let mut waiting = Vec::new();
        for trace in self.store.traces() {
            self.store.waiting(trace, &mut waiting);
            let spans = waiting.iter().map(|&at| {
                let record = self.store.record(at);
                spans::write(record, &self.charges.of(at, record), names)
            });
            let mut spans: Vec<_> = spans.collect();
            spans.sort_unstable();
            let mut remembered = Vec::new();
            self.store.each_remembered(trace, |seen| {
                let weight = self.store.weight(seen.at);
                remembered.push(spans::write_remembered(&seen, weight, names));
            });
            remembered.sort_unstable();
            let (id_high, id_low) = halves(self.store.id(trace));
            visit(proto::WaitingTrace {
                id_high,
                id_low,
                spans,
                remembered,
                due: due.remove(&trace).unwrap_or_default(),
                expiring: expiring.remove(&trace).unwrap_or_default(),
            });
        }
    }

    /// Takes a trace back; returns how many of its spans have no outcome.
    fn take_back(
        &mut self,
        hash: u64,
        id: TraceId,
        trace: &proto::WaitingTrace,
        ids: &Ids,
        bounds: &Bounds,
    ) -> Result<u64, Unreadable> {
        let unasked = |held: usize, asked: &[u32]| held > 0 && asked.is_empty();
        if trace.spans.len() + trace.remembered.len() == 0
            || unasked(trace.spans.len(), &trace.due)
            || unasked(trace.remembered.len(), &trace.expiring)
        {
            return Err(Unreadable("a trace that nothing would ever look at"));
        }
        let before = self.pending;
        self.store.begin(bounds.tick);
        let slot = self.store.trace(hash, id);
        for span in &trace.spans {
            let (record, calls) = spans::read(span, ids, bounds)?;
            let at = self.store.push(slot, record);
            self.pending += u64::from(!record.flags.has(Flags::DECIDED));
            let record = self.store.record_mut(at);
            self.charges.take_back(at, record, calls);
            if record.flags.inbound() && record.flags.has(Flags::HELD) {
                self.closing.push((slot, at));
            }
        }
        for span in &trace.remembered {
            let (tomb, weight) = spans::read_remembered(span, ids, bounds)?;
            self.store.bury(slot, tomb, weight);
        }
        self.store.index_if_large(slot);
        for &tick in &trace.due {
            self.due.push(bounds.ahead(tick)?, slot);
        }
        for &tick in &trace.expiring {
            self.expiring.push(bounds.ahead(tick)?, slot);
        }
        // What arrives in the open second need not ask once more.
        for tick in bounds
            .waits
            .both()
            .map(|wait| bounds.tick.saturating_add(wait))
        {
            if trace.due.contains(&tick) {
                self.store.ask(slot, tick);
            }
        }
        Ok(self.pending - before)
    }
}

/// The ticks at which each trace is to be looked at, sorted.
fn asked(ring: &Ring) -> HashMap<u32, Vec<u32>> {
    let mut ticks: HashMap<u32, Vec<u32>> = HashMap::default();
    ring.each(|tick, trace| {
        let ticks = ticks.entry(trace).or_default();
        if ticks.last() != Some(&tick) {
            ticks.push(tick);
        }
    });
    ticks
}

// === impl Bounds ===

impl Bounds {
    fn new(rules: &Rules, tick: u32) -> Self {
        Self {
            tick,
            waits: Waits::new(rules, tick),
        }
    }

    /// A span arrived by now and waits no longer than any kind does.
    fn check(&self, arrived: u32, deadline: u32) -> Result<(), Unreadable> {
        let waits = deadline.checked_sub(arrived);
        if arrived > self.tick || waits.is_none_or(|ticks| ticks > self.waits.longest()) {
            return Err(Unreadable("a span of another time"));
        }
        Ok(())
    }

    /// What settled then is still remembered, or was seen by somebody who may still wait.
    fn check_kept(&self, deadline: u32) -> Result<(), Unreadable> {
        let more = self.waits.longest_of_all();
        if deadline
            .saturating_add(self.waits.retain)
            .saturating_add(more)
            < self.tick
        {
            return Err(Unreadable("a link that was to be forgotten"));
        }
        Ok(())
    }

    /// The last tick whose arrivals see a decided group: somebody who did may still wait.
    fn seen_until(&self, tick: u32) -> Result<u32, Unreadable> {
        self.ahead(tick.max(self.tick))?;
        if tick.saturating_add(self.waits.longest()) < self.tick {
            return Err(Unreadable("a service entry that was to be forgotten"));
        }
        Ok(tick)
    }

    /// A tick at whose close something is to be looked at: not closed yet, and no later than a decided group may be
    /// forgotten, which is a wait or `retain` after its parent's deadline.
    fn ahead(&self, tick: u32) -> Result<u32, Unreadable> {
        let longest = self.waits.longest();
        let last = self.tick.saturating_add(longest);
        if tick < self.tick || tick > last.saturating_add(longest.max(self.waits.retain)) {
            return Err(Unreadable("a tick at which nothing can be due"));
        }
        Ok(tick)
    }
}

/// A trace id as numbers.
fn halves(trace: TraceId) -> (u64, u64) {
    let id = u128::from_be_bytes(*trace.bytes());
    #[expect(
        clippy::cast_possible_truncation,
        reason = "the two halves of 128 bits"
    )]
    let halves = ((id >> 64) as u64, id as u64);
    halves
}

/// The id back.
fn trace_id(high: u64, low: u64) -> Result<TraceId, Unreadable> {
    let id = u128::from(high) << 64 | u128::from(low);
    TraceId::new(&id.to_be_bytes()).ok_or(Unreadable("a trace without an id"))
}
