//! Pairs spans into calls, by the rules of pairing (their numbers, R0 to R14, are used throughout).
//!
//! Fed chunks of [`crate::span::SpanRef`]s by `core`; its [`Effects`] go to `graph`. Spans wait in [`Pairing`]'s shards, each behind
//! its own door; one trace is always in one shard. Pure: time is a tick given from outside, and the hash seed, the
//! number of shards and the order inside a second show in no result while no bound is hit.

mod arrival;
mod batch;
mod chain;
mod charge;
mod checkpoint;
mod closing;
mod door;
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
mod room;
mod settle;
mod shard;
mod share;
mod shed;
mod slab;
mod store;
mod sweep;
mod table;
mod texts;
mod tomb;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use ahash::RandomState;

pub use batch::Batch;
pub use checkpoint::Unreadable;
pub use ignore::{Ignore, IgnoreRule, Matches};
pub use intake::ServiceInfo;
pub use share::Reserved;

use crate::graph::call::{Call, Effects};
use crate::graph::{Graph, LiveSlice};
use crate::semconv::NamingConfig;
use door::{Door, Out};
use shard::{Context, Shard};
use share::Share;

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
    /// Of those held, how many lie at the door of a shard that is busy.
    pub at_doors: u64,
    /// Bytes in use by all, indexes included, and by what is on its way.
    pub bytes: u64,
    /// The most that were in use at once since the start.
    pub most_bytes: u64,
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
    doors: Box<[Door]>,
    share: Arc<Share>,
    /// See [`Gauges::unread_links`].
    unread_links: AtomicU64,
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
    /// No spans, in `shards` shards (at least one), as of the open `tick`; at most `budget` bytes, if that is
    /// 128 KiB or more for each shard.
    pub fn new(rules: Rules, shards: usize, budget: u64, tick: u32) -> Self {
        let hasher = RandomState::new();
        let shards = shards.max(1);
        let swept = tick.saturating_sub(1);
        let share = Arc::new(Share::new(budget));
        let door = |_| Door::new(Shard::new(hasher.clone(), &rules, swept), &share);
        Self {
            doors: (0..shards).map(door).collect(),
            share,
            unread_links: AtomicU64::new(0),
            rules,
            hasher,
        }
    }

    /// Number of shards.
    pub fn shards(&self) -> usize {
        self.doors.len()
    }

    /// Takes a batch of spans that arrived in the open `tick`, whose slice is `live`. Never waits for more than another
    /// chunk: what comes for a shard that is busy is left at its door.
    pub fn apply(
        &self,
        graph: &Graph,
        batch: &mut Batch,
        tick: u32,
        live: &Arc<LiveSlice>,
        fx: &mut Effects,
    ) {
        let cx = self.context(graph, tick, live);
        batch.each_shard(self.doors.len(), |index, spans| {
            self.doors[index].take_in(&cx, spans, fx);
        });
    }

    /// Reserves room for spans that are brought, of each of which at most so many links are read: for all or, if there is too
    /// little, for some of the first. `None` if there is none, until room was made.
    pub fn reserve(&self, links: impl Iterator<Item = u32>) -> Option<(usize, Reserved<'_>)> {
        self.share.reserve(links)
    }

    /// For how many of the first there is room, while nobody else brings any.
    pub fn fitting(&self, links: impl Iterator<Item = u32>) -> usize {
        self.share.fitting(links)
    }

    /// Whether room is to be made: at fifteen sixteenths, so that one can do that while the others go on.
    pub fn is_filling(&self) -> bool {
        self.share.excess() > 0
    }

    /// The shard that has the most.
    fn fullest(&self) -> Option<&Door> {
        self.doors.iter().max_by_key(|door| door.bytes())
    }

    /// R2: makes room in the shard that has the most, by way of `long`; if somebody has it out, only once it is back, and
    /// not at all unless `patient`. Needs no guard of the open slice: what is decided goes into `live`, that of `tick`, while
    /// the shard can tell it that; if it cannot, its own tick is to be closed first.
    pub fn make_room(
        &self,
        graph: &Graph,
        (tick, live): (u32, &Arc<LiveSlice>),
        patient: bool,
        long: impl FnOnce(&mut dyn FnMut()),
    ) {
        let most = self.fullest();
        let take = if patient {
            most.map(Door::take)
        } else {
            most.and_then(Door::try_take)
        };
        let Some(mut shard) = take else {
            return;
        };
        if shard.swept + 1 == tick {
            let mut effects = Effects::default();
            let cx = self.context(graph, tick, live);
            long(&mut || self.keep_to_budget(&cx, &mut shard, &mut effects));
            live.absorb(graph, &mut effects);
        }
    }

    fn context<'a>(&'a self, graph: &'a Graph, tick: u32, live: &'a Arc<LiveSlice>) -> Context<'a> {
        Context {
            graph,
            rules: &self.rules,
            now_s: u64::from(tick),
            live,
        }
    }

    /// R2: makes room in a shard for what is in use beyond the mark, if it has more than its part; if not, for what is in use
    /// beyond what may be.
    fn keep_to_budget(&self, cx: &Context<'_>, shard: &mut Out<'_>, fx: &mut Effects) {
        let bytes = shard.count();
        let excess = if bytes > self.share.mark() / self.doors.len() as u64 {
            self.share.excess()
        } else {
            self.share.beyond_ceiling()
        };
        if excess > 0 {
            fx.evicted += shard.shed(cx, bytes.saturating_sub(excess), fx);
            shard.count();
        }
    }

    /// How full it is in the open `tick`; opens each door in turn.
    pub fn gauges(&self, tick: u32) -> Gauges {
        let mut sum = Gauges {
            unread_links: self.unread_links.load(Ordering::Relaxed),
            bytes: self.share.used(),
            most_bytes: self.share.most(),
            ..Gauges::default()
        };
        for door in &self.doors {
            sum.add(&door.open().gauges(tick));
        }
        sum
    }
}

// === impl Gauges ===

impl Gauges {
    /// Adds those of a shard.
    fn add(&mut self, shard: &Self) {
        self.pending += shard.pending;
        self.held += shard.held;
        self.tombstones += shard.tombstones;
        self.at_doors += shard.at_doors;
        self.visited += shard.visited;
        let ShortBy {
            wait_s,
            messaging_wait_s,
            retain_s,
        } = &mut self.short_by;
        *wait_s = shard.short_by.wait_s.max(*wait_s);
        *messaging_wait_s = shard.short_by.messaging_wait_s.max(*messaging_wait_s);
        *retain_s = shard.short_by.retain_s.max(*retain_s);
    }
}
