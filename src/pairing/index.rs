//! Finds the spans of one large trace: by their id, by their parent's, and by their parent's and service.
//!
//! Spans under one key are chained, so that a thousand children of one parent cost no more than children of a thousand.
//! Nothing is taken out one by one: what is gone is skipped, and [`super::store::Store::tidy`] builds the index anew.

use ahash::{HashMap, RandomState};

use crate::graph::NodeId;

/// Marks a place as a tombstone's.
const TOMB: u32 = 1 << 31;
/// No link.
const NONE: u32 = u32::MAX;

/// What spans are found by. Ids are shortened; whoever looks compares the whole id where it is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Key {
    Span(u32),
    Parent(u32),
    Child(u32, NodeId),
}

/// Chains of places. A place is a record's or (marked) a tombstone's reference.
#[derive(Debug)]
pub(super) struct SpanIndex {
    heads: HashMap<Key, u32>,
    links: Vec<Link>,
}

#[derive(Debug, Clone, Copy)]
struct Link {
    place: u32,
    next: u32,
}

// === impl SpanIndex ===

impl SpanIndex {
    pub(super) fn new(hasher: RandomState) -> Self {
        Self {
            heads: HashMap::with_hasher(hasher),
            links: Vec::new(),
        }
    }

    /// The place of a record.
    pub(super) fn record(at: u32) -> u32 {
        debug_assert!(
            at & TOMB == 0,
            "the memory share ends before 2^31 records in a shard"
        );
        at
    }

    /// The place of a tombstone.
    pub(super) fn tomb(at: u32) -> u32 {
        at | TOMB
    }

    /// The tombstone's reference, if the place is one.
    pub(super) fn tomb_of(place: u32) -> Option<u32> {
        (place & TOMB != 0).then_some(place & !TOMB)
    }

    /// Adds a span by its shortened ids.
    pub(super) fn add(&mut self, span32: u32, parent32: u32, service: NodeId, place: u32) {
        self.link(Key::Span(span32), place);
        if parent32 != 0 {
            self.link(Key::Parent(parent32), place);
            self.link(Key::Child(parent32, service), place);
        }
    }

    fn link(&mut self, key: Key, place: u32) {
        let at = u32::try_from(self.links.len()).expect("the memory share ends before 2^32 links");
        let next = self.heads.insert(key, at).unwrap_or(NONE);
        self.links.push(Link { place, next });
    }

    /// Visits the places under a key, newest first.
    pub(super) fn each(&self, key: Key, mut visit: impl FnMut(u32)) {
        let mut at = self.heads.get(&key).copied().unwrap_or(NONE);
        while at != NONE {
            let link = self.links[at as usize];
            visit(link.place);
            at = link.next;
        }
    }

    /// Empties it, keeping its room.
    pub(super) fn clear(&mut self) {
        self.heads.clear();
        self.links.clear();
    }

    pub(super) fn bytes(&self) -> u64 {
        let heads = self.heads.capacity() * (size_of::<(Key, u32)>() + 1);
        (heads + self.links.capacity() * size_of::<Link>()) as u64
    }
}
