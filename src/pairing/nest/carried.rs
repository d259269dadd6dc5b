//! Which spans are the transport of others, and which stand for others.

use super::{Sight, Walk};
use crate::pairing::parent::{self, Parent};
use crate::pairing::record::{Flags, Seen};
use crate::pairing::store::Near;

// === impl Walk ===

impl Walk {
    /// Whether a span is nested in an outbound db or messaging span that is matched or nameable.
    pub(super) fn is_carried(&mut self, sight: Sight<'_>, p: &Seen) -> bool {
        self.path.clear();
        let mut at = *p;
        let carried = loop {
            if let Some(&known) = self.carried.get(&at.at) {
                break known;
            }
            // Until known better: a cycle that leads back here carries nothing of its own.
            self.carried.insert(at.at, false);
            self.path.push(at.at);
            let Some(above) = self.parent_of(sight, &at) else {
                break false;
            };
            if above.service != p.service || above.flags.inbound() {
                break false;
            }
            if self.carries(sight, &above) {
                break true;
            }
            at = above;
        };
        if carried {
            for place in &self.path {
                self.carried.insert(*place, true);
            }
        }
        carried
    }

    fn parent_of(&mut self, sight: Sight<'_>, x: &Seen) -> Option<Seen> {
        let seen = (self.since, self.deadline);
        match parent_in(sight, self.trace, x, seen, &mut self.near) {
            Parent::Is(above) | Parent::Closed(above) => Some(above),
            Parent::NotSeen | Parent::None => None,
        }
    }

    /// Whether under this span plain outbound spans are its transport.
    pub(super) fn carries(&mut self, sight: Sight<'_>, x: &Seen) -> bool {
        let logical = x.flags.has(Flags::DB) || x.flags.has(Flags::MESSAGING);
        let named = x.flags.has(Flags::NAMEABLE);
        x.flags.outbound() && logical && (named || self.is_matched(sight, x))
    }

    /// Whether a nested span stands for the outbound span above it: it is nameable, or it has a call and a callee that had
    /// arrived in time. One may have come later, the other may not have been called in the end, so both are asked.
    pub(super) fn covers(&mut self, sight: Sight<'_>, x: &Seen, below_carrier: bool) -> bool {
        let plain = !x.flags.has(Flags::DB) && !x.flags.has(Flags::MESSAGING);
        let transport = plain && below_carrier;
        (x.flags.outbound() && !transport && x.flags.has(Flags::NAMEABLE))
            || (x.flags.has(Flags::HAS_CALL) && self.is_matched(sight, x))
    }
}

/// The parent that R3 gives `x`, of what was remembered when something arrived in the tick `since` and had come by `deadline`;
/// `near` lends its room.
pub(super) fn parent_in(
    sight: Sight<'_>,
    trace: u32,
    x: &Seen,
    (since, deadline): (u32, u32),
    near: &mut Near,
) -> Parent {
    sight.store.look_around(trace, x, near);
    near.seen_since(since);
    near.arrived_by(deadline);
    parent::choose(sight.graph, x, near)
}
