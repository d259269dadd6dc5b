//! What happens to a span when it arrives: it is indexed, and settles at once what no later span could change.

use super::batch::Run;
use super::parent;
use super::probe::{LinkProbe, Linker, Target};
use super::record::{Flags, Place, Record, Seen};
use super::shard::{Context, Shard};
use super::store::Near;
use crate::graph::call::{Effects, Outcome};
use crate::span::SpanKind;

/// Most spans that share one id in one trace, those included that are kept for others beyond their time. A client and the
/// servers that join its span are a handful; at the bound a further span is taken for a duplicate, or an id used by
/// everybody would cost the square of its spans.
const MOST_SHARING: usize = 32;

/// Most spans below one that arrives, if it is to be taken in at once, and how many those of a chunk may have together for
/// each of it besides: what settles or marks them must not take longer than a chunk. With more, a span is put off to the
/// close of its tick, as if it had been the last to arrive in it.
const MOST_BELOW: usize = 256;
pub(super) const BELOW_EACH: usize = 4;
/// As many spans below are looked at for a run as if it had so many more.
pub(super) const MORE: usize = 16;

/// Traces that may become large for each so many spans of a run, and for the first: each then gets an index of all its
/// spans. The spans that come after that are taken in later.
pub(super) const LARGE_EACH: usize = 16;

// === impl Shard ===

impl Shard {
    /// Takes accepted spans, in arrival order. All traces are found first, then all their records touched, then the
    /// spans taken: memory is far away, and independent reads overlap (a third of the time, benches/core.rs). Returns how
    /// many of the first it took, at least one: what it grows by is bounded.
    pub(super) fn insert_all(
        &mut self,
        cx: &Context<'_>,
        spans: Run<'_>,
        fx: &mut Effects,
    ) -> usize {
        let below = BELOW_EACH * (MORE + spans.len());
        let large = 1 + spans.len() / LARGE_EACH;
        self.insert_run(cx, spans, (below, MOST_BELOW), large, fx)
    }

    /// Takes the spans in that are put off: those of the tick at hand.
    pub(super) fn insert_put_off(&mut self, cx: &Context<'_>, fx: &mut Effects) {
        let put_off = std::mem::take(&mut self.put_off);
        self.put_off_ids.clear();
        self.insert_run(cx, put_off.run(), (usize::MAX, usize::MAX), usize::MAX, fx);
    }

    fn insert_run(
        &mut self,
        cx: &Context<'_>,
        spans: Run<'_>,
        (mut below, most_below): (usize, usize),
        large: usize,
        fx: &mut Effects,
    ) -> usize {
        self.store.begin(cx.tick());
        let mut traces = std::mem::take(&mut self.work.traces);
        traces.clear();
        let mut last = None;
        for span in spans.iter() {
            let known = last.filter(|(id, _)| *id == span.trace);
            let slot =
                known.map_or_else(|| self.store.trace(span.hash, span.trace), |(_, slot)| slot);
            last = Some((span.trace, slot));
            traces.push(slot);
        }
        let touched = traces
            .iter()
            .map(|&trace| self.store.fetch(trace))
            .fold(0, u64::wrapping_add);
        std::hint::black_box(touched);
        let (before, mut inserted) = (self.store.large_made(), 0);
        for (&trace, span) in traces.iter().zip(spans.iter()) {
            if self.store.large_made() - before >= large as u64 {
                break;
            }
            inserted += 1;
            let links = spans.links(span);
            let most = below.clamp(1, most_below);
            let taken = self.insert(cx, trace, span.record, links, most, fx);
            below = below.saturating_sub(self.work.arrival.children.len());
            if !taken {
                self.put_off.push(span, links);
                self.put_off_ids.insert((trace, span.record.span));
            }
        }
        // They may have been made for what is not taken in.
        traces[inserted..]
            .iter()
            .for_each(|&trace| self.store.tidy(trace));
        self.work.traces = traces;
        inserted
    }

    /// Takes a span in. If there are `most_below` spans below it or more, it does nothing and returns false.
    fn insert(
        &mut self,
        cx: &Context<'_>,
        trace: u32,
        mut record: Record,
        links: &[Target],
        most_below: usize,
        fx: &mut Effects,
    ) -> bool {
        self.work.arrival.children.clear();
        // Another one with its id found too many.
        if !self.put_off_ids.is_empty() && self.put_off_ids.contains(&(trace, record.span)) {
            return false;
        }
        let mut near = std::mem::take(&mut self.work.arrival);
        self.store
            .look_same(trace, record.span, record.parent, &mut near);
        let crowded = near.same.len() >= MOST_SHARING;
        let repeat = |seen: &Seen| seen.until >= record.arrived && is_repeat(&record, seen);
        if crowded || near.same.iter().any(repeat) {
            fx.outcome(Outcome::Duplicate);
            self.work.arrival = near;
            return true;
        }
        let (span, parent) = (record.span, record.parent);
        let store = &self.store;
        if !store.look_further(trace, span, parent, most_below, &mut near) {
            self.work.arrival = near;
            return false;
        }
        near.seen_since(record.arrived);
        record
            .flags
            .set_if(Flags::INSIDE, parent::is_inside(&record, &near.parents));
        let at = self.store.push(trace, record);
        self.pending += 1;
        if self.store.ask(trace, record.deadline) {
            self.due.push(record.deadline, trace);
        }
        self.settle_near(cx, trace, &record.seen(at), &near, fx);
        self.work.arrival = near;
        self.link(trace, &record, links);
        true
    }

    /// Sends the links of a span that arrives on their way, and wakes those that may have waited for it.
    fn link(&mut self, trace: u32, record: &Record, links: &[Target]) {
        let id = self.store.id(trace);
        if record.flags.kind() == SpanKind::Producer {
            self.probes.wake(Target {
                trace: id,
                span: record.span,
            });
        }
        let from = Linker::new(id, record);
        let probe = |&target| LinkProbe { target, from };
        self.probes.outbox.extend(links.iter().map(probe));
    }

    /// Settles what the arrival of `x` lets settle at once: `x` itself, early spans below it. SERVERs that share an id with
    /// an outbound span wait for the close of the tick, CONSUMERs for their links.
    fn settle_near(
        &mut self,
        cx: &Context<'_>,
        trace: u32,
        x: &Seen,
        near: &Near,
        fx: &mut Effects,
    ) {
        let open = |c: &Seen| {
            let undecided = !c.flags.has(Flags::DECIDED) && !c.flags.has(Flags::HELD);
            c.flags.kind() == SpanKind::Server && undecided
        };
        let shares_id = near.same.iter().any(|p| p.flags.outbound());
        if let (true, Place::Waiting(at)) = (open(x), x.at) {
            if shares_id {
                self.settle_at_close(trace, at);
            } else if x.flags.has(Flags::EARLY) && !near.parents.is_empty() {
                self.settle_early(cx, trace, at, parent::choose(cx.graph, x, near), fx);
            }
        }
        let sharing = near.same.iter().filter(|_| x.flags.outbound());
        for callee in sharing.filter(|c| open(c)) {
            if let Place::Waiting(at) = callee.at {
                self.settle_at_close(trace, at);
            }
        }
        let below = near.children.iter().filter(|c| c.flags.has(Flags::EARLY));
        for child in below.filter(|c| open(c)) {
            if let Place::Waiting(at) = child.at {
                let parent = self.parent_of(cx, trace, at);
                self.settle_early(cx, trace, at, parent, fx);
                cx.relieve(fx);
            }
        }
        let inside = |c: &&Seen| c.service == x.service && !c.flags.inbound();
        for child in near
            .children
            .iter()
            .filter(inside)
            .filter(|c| parent::accepts(x, c))
        {
            self.store.mark(child.at, Flags::INSIDE);
            // A span with this id may have waited to see whether the child enters its service.
            if !near.same.is_empty() && child.arrived < x.arrived {
                self.look_again(trace, x.arrived);
            }
        }
    }

    /// Has a SERVER settled when the tick closes, if it can by then.
    fn settle_at_close(&mut self, trace: u32, at: u32) {
        self.store.mark(Place::Waiting(at), Flags::HELD);
        self.closing.push((trace, at));
    }

    /// Settles the SERVERs that waited for the close of the tick.
    pub(super) fn settle_closing(&mut self, cx: &Context<'_>, fx: &mut Effects) {
        let mut closing = std::mem::take(&mut self.closing);
        for (trace, at) in closing.drain(..) {
            self.store.unmark(Place::Waiting(at), Flags::HELD);
            let parent = self.parent_of(cx, trace, at);
            self.settle_early(cx, trace, at, parent, fx);
            if self.store.record(at).arrived < cx.tick() {
                self.look_again(trace, cx.tick());
            }
            cx.relieve(fx);
        }
        self.closing = closing;
    }
}

/// R1: the same (trace, span, side, service, start).
fn is_repeat(record: &Record, seen: &Seen) -> bool {
    seen.flags.side() == record.flags.side()
        && seen.service == record.service
        && seen.start32 == super::record::short(record.start_ns)
}
