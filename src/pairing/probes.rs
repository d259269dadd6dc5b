//! The links that name spans of this shard's traces: waiting for their span, or remembered for those that come late.
//!
//! What is asked of them is `linking`'s business; here is where they are kept, and for how long. A link whose time is over
//! is kept once more for as long as anybody may wait who arrived before, if somebody waits in the trace it names.

mod found;
mod opens;

use ahash::{HashSet, RandomState};

use super::probe::{LinkProbe, Linker, Target};
use super::ring::Ring;
use super::room;
use super::slab::Slab;
use super::table::Table;
use super::tomb::Waits;
use crate::graph::NodeId;
use crate::span::TraceId;
use opens::Opens;

/// No probe.
const NONE: u32 = u32::MAX;

/// Most bytes that a link takes where it is kept: itself, the count of its trace, five places in tables and lists that may
/// just have grown. As many are counted for it from when it comes, so that bringing it there never takes more.
pub(super) const LINK: u64 = (size_of::<Option<Kept>>() + Opens::EACH + 80) as u64;

const _: () = assert!(
    LINK >= 2 * size_of::<LinkProbe>() as u64 + 16,
    "it also covers a link on its way, in a list that has just grown, and being sorted"
);

/// How far a link has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    /// Its span has not settled.
    Open,
    /// Settled without the linked span having been seen.
    Missed,
    /// Settled otherwise.
    Done,
    /// Being forgotten.
    Gone,
}

/// The links of a shard, by what they name.
#[derive(Debug)]
pub(super) struct Probes {
    hasher: RandomState,
    kept: Slab<Option<Kept>>,
    /// By what it names, the newest link that names a span; each leads to the one before.
    heads: Table<u32>,
    /// By what it names and its service, the link of a consumer whose time is over last. So a thousand receives of one message
    /// cost a thousand lookups, not a million.
    consumers: Table<u32>,
    /// How many open links name a trace.
    open: Opens,
    due: Ring,
    expiring: Ring,
    /// Ticks that a link is remembered after its span's deadline, and once more if somebody may need it.
    retain: u32,
    more: u32,
    /// Producers that arrived since the last exchange and are named by an open link.
    pub(super) woken: HashSet<Target>,
    /// Links of consumers that were taken in since then.
    fresh: Vec<u32>,
    /// Links asked by this shard's spans since the last exchange.
    pub(super) outbox: Vec<LinkProbe>,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Kept {
    pub(super) probe: LinkProbe,
    pub(super) state: State,
    pub(super) next: u32,
}

// === impl Probes ===

impl Probes {
    pub(super) fn new(hasher: RandomState, waits: &Waits) -> Self {
        Self {
            retain: waits.retain,
            more: waits.longest_of_all(),
            kept: Slab::new(),
            heads: Table::new(),
            consumers: Table::new(),
            open: Opens::new(hasher.clone()),
            due: Ring::default(),
            expiring: Ring::default(),
            woken: HashSet::with_hasher(hasher.clone()),
            fresh: Vec::new(),
            outbox: Vec::new(),
            hasher,
        }
    }

    /// Takes links in that were asked since the last exchange.
    pub(super) fn take_in(&mut self, probes: &[LinkProbe]) {
        for probe in probes {
            let id = self.insert_until(*probe, self.expires(&probe.from));
            if probe.from.consumes() {
                self.fresh.push(id);
            }
        }
    }

    /// The tick at whose close the time of a span's links is over: what arrives later does not see them.
    pub(super) fn expires(&self, from: &Linker) -> u32 {
        from.deadline.saturating_add(self.retain)
    }

    /// Takes a link in that is to be looked at when `tick` closes.
    fn insert_until(&mut self, probe: LinkProbe, tick: u32) -> u32 {
        let id = self.kept.insert(Some(Kept {
            probe,
            state: State::Open,
            next: NONE,
        }));
        self.begin_with(probe.target, id);
        self.open.add(probe.target.trace);
        if probe.from.consumes() {
            self.note_consumer(id, &probe);
        }
        self.due.push(probe.from.deadline, id);
        self.expiring.push(tick, id);
        id
    }

    /// Notes that a producer arrived, if an open link may be waiting for it.
    pub(super) fn wake(&mut self, target: Target) {
        if self.any_open(target.trace) && self.head(target) != NONE {
            self.woken.insert(target);
        }
    }

    /// Adds the links that may settle early: those taken in since this was last asked, and those that name the producers
    /// which arrived since.
    pub(super) fn take_early(&mut self, out: &mut Vec<u32>) {
        out.append(&mut std::mem::take(&mut self.fresh));
        for target in std::mem::take(&mut self.woken) {
            let mut at = self.head(target);
            while let Some(kept) = self.at(at) {
                out.push(at);
                at = kept.next;
            }
        }
    }

    /// Adds the links whose spans settle by the close of `tick`.
    pub(super) fn take_due(&mut self, tick: u32, out: &mut Vec<u32>) {
        while let Some((_, ids)) = self.due.pop(tick) {
            out.extend_from_slice(&ids);
            self.due.recycle(ids);
        }
    }

    /// The link `id`, if it is open.
    pub(super) fn open(&self, id: u32) -> Option<LinkProbe> {
        let kept = self.at(id)?;
        (kept.state == State::Open).then_some(kept.probe)
    }

    /// Closes an open link.
    pub(super) fn settle(&mut self, id: u32, state: State) {
        let Some(kept) = self.kept.get_mut(id) else {
            return;
        };
        let was = std::mem::replace(&mut kept.state, state);
        let trace = kept.probe.target.trace;
        if was == State::Open {
            self.open.remove(trace);
        }
    }

    /// Whether an open link names a span of the trace.
    pub(super) fn any_open(&self, trace: TraceId) -> bool {
        self.open.has(trace)
    }

    /// Whether any link that names the span has this to say.
    pub(super) fn any(
        &self,
        target: Target,
        mut says: impl FnMut(&LinkProbe, State) -> bool,
    ) -> bool {
        let mut at = self.head(target);
        while let Some(kept) = self.at(at) {
            if says(&kept.probe, kept.state) {
                return true;
            }
            at = kept.next;
        }
        false
    }

    /// The first tick at which a callee that had arrived by `by` and links to the span settles; `None` when all have.
    pub(super) fn open_until(&self, target: Target, by: u32) -> Option<u32> {
        if !self.any_open(target.trace) {
            return None;
        }
        let mut until: Option<u32> = None;
        self.any(target, |probe, state| {
            let from = &probe.from;
            if state == State::Open && from.arrived <= by && !from.sends() {
                until = Some(until.map_or(from.deadline, |tick| tick.min(from.deadline)));
            }
            false
        });
        until
    }

    /// Whether a consumer of `service` that does not merely receive links to the span, as seen by what arrived in the tick
    /// `since`.
    pub(super) fn consumed_by(&self, target: Target, service: NodeId, since: u32) -> bool {
        let last = self.last_consumer((target, service));
        last.and_then(|id| self.consumer_expires(id)) >= Some(since)
    }

    /// Forgets the links that expire by the close of `tick`, but for those that name a trace in which somebody waits, by
    /// `any_waiting` or by another link.
    pub(super) fn forget(&mut self, tick: u32, any_waiting: impl Fn(TraceId) -> bool) {
        while let Some((tick, mut ids)) = self.expiring.pop(tick) {
            ids.retain(|&id| {
                let once_more = self.once_more(id, tick, &any_waiting);
                if let Some(later) = once_more {
                    self.expiring.push(later, id);
                }
                once_more.is_none()
            });
            self.remove(&ids);
            self.expiring.recycle(ids);
        }
    }

    /// Until when a link is kept whose time was over in `tick`, if at all.
    fn once_more(&self, id: u32, tick: u32, any_waiting: impl Fn(TraceId) -> bool) -> Option<u32> {
        let Kept { probe, .. } = self.at(id)?;
        let (expires, trace) = (self.expires(&probe.from), probe.target.trace);
        let needed = tick <= expires && (self.any_open(trace) || any_waiting(trace));
        needed.then(|| expires.saturating_add(self.more))
    }

    /// Takes a link back that was kept, as of the open `tick`.
    pub(super) fn insert_again(&mut self, probe: LinkProbe, tick: u32) -> u32 {
        let expires = self.expires(&probe.from);
        let later = if expires < tick { self.more } else { 0 };
        self.insert_until(probe, expires.saturating_add(later))
    }

    /// The first tick from `from` on in which links expire.
    pub(super) fn first_from(&self, from: u32) -> Option<u32> {
        self.expiring.first_from(from)
    }

    /// Forgets before their time the links that expire in `tick`. Returns how many of them were open.
    pub(super) fn forget_at(&mut self, tick: u32) -> u64 {
        let ids = self.expiring.take_at(tick);
        let open = self.remove(&ids);
        self.expiring.recycle(ids);
        open
    }

    /// Gives back links, each chain walked once; returns how many were open.
    fn remove(&mut self, ids: &[u32]) -> u64 {
        let mut open = 0;
        for &id in ids {
            let Some(Kept { probe, state, .. }) = *self.kept.get(id) else {
                continue;
            };
            if state == State::Open {
                open += 1;
                self.open.remove(probe.target.trace);
            }
            let key = (probe.target, probe.from.service);
            if probe.from.consumes() && self.last_consumer(key) == Some(id) {
                self.consumers.remove(self.hasher.hash_one(key), id);
            }
            let kept = self.kept.get_mut(id).as_mut().expect("it was just read");
            kept.state = State::Gone;
        }
        for &id in ids {
            // Another one of its chain may have taken it along.
            if let Some(Kept { probe, .. }) = *self.kept.get(id) {
                self.unlink_gone(probe.target);
            }
        }
        open
    }

    fn unlink_gone(&mut self, target: Target) {
        let mut at = self.head(target);
        self.heads.remove(self.hasher.hash_one(target), at);
        let mut last = NONE;
        while let Some(&Kept { state, next, .. }) = self.at(at) {
            if state == State::Gone {
                *self.kept.get_mut(at) = None;
                self.kept.remove(at);
            } else if last == NONE {
                self.begin_with(target, at);
                last = at;
            } else {
                self.link_after(last, at);
                last = at;
            }
            at = next;
        }
        self.link_after(last, NONE);
    }

    /// A kept link.
    pub(super) fn at(&self, id: u32) -> Option<&Kept> {
        (id != NONE).then(|| self.kept.get(id).as_ref())?
    }

    /// Bytes in use, and those that the links asked will take where they go.
    pub(super) fn bytes(&self) -> u64 {
        let tables = self.heads.bytes() + self.consumers.bytes() + self.open.bytes();
        let lists = room::of_set(&self.woken) + room::of_list(&self.fresh);
        let outbox = (self.outbox.capacity() * size_of::<LinkProbe>()) as u64;
        let asked = outbox.max(self.outbox.len() as u64 * LINK);
        let kept = self.kept.bytes_used();
        tables + lists + asked + kept + self.due.bytes() + self.expiring.bytes()
    }
}
