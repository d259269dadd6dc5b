//! Finds links by what they name, and those of consumers by their service as well. The tables hold references only, so that
//! they grow little by little.

use super::{Kept, NONE, Probes};
use crate::graph::NodeId;
use crate::pairing::probe::{LinkProbe, Target};
use crate::pairing::slab::Slab;

// === impl Probes ===

impl Probes {
    /// Puts a link before the others that name the same span.
    pub(super) fn begin_with(&mut self, target: Target, id: u32) {
        let (kept, hasher) = (&self.kept, &self.hasher);
        let is_it = |id: u32| target_of(kept, id) == target;
        let hash_of = |id: u32| hasher.hash_one(target_of(kept, id));
        let hash = hasher.hash_one(target);
        let before = self.heads.put(hash, id, is_it, hash_of);
        self.link_after(id, before.unwrap_or(NONE));
    }

    pub(super) fn note_consumer(&mut self, id: u32, probe: &LinkProbe) {
        let key = (probe.target, probe.from.service);
        let hash = self.hasher.hash_one(key);
        let Some(last) = self.last_consumer(key) else {
            let (kept, hasher) = (&self.kept, &self.hasher);
            let hash_of = |id: u32| hasher.hash_one(consumer_of(kept, id));
            return self.consumers.add(hash, id, hash_of);
        };
        if self.consumer_expires(last) < Some(self.expires(&probe.from)) {
            self.consumers.replace(hash, last, id);
        }
    }

    /// The link of a consumer of a service to a span whose time is over last.
    pub(super) fn last_consumer(&self, key: (Target, NodeId)) -> Option<u32> {
        if self.consumers.is_empty() {
            return None;
        }
        let is_it = |id: u32| consumer_of(&self.kept, id) == key;
        self.consumers.find(self.hasher.hash_one(key), is_it)
    }

    pub(super) fn consumer_expires(&self, id: u32) -> Option<u32> {
        self.at(id).map(|kept| self.expires(&kept.probe.from))
    }

    /// The newest link that names a span, or [`NONE`].
    pub(super) fn head(&self, target: Target) -> u32 {
        if self.heads.is_empty() {
            return NONE;
        }
        let is_it = |id: u32| target_of(&self.kept, id) == target;
        let found = self.heads.find(self.hasher.hash_one(target), is_it);
        found.unwrap_or(NONE)
    }

    /// The newest link of each span that any names, in no order that matters.
    pub(in crate::pairing) fn heads(&self) -> impl Iterator<Item = u32> {
        self.heads.iter()
    }

    /// Gives back the room of what was forgotten.
    pub(in crate::pairing) fn give_back(&mut self) {
        let (kept, hasher) = (&self.kept, &self.hasher);
        self.heads
            .give_back(|id| hasher.hash_one(target_of(kept, id)));
        self.consumers
            .give_back(|id| hasher.hash_one(consumer_of(kept, id)));
        self.open.give_back();
    }

    /// Makes `next` follow the link `id` in its chain.
    pub(super) fn link_after(&mut self, id: u32, next: u32) {
        if id != NONE
            && let Some(kept) = self.kept.get_mut(id)
        {
            kept.next = next;
        }
    }
}

/// What a kept link names.
fn target_of(kept: &Slab<Option<Kept>>, id: u32) -> Target {
    of(kept, id).target
}

/// The span that a consumer's link names, and its service.
fn consumer_of(kept: &Slab<Option<Kept>>, id: u32) -> (Target, NodeId) {
    let probe = of(kept, id);
    (probe.target, probe.from.service)
}

fn of(kept: &Slab<Option<Kept>>, id: u32) -> &LinkProbe {
    let kept = kept.get(id).as_ref();
    &kept.expect("tables lead to what is kept").probe
}
