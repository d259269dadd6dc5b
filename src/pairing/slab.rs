//! Room for many equal things, in pages, so that growing never copies and ids stay put.
//!
//! Pages are used again in the order in which they first had room, each from its lowest slot. Things made in one second
//! die in one second, so their slots stay neighbours for ever, and a sweep reads memory forwards.

/// Things per page: a page of records is about 20 KiB.
const PAGE: usize = 64;

/// No page.
const NONE: u32 = u32::MAX;

/// A paged slab. Pages are kept for reuse until the slab is dropped.
#[derive(Debug)]
pub(super) struct Slab<T> {
    pages: Vec<Page<T>>,
    /// The first and the last of the pages with room.
    roomy: [u32; 2],
    used: u64,
}

#[derive(Debug)]
struct Page<T> {
    things: Box<[T; PAGE]>,
    /// One bit for each slot without a thing.
    room: u64,
    /// The next page with room.
    next: u32,
}

const _: () = assert!(PAGE == u64::BITS as usize, "a page's room is one word");

// === impl Slab ===

impl<T: Copy> Slab<T> {
    pub(super) fn new() -> Self {
        Self {
            pages: Vec::new(),
            roomy: [NONE; 2],
            used: 0,
        }
    }

    /// Stores `value`, growing by a page when full.
    pub(super) fn insert(&mut self, value: T) -> u32 {
        if self.roomy[0] == NONE {
            self.grow(value);
        }
        let at = self.roomy[0];
        let page = &mut self.pages[at as usize];
        let slot = page.room.trailing_zeros();
        page.room &= page.room - 1;
        if page.room == 0 {
            self.roomy[0] = page.next;
        }
        page.things[slot as usize] = value;
        self.used += 1;
        at * u64::BITS + slot
    }

    /// Gives a slot back.
    pub(super) fn remove(&mut self, id: u32) {
        let (at, slot) = (id / u64::BITS, id % u64::BITS);
        let page = &mut self.pages[at as usize];
        debug_assert!(page.room & (1 << slot) == 0, "it was given back before");
        let was_full = page.room == 0;
        page.room |= 1 << slot;
        self.used -= 1;
        if was_full {
            self.append(at);
        }
    }

    pub(super) fn get(&self, id: u32) -> &T {
        &self.pages[id as usize / PAGE].things[id as usize % PAGE]
    }

    pub(super) fn get_mut(&mut self, id: u32) -> &mut T {
        &mut self.pages[id as usize / PAGE].things[id as usize % PAGE]
    }

    /// Bytes of the things in use, and of the list of pages.
    pub(super) fn bytes_used(&self) -> u64 {
        let pages = self.pages.capacity() * size_of::<Page<T>>();
        self.used * size_of::<T>() as u64 + pages as u64
    }

    fn grow(&mut self, filler: T) {
        let at = u32::try_from(self.pages.len()).expect("the memory share ends before 2^32 slots");
        // Made on the heap: a page is larger than a stack frame should be.
        let things = vec![filler; PAGE].into_boxed_slice().try_into();
        self.pages.push(Page {
            things: things.unwrap_or_else(|_| unreachable!("it has PAGE things")),
            room: u64::MAX,
            next: NONE,
        });
        self.append(at);
    }

    /// Puts a page that has room again behind the others.
    fn append(&mut self, at: u32) {
        self.pages[at as usize].next = NONE;
        match self.roomy {
            [NONE, _] => self.roomy[0] = at,
            [_, last] => self.pages[last as usize].next = at,
        }
        self.roomy[1] = at;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_freed_slot_is_used_again_and_others_keep_their_value() {
        let mut slab = Slab::new();
        let ids: Vec<u32> = (0..192_u32).map(|value| slab.insert(value)).collect();
        slab.remove(ids[130]);
        slab.remove(ids[7]);
        slab.remove(ids[6]);
        assert_eq!(slab.used, 189);
        let again: Vec<u32> = (0..3).map(|value| slab.insert(9_000 + value)).collect();
        assert_eq!(again, [ids[130], ids[6], ids[7]]);
        assert_eq!(slab.insert(1), 192, "a new page");
        for (value, id) in (0..).zip(ids) {
            let reused = again.iter().position(|other| *other == id);
            let expected = reused.map_or(value, |nth| 9_000 + u32::try_from(nth).unwrap());
            assert_eq!(*slab.get(id), expected);
        }
    }
}
