//! The R5 groups that are decided: one call per (parent, service), and later members add nothing while their parent is
//! remembered.

use ahash::RandomState;

use super::ring::Ring;
use super::slab::Slab;
use super::table::Table;
use super::tomb::Waits;
use crate::graph::NodeId;
use crate::span::TraceId;

/// The members of one service below one parent id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Group {
    pub(super) trace: TraceId,
    pub(super) parent: u64,
    pub(super) service: NodeId,
}

/// Decided groups. Of one whose time is over those members still see it that arrived before: it is kept once more, for as
/// long as anybody may wait who did, if somebody waits in its trace.
#[derive(Debug)]
pub(super) struct Groups {
    hasher: RandomState,
    kept: Slab<Kept>,
    by_key: Table<u32>,
    /// When each is to be looked at.
    due: Ring,
    /// How long a member waits at most.
    longest: u32,
}

#[derive(Debug, Clone, Copy)]
struct Kept {
    group: Group,
    /// What arrives in later ticks does not see it.
    until: u32,
}

// === impl Groups ===

impl Groups {
    pub(super) fn new(hasher: RandomState, waits: &Waits) -> Self {
        Self {
            hasher,
            kept: Slab::new(),
            by_key: Table::new(),
            due: Ring::default(),
            longest: waits.longest(),
        }
    }

    /// Whether the group is decided, as a member sees it that arrived in the tick `since`.
    pub(super) fn has(&self, group: &Group, since: u32) -> bool {
        let found = self.find(group);
        found.is_some_and(|id| self.kept.get(id).until >= since)
    }

    /// Remembers a group that was decided by the open `tick` until `until` closes.
    pub(super) fn insert(&mut self, group: Group, until: u32, tick: u32) {
        if let Some(id) = self.find(&group) {
            let known = &mut self.kept.get_mut(id).until;
            *known = until.max(*known);
            return;
        }
        let id = self.kept.insert(Kept { group, until });
        let (kept, hasher) = (&self.kept, &self.hasher);
        let hash_of = |id: u32| hasher.hash_one(kept.get(id).group);
        self.by_key.add(hasher.hash_one(group), id, hash_of);
        let more = if until < tick { self.longest } else { 0 };
        self.due.push(until.saturating_add(more), id);
    }

    /// Forgets the groups that nobody sees after the close of `tick`. `waits` says whether spans wait in a trace.
    pub(super) fn forget(&mut self, tick: u32, waits: impl Fn(TraceId) -> bool) {
        while let Some((now, ids)) = self.due.pop(tick) {
            for &id in &ids {
                let Kept { group, until } = *self.kept.get(id);
                let last = until.saturating_add(self.longest);
                if now < until {
                    self.due.push(until, id);
                } else if now < last && waits(group.trace) {
                    self.due.push(last, id);
                } else {
                    self.remove(id);
                }
            }
            self.due.recycle(ids);
        }
    }

    /// Forgets before their time the groups that are to be looked at first; returns when that was to be, `None` when
    /// there are none.
    pub(super) fn forget_oldest(&mut self) -> Option<u32> {
        let (tick, ids) = self.due.pop(u32::MAX - 1)?;
        for &id in &ids {
            self.remove(id);
        }
        self.due.recycle(ids);
        Some(tick)
    }

    /// Visits all groups, with the last tick whose arrivals see each.
    pub(super) fn each(&self, mut visit: impl FnMut(&Group, u32)) {
        for id in self.by_key.iter() {
            let Kept { group, until } = self.kept.get(id);
            visit(group, *until);
        }
    }

    fn find(&self, group: &Group) -> Option<u32> {
        if self.by_key.is_empty() {
            return None;
        }
        let hash = self.hasher.hash_one(group);
        self.by_key
            .find(hash, |id| self.kept.get(id).group == *group)
    }

    fn remove(&mut self, id: u32) {
        let hash = self.hasher.hash_one(self.kept.get(id).group);
        self.by_key.remove(hash, id);
        self.kept.remove(id);
    }

    /// Gives back the room of what was forgotten.
    pub(super) fn give_back(&mut self) {
        let (kept, hasher) = (&self.kept, &self.hasher);
        self.by_key
            .give_back(|id| hasher.hash_one(kept.get(id).group));
    }

    /// Bytes in use.
    pub(super) fn bytes(&self) -> u64 {
        self.kept.bytes_used() + self.by_key.bytes() + self.due.bytes()
    }
}
