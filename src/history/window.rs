//! Which slots answer a window, and for how long the same question has the same answer.
//!
//! No slot is ever cut, so a window begins and ends between slots: both ends move back to where a slot begins. An end
//! never moves forward, which would let in what came after the time asked for.

use super::level::{COARSEST, Level, SHAPES, Slot};
use super::ring::Ring;
use super::{LONGEST_S, Resolved, WindowError};

// === impl Ring ===

impl Ring {
    pub(super) fn resolve(&self, window_s: u64, end: Option<u64>) -> Result<Resolved, WindowError> {
        let end = end.unwrap_or(self.newest(window_s)?);
        let end = self.not_expired(self.boundary(end))?;
        let start = self.boundary(end.saturating_sub(window_s));
        Ok(self.answer(start, end))
    }

    /// First unix second after the newest slot, where a window of `window_s` can be asked for at all.
    pub(super) fn newest(&self, window_s: u64) -> Result<u64, WindowError> {
        let newest = self.newest_unix_s().ok_or(WindowError::NotReady)?;
        if window_s > LONGEST_S {
            return Err(WindowError::TooLong {
                asked_s: window_s,
                longest_s: LONGEST_S,
            });
        }
        Ok(newest)
    }

    /// `end`, if anything held comes before it.
    pub(super) fn not_expired(&self, end: u64) -> Result<u64, WindowError> {
        let oldest_unix_s = self.oldest_unix_s().ok_or(WindowError::NotReady)?;
        if end > oldest_unix_s {
            Ok(end)
        } else {
            Err(WindowError::Expired { oldest_unix_s })
        }
    }

    /// The last place between slots that is not after `second`: itself, unless it lies inside a slot. A slot has all
    /// of its nominal time, since what is rolled up later never adds to it.
    pub(super) fn boundary(&self, second: u64) -> u64 {
        // A slice that a clock step has lengthened reaches into the nominal time of the slot after it.
        let mut before = 0;
        for (at, level) in self.levels.iter().enumerate().rev() {
            let ended = |slot: &Slot| slot.nominal_end(at) <= second;
            let next = level.slots.partition_point(ended);
            if let Some(last) = next.checked_sub(1) {
                before = level.slots[last].end_unix_s;
            }
            if let Some(slot) = level.slots.get(next) {
                return second.min(slot.nominal_start(at).max(before));
            }
        }
        second
    }

    /// Nominal length of the coarsest slot from `start` to `end`, which both lie between slots; of the finest where there
    /// is none. What comes after a gap that holds the whole of it does not count: its rolling up changes no answer.
    pub(super) fn resolution_s(&self, start: u64, end: u64) -> u64 {
        let holds = |(at, level): (usize, &Level)| !level.range(at, start, end).is_empty();
        let coarsest = self.levels.iter().enumerate().rposition(holds);
        SHAPES[coarsest.unwrap_or(0)].resolution_s
    }

    /// The slots from `start` to `end`, which both lie between slots.
    pub(super) fn answer(&self, start: u64, end: u64) -> Resolved {
        let mut slots = Vec::new();
        for (at, level) in self.levels.iter().enumerate().rev() {
            level.collect(level.range(at, start, end), &mut slots);
        }
        Resolved {
            slots,
            start_unix_s: start,
            end_unix_s: end,
            resolution_s: self.resolution_s(start, end),
            revision: self.revision,
            steady_until_unix_s: self.steady_until(start, end),
        }
    }

    /// Up to which newest second no slot from `start` to `end` rolls up, none is joined with others and none at all is
    /// dropped. Levels are full after as many slots, so after at least as many seconds, as they hold; a leap of the
    /// clock only makes it later. Memory pressure may make it sooner, so under pressure nothing is promised.
    fn steady_until(&self, start: u64, end: u64) -> u64 {
        let (Some(oldest), Some(newest)) = (self.oldest_unix_s(), self.newest_unix_s()) else {
            return 0;
        };
        if self.pressed {
            return newest + 1;
        }
        let oldest = oldest / SHAPES[COARSEST].resolution_s * SHAPES[COARSEST].resolution_s;
        let mut until = oldest + LONGEST_S + 1;
        // What this level and the finer ones hold, seconds; before the loop's end, the finer ones alone.
        let mut reach_s = 0;
        for (at, level) in self.levels[..COARSEST].iter().enumerate() {
            let coarser_s = SHAPES[at + 1].resolution_s;
            let group_end = |slot: &Slot| slot.nominal_start(at + 1) + coarser_s;
            if let Some(last) = level.slots.back()
                && group_end(last) <= end
            {
                until = until.min(last.nominal_end(at) + reach_s + 1);
            }
            reach_s += SHAPES[at].resolution_s * SHAPES[at].capacity as u64;
            let first = level.slots.partition_point(|slot| group_end(slot) <= start);
            if let Some(first) = level.slots.get(first)
                && first.nominal_start(at + 1) < end
            {
                until = until.min(first.nominal_start(at) + reach_s + 1);
            }
        }
        // Where the clock leapt, levels hold more seconds than they have places.
        until.max(newest + 1)
    }
}
