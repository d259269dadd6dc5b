//! A hash table of small things that grows by a few thousand of them at a time, however many it has: a table that moves
//! all it has when it is full would make one chunk pay for a million spans.
//!
//! It is split in parts; one more is split in two whenever there are [`FULL`] things for each, in turn (Litwin, "Linear
//! hashing", VLDB 1980).

use hashbrown::HashTable;

use super::room;

/// Things for each part, on average; the largest have some more than twice that.
const FULL: usize = 4_096;

/// Things for whose like room is kept however few there are.
const LEAST: usize = 64;

/// Things by keyed hash.
#[derive(Debug)]
pub(super) struct Table<T> {
    /// At least one.
    parts: Vec<HashTable<T>>,
    /// The greatest power of two that is at most the number of parts; those from `parts - half` to `half` are not split
    /// since it was reached.
    half: usize,
    len: usize,
    bytes: usize,
}

// === impl Table ===

impl<T: Copy + PartialEq> Table<T> {
    pub(super) fn new() -> Self {
        Self {
            parts: vec![HashTable::new()],
            half: 1,
            len: 0,
            bytes: size_of::<HashTable<T>>(),
        }
    }

    /// The one with that hash for which `is_it`.
    pub(super) fn find(&self, hash: u64, mut is_it: impl FnMut(T) -> bool) -> Option<T> {
        let part = &self.parts[self.part(hash)];
        part.find(hash, |&thing| is_it(thing)).copied()
    }

    /// Puts a thing in place of the one for which `is_it`, which is returned, or adds it. `hash_of` is asked of some of
    /// those that are there.
    pub(super) fn put(
        &mut self,
        hash: u64,
        thing: T,
        mut is_it: impl FnMut(T) -> bool,
        hash_of: impl Fn(T) -> u64,
    ) -> Option<T> {
        let at = self.part(hash);
        let part = &mut self.parts[at];
        if let Some(known) = part.find_mut(hash, |&known| is_it(known)) {
            return Some(std::mem::replace(known, thing));
        }
        self.add(hash, thing, hash_of);
        None
    }

    /// Adds a thing that is not there.
    pub(super) fn add(&mut self, hash: u64, thing: T, hash_of: impl Fn(T) -> u64) {
        let at = self.part(hash);
        let part = &mut self.parts[at];
        let before = part.allocation_size();
        part.insert_unique(hash, thing, |&known| hash_of(known));
        self.bytes += part.allocation_size() - before;
        self.len += 1;
        if self.len > FULL * self.parts.len() {
            self.split(hash_of);
        }
    }

    /// Puts a thing in place of `known`, which is there under the same hash.
    pub(super) fn replace(&mut self, hash: u64, known: T, thing: T) {
        let at = self.part(hash);
        if let Some(known) = self.parts[at].find_mut(hash, |&other| other == known) {
            *known = thing;
        }
    }

    /// Takes a thing out.
    pub(super) fn remove(&mut self, hash: u64, thing: T) {
        let at = self.part(hash);
        if let Ok(known) = self.parts[at].find_entry(hash, |&known| known == thing) {
            known.remove();
            self.len -= 1;
        }
    }

    /// All things, in no order that matters.
    pub(super) fn iter(&self) -> impl Iterator<Item = T> {
        self.parts.iter().flatten().copied()
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.len
    }

    pub(super) fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Bytes of its parts, or as many as they would take if each had just grown, so that none grows at once by more than a
    /// thing.
    pub(super) fn bytes(&self) -> u64 {
        let grown = self.len * (size_of::<T>() + 1) * 16 / 7;
        self.bytes.max(grown) as u64
    }

    /// Gives back most of its room if it has far too much.
    pub(super) fn give_back(&mut self, hash_of: impl Fn(T) -> u64) {
        let room = self.bytes / (size_of::<T>() + 1);
        if room::is_far_too_much(room, self.len, LEAST) {
            let things = std::mem::replace(self, Self::new());
            for thing in things.iter() {
                self.add(hash_of(thing), thing, &hash_of);
            }
        }
    }

    /// By bits of the hash that choose neither the shard nor the place in a part.
    fn part(&self, hash: u64) -> usize {
        let bits = usize::try_from(hash >> 32).expect("32 bits");
        let part = bits & (2 * self.half - 1);
        if part < self.parts.len() {
            part
        } else {
            bits & (self.half - 1)
        }
    }

    /// Gives the next part's upper half a part of its own.
    fn split(&mut self, hash_of: impl Fn(T) -> u64) {
        let lower = self.parts.len() - self.half;
        let upper = self.parts.len();
        let both = std::mem::take(&mut self.parts[lower]);
        // Some more than half, so that few grow while they are filled.
        let room = both.len() * 5 / 8;
        self.parts[lower] = HashTable::with_capacity(room);
        self.parts.push(HashTable::with_capacity(room));
        self.bytes += size_of::<HashTable<T>>();
        self.bytes -= both.allocation_size();
        for thing in both {
            let hash = hash_of(thing);
            let part = self.part(hash);
            debug_assert!(part == lower || part == upper, "a part is split in two");
            self.parts[part].insert_unique(hash, thing, |&known| hash_of(known));
        }
        self.bytes += self.parts[lower].allocation_size() + self.parts[upper].allocation_size();
        if self.parts.len() == 2 * self.half {
            self.half *= 2;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Guarantees: through many splits, and after removals, each reference is found under its hash and nothing else is; no
    /// part has to move many more than it should; bytes are those of the parts.
    #[test]
    fn references_are_found_however_often_it_was_split() {
        let hasher = ahash::RandomState::new();
        let hash_of = |reference: u32| hasher.hash_one(reference);
        let mut table = Table::new();
        let many = 40 * 4_096;
        for reference in 0..many {
            let was = table.put(
                hash_of(reference),
                reference,
                |known| known == reference,
                hash_of,
            );
            assert_eq!(was, None);
        }
        assert_eq!(table.parts.len(), 40);
        assert!(table.parts.iter().all(|part| part.len() < 3 * FULL));
        for reference in (0..many).filter(|reference| reference % 3 == 0) {
            table.remove(hash_of(reference), reference);
        }
        for reference in 0..many {
            let found = table.find(hash_of(reference), |known| known == reference);
            assert_eq!(found, (reference % 3 != 0).then_some(reference));
        }
        // 7 and 7 + many fall together by choice of the caller.
        let was = table.put(hash_of(7), 7 + many, |known| known == 7, hash_of);
        assert_eq!(was, Some(7));
        assert_eq!(table.iter().count(), table.len());
        let parts = table
            .parts
            .iter()
            .map(|part| part.allocation_size() + size_of_val(part));
        assert_eq!(table.bytes, parts.sum::<usize>());
    }

    /// Guarantees: a table says no fewer bytes than its parts take, and says no more than one thing's worth more when it
    /// grows; of what is left after most is gone, each is found, in a fraction of the room.
    #[test]
    fn growing_is_counted_before_it_happens_and_what_is_gone_is_given_back() {
        let hasher = ahash::RandomState::new();
        let hash_of = |reference: u32| hasher.hash_one(reference);
        let mut table = Table::new();
        let (mut before, mut most) = (table.bytes(), 0);
        for reference in 0..30_000 {
            table.add(hash_of(reference), reference, hash_of);
            assert!(table.bytes() >= table.bytes as u64);
            most = most.max(table.bytes() - before);
            before = table.bytes();
        }
        assert!(most < 4_096, "{most} bytes at once");
        for reference in 100..30_000 {
            table.remove(hash_of(reference), reference);
        }
        table.give_back(hash_of);
        assert!(table.bytes() < before / 32, "{} of {before}", table.bytes());
        for reference in 0..100 {
            let found = table.find(hash_of(reference), |known| known == reference);
            assert_eq!(found, Some(reference));
        }
    }
}
