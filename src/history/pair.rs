//! Two windows that are to be compared: of one length, and apart.

use super::ring::Ring;
use super::{Ends, Resolved, WindowError};

/// Windows of one length, one touching the other, with all ends between slots.
#[derive(Clone, Copy)]
struct Fitted {
    /// Of the first.
    start: u64,
    /// Of the last.
    end: u64,
    /// Nominal length of the coarsest slot.
    resolution_s: u64,
}

// === impl Ring ===

impl Ring {
    /// Both windows of a comparison, base first; see [`super::History::resolve_pair`].
    pub(super) fn resolve_pair(
        &self,
        window_s: u64,
        ends: Ends,
    ) -> Result<[Resolved; 2], WindowError> {
        let head = ends.head.unwrap_or(self.newest(window_s)?);
        let mut grid = 1;
        loop {
            let length_s = window_s.next_multiple_of(grid);
            let [base, head] = match ends.base {
                Some(base) if base <= head => self.fit_apart(base, head, window_s, length_s)?,
                Some(base) => {
                    let [head, base] = self.fit_apart(head, base, window_s, length_s)?;
                    [base, head]
                }
                None => {
                    let both = self.fit(head, length_s, 2)?;
                    let middle = both.end.saturating_sub(length_s);
                    [
                        Fitted {
                            end: middle,
                            ..both
                        },
                        Fitted {
                            start: middle,
                            ..both
                        },
                    ]
                }
            };
            let coarsest = base.resolution_s.max(head.resolution_s);
            if length_s.is_multiple_of(coarsest) {
                return Ok([base, head].map(|window| self.answer(window.start, window.end)));
            }
            // Each level's slots divide the next one's, so this happens once a level at most.
            grid = coarsest;
        }
    }

    /// Windows of `length_s` that end by `earlier` and by `later`. Where windows of `window_s` would have no second in
    /// common, these have none.
    fn fit_apart(
        &self,
        earlier: u64,
        later: u64,
        window_s: u64,
        length_s: u64,
    ) -> Result<[Fitted; 2], WindowError> {
        let second = self.fit(later, length_s, 1)?;
        let apart = later - earlier >= window_s;
        let limit = if apart { second.start } else { earlier };
        let first = self.fit(earlier.min(limit), length_s, 1)?;
        Ok([first, second])
    }

    /// The last `count` windows of `length_s` that end by `end`. Where their slots do not divide the length there are
    /// none, and what is returned only tells how long the slots are.
    fn fit(&self, mut end: u64, length_s: u64, count: u64) -> Result<Fitted, WindowError> {
        let all_s = count * length_s;
        loop {
            end = self.boundary(end);
            self.not_expired(end.saturating_sub(all_s - length_s))?;
            // Where one would begin inside a slot, it moves back to where that begins, and the others with it.
            let moved = (1..=count).map(|windows| {
                let back_s = windows * length_s;
                self.boundary(end.saturating_sub(back_s)) + back_s
            });
            let moved = moved.min().unwrap_or(end);
            let start = end.saturating_sub(all_s);
            let resolution_s = self.resolution_s(start, end);
            if moved >= end || !length_s.is_multiple_of(resolution_s) {
                return Ok(Fitted {
                    start,
                    end,
                    resolution_s,
                });
            }
            end = moved;
        }
    }
}
