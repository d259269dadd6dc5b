//! Finds the spans of a trace by their ids, waiting or remembered: by walking a small trace, by the index of a large one.

use super::Store;
use crate::graph::NodeId;
use crate::pairing::index::{Key, SpanIndex};
use crate::pairing::record::{Place, Seen, short};

/// What stands near a span in its trace, the span itself included. Reused; filled by [`Store::look`].
#[derive(Debug, Default)]
pub(in crate::pairing) struct Near {
    /// Spans with the same id.
    pub(in crate::pairing) same: Vec<Seen>,
    /// Spans whose id is the parent's.
    pub(in crate::pairing) parents: Vec<Seen>,
    /// Spans whose parent is this id.
    pub(in crate::pairing) children: Vec<Seen>,
}

// === impl Store ===

impl Store {
    /// Everything near (`span`, `parent`): spans with that id, spans with the parent's id, spans below that id.
    pub(in crate::pairing) fn look(&self, trace: u32, span: u64, parent: u64, near: &mut Near) {
        near.same.clear();
        near.parents.clear();
        near.children.clear();
        let head = &self.traces[trace as usize];
        if head.indexed {
            self.named(trace, span, &mut near.same);
            if parent != 0 {
                self.named(trace, parent, &mut near.parents);
            }
            self.below(trace, span, &mut near.children);
            return;
        }
        self.records.each(head.records, |at, record| {
            if record.span == span {
                near.same.push(record.seen(at));
            }
            if record.span == parent {
                near.parents.push(record.seen(at));
            }
            if record.parent == span {
                near.children.push(record.seen(at));
            }
        });
        let span32 = short(span);
        self.tombs.each(head.tombs, |at, tomb| {
            if tomb.span == span {
                near.same.push(tomb.seen(at, &self.waits));
            }
            if tomb.span == parent {
                near.parents.push(tomb.seen(at, &self.waits));
            }
            if tomb.parent32 == span32 {
                near.children.push(tomb.seen(at, &self.waits));
            }
        });
    }

    /// What R3 asks about a span that may be remembered only: spans with its id and with its parent's, of which a
    /// tombstone knows the short form.
    pub(in crate::pairing) fn look_around(&self, trace: u32, x: &Seen, near: &mut Near) {
        near.same.clear();
        near.parents.clear();
        near.children.clear();
        if x.flags.inbound() {
            self.named(trace, x.span, &mut near.same);
        }
        match x.at {
            Place::Waiting(at) if x.parent32 != 0 => {
                self.named(trace, self.record(at).parent, &mut near.parents);
            }
            Place::Remembered(_) if x.parent32 != 0 => {
                self.named_short(trace, x.parent32, &mut near.parents);
            }
            _ => {}
        }
    }

    /// Spans with this id.
    pub(in crate::pairing) fn named(&self, trace: u32, span: u64, out: &mut Vec<Seen>) {
        self.find(trace, Key::Span(short(span)), |seen| seen.span == span, out);
    }

    /// Spans with an id of which only the short form is known.
    pub(in crate::pairing) fn named_short(&self, trace: u32, span32: u32, out: &mut Vec<Seen>) {
        self.find(
            trace,
            Key::Span(span32),
            |seen| short(seen.span) == span32,
            out,
        );
    }

    /// Spans whose parent has this id.
    pub(in crate::pairing) fn below(&self, trace: u32, span: u64, out: &mut Vec<Seen>) {
        let span32 = short(span);
        self.find(
            trace,
            Key::Parent(span32),
            |seen| self.is_below(seen, span, span32),
            out,
        );
    }

    /// Spans of one service whose parent has this id.
    pub(in crate::pairing) fn below_in(
        &self,
        trace: u32,
        span: u64,
        service: NodeId,
        out: &mut Vec<Seen>,
    ) {
        let span32 = short(span);
        let is_child = |seen: &Seen| seen.service == service && self.is_below(seen, span, span32);
        self.find(trace, Key::Child(span32, service), is_child, out);
    }

    /// A record knows its whole parent id, a tombstone the short one.
    fn is_below(&self, seen: &Seen, span: u64, span32: u32) -> bool {
        match seen.at {
            Place::Waiting(at) => self.record(at).parent == span,
            Place::Remembered(_) => seen.parent32 == span32,
        }
    }

    /// The spans of a trace that `keep` keeps; in a large trace, of those under `key`.
    fn find(&self, trace: u32, key: Key, keep: impl Fn(&Seen) -> bool, out: &mut Vec<Seen>) {
        let head = &self.traces[trace as usize];
        if head.indexed {
            self.large[&trace].each(key, |place| out.extend(self.place(place).filter(&keep)));
            return;
        }
        self.records.each(head.records, |at, record| {
            out.extend(Some(record.seen(at)).filter(&keep));
        });
        self.tombs.each(head.tombs, |at, tomb| {
            out.extend(Some(tomb.seen(at, &self.waits)).filter(&keep));
        });
    }

    /// What stands at a place, unless it is gone.
    fn place(&self, place: u32) -> Option<Seen> {
        let seen = match SpanIndex::tomb_of(place) {
            Some(at) => self.tombs.get(at).seen(at, &self.waits),
            None => self.records.get(place).seen(place),
        };
        (seen.span != 0).then_some(seen)
    }
}
