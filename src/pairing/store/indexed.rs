//! The indexes of large traces.

use super::{State, Store};
use crate::pairing::index::{Parent, SpanIndex};
use crate::pairing::record::Place;

/// A trace with more spans than this gets an index of its own: walking 48 records costs about as much as the index.
const SMALL: u8 = 48;

// === impl Store ===

impl Store {
    /// Gives a trace the index that its size calls for, of what is there now.
    pub(in crate::pairing) fn index_if_large(&mut self, trace: u32) {
        let head = self.traces.get_mut(trace);
        if head.spans <= SMALL {
            return;
        }
        head.state = State::Large;
        let mut index = SpanIndex::new(self.hasher.clone());
        self.tombs.each(head.tombs, |at, tomb| {
            let parent = Parent::short(tomb.parent32);
            index.add(tomb.span, parent, tomb.service(), Place::Remembered(at));
        });
        self.records.each(head.records, |at, record| {
            let parent = Parent::whole(record.parent);
            index.add(record.span, parent, record.service, Place::Waiting(at));
        });
        // Some may stand before their parent.
        self.tombs
            .each(head.tombs, |_, tomb| index.adopt(tomb.span));
        self.large_bytes += index.bytes();
        self.large_made += 1;
        self.large.insert(trace, Box::new(index));
    }

    pub(super) fn is_indexed(&self, trace: u32) -> bool {
        self.traces.get(trace).state == State::Large
    }

    pub(super) fn change_index(&mut self, trace: u32, change: impl FnOnce(&mut SpanIndex)) {
        let index = self.large.get_mut(&trace);
        let index = index.expect("an indexed trace has its index");
        self.large_bytes -= index.bytes();
        change(index);
        self.large_bytes += index.bytes();
    }
}
