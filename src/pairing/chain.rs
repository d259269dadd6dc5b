//! Lists of small equal things in chunks: one slab of chunks serves the lists of all traces of a shard.

use super::record::Record;
use super::slab::Slab;
use super::tomb::Tomb;

/// No chunk.
const NONE: u32 = u32::MAX;

/// One list: its newest chunk.
#[derive(Debug, Clone, Copy)]
pub(super) struct Chain {
    head: u32,
}

/// The chunks of many lists. A thing's reference is chunk x N + slot; things never move.
#[derive(Debug)]
pub(super) struct Chains<T, const N: usize> {
    chunks: Slab<Chunk<T, N>>,
    len: u64,
}

#[derive(Debug, Clone, Copy)]
struct Chunk<T, const N: usize> {
    slots: [T; N],
    next: u32,
    used: u32,
}

/// Things that can be marked as removed. The mark is a span id of 0, which no span has: a search reads ids first, and
/// most spans it passes need nothing else.
pub(super) trait Slot: Copy + Default {
    fn gone(&self) -> bool;
    fn remove(&mut self);
}

// === impl Chain ===

impl Chain {
    pub(super) const EMPTY: Self = Self { head: NONE };

    /// Whether it has no chunk. One whose things were all removed has, until the next [`Chains::remove_if`].
    pub(super) fn is_empty(self) -> bool {
        self.head == NONE
    }
}

// === impl Chunk ===

impl<T: Slot, const N: usize> Default for Chunk<T, N> {
    fn default() -> Self {
        Self {
            slots: [T::default(); N],
            next: NONE,
            used: 0,
        }
    }
}

// === impl Slot ===

impl Slot for Record {
    fn gone(&self) -> bool {
        self.span == 0
    }

    fn remove(&mut self) {
        self.span = 0;
    }
}

impl Slot for Tomb {
    fn gone(&self) -> bool {
        self.span == 0
    }

    fn remove(&mut self) {
        self.span = 0;
    }
}

// === impl Chains ===

impl<T: Slot, const N: usize> Chains<T, N> {
    const SLOTS: u32 = {
        assert!(N <= 16, "a chunk is a few cache lines");
        #[expect(clippy::cast_possible_truncation, reason = "at most 16")]
        let slots = N as u32;
        slots
    };

    pub(super) fn new() -> Self {
        Self {
            chunks: Slab::new(),
            len: 0,
        }
    }

    /// Things in all lists that were pushed and not removed by [`Chains::remove_if`].
    pub(super) fn len(&self) -> u64 {
        self.len
    }

    pub(super) fn get(&self, at: u32) -> &T {
        &self.chunks.get(at / Self::SLOTS).slots[at as usize % N]
    }

    pub(super) fn get_mut(&mut self, at: u32) -> &mut T {
        &mut self.chunks.get_mut(at / Self::SLOTS).slots[at as usize % N]
    }

    /// Reads one word of every slot of the two newest chunks.
    pub(super) fn touch(&self, list: Chain, word: impl Fn(&T) -> u64) -> u64 {
        let (mut at, mut sum) = (list.head, 0_u64);
        for _ in 0..2 {
            if at == NONE {
                break;
            }
            let chunk = self.chunks.get(at);
            sum = chunk
                .slots
                .iter()
                .fold(sum, |sum, thing| sum.wrapping_add(word(thing)));
            at = chunk.next;
        }
        sum
    }

    /// Adds a thing and returns its reference.
    pub(super) fn push(&mut self, list: &mut Chain, thing: T) -> u32 {
        if list.head == NONE || self.chunks.get(list.head).used == Self::SLOTS {
            list.head = self.chunks.insert(Chunk {
                next: list.head,
                ..Chunk::default()
            });
        }
        let chunk = self.chunks.get_mut(list.head);
        let slot = chunk.used;
        chunk.slots[slot as usize] = thing;
        chunk.used += 1;
        self.len += 1;
        list.head * Self::SLOTS + slot
    }

    /// Visits every thing not removed.
    pub(super) fn each(&self, list: Chain, mut visit: impl FnMut(u32, &T)) {
        let mut at = list.head;
        while at != NONE {
            let chunk = self.chunks.get(at);
            for slot in 0..chunk.used {
                let thing = &chunk.slots[slot as usize];
                if !thing.gone() {
                    visit(at * Self::SLOTS + slot, thing);
                }
            }
            at = chunk.next;
        }
    }

    /// Whether anything of a list is left.
    pub(super) fn any(&self, list: Chain) -> bool {
        let mut at = list.head;
        while at != NONE {
            let chunk = self.chunks.get(at);
            let used = &chunk.slots[..chunk.used as usize];
            if used.iter().any(|thing| !thing.gone()) {
                return true;
            }
            at = chunk.next;
        }
        false
    }

    /// Removes what `drop` says, then gives back chunks of which nothing is left. Returns how many things are left.
    pub(super) fn remove_if(
        &mut self,
        list: &mut Chain,
        mut drop: impl FnMut(u32, &T) -> bool,
    ) -> u32 {
        let (mut at, mut before, mut all_left) = (list.head, NONE, 0);
        while at != NONE {
            let chunk = self.chunks.get_mut(at);
            let (mut left, mut removed) = (0, 0);
            for slot in 0..chunk.used {
                let thing = &mut chunk.slots[slot as usize];
                if thing.gone() {
                    continue;
                }
                if drop(at * Self::SLOTS + slot, thing) {
                    thing.remove();
                    removed += 1;
                } else {
                    left += 1;
                }
            }
            let next = chunk.next;
            self.len -= removed;
            all_left += left;
            if left == 0 {
                self.chunks.remove(at);
                match before {
                    NONE => list.head = next,
                    _ => self.chunks.get_mut(before).next = next,
                }
            } else {
                before = at;
            }
            at = next;
        }
        all_left
    }

    /// Marks one thing as removed; its chunk goes back with the next [`Chains::remove_if`].
    pub(super) fn remove(&mut self, at: u32) {
        self.get_mut(at).remove();
        self.len -= 1;
    }

    /// Bytes of the chunks in use.
    pub(super) fn bytes(&self) -> u64 {
        self.chunks.bytes_used()
    }
}
