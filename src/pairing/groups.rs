//! The R5 groups that are decided: one call per (parent, service), and later members add nothing while their parent is
//! remembered.

use ahash::RandomState;
use hashbrown::HashTable;

use super::ring::Ring;
use super::slab::Slab;
use crate::graph::NodeId;
use crate::span::TraceId;

/// The members of one service below one parent id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Group {
    pub(super) trace: TraceId,
    pub(super) parent: u64,
    pub(super) service: NodeId,
}

/// Decided groups, each forgotten in its tick.
#[derive(Debug)]
pub(super) struct Groups {
    hasher: RandomState,
    kept: Slab<Group>,
    by_key: HashTable<u32>,
    expiring: Ring,
}

// === impl Groups ===

impl Groups {
    pub(super) fn new(hasher: RandomState) -> Self {
        Self {
            hasher,
            kept: Slab::new(),
            by_key: HashTable::new(),
            expiring: Ring::default(),
        }
    }

    /// Whether the group is decided.
    pub(super) fn has(&self, group: &Group) -> bool {
        if self.by_key.is_empty() {
            return false;
        }
        let hash = self.hasher.hash_one(group);
        let found = self.by_key.find(hash, |&id| self.kept.get(id) == group);
        found.is_some()
    }

    /// Remembers a decided group until `expires` closes.
    pub(super) fn insert(&mut self, group: Group, expires: u32) {
        if self.has(&group) {
            return;
        }
        let id = self.kept.insert(group);
        let (kept, hasher) = (&self.kept, &self.hasher);
        self.by_key
            .insert_unique(hasher.hash_one(group), id, |&id| {
                hasher.hash_one(kept.get(id))
            });
        self.expiring.push(expires, id);
    }

    /// Forgets the groups that expire by the close of `tick`.
    pub(super) fn forget(&mut self, tick: u32) {
        while self.forget_oldest(tick).is_some() {}
    }

    /// Forgets the groups that expire first, if that is by the close of `upto`; returns in which tick they do.
    pub(super) fn forget_oldest(&mut self, upto: u32) -> Option<u32> {
        let (tick, ids) = self.expiring.pop(upto)?;
        for &id in &ids {
            let hash = self.hasher.hash_one(self.kept.get(id));
            if let Ok(entry) = self.by_key.find_entry(hash, |&other| other == id) {
                entry.remove();
            }
            self.kept.remove(id);
        }
        self.expiring.recycle(ids);
        Some(tick)
    }

    /// Visits all groups, with the tick at whose close each is forgotten.
    pub(super) fn each(&self, mut visit: impl FnMut(&Group, u32)) {
        self.expiring
            .each(|tick, id| visit(self.kept.get(id), tick));
    }

    /// Bytes in use.
    pub(super) fn bytes(&self) -> u64 {
        let table = self.by_key.allocation_size() as u64;
        self.kept.bytes_used() + table + self.expiring.bytes()
    }
}
