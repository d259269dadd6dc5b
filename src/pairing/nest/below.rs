//! What stands below an id, put together from what its children have below them.

use crate::pairing::record::{Flags, Place, Seen};

/// What is below an id in one service.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Below {
    pub(super) open_until: Option<u32>,
    /// Two of the spans that stand for an outbound span above, if there are so many: where parents go round in a circle
    /// one of them may be that span itself.
    pub(super) covers: [Option<Place>; 2],
}

// === impl Below ===

impl Below {
    pub(super) fn note_callee(&mut self, callee: &Seen) {
        if !callee.flags.has(Flags::DECIDED) && !callee.flags.has(Flags::FILTERED) {
            self.wait_for(callee.deadline);
        }
    }

    /// An entry is decided with its group in the sweep of `horizon`, if its wait is over by then and it is not held.
    pub(super) fn note_entry(&mut self, entry: &Seen, horizon: u32) {
        let flags = entry.flags;
        let done = flags.settles() || flags.has(Flags::ENTERED) || flags.has(Flags::INSIDE);
        let open = entry.deadline > horizon || flags.has(Flags::HELD);
        if open && !done && matches!(entry.at, Place::Waiting(_)) {
            self.wait_for(entry.deadline);
        }
    }

    pub(super) fn wait_for(&mut self, deadline: u32) {
        let until = self.open_until.unwrap_or(deadline);
        self.open_until = Some(until.min(deadline));
    }

    pub(super) fn cover(&mut self, place: Place) {
        if self.covers.contains(&Some(place)) {
            return;
        }
        if let Some(free) = self.covers.iter_mut().find(|slot| slot.is_none()) {
            *free = Some(place);
        }
    }

    pub(super) fn merge(&mut self, other: Self) {
        other
            .covers
            .iter()
            .flatten()
            .for_each(|place| self.cover(*place));
        if let Some(until) = other.open_until {
            self.wait_for(until);
        }
    }
}
