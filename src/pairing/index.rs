//! Finds the spans of one large trace: by their id, by their parent's, and by their parent's and service.
//!
//! Spans under one key are chained, so that a thousand children of one parent cost no more than children of a thousand.
//! Keys are whole ids under a keyed hash: nobody can choose ids that fall together. A span's entry outlives its wait, so
//! a tombstone made here is still found by its whole parent id, of which it keeps 32 bits. Those that were made while
//! the trace was small stand under the 32 bits until a span with such an id comes, and from then on under its id.

use ahash::RandomState;

use super::record::{Place, short};
use super::slab::Slab;
use super::table::Table;
use crate::graph::NodeId;

/// No entry.
const NONE: u32 = u32::MAX;
/// An entry stands in a chain by its id, by its parent, and by its parent and service.
const CHAINS: u32 = 3;

/// What spans are found by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Key {
    Span(u64),
    Parent(Parent),
    Child(Parent, NodeId),
}

/// The parent that a span names, as far as that is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Parent {
    Whole(u64),
    /// See [`short`].
    Short(u32),
}

/// The chains of a trace.
#[derive(Debug)]
pub(super) struct SpanIndex {
    hasher: RandomState,
    entries: Slab<Entry>,
    heads: Table<Head>,
    /// Entries that know their parent by its short id.
    unsure: u32,
}

/// Where a chain begins. With its hash: when the table grows, the entries are far away.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Head {
    /// The newest entry of the chain: entry x CHAINS + which chain of it.
    newest: u32,
    hash: u32,
}

/// One span.
#[derive(Debug, Clone, Copy)]
struct Entry {
    span: u64,
    parent: Option<Parent>,
    service: NodeId,
    place: Place,
    links: [Link; CHAINS as usize],
}

/// The neighbours in a chain.
#[derive(Debug, Clone, Copy)]
struct Link {
    newer: u32,
    older: u32,
}

// === impl Parent ===

impl Parent {
    /// Of the whole id, 0 without a parent.
    pub(super) fn whole(id: u64) -> Option<Self> {
        (id != 0).then_some(Self::Whole(id))
    }

    /// Of the short id, 0 without a parent.
    pub(super) fn short(id: u32) -> Option<Self> {
        (id != 0).then_some(Self::Short(id))
    }
}

// === impl Head ===

impl Head {
    /// Whether its chain is the one under this key. The hash is compared first: the entry is far away.
    fn is_of(self, key: Key, hash: u32, entries: &Slab<Entry>) -> bool {
        let key_of = |head: Self| entries.get(head.newest / CHAINS).key(head.newest % CHAINS);
        self.hash == hash && key_of(self) == Some(key)
    }
}

// === impl Entry ===

impl Entry {
    /// What its chain `which` is of.
    fn key(&self, which: u32) -> Option<Key> {
        match which {
            0 => Some(Key::Span(self.span)),
            1 => self.parent.map(Key::Parent),
            _ => self.parent.map(|parent| Key::Child(parent, self.service)),
        }
    }
}

// === impl SpanIndex ===

impl SpanIndex {
    pub(super) fn new(hasher: RandomState) -> Self {
        Self {
            hasher,
            entries: Slab::new(),
            heads: Table::new(),
            unsure: 0,
        }
    }

    /// Adds a span.
    pub(super) fn add(&mut self, span: u64, parent: Option<Parent>, service: NodeId, place: Place) {
        let entry = self.entries.insert(Entry {
            span,
            parent,
            service,
            place,
            links: [Link::ALONE; CHAINS as usize],
        });
        (0..CHAINS).for_each(|which| self.link(entry, which));
        self.unsure += u32::from(matches!(parent, Some(Parent::Short(_))));
        self.adopt(span);
    }

    /// Gives the span `span`, which is here, the entries that know their parent as its short id.
    pub(super) fn adopt(&mut self, span: u64) {
        if self.unsure == 0 {
            return;
        }
        let key = Key::Parent(Parent::Short(short(span)));
        while let Some(entry) = self.newest(key) {
            (1..CHAINS).for_each(|which| self.unlink(entry, which));
            self.entries.get_mut(entry).parent = Parent::whole(span);
            (1..CHAINS).for_each(|which| self.link(entry, which));
            self.unsure -= 1;
        }
    }

    /// The span at `from` is kept elsewhere now.
    pub(super) fn moved(&mut self, span: u64, from: Place, to: Place) {
        if let Some(entry) = self.find(span, from) {
            self.entries.get_mut(entry).place = to;
        }
    }

    /// The span at `place` is gone.
    pub(super) fn remove(&mut self, span: u64, place: Place) {
        if let Some(entry) = self.find(span, place) {
            (0..CHAINS).for_each(|which| self.unlink(entry, which));
            let parent = self.entries.get(entry).parent;
            self.unsure -= u32::from(matches!(parent, Some(Parent::Short(_))));
            self.entries.remove(entry);
        }
    }

    /// Visits what stands under a key, newest first, but no more than `most`: where it is kept, and its whole parent id if
    /// that is known. Returns how many that were.
    pub(super) fn each(
        &self,
        key: Key,
        most: usize,
        mut visit: impl FnMut(Place, Option<u64>),
    ) -> usize {
        let (mut visited, which) = (0, key.which());
        let mut at = self.newest(key).unwrap_or(NONE);
        while at != NONE && visited < most {
            let entry = self.entries.get(at);
            let parent = match entry.parent {
                Some(Parent::Whole(id)) => Some(id),
                _ => None,
            };
            visit(entry.place, parent);
            visited += 1;
            at = entry.links[which as usize].older;
        }
        visited
    }

    /// Whether some spans are to be looked for by their parent's short id as well.
    pub(super) fn is_unsure(&self) -> bool {
        self.unsure > 0
    }

    pub(super) fn bytes(&self) -> u64 {
        size_of::<Self>() as u64 + self.entries.bytes_used() + self.heads.bytes()
    }

    /// Gives back the room of spans that are gone.
    pub(super) fn give_back(&mut self) {
        self.heads.give_back(|head| spread(head.hash));
    }

    /// Ids are shared by few spans: their chains are short.
    fn find(&self, span: u64, place: Place) -> Option<u32> {
        let mut at = self.newest(Key::Span(span))?;
        while at != NONE && self.entries.get(at).place != place {
            at = self.entries.get(at).links[0].older;
        }
        (at != NONE).then_some(at)
    }

    /// The newest entry under a key.
    fn newest(&self, key: Key) -> Option<u32> {
        let hash = self.hash(key);
        let is_it = |head: Head| head.is_of(key, hash, &self.entries);
        let head = self.heads.find(spread(hash), is_it)?;
        Some(head.newest / CHAINS)
    }

    fn hash(&self, key: Key) -> u32 {
        let hash = self.hasher.hash_one(key);
        #[expect(clippy::cast_possible_truncation, reason = "half a hash will do")]
        let hash = hash as u32;
        hash
    }

    /// Makes an entry the newest of one of its chains.
    fn link(&mut self, entry: u32, which: u32) {
        let Some(key) = self.entries.get(entry).key(which) else {
            return;
        };
        let hash = self.hash(key);
        let head = Head {
            newest: entry * CHAINS + which,
            hash,
        };
        let entries = &self.entries;
        let is_it = |head: Head| head.is_of(key, hash, entries);
        let hash_of = |head: Head| spread(head.hash);
        let before = self.heads.put(spread(hash), head, is_it, hash_of);
        let mut link = Link::ALONE;
        if let Some(head) = before {
            link.older = head.newest / CHAINS;
            self.entries.get_mut(link.older).links[which as usize].newer = entry;
        }
        self.entries.get_mut(entry).links[which as usize] = link;
    }

    /// Takes an entry out of one of its chains.
    fn unlink(&mut self, entry: u32, which: u32) {
        let Some(key) = self.entries.get(entry).key(which) else {
            return;
        };
        let Link { newer, older } = self.entries.get(entry).links[which as usize];
        if older != NONE {
            self.entries.get_mut(older).links[which as usize].newer = newer;
        }
        if newer != NONE {
            self.entries.get_mut(newer).links[which as usize].older = older;
            return;
        }
        let hash = self.hash(key);
        let head = |entry: u32| Head {
            newest: entry * CHAINS + which,
            hash,
        };
        if older == NONE {
            self.heads.remove(spread(hash), head(entry));
        } else {
            self.heads.replace(spread(hash), head(entry), head(older));
        }
    }
}

/// A hash of 64 bits, all of which matter, of one of 32.
fn spread(hash: u32) -> u64 {
    // The golden ratio: Knuth, The Art of Computer Programming 3, 6.4.
    u64::from(hash).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

// === impl Key ===

impl Key {
    /// In which chain of its entries.
    fn which(self) -> u32 {
        match self {
            Self::Span(_) => 0,
            Self::Parent(_) => 1,
            Self::Child(..) => 2,
        }
    }
}

// === impl Link ===

impl Link {
    const ALONE: Self = Self {
        newer: NONE,
        older: NONE,
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    fn under(index: &SpanIndex, key: Key) -> Vec<(Place, Option<u64>)> {
        let mut found = Vec::new();
        let visited = index.each(key, usize::MAX, |place, parent| found.push((place, parent)));
        assert_eq!(visited, found.len());
        found
    }

    /// Guarantees: a chain has what was added under its key and not removed, whichever of it went first, and an empty
    /// index keeps no key.
    #[test]
    fn what_is_added_is_found_until_it_is_removed() {
        let (app, web) = (NodeId(1), NodeId(2));
        for first in 0..3 {
            let mut index = SpanIndex::new(RandomState::new());
            let place = |at: u32| Place::Waiting(at);
            for at in 0..3 {
                let service = if at == 1 { web } else { app };
                index.add(u64::from(at) + 10, Parent::whole(7), service, place(at));
            }
            index.moved(11, place(1), Place::Remembered(1));
            let places = [place(0), Place::Remembered(1), place(2)];
            for gone in 0..3 {
                let at = (first + gone) % 3;
                index.remove(at as u64 + 10, places[at]);
                let left = || (1..3 - gone).map(|next| places[(at + next) % 3]);
                let all = |key| {
                    let mut all: Vec<_> = under(&index, key).into_iter().map(|x| x.0).collect();
                    all.sort_by_key(|place| places.iter().position(|p| p == place));
                    all
                };
                let mut expected: Vec<_> = left().collect();
                expected.sort_by_key(|place| places.iter().position(|p| p == place));
                assert_eq!(all(Key::Parent(Parent::Whole(7))), expected);
                expected.retain(|place| *place != places[1]);
                assert_eq!(all(Key::Child(Parent::Whole(7), app)), expected);
                assert_eq!(all(Key::Span(at as u64 + 10)), []);
            }
            assert_eq!(index.heads.len(), 0);
        }
    }

    /// Guarantees: a span that knows 32 bits of its parent id is found by them, and by the whole id once a span has it.
    #[test]
    fn a_parent_that_comes_takes_those_that_know_its_short_id() {
        let mut index = SpanIndex::new(RandomState::new());
        let (parent, child) = (0xabcd_0000_1234, Place::Remembered(3));
        index.add(5, Parent::short(short(parent)), NodeId(1), child);
        assert!(index.is_unsure());
        let short_key = Key::Child(Parent::Short(short(parent)), NodeId(1));
        assert_eq!(under(&index, short_key), [(child, None)]);
        index.add(parent, None, NodeId(2), Place::Waiting(0));
        assert!(!index.is_unsure());
        assert_eq!(under(&index, short_key), []);
        let whole_key = Key::Child(Parent::Whole(parent), NodeId(1));
        assert_eq!(under(&index, whole_key), [(child, Some(parent))]);
        index.remove(5, child);
        assert_eq!(under(&index, whole_key), []);
    }
}
