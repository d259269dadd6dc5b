//! One shard of the pairing state: the traces whose keyed hash falls to it.
//!
//! A span is indexed on arrival and settles at once only where no later span could change the answer. A SERVER that shares
//! its id settles when the second closes in which its caller is there, since of several callers the order inside the
//! second must not choose. Everything else waits for a sweep at the close of the second in which its wait ends.

use std::sync::Arc;

use ahash::{HashMap, HashSet, RandomState};

use super::batch::Kept;
use super::charge::Charges;
use super::groups::Groups;
use super::linked::Answered;
use super::parent::{self, Parent};
use super::probe::Target;
use super::probes::Probes;
use super::record::{Flags, Place, Seen};
use super::ring::Ring;
use super::room;
use super::shed::Cut;
use super::store::{Near, Store};
use super::tomb::Waits;
use super::{Gauges, Rules};
use crate::graph::call::{Effects, Outcome};
use crate::graph::{Graph, LiveSlice, NodeId};

/// What every rule may ask besides the spans themselves.
#[derive(Debug)]
pub(super) struct Context<'a> {
    pub(super) graph: &'a Graph,
    pub(super) rules: &'a Rules,
    /// Seconds of monotonic time, as marked on nodes and edges in use.
    pub(super) now_s: u64,
    /// The slice of the tick at hand.
    pub(super) live: &'a Arc<LiveSlice>,
}

/// Most calls, and most unpaired spans, of which effects are put together: as many as a chunk of spans may have.
const MOST_EFFECTS: usize = 2_048;

/// Pairing state of some traces.
#[derive(Debug)]
pub(super) struct Shard {
    pub(super) store: Store,
    /// When waits end.
    pub(super) due: Ring,
    /// When tombstones expire.
    pub(super) expiring: Ring,
    pub(super) near: Near,
    /// Links that name spans of these traces.
    pub(super) probes: Probes,
    /// What was answered to the links of waiting spans, for the next sweep.
    pub(super) answered: HashMap<u32, Answered>,
    pub(super) charges: Charges,
    /// R5 groups that are decided.
    pub(super) groups: Groups,
    /// SERVERs, by trace and reference, that settle when the tick at hand closes; they are [`Flags::HELD`].
    pub(super) closing: Vec<(u32, u32)>,
    /// Spans of the tick at hand that are put off to its close, and by trace and id which these are.
    pub(super) put_off: Kept,
    pub(super) put_off_ids: HashSet<(u32, u64)>,
    /// Until when outbound spans beyond their wait are open, as found when they were last looked at; and the traces in
    /// which a callee has settled since, so that it may be earlier.
    pub(super) open_until: HashMap<u32, u32>,
    pub(super) stirred: HashSet<u32>,
    /// Spans without an outcome, but for those.
    pub(super) pending: u64,
    /// The last tick that was swept.
    pub(super) swept: u32,
    /// What was cut short for want of memory.
    pub(super) cut: Cut,
    pub(super) round: Round,
    pub(super) work: Work,
}

/// Reused lists.
#[derive(Debug, Default)]
pub(super) struct Work {
    pub(super) traces: Vec<u32>,
    /// What stands near the span that arrives; `Shard::near` is for the spans it lets settle.
    pub(super) arrival: Near,
    pub(super) waiting: Vec<u32>,
    pub(super) siblings: Vec<Seen>,
    /// What was said of R5 groups in this sweep of a trace, by the parent's place and the service.
    pub(super) groups: HashMap<(Place, NodeId), Option<u32>>,
    pub(super) linked: Vec<Seen>,
    /// Which services' receives of a tick give way for a producer, as asked in the tick at hand.
    pub(super) gives_way: HashMap<(Target, NodeId, u32), bool>,
    pub(super) walk: super::nest::Walk,
}

/// What is still to be done to close the tick at hand.
#[derive(Debug, Default)]
pub(super) struct Round {
    /// Links to be answered, the first to be last; of those beyond the last `due`, which may settle early, one does if its
    /// span is there.
    pub(super) links: Vec<u32>,
    pub(super) due: usize,
    /// Traces to be swept whose waits end in one tick, the first to be last.
    pub(super) traces: Vec<u32>,
}

// === impl Work ===

impl Work {
    /// Bytes of its lists.
    fn bytes(&self) -> u64 {
        let Self {
            traces,
            arrival,
            waiting,
            siblings,
            groups,
            linked,
            gives_way,
            walk,
        } = self;
        let lists = room::of_list(traces) + room::of_list(waiting);
        let seen = room::of_list(siblings) + room::of_list(linked);
        let maps = room::of_map(groups) + room::of_map(gives_way);
        lists + seen + maps + arrival.bytes() + walk.bytes()
    }
}

// === impl Context ===

impl Context<'_> {
    /// Hands on what was put together, if that is as much as a chunk may do: so that no guard of the graph is held for
    /// longer, and effects take no more room, however much is settled at once.
    pub(super) fn relieve(&self, fx: &mut Effects) {
        let calls = fx.calls.len().max(fx.node_calls.len());
        if calls.max(fx.unpaired.len()) >= MOST_EFFECTS {
            self.live.absorb(self.graph, fx);
        }
    }

    /// The tick at hand: the open one, or the one that is being swept.
    pub(super) fn tick(&self) -> u32 {
        u32::try_from(self.now_s).expect("ticks are 32 bits")
    }
}

// === impl Shard ===

impl Shard {
    pub(super) fn new(hasher: RandomState, rules: &Rules, tick: u32) -> Self {
        let waits = Waits::new(rules, tick);
        Self {
            charges: Charges::new(hasher.clone()),
            groups: Groups::new(hasher.clone(), &waits),
            probes: Probes::new(hasher.clone(), &waits),
            answered: HashMap::with_hasher(hasher.clone()),
            store: Store::new(hasher.clone(), waits),
            due: Ring::default(),
            expiring: Ring::default(),
            closing: Vec::new(),
            near: Near::default(),
            put_off: Kept::default(),
            put_off_ids: HashSet::with_hasher(hasher.clone()),
            open_until: HashMap::with_hasher(hasher.clone()),
            stirred: HashSet::with_hasher(hasher),
            pending: 0,
            swept: tick,
            cut: Cut::default(),
            round: Round::default(),
            work: Work::default(),
        }
    }

    /// Gives back the room that tables took beyond `kept` things each, and reused lists beyond twice as many bytes together:
    /// an enormous trace is over, or memory is short.
    pub(super) fn give_back(&mut self, kept: usize) {
        if self.work.bytes() + self.near.bytes() > 2 * kept as u64 {
            self.work = Work::default();
            self.near = Near::default();
        }
        self.store.give_back(kept);
        self.probes.give_back();
        self.groups.give_back();
        room::give_back_map(&mut self.answered, kept);
        room::give_back_map(&mut self.open_until, kept);
        room::give_back_set(&mut self.stirred, kept);
        room::give_back_set(&mut self.put_off_ids, kept);
        if self.closing.is_empty() && self.closing.capacity() > kept {
            self.closing = Vec::new();
        }
    }

    /// Counts a waiting span's outcome, unless that was done. Of an ignored one it is always the same.
    pub(super) fn decide(&mut self, at: u32, outcome: Outcome, fx: &mut Effects) {
        let flags = &mut self.store.record_mut(at).flags;
        if !flags.has(Flags::DECIDED) {
            flags.set(Flags::DECIDED);
            self.pending -= 1;
            let ignored = flags.has(Flags::IGNORED);
            fx.outcome(if ignored { Outcome::Filtered } else { outcome });
        }
    }

    /// R3 for a waiting span.
    pub(super) fn parent_of(&mut self, cx: &Context<'_>, trace: u32, at: u32) -> Parent {
        let record = *self.store.record(at);
        let mut near = std::mem::take(&mut self.near);
        self.store
            .look(trace, record.span, record.parent, &mut near);
        near.seen_since(record.arrived);
        let parent = parent::choose(cx.graph, &record.seen(at), &near);
        self.near = near;
        parent
    }

    /// How full it is.
    pub(super) fn gauges(&self) -> Gauges {
        let put_off = self.put_off.len() as u64;
        Gauges {
            pending: self.pending + put_off,
            held: self.store.held() + put_off,
            tombstones: self.store.remembered(),
            visited: self.store.visited(),
            ..Gauges::default()
        }
    }

    /// Bytes of everything that grows with the spans held, and those that SERVERs will take that settle when the tick at
    /// hand closes.
    pub(super) fn bytes(&self) -> u64 {
        self.store.bytes()
            + self.probes.bytes()
            + self.due.bytes()
            + self.expiring.bytes()
            + self.charges.bytes()
            + self.groups.bytes()
            + self.put_off.bytes()
            + room::of_map(&self.answered)
            + room::of_map(&self.open_until)
            + room::of_set(&self.stirred)
            + room::of_set(&self.put_off_ids)
            + room::of_list(&self.closing)
            + self.closing.len() as u64 * Charges::CALL
            + room::of_list(&self.round.links)
            + room::of_list(&self.round.traces)
            + self.work.bytes()
            + self.near.bytes()
    }
}
