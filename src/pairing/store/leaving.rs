//! What goes: a waiting span becomes a tombstone, a tombstone is forgotten, a trace of which nothing is left is given back.

use super::{State, Store, short_tick};
use crate::pairing::index::SpanIndex;
use crate::pairing::record::Place;
use crate::pairing::room;
use crate::pairing::tomb::Tomb;
use crate::span::Weight;

// === impl Store ===

impl Store {
    /// Replaces a waiting span that was decided in the tick `horizon` by its tombstone, and returns the tick at whose close
    /// that expires, which may be the same. Its chunk is given back by [`Store::tidy`].
    pub(in crate::pairing) fn retire(&mut self, trace: u32, at: u32, horizon: u32) -> Option<u32> {
        let record = *self.records.get(at);
        let head = self.traces.get_mut(trace);
        let indexed = head.state == State::Large;
        head.spans = head.spans.saturating_sub(1);
        self.records.remove(at);
        let expires = record.deadline.saturating_add(self.waits.retain);
        let was = Place::Waiting(at);
        let tomb = match record.flags.inbound() {
            _ if expires >= horizon => Tomb::of(&record),
            false => Tomb::outlived(&record, horizon),
            true => {
                if indexed {
                    self.change_index(trace, |index| index.remove(record.span, was));
                }
                return None;
            }
        };
        let outbound = record.flags.outbound();
        let weight = if outbound { Weight::ONE } else { record.weight };
        let tomb = self.bury(trace, tomb, weight);
        if indexed {
            let to = Place::Remembered(tomb);
            self.change_index(trace, |index| index.moved(record.span, was, to));
        }
        Some(expires.max(horizon))
    }

    /// Adds the tombstone of a span that may still be a parent and stands for so many calls, and returns its reference. No
    /// index learns of it.
    pub(in crate::pairing) fn bury(&mut self, trace: u32, tomb: Tomb, weight: Weight) -> u32 {
        let head = self.traces.get_mut(trace);
        let at = self.tombs.push(&mut head.tombs, tomb);
        head.spans = head.spans.saturating_add(1);
        if weight != Weight::ONE {
            self.heavy.insert(at, weight);
        }
        at
    }

    /// Gives back the chunks of retired records, and the trace if nothing of it is left.
    pub(in crate::pairing) fn tidy(&mut self, trace: u32) {
        let head = self.traces.get_mut(trace);
        if head.state != State::Free {
            let records = self.records.remove_if(&mut head.records, |_, _| false);
            if records == 0 && head.tombs.is_empty() {
                self.free(trace);
            }
        }
    }

    /// Forgets the trace's tombstones that expire by `tick`, and gives back what [`Store::tidy`] does. With `oldest`, when
    /// the oldest of those who may need any of them arrived, what they saw is kept; whether there is such is returned. What
    /// is kept is looked at again whenever the longest wait is over once more, and not in between, so that no look at a
    /// trace is asked for when nothing of it is left.
    pub(in crate::pairing) fn forget(
        &mut self,
        trace: u32,
        tick: u32,
        oldest: Option<u32>,
    ) -> bool {
        let head = self.traces.get_mut(trace);
        if head.state == State::Free {
            return false;
        }
        if head.asked_expiry == short_tick(tick) {
            head.asked_expiry = 0;
        }
        let mut kept = false;
        let (waits, heavy) = (&self.waits, &mut self.heavy);
        let large = head.state == State::Large;
        let index = large.then(|| self.large.get_mut(&trace)).flatten();
        let mut index = index.map(Box::as_mut);
        let index_bytes = |index: &Option<&mut SpanIndex>| index.as_ref().map_or(0, |i| i.bytes());
        self.large_bytes -= index_bytes(&index);
        let tombs = self.tombs.remove_if(&mut head.tombs, |at, tomb| {
            let expires = tomb.expires(waits);
            let looked_at = expires <= tick
                && (oldest.is_none() || (tick - expires).is_multiple_of(waits.longest()));
            let gone = looked_at && oldest.is_none_or(|oldest| expires < oldest);
            kept |= looked_at && !gone;
            if gone && !heavy.is_empty() {
                heavy.remove(&at);
            }
            if let (true, Some(index)) = (gone, &mut index) {
                index.remove(tomb.span, Place::Remembered(at));
            }
            gone
        });
        if let Some(index) = &mut index {
            index.give_back();
        }
        self.large_bytes += index_bytes(&index);
        let records = self.records.remove_if(&mut head.records, |_, _| false);
        head.spans = u8::try_from(records.saturating_add(tombs)).unwrap_or(u8::MAX);
        if head.spans == 0 {
            self.free(trace);
        }
        kept
    }

    /// Gives back the room of traces that are gone.
    pub(in crate::pairing) fn give_back(&mut self, kept: usize) {
        let (traces, hasher) = (&self.traces, &self.hasher);
        self.by_id
            .give_back(|slot| hasher.hash_one(traces.get(slot).id));
        room::give_back_map(&mut self.heavy, kept);
        room::give_back_map(&mut self.large, kept);
    }

    fn free(&mut self, trace: u32) {
        let head = self.traces.get_mut(trace);
        let was = std::mem::replace(&mut head.state, State::Free);
        let id = head.id;
        let hash = self.hasher.hash_one(id);
        self.by_id.remove(hash, trace);
        if was == State::Large {
            let index = self.large.remove(&trace);
            self.large_bytes -= index.map_or(0, |index| index.bytes());
        }
        self.traces.remove(trace);
    }
}
