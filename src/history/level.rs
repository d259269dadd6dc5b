//! One level of the ring: its shape, its slots, and groups of slots already merged.

use std::collections::VecDeque;
use std::ops::Range;

use bytes::Bytes;

/// One slot: an encoded slice and the seconds it covers.
#[derive(Debug, Clone)]
pub(super) struct Slot {
    pub(super) start_unix_s: u64,
    pub(super) end_unix_s: u64,
    pub(super) bytes: Bytes,
}

/// One level: its slots, oldest first.
#[derive(Debug, Clone, Default)]
pub(super) struct Level {
    pub(super) slots: VecDeque<Slot>,
    /// Every complete group of slots that will be one slot of the next level, already merged. The merge is needed in
    /// any case when the group rolls down; made early, it also answers windows that hold the whole group: five minutes
    /// take about 30 slots instead of 138.
    pub(super) groups: VecDeque<Slot>,
}

/// One level: nominal slot length in seconds, most slots, and the slots that memory pressure never takes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Shape {
    pub(super) resolution_s: u64,
    pub(super) capacity: usize,
    pub(super) floor: usize,
}

pub(super) const SHAPES: [Shape; 4] = [
    Shape {
        resolution_s: 1,
        capacity: 120,
        floor: 60,
    },
    Shape {
        resolution_s: 10,
        capacity: 90,
        floor: 60,
    },
    Shape {
        resolution_s: 60,
        capacity: 120,
        floor: 30,
    },
    Shape {
        resolution_s: 600,
        capacity: 144,
        floor: 0,
    },
];

/// The level that is dropped from, not rolled.
pub(super) const COARSEST: usize = SHAPES.len() - 1;

// === impl Slot ===

impl Slot {
    /// Its first second, moved back to the resolution of `level`.
    pub(super) fn nominal_start(&self, level: usize) -> u64 {
        let resolution_s = SHAPES[level].resolution_s;
        self.start_unix_s / resolution_s * resolution_s
    }

    /// First second after it; a slice that a clock step has lengthened reaches beyond its nominal end.
    pub(super) fn nominal_end(&self, level: usize) -> u64 {
        self.end_unix_s.max(
            self.nominal_start(level)
                .saturating_add(SHAPES[level].resolution_s),
        )
    }
}

// === impl Level ===

impl Level {
    /// How many slots the oldest complete group has.
    pub(super) fn oldest_group(&self) -> usize {
        let end = self.groups.front().map_or(0, |group| group.end_unix_s);
        self.slots.partition_point(|slot| slot.start_unix_s < end)
    }

    /// The newest slots, those that belong to one slot of the next level. `level` is this one's place.
    pub(super) fn newest_group(&self, level: usize) -> Vec<Slot> {
        let group = self.slots.back().map(|slot| slot.nominal_start(level + 1));
        let first = self
            .slots
            .partition_point(|slot| Some(slot.nominal_start(level + 1)) < group);
        self.slots.range(first..).cloned().collect()
    }

    /// The slots from `start` to `end`, which both lie between slots. `level` is this one's place.
    pub(super) fn range(&self, level: usize, start: u64, end: u64) -> Range<usize> {
        let ended = |slot: &Slot| slot.nominal_end(level) <= start;
        let begun = |slot: &Slot| slot.start_unix_s < end;
        self.slots.partition_point(ended)..self.slots.partition_point(begun)
    }

    /// These slots, complete groups as one.
    pub(super) fn collect(&self, range: Range<usize>, into: &mut Vec<Bytes>) {
        let last = range.end.checked_sub(1).filter(|_| !range.is_empty());
        let Some(end) = last.map(|last| self.slots[last].end_unix_s) else {
            return;
        };
        let mut at = range.start;
        while at < range.end {
            let slot = &self.slots[at];
            let group = self
                .groups
                .partition_point(|group| group.start_unix_s < slot.start_unix_s);
            let group = self.groups.get(group);
            let whole = group
                .filter(|group| group.start_unix_s == slot.start_unix_s && group.end_unix_s <= end);
            if let Some(group) = whole {
                into.push(group.bytes.clone());
                at = self
                    .slots
                    .partition_point(|slot| slot.start_unix_s < group.end_unix_s);
            } else {
                into.push(slot.bytes.clone());
                at += 1;
            }
        }
    }
}
