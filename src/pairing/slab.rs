//! Room for many equal things, in pages, so that growing never copies and ids stay put.
//!
//! Slots are used again in the order they were given back. Things made in one second die in one second, so their slots
//! stay neighbours for ever, and a sweep reads memory forwards.

use std::collections::VecDeque;

/// Things per page: a page of records is about 20 KiB.
const PAGE: usize = 64;

/// A paged slab. Ids are reused last-freed first; pages are kept for reuse until the slab is dropped.
#[derive(Debug)]
pub(super) struct Slab<T> {
    pages: Vec<Box<[T]>>,
    free: VecDeque<u32>,
    next: u32,
}

// === impl Slab ===

impl<T: Copy + Default> Slab<T> {
    pub(super) fn new() -> Self {
        Self {
            pages: Vec::new(),
            free: VecDeque::new(),
            next: 0,
        }
    }

    /// Stores `value`, growing by a page when full.
    pub(super) fn insert(&mut self, value: T) -> u32 {
        if let Some(id) = self.free.pop_front() {
            *self.get_mut(id) = value;
            return id;
        }
        let id = self.next;
        if id as usize / PAGE == self.pages.len() {
            self.pages.push(vec![T::default(); PAGE].into_boxed_slice());
        }
        self.next += 1;
        *self.get_mut(id) = value;
        id
    }

    /// Gives a slot back.
    pub(super) fn remove(&mut self, id: u32) {
        self.free.push_back(id);
    }

    pub(super) fn get(&self, id: u32) -> &T {
        &self.pages[id as usize / PAGE][id as usize % PAGE]
    }

    pub(super) fn get_mut(&mut self, id: u32) -> &mut T {
        &mut self.pages[id as usize / PAGE][id as usize % PAGE]
    }

    /// Bytes of the things in use, with their share of the free list.
    pub(super) fn bytes_used(&self) -> u64 {
        let in_use = u64::from(self.next) - self.free.len() as u64;
        in_use * size_of::<T>() as u64 + (self.free.capacity() * size_of::<u32>()) as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_freed_slot_is_used_again_and_others_keep_their_value() {
        let mut slab = Slab::new();
        let ids: Vec<u32> = (0..200_u32).map(|value| slab.insert(value)).collect();
        slab.remove(ids[7]);
        assert_eq!(slab.insert(9_999), ids[7]);
        assert_eq!(*slab.get(ids[199]), 199);
        assert_eq!(slab.bytes_used() / 4, 200 + slab.free.capacity() as u64);
    }
}
