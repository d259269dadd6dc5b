//! Pairs spans into calls, by the rules of pairing (their numbers, R0 to R14, are used throughout).
//!
//! Fed chunks of [`crate::span::SpanRef`]s by `core`; its [`Effects`] go to `graph`. Spans wait in [`Pairing`]'s shards, each behind
//! its own lock; one trace is always in one shard. Pure: time is a tick given from outside, and the hash seed, the
//! number of shards and the order inside a second show in no result while no bound is hit.

mod chain;
mod charge;
mod checkpoint;
mod draw;
mod entry;
mod exchange;
mod giving_way;
mod groups;
mod ignore;
mod index;
mod inferred;
mod intake;
mod linked;
mod linking;
mod nest;
mod parent;
mod probe;
mod probes;
mod record;
mod ring;
mod settle;
mod shard;
mod shed;
mod slab;
mod store;
mod sweep;
mod texts;
mod tomb;

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use ahash::RandomState;

pub use checkpoint::Unreadable;
pub use ignore::{Ignore, IgnoreRule, Matches};
pub use intake::{Batch, ServiceInfo};

use crate::graph::Graph;
use crate::graph::call::{Call, Effects};
use crate::semconv::NamingConfig;
use crate::sync::Mutex;
use shard::{Context, Shard};

/// Whether an inbound span may share its id with its caller's (B3 tracers).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SharedIds {
    /// Decided per span: not shared when its flags have 0x100 or its resource names `telemetry.sdk.name`.
    #[default]
    Auto,
    /// Never shared: every parent-id match settles at once.
    Never,
    /// Perhaps shared: every parent-id match waits for the deadline.
    Always,
}

/// Who stands for the callers of root SERVER spans.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum UserNode {
    /// One node `user`.
    #[default]
    Shared,
    /// One node `user:<service>` for each service.
    PerService,
    /// Nobody: such a span is a root.
    Off,
}

/// What the rules are told once. Ticks are seconds of monotonic time.
#[derive(Debug, Clone, Default)]
pub struct Rules {
    /// Ticks an ordinary span waits.
    pub wait: u32,
    /// Ticks a PRODUCER or CONSUMER waits.
    pub messaging_wait: u32,
    /// Ticks a span is remembered after its deadline.
    pub retain: u32,
    /// Compare trace ids by their low 64 bits.
    pub match_low64: bool,
    /// Calls are weighted (R14).
    pub sampling: bool,
    /// Slices carry the addresses at which nodes were called (R11).
    pub learn_aliases: bool,
    /// See [`SharedIds`].
    pub shared_ids: SharedIds,
    /// See [`UserNode`].
    pub user_node: UserNode,
    /// Spans that draw nothing.
    pub ignore: Ignore,
    /// How peers are named (R11).
    pub naming: NamingConfig,
}

/// How full the pairing state is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Gauges {
    /// Spans whose outcome is open.
    pub pending: u64,
    /// Spans held whole: the pending, and those already settled that later spans may still name.
    pub held: u64,
    /// Spans remembered after their deadline.
    pub tombstones: u64,
    /// Bytes in use by both, indexes included.
    pub bytes: u64,
    /// Entries visited in the indexes of large traces since the start: some for each of their spans, whatever the shape
    /// of the trace.
    pub visited: u64,
    /// What is shorter than configured for want of memory: the most in any shard.
    pub short_by: ShortBy,
    /// Links since the start that were not read, since their span had sent 128 before them (R12).
    pub unread_links: u64,
}

/// Seconds by which times are shorter than configured; at most about what is configured.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ShortBy {
    /// Off [`Rules::wait`].
    pub wait_s: u32,
    /// Off [`Rules::messaging_wait`].
    pub messaging_wait_s: u32,
    /// Off [`Rules::retain`].
    pub retain_s: u32,
}

/// All waiting spans.
#[derive(Debug)]
pub struct Pairing {
    rules: Rules,
    hasher: RandomState,
    shards: Box<[Mutex<Shard>]>,
    /// The last tick whose links are answered. Read without the lock: each chunk asks.
    exchanged: AtomicU32,
    /// See [`Gauges::unread_links`].
    unread_links: AtomicU64,
    /// Held by who answers them.
    exchanging: Mutex<()>,
    /// Bytes each shard may use.
    shard_budget: u64,
}

// === impl Rules ===

impl Rules {
    /// Takes the weights off a call, unless calls are weighted.
    fn weigh(&self, call: Call) -> Call {
        if self.sampling {
            return call;
        }
        Call {
            weight: 0,
            weighted_failed: 0,
            ..call
        }
    }
}

// === impl Pairing ===

impl Pairing {
    /// No spans, in `shards` shards (at least one), as of the open `tick`; at most about `budget` bytes.
    pub fn new(rules: Rules, shards: usize, budget: u64, tick: u32) -> Self {
        let hasher = RandomState::new();
        let shards = shards.max(1);
        let swept = tick.saturating_sub(1);
        let new = |_| Mutex::new(Shard::new(hasher.clone(), &rules, swept));
        Self {
            shards: (0..shards).map(new).collect(),
            exchanged: AtomicU32::new(swept),
            unread_links: AtomicU64::new(0),
            exchanging: Mutex::new(()),
            shard_budget: budget / shards as u64,
            rules,
            hasher,
        }
    }

    /// Number of shards.
    pub fn shards(&self) -> usize {
        self.shards.len()
    }

    /// Takes a batch of spans that arrived in the open `tick`. `close` receives what a shard's overdue sweep of the
    /// tick before did, since that belongs to the slice before.
    pub fn apply(
        &self,
        graph: &Graph,
        batch: &mut Batch,
        tick: u32,
        fx: &mut Effects,
        mut close: impl FnMut(&mut Effects),
    ) {
        let cx = self.context(graph, tick);
        // What is answered to the tick before must not see the spans of this one.
        self.exchange(graph, tick - 1, &mut close);
        let mut closing = Effects::default();
        batch.each_shard(self.shards.len(), |index, spans| {
            let mut shard = self.shards[index].lock();
            if shard.sweep_before(&cx, tick, &mut closing) {
                close(&mut closing);
            }
            shard.insert_all(&cx, spans, fx);
            self.keep_within_budget(&mut shard, &cx, fx);
        });
    }

    fn context<'a>(&'a self, graph: &'a Graph, tick: u32) -> Context<'a> {
        Context {
            graph,
            rules: &self.rules,
            now_s: u64::from(tick),
        }
    }

    /// R2: makes room in a shard that has more than its share.
    fn keep_within_budget(&self, shard: &mut Shard, cx: &Context<'_>, fx: &mut Effects) {
        if shard.bytes() > self.shard_budget {
            fx.evicted += shard.shed(cx, self.shard_budget, fx);
        }
    }

    /// Sweeps shard `index` for the closing `tick`, whose links are answered, unless that was done; `close` receives what
    /// that did. Returns how many of its spans had no outcome at that cut.
    pub fn sweep(
        &self,
        graph: &Graph,
        index: usize,
        tick: u32,
        close: impl FnOnce(&mut Effects),
    ) -> u64 {
        let cx = self.context(graph, tick);
        let mut closing = Effects::default();
        let mut shard = self.shards[index].lock();
        if shard.sweep_before(&cx, tick + 1, &mut closing) {
            // A record and the tombstone of its neighbour are more than two records.
            self.keep_within_budget(&mut shard, &cx, &mut closing);
            shard.pending_at_sweep = shard.pending;
            close(&mut closing);
        }
        shard.pending_at_sweep
    }

    /// How full it is; takes each shard's lock in turn.
    pub fn gauges(&self) -> Gauges {
        let mut sum = Gauges {
            unread_links: self.unread_links.load(Ordering::Relaxed),
            ..Gauges::default()
        };
        for shard in &self.shards {
            let shard = shard.lock();
            sum.pending += shard.pending;
            sum.held += shard.store.held();
            sum.tombstones += shard.store.remembered();
            sum.bytes += shard.bytes();
            sum.visited += shard.store.visited();
            let ShortBy {
                wait_s,
                messaging_wait_s,
                retain_s,
            } = &mut sum.short_by;
            for (most, cut) in [
                (wait_s, shard.cut.wait),
                (messaging_wait_s, shard.cut.messaging_wait),
                (retain_s, shard.cut.retain),
            ] {
                *most = cut.saturating_sub(shard.swept).max(*most);
            }
        }
        sum
    }
}

// === impl Shard ===

impl Shard {
    /// Sweeps the ticks before the open one, unless that was done. Returns whether it swept.
    fn sweep_before(&mut self, cx: &Context<'_>, open: u32, fx: &mut Effects) -> bool {
        let closing = open - 1;
        if self.swept >= closing {
            return false;
        }
        self.sweep(cx, closing, fx);
        self.swept = closing;
        self.pending_at_sweep = self.pending;
        true
    }
}
