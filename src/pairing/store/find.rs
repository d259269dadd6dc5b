//! Finds the spans of a trace by their ids, waiting or remembered: by walking a small trace, by the index of a large one.

use super::Store;
use crate::graph::NodeId;
use crate::pairing::index::{Key, Parent};
use crate::pairing::record::{Place, Seen, short};
use crate::pairing::room;

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

// === impl Near ===

impl Near {
    /// Bytes of its lists.
    pub(in crate::pairing) fn bytes(&self) -> u64 {
        room::of_list(&self.same) + room::of_list(&self.parents) + room::of_list(&self.children)
    }

    /// Leaves what is seen by a span that arrived in the tick `since`.
    pub(in crate::pairing) fn seen_since(&mut self, since: u32) {
        for seen in [&mut self.same, &mut self.parents, &mut self.children] {
            seen.retain(|seen| seen.until >= since);
        }
    }

    /// Leaves what had arrived by the close of `tick`.
    pub(in crate::pairing) fn arrived_by(&mut self, tick: u32) {
        for seen in [&mut self.same, &mut self.parents, &mut self.children] {
            seen.retain(|seen| seen.arrived <= tick);
        }
    }
}

// === impl Store ===

impl Store {
    /// Everything near (`span`, `parent`): spans with that id, spans with the parent's id, spans below that id.
    pub(in crate::pairing) fn look(&self, trace: u32, span: u64, parent: u64, near: &mut Near) {
        self.look_same(trace, span, parent, near);
        self.look_further(trace, span, parent, usize::MAX, near);
    }

    /// The first half of [`Store::look`]: spans with that id. Of a duplicate nobody asks more, and very many may come of a
    /// span with very many children. Of a small trace one walk finds everything.
    pub(in crate::pairing) fn look_same(
        &self,
        trace: u32,
        span: u64,
        parent: u64,
        near: &mut Near,
    ) {
        near.same.clear();
        near.parents.clear();
        near.children.clear();
        if self.is_indexed(trace) {
            self.named(trace, span, &mut near.same);
            return;
        }
        let head = self.traces.get(trace);
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

    /// The second half: spans with the parent's id, spans below that id. Whether these are fewer than `most`; if not, it
    /// stopped there.
    pub(in crate::pairing) fn look_further(
        &self,
        trace: u32,
        span: u64,
        parent: u64,
        most: usize,
        near: &mut Near,
    ) -> bool {
        if self.is_indexed(trace) {
            if parent != 0 {
                self.named(trace, parent, &mut near.parents);
            }
            self.under_parent(trace, span, Key::Parent, most, &mut near.children);
        }
        near.children.len() < most
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
        if x.parent != 0 {
            self.named(trace, x.parent, &mut near.parents);
        } else if x.parent32 != 0 && !self.is_indexed(trace) {
            // In a large trace a span with that id would have taken `x` for its child.
            let is_parent = |seen: &Seen| short(seen.span) == x.parent32;
            self.walk(trace, is_parent, &mut near.parents);
        }
    }

    /// Spans with this id.
    pub(in crate::pairing) fn named(&self, trace: u32, span: u64, out: &mut Vec<Seen>) {
        if self.is_indexed(trace) {
            return self.under(trace, Key::Span(span), usize::MAX, out);
        }
        self.walk(trace, |seen| seen.span == span, out);
    }

    /// Spans of one service whose parent has this id.
    pub(in crate::pairing) fn below_in(
        &self,
        trace: u32,
        span: u64,
        service: NodeId,
        out: &mut Vec<Seen>,
    ) {
        if self.is_indexed(trace) {
            let key = |parent| Key::Child(parent, service);
            return self.under_parent(trace, span, key, usize::MAX, out);
        }
        let is_child = |seen: &Seen| seen.service == service && is_below(seen, span);
        self.walk(trace, is_child, out);
    }

    /// The spans of a large trace under a key, no more than `most`.
    fn under(&self, trace: u32, key: Key, most: usize, out: &mut Vec<Seen>) {
        let visited = self.large[&trace].each(key, most, |place, parent| {
            out.push(self.place(place, parent));
        });
        self.visited.set(self.visited.get() + visited as u64);
    }

    /// The spans of a large trace under the keys of a parent, no more than twice `most`.
    fn under_parent(
        &self,
        trace: u32,
        span: u64,
        key: impl Fn(Parent) -> Key,
        most: usize,
        out: &mut Vec<Seen>,
    ) {
        self.under(trace, key(Parent::Whole(span)), most, out);
        if self.large[&trace].is_unsure() {
            self.under(trace, key(Parent::Short(short(span))), most, out);
        }
    }

    /// The spans of a small trace that `keep` keeps.
    fn walk(&self, trace: u32, keep: impl Fn(&Seen) -> bool, out: &mut Vec<Seen>) {
        let head = self.traces.get(trace);
        self.records.each(head.records, |at, record| {
            out.extend(Some(record.seen(at)).filter(&keep));
        });
        self.tombs.each(head.tombs, |at, tomb| {
            out.extend(Some(tomb.seen(at, &self.waits)).filter(&keep));
        });
    }

    /// What stands at a place.
    fn place(&self, place: Place, parent: Option<u64>) -> Seen {
        let seen = match place {
            Place::Remembered(at) => self.tombs.get(at).seen(at, &self.waits),
            Place::Waiting(at) => self.records.get(at).seen(at),
        };
        debug_assert!(seen.span != 0, "the index knows who is gone");
        let parent = parent.unwrap_or_default();
        Seen { parent, ..seen }
    }
}

/// Whether a span is below that id; of a small trace's tombstone 32 bits say so.
fn is_below(seen: &Seen, span: u64) -> bool {
    match seen.at {
        Place::Waiting(_) => seen.parent == span,
        Place::Remembered(_) => seen.parent32 == short(span),
    }
}
