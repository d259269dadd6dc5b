//! One shard of the pairing state: the traces whose keyed hash falls to it.
//!
//! A span is indexed on arrival and settles at once only where no later span could change the answer. A SERVER that shares
//! its id settles when the second closes in which its caller is there, since of several callers the order inside the
//! second must not choose. Everything else waits for a sweep at the close of the second in which its wait ends.

use std::ops::Range;
use std::sync::Arc;

use ahash::{HashMap, HashSet, RandomState};

use super::charge::Charges;
use super::groups::Groups;
use super::intake::{Kept, Run};
use super::linked::Answered;
use super::parent::{self, Parent};
use super::probe::{LinkProbe, Linker, Target};
use super::probes::Probes;
use super::record::{Flags, Place, Record, Seen};
use super::ring::Ring;
use super::shed::Cut;
use super::store::{Near, Store};
use super::tomb::Waits;
use super::{Gauges, Rules};
use crate::graph::call::{Effects, Outcome};
use crate::graph::{Graph, LiveSlice, NodeId};
use crate::span::{SpanKind, TraceId};

/// Most spans that share one id in one trace, those included that are kept for others beyond their time. A client and the
/// servers that join its span are a handful; at the bound a further span is taken for a duplicate, or an id used by
/// everybody would cost the square of its spans.
const MOST_SHARING: usize = 32;

/// Most spans below one that arrives, if it is to be taken in at once, and how many those of a chunk may have together for
/// each of it besides: what settles or marks them must not take longer than a chunk. With more, a span is put off to the
/// close of its tick, as if it had been the last to arrive in it.
const MOST_BELOW: usize = 256;
const BELOW_EACH: usize = 4;

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

/// A span ready to be indexed.
#[derive(Debug, Clone)]
pub(super) struct Incoming {
    /// Keyed hash of `trace`.
    pub(super) hash: u64,
    pub(super) trace: TraceId,
    pub(super) record: Record,
    /// Where its batch has what it links to.
    pub(super) links: Range<u32>,
}

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
    put_off: Kept,
    put_off_ids: HashSet<(u32, u64)>,
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
    pub(super) links: Vec<u32>,
    pub(super) linked: Vec<Seen>,
    /// Which services' receives of a tick give way for a producer, as asked in the tick at hand.
    pub(super) gives_way: HashMap<(Target, NodeId, u32), bool>,
    pub(super) walk: super::nest::Walk,
}

/// Most things for which a list keeps its room from one sweep to the next.
const KEPT: usize = 16_384;

// === impl Work ===

impl Work {
    /// The room of its largest list.
    fn room(&self) -> usize {
        let Self {
            traces,
            arrival,
            waiting,
            siblings,
            groups,
            links,
            linked,
            gives_way,
            walk,
        } = self;
        let lists = [traces, waiting, links].map(Vec::capacity);
        let seen = [siblings, linked].map(Vec::capacity);
        let maps = [groups.capacity(), gives_way.capacity()];
        let rooms = lists.into_iter().chain(seen).chain(maps);
        rooms.fold(arrival.room().max(walk.room()), usize::max)
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
            work: Work::default(),
        }
    }

    /// Takes accepted spans, in arrival order. All traces are found first, then all their records touched, then the
    /// spans taken: memory is far away, and independent reads overlap (a third of the time, benches/core.rs).
    pub(super) fn insert_all(&mut self, cx: &Context<'_>, spans: Run<'_>, fx: &mut Effects) {
        let below = MOST_BELOW + BELOW_EACH * spans.len();
        self.insert_run(cx, spans, below, MOST_BELOW, fx);
    }

    /// Takes the spans in that are put off: those of the tick at hand.
    pub(super) fn insert_put_off(&mut self, cx: &Context<'_>, fx: &mut Effects) {
        let put_off = std::mem::take(&mut self.put_off);
        self.put_off_ids.clear();
        self.insert_run(cx, put_off.run(), usize::MAX, usize::MAX, fx);
    }

    fn insert_run(
        &mut self,
        cx: &Context<'_>,
        spans: Run<'_>,
        mut below: usize,
        most_below: usize,
        fx: &mut Effects,
    ) {
        self.store.begin(cx.tick());
        let mut traces = std::mem::take(&mut self.work.traces);
        traces.clear();
        let mut last = None;
        for span in spans.iter() {
            let known = last.filter(|(id, _)| *id == span.trace);
            let slot =
                known.map_or_else(|| self.store.trace(span.hash, span.trace), |(_, slot)| slot);
            last = Some((span.trace, slot));
            traces.push(slot);
        }
        let touched = traces
            .iter()
            .map(|&trace| self.store.fetch(trace))
            .fold(0, u64::wrapping_add);
        std::hint::black_box(touched);
        for (&trace, span) in traces.iter().zip(spans.iter()) {
            let links = spans.links(span);
            let most = below.clamp(1, most_below);
            let taken = self.insert(cx, trace, span.record, links, most, fx);
            below = below.saturating_sub(self.work.arrival.children.len());
            if !taken {
                self.put_off.push(span, links);
                self.put_off_ids.insert((trace, span.record.span));
            }
        }
        self.work.traces = traces;
    }

    /// Takes a span in. If there are `most_below` spans below it or more, it does nothing and returns false.
    fn insert(
        &mut self,
        cx: &Context<'_>,
        trace: u32,
        mut record: Record,
        links: &[Target],
        most_below: usize,
        fx: &mut Effects,
    ) -> bool {
        self.work.arrival.children.clear();
        // Another one with its id found too many.
        if !self.put_off_ids.is_empty() && self.put_off_ids.contains(&(trace, record.span)) {
            return false;
        }
        let mut near = std::mem::take(&mut self.work.arrival);
        self.store
            .look_same(trace, record.span, record.parent, &mut near);
        let crowded = near.same.len() >= MOST_SHARING;
        let repeat = |seen: &Seen| seen.until >= record.arrived && is_repeat(&record, seen);
        if crowded || near.same.iter().any(repeat) {
            fx.outcome(Outcome::Duplicate);
            self.work.arrival = near;
            return true;
        }
        let (span, parent) = (record.span, record.parent);
        let store = &self.store;
        if !store.look_further(trace, span, parent, most_below, &mut near) {
            self.work.arrival = near;
            return false;
        }
        near.seen_since(record.arrived);
        record
            .flags
            .set_if(Flags::INSIDE, parent::is_inside(&record, &near.parents));
        let at = self.store.push(trace, record);
        self.pending += 1;
        if self.store.ask(trace, record.deadline) {
            self.due.push(record.deadline, trace);
        }
        self.settle_near(cx, trace, &record.seen(at), &near, fx);
        self.work.arrival = near;
        self.link(trace, &record, links);
        true
    }

    /// Sends the links of a span that arrives on their way, and wakes those that may have waited for it.
    fn link(&mut self, trace: u32, record: &Record, links: &[Target]) {
        let id = self.store.id(trace);
        if record.flags.kind() == SpanKind::Producer {
            self.probes.wake(Target {
                trace: id,
                span: record.span,
            });
        }
        let from = Linker::new(id, record);
        let probe = |&target| LinkProbe { target, from };
        self.probes.outbox.extend(links.iter().map(probe));
    }

    /// Settles what the arrival of `x` lets settle at once: `x` itself, early spans below it. SERVERs that share an id with
    /// an outbound span wait for the close of the tick, CONSUMERs for their links.
    fn settle_near(
        &mut self,
        cx: &Context<'_>,
        trace: u32,
        x: &Seen,
        near: &Near,
        fx: &mut Effects,
    ) {
        let open = |c: &Seen| {
            let undecided = !c.flags.has(Flags::DECIDED) && !c.flags.has(Flags::HELD);
            c.flags.kind() == SpanKind::Server && undecided
        };
        let shares_id = near.same.iter().any(|p| p.flags.outbound());
        if let (true, Place::Waiting(at)) = (open(x), x.at) {
            if shares_id {
                self.settle_at_close(trace, at);
            } else if x.flags.has(Flags::EARLY) && !near.parents.is_empty() {
                self.settle_early(cx, trace, at, parent::choose(cx.graph, x, near), fx);
            }
        }
        let sharing = near.same.iter().filter(|_| x.flags.outbound());
        for callee in sharing.filter(|c| open(c)) {
            if let Place::Waiting(at) = callee.at {
                self.settle_at_close(trace, at);
            }
        }
        let below = near.children.iter().filter(|c| c.flags.has(Flags::EARLY));
        for child in below.filter(|c| open(c)) {
            if let Place::Waiting(at) = child.at {
                let parent = self.parent_of(cx, trace, at);
                self.settle_early(cx, trace, at, parent, fx);
                cx.relieve(fx);
            }
        }
        let inside = |c: &&Seen| c.service == x.service && !c.flags.inbound();
        for child in near
            .children
            .iter()
            .filter(inside)
            .filter(|c| parent::accepts(x, c))
        {
            self.store.mark(child.at, Flags::INSIDE);
            // A span with this id may have waited to see whether the child enters its service.
            if !near.same.is_empty() && child.arrived < x.arrived {
                self.look_again(trace, x.arrived);
            }
        }
    }

    /// Has a SERVER settled when the tick closes, if it can by then.
    fn settle_at_close(&mut self, trace: u32, at: u32) {
        self.store.mark(Place::Waiting(at), Flags::HELD);
        self.closing.push((trace, at));
    }

    /// Settles the SERVERs that waited for the close of the tick.
    pub(super) fn settle_closing(&mut self, cx: &Context<'_>, fx: &mut Effects) {
        let mut closing = std::mem::take(&mut self.closing);
        for (trace, at) in closing.drain(..) {
            self.store.unmark(Place::Waiting(at), Flags::HELD);
            let parent = self.parent_of(cx, trace, at);
            self.settle_early(cx, trace, at, parent, fx);
            if self.store.record(at).arrived < cx.tick() {
                self.look_again(trace, cx.tick());
            }
            cx.relieve(fx);
        }
        self.closing = closing;
    }

    /// Gives back the room that the lists took for one enormous trace.
    pub(super) fn shrink(&mut self) {
        if self.work.room().max(self.near.room()) > KEPT {
            self.work = Work::default();
            self.near = Near::default();
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
            bytes: self.bytes(),
            visited: self.store.visited(),
            ..Gauges::default()
        }
    }

    /// Bytes of everything that grows with the spans held.
    pub(super) fn bytes(&self) -> u64 {
        self.store.bytes()
            + self.probes.bytes()
            + self.due.bytes()
            + self.expiring.bytes()
            + self.charges.bytes()
            + self.groups.bytes()
            + self.put_off.bytes()
            + (self.open_until.capacity() * (size_of::<(u32, u32)>() + 1)) as u64
            + (self.stirred.capacity() * (size_of::<u32>() + 1)) as u64
            + (self.put_off_ids.capacity() * (size_of::<(u32, u64)>() + 1)) as u64
            + (self.closing.capacity() * size_of::<(u32, u32)>()) as u64
    }
}

/// R1: the same (trace, span, side, service, start).
fn is_repeat(record: &Record, seen: &Seen) -> bool {
    seen.flags.side() == record.flags.side()
        && seen.service == record.service
        && seen.start32 == super::record::short(record.start_ns)
}
