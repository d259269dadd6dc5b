//! The ring as a value: which slots are held, and what leaves when.

use super::LevelInfo;
use super::level::{COARSEST, Level, SHAPES, Shape, Slot};
use crate::slice::{Accumulator, Join, Sealed, join};

/// Longest time the ring can ever hold, in seconds.
pub const LONGEST_S: u64 = 120 + 10 * 90 + 60 * 120 + 600 * 144;

/// All levels, finest first. Cloning it copies handles, not slices.
#[derive(Debug, Clone, Default)]
pub(super) struct Ring {
    pub(super) levels: [Level; SHAPES.len()],
    bytes: u64,
    /// Changes when what is held of a time becomes something else, or is held no longer. Rolling up is neither.
    pub(super) revision: u64,
    /// The finest level last gave slots away for want of memory, not of places.
    pub(super) pressed: bool,
    /// Slots that could not be merged because they do not decode; left out.
    pub(super) unreadable: u64,
}

// === impl Ring ===

impl Ring {
    /// Takes the newest slice, then rolls and drops what no longer has room.
    pub(super) fn push(&mut self, sealed: &Sealed, max_bytes: u64) {
        let mut slot = Slot {
            start_unix_s: sealed.start_unix_s,
            end_unix_s: sealed.end_unix_s.max(sealed.start_unix_s.saturating_add(1)),
            bytes: sealed.bytes.clone(),
        };
        self.bytes += slot.bytes.len() as u64;
        // Seconds stay in order without overlap, which a sealer that follows the clock never endangers.
        if let Some(last) = self.levels[0]
            .slots
            .pop_back_if(|last| slot.start_unix_s < last.end_unix_s)
        {
            slot = self.merge(&[last.clone(), slot.clone()]);
            self.revision += 1;
            self.bytes -= (last.bytes.len() + sealed.bytes.len()) as u64;
        }
        self.append(0, slot);
        while self.bytes > max_bytes && self.shrink() {
            self.pressed = true;
        }
    }

    pub(super) fn newest_unix_s(&self) -> Option<u64> {
        self.levels
            .iter()
            .find_map(|level| level.slots.back())
            .map(|slot| slot.end_unix_s)
    }

    pub(super) fn oldest_unix_s(&self) -> Option<u64> {
        self.levels
            .iter()
            .rev()
            .find_map(|level| level.slots.front())
            .map(|slot| slot.start_unix_s)
    }

    pub(super) fn levels(&self) -> Vec<LevelInfo> {
        let info = |(shape, level): (&Shape, &Level)| LevelInfo {
            resolution_s: shape.resolution_s,
            slots: level.slots.len(),
            capacity: shape.capacity,
            oldest_unix_s: level.slots.front().map(|slot| slot.start_unix_s),
            newest_unix_s: level.slots.back().map(|slot| slot.end_unix_s),
            bytes: level
                .slots
                .iter()
                .chain(&level.groups)
                .map(|slot| slot.bytes.len() as u64)
                .sum(),
        };
        SHAPES.iter().zip(&self.levels).map(info).collect()
    }

    /// Puts a slot at the end of a level. When it opens a new group, the one before is complete and merged.
    fn append(&mut self, level: usize, slot: Slot) {
        if level < COARSEST {
            let group = slot.nominal_start(level + 1);
            let open = self.levels[level]
                .slots
                .back()
                .map(|last| last.nominal_start(level + 1));
            if open.is_some_and(|open| open != group) {
                let slots = self.levels[level].newest_group(level);
                let merged = self.merge(&slots);
                self.levels[level].groups.push_back(merged);
            }
        }
        self.levels[level].slots.push_back(slot);
        while self.levels[level].slots.len() > SHAPES[level].capacity {
            self.pressed &= level > 0;
            self.retire(level);
        }
    }

    /// Memory pressure, one step: the oldest slots of the finest level above its floor are rolled into the next level
    /// early, which frees most of their bytes and loses only resolution; when all levels are at their floors, the
    /// oldest slot of the coarsest is dropped. Returns whether there was anything to take.
    fn shrink(&mut self) -> bool {
        let above_floor = (0..COARSEST).find(|&at| {
            let level = &self.levels[at];
            !level.groups.is_empty() && level.slots.len() - level.oldest_group() >= SHAPES[at].floor
        });
        match above_floor {
            Some(level) => self.retire(level),
            None if self.levels[COARSEST].slots.is_empty() => return false,
            None => self.retire(COARSEST),
        }
        true
    }

    /// Moves the oldest slots of `level` down: all that belong to one slot of the next level, so that slots are whole
    /// when they appear and never change. The coarsest level drops its oldest slot.
    fn retire(&mut self, level: usize) {
        let count = if level == COARSEST {
            self.revision += 1;
            1
        } else {
            self.levels[level].oldest_group()
        };
        for slot in self.levels[level].slots.drain(..count) {
            self.bytes -= slot.bytes.len() as u64;
        }
        if let Some(merged) = self.levels[level].groups.pop_front() {
            self.append(level + 1, merged);
        }
    }

    /// Joins slots in time and counts the bytes of the result. Slots that do not decode are left out and counted; the
    /// seconds stay.
    fn merge(&mut self, slots: &[Slot]) -> Slot {
        let all = || slots.iter().map(|slot| &*slot.bytes);
        let bytes = join(Join::Then, all()).unwrap_or_else(|_| {
            let readable: Vec<&[u8]> = all()
                .filter(|bytes| Accumulator::new(Join::Then).add(bytes).is_ok())
                .collect();
            self.unreadable += (slots.len() - readable.len()) as u64;
            self.revision += 1;
            join(Join::Then, readable).unwrap_or_default()
        });
        self.bytes += bytes.len() as u64;
        Slot {
            start_unix_s: slots.first().map_or(0, |slot| slot.start_unix_s),
            end_unix_s: slots.iter().map(|slot| slot.end_unix_s).max().unwrap_or(0),
            bytes,
        }
    }
}
