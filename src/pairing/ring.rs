//! When to look at which trace again: one bucket of trace slots per tick.

use std::collections::VecDeque;

use super::slab::Slab;

/// Slots per page: 128 bytes with its header.
const PAGE: usize = 30;
/// No page.
const NONE: u32 = u32::MAX;
/// Most slots for whose like room is kept when a bucket was looked through: of larger buckets there are few.
const KEPT: usize = 256;

/// Buckets of trace slots by tick. A trace may stand in a bucket more than once, or after it is gone; looking at it
/// then finds nothing due.
#[derive(Debug)]
pub(super) struct Ring {
    /// Tick of the front bucket.
    first: u32,
    /// The newest page of each bucket.
    buckets: VecDeque<u32>,
    pages: Slab<Page>,
    /// Where a bucket is put together, kept so that a steady stream allocates nothing.
    spare: Vec<u32>,
}

#[derive(Debug, Clone, Copy)]
struct Page {
    slots: [u32; PAGE],
    used: u32,
    older: u32,
}

// === impl Ring ===

impl Ring {
    /// Asks for `trace` to be looked at when `tick` closes (at the next chance, if that is past).
    pub(super) fn push(&mut self, tick: u32, trace: u32) {
        if self.buckets.is_empty() {
            self.first = tick;
        }
        while tick < self.first {
            self.buckets.push_front(NONE);
            self.first -= 1;
        }
        let at = (tick - self.first) as usize;
        while self.buckets.len() <= at {
            self.buckets.push_back(NONE);
        }
        let newest = &mut self.buckets[at];
        if *newest == NONE || self.pages.get(*newest).used as usize == PAGE {
            *newest = self.pages.insert(Page {
                slots: [0; PAGE],
                used: 0,
                older: *newest,
            });
        }
        let page = self.pages.get_mut(*newest);
        page.slots[page.used as usize] = trace;
        page.used += 1;
    }

    /// Takes the oldest bucket with anything in it if its tick is at most `upto`; give it back with [`Ring::recycle`].
    pub(super) fn pop(&mut self, upto: u32) -> Option<(u32, Vec<u32>)> {
        while self.first <= upto {
            let newest = self.buckets.pop_front()?;
            let tick = self.first;
            self.first += 1;
            if newest != NONE {
                return Some((tick, self.take(newest)));
            }
        }
        None
    }

    /// The oldest tick from `from` on for which anything is asked.
    pub(super) fn first_from(&self, from: u32) -> Option<u32> {
        let before = from.saturating_sub(self.first);
        let buckets = (self.first..).zip(&self.buckets);
        let mut rest = buckets.skip(before as usize);
        rest.find_map(|(tick, &newest)| (newest != NONE).then_some(tick))
    }

    /// Takes the bucket of `tick` whatever is asked for before it; give it back with [`Ring::recycle`].
    pub(super) fn take_at(&mut self, tick: u32) -> Vec<u32> {
        let at = tick.checked_sub(self.first).map(|at| at as usize);
        let bucket = at.and_then(|at| self.buckets.get_mut(at));
        let newest = bucket.map_or(NONE, |newest| std::mem::replace(newest, NONE));
        self.take(newest)
    }

    /// Visits every trace that is asked for, tick by tick.
    pub(super) fn each(&self, mut visit: impl FnMut(u32, u32)) {
        for (tick, &newest) in (self.first..).zip(&self.buckets) {
            let mut at = newest;
            while at != NONE {
                let page = self.pages.get(at);
                page.taken().iter().for_each(|&trace| visit(tick, trace));
                at = page.older;
            }
        }
    }

    /// Takes back an emptied bucket's room.
    pub(super) fn recycle(&mut self, mut bucket: Vec<u32>) {
        bucket.clear();
        if bucket.capacity() <= KEPT {
            self.spare = bucket;
        }
    }

    /// Bytes of all buckets.
    pub(super) fn bytes(&self) -> u64 {
        let slots = self.buckets.capacity() + self.spare.capacity();
        self.pages.bytes_used() + (slots * size_of::<u32>()) as u64
    }

    /// What stands in a bucket, oldest first; gives its pages back.
    fn take(&mut self, newest: u32) -> Vec<u32> {
        let mut bucket = std::mem::take(&mut self.spare);
        let mut at = newest;
        while at != NONE {
            let page = self.pages.get(at);
            bucket.extend(page.taken().iter().rev());
            let older = page.older;
            self.pages.remove(at);
            at = older;
        }
        bucket.reverse();
        bucket
    }
}

impl Default for Ring {
    fn default() -> Self {
        Self {
            first: 0,
            buckets: VecDeque::new(),
            pages: Slab::new(),
            spare: Vec::new(),
        }
    }
}

// === impl Page ===

impl Page {
    fn taken(&self) -> &[u32] {
        &self.slots[..self.used as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn traces_come_out_in_order_of_their_tick_and_never_early() {
        let mut ring = Ring::default();
        ring.push(7, 70);
        ring.push(5, 50);
        ring.push(9, 90);
        assert_eq!(ring.pop(4), None);
        assert_eq!(ring.pop(7), Some((5, vec![50])));
        assert_eq!(ring.pop(7), Some((7, vec![70])));
        assert_eq!(ring.pop(8), None);
        assert_eq!(ring.pop(u32::MAX), Some((9, vec![90])));
        assert_eq!(ring.pop(u32::MAX), None);
        ring.push(3, 30);
        assert_eq!(ring.pop(3), Some((3, vec![30])));
    }

    #[test]
    fn a_bucket_is_taken_out_of_turn_and_its_neighbours_stay() {
        let mut ring = Ring::default();
        for tick in [5, 7, 9] {
            ring.push(tick, tick * 10);
        }
        assert_eq!(ring.first_from(0), Some(5));
        assert_eq!(ring.first_from(6), Some(7));
        assert_eq!(ring.take_at(7), vec![70]);
        assert_eq!(ring.take_at(7), Vec::<u32>::new());
        assert_eq!(ring.take_at(4), Vec::<u32>::new());
        assert_eq!(ring.take_at(99), Vec::<u32>::new());
        assert_eq!(ring.first_from(6), Some(9));
        assert_eq!(ring.first_from(10), None);
        assert_eq!(ring.pop(9), Some((5, vec![50])));
        assert_eq!(ring.pop(9), Some((9, vec![90])));
    }

    #[test]
    fn a_bucket_of_many_pages_keeps_its_order_and_gives_its_room_back() {
        let mut ring = Ring::default();
        let many: Vec<u32> = (0..10_000).collect();
        for &trace in &many {
            ring.push(1, trace);
        }
        assert_eq!(ring.pop(1), Some((1, many.clone())));
        ring.recycle(many);
        assert!(ring.bytes() < 40_000 / 4, "{}", ring.bytes());
    }
}
