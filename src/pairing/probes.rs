//! The links that name spans of this shard's traces: waiting for their span, or remembered for those that come late.
//!
//! What is asked of them is `linking`'s business; here is where they are kept, and for how long. A link whose time is over
//! is kept once more for as long as anybody may wait who arrived before, if somebody waits in the trace it names.

use ahash::{HashMap, HashSet, RandomState};

use super::probe::{LinkProbe, Linker, Target};
use super::ring::Ring;
use super::room;
use super::slab::Slab;
use super::tomb::Waits;
use crate::graph::NodeId;
use crate::span::TraceId;

/// No probe.
const NONE: u32 = u32::MAX;

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
    kept: Slab<Option<Kept>>,
    /// The newest link that names a span; each leads to the one before.
    pub(super) heads: HashMap<Target, u32>,
    /// Which services' consumers link to a span: when the time of the last of them is over. So a thousand receives of one
    /// message cost a thousand lookups, not a million.
    consumers: HashMap<(Target, NodeId), u32>,
    /// Open links by the trace they name.
    open: HashMap<TraceId, u32>,
    due: Ring,
    expiring: Ring,
    /// Ticks that a link is remembered after its span's deadline, and once more if somebody may need it.
    retain: u32,
    more: u32,
    /// Producers that arrived since the last exchange and are named by an open link.
    pub(super) woken: HashSet<Target>,
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
            heads: HashMap::with_hasher(hasher.clone()),
            consumers: HashMap::with_hasher(hasher.clone()),
            open: HashMap::with_hasher(hasher.clone()),
            due: Ring::default(),
            expiring: Ring::default(),
            woken: HashSet::with_hasher(hasher),
            outbox: Vec::new(),
        }
    }

    /// Takes a link in.
    pub(super) fn insert(&mut self, probe: LinkProbe) -> u32 {
        let expires = self.expires(&probe.from);
        self.insert_until(probe, expires)
    }

    /// The tick at whose close the time of a span's links is over: what arrives later does not see them.
    pub(super) fn expires(&self, from: &Linker) -> u32 {
        from.deadline.saturating_add(self.retain)
    }

    /// Takes a link in that is to be looked at when `tick` closes.
    fn insert_until(&mut self, probe: LinkProbe, tick: u32) -> u32 {
        let head = self.heads.get(&probe.target).copied().unwrap_or(NONE);
        let id = self.kept.insert(Some(Kept {
            probe,
            state: State::Open,
            next: head,
        }));
        self.heads.insert(probe.target, id);
        *self.open.entry(probe.target.trace).or_default() += 1;
        if probe.from.consumes() {
            let expires = self.expires(&probe.from);
            let key = (probe.target, probe.from.service);
            let last = self.consumers.entry(key).or_insert(expires);
            *last = expires.max(*last);
        }
        self.due.push(probe.from.deadline, id);
        self.expiring.push(tick, id);
        id
    }

    /// Notes that a producer arrived, if an open link may be waiting for it.
    pub(super) fn wake(&mut self, target: Target) {
        if self.open.contains_key(&target.trace) && self.heads.contains_key(&target) {
            self.woken.insert(target);
        }
    }

    /// Adds the links that name the producers which arrived since this was last asked.
    pub(super) fn take_woken(&mut self, out: &mut Vec<u32>) {
        for target in std::mem::take(&mut self.woken) {
            let mut at = self.heads.get(&target).copied().unwrap_or(NONE);
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
            self.forget_open(trace);
        }
    }

    fn forget_open(&mut self, trace: TraceId) {
        if let Some(open) = self.open.get_mut(&trace) {
            *open -= 1;
            if *open == 0 {
                self.open.remove(&trace);
            }
        }
    }

    /// Whether an open link names a span of the trace.
    pub(super) fn any_open(&self, trace: TraceId) -> bool {
        !self.open.is_empty() && self.open.contains_key(&trace)
    }

    /// Whether any link that names the span has this to say.
    pub(super) fn any(
        &self,
        target: Target,
        mut says: impl FnMut(&LinkProbe, State) -> bool,
    ) -> bool {
        let mut at = if self.heads.is_empty() {
            NONE
        } else {
            self.heads.get(&target).copied().unwrap_or(NONE)
        };
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
        let last = self.consumers.get(&(target, service));
        last.is_some_and(|&last| last >= since)
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
        self.shrink();
        open
    }

    /// Gives back the room of what was forgotten.
    fn shrink(&mut self) {
        self.heads.shrink_to_fit();
        self.consumers.shrink_to_fit();
        self.open.shrink_to_fit();
    }

    /// Gives back links, each chain walked once; returns how many were open.
    fn remove(&mut self, ids: &[u32]) -> u64 {
        let mut open = 0;
        let mut targets: Vec<Target> = Vec::with_capacity(ids.len());
        for &id in ids {
            let Some(Kept { probe, state, .. }) = *self.kept.get(id) else {
                continue;
            };
            if state == State::Open {
                open += 1;
                self.forget_open(probe.target.trace);
            }
            let (key, expires) = (
                (probe.target, probe.from.service),
                self.expires(&probe.from),
            );
            let last = self.consumers.get(&key);
            if probe.from.consumes() && last.is_some_and(|&last| last <= expires) {
                self.consumers.remove(&key);
            }
            let kept = self.kept.get_mut(id).as_mut().expect("it was just read");
            kept.state = State::Gone;
            targets.push(probe.target);
        }
        targets.sort_unstable();
        targets.dedup();
        for target in targets {
            self.unlink_gone(target);
        }
        open
    }

    fn unlink_gone(&mut self, target: Target) {
        let mut at = self.heads.remove(&target).unwrap_or(NONE);
        let mut last = NONE;
        while let Some(&Kept { state, next, .. }) = self.at(at) {
            if state == State::Gone {
                *self.kept.get_mut(at) = None;
                self.kept.remove(at);
            } else {
                self.link_after(target, last, at);
                last = at;
            }
            at = next;
        }
        if last != NONE {
            self.link_after(target, last, NONE);
        }
    }

    /// Makes `id` follow `last` in a chain, or begin it.
    fn link_after(&mut self, target: Target, last: u32, id: u32) {
        if last == NONE {
            self.heads.insert(target, id);
        } else if let Some(before) = self.kept.get_mut(last) {
            before.next = id;
        }
    }

    /// A kept link.
    pub(super) fn at(&self, id: u32) -> Option<&Kept> {
        (id != NONE).then(|| self.kept.get(id).as_ref())?
    }

    /// Bytes in use.
    pub(super) fn bytes(&self) -> u64 {
        let maps = room::of_map(&self.heads)
            + room::of_map(&self.consumers)
            + room::of_map(&self.open)
            + room::of_set(&self.woken);
        let outbox = (self.outbox.capacity() * size_of::<LinkProbe>()) as u64;
        maps + outbox + self.kept.bytes_used() + self.due.bytes() + self.expiring.bytes()
    }
}
