//! R9: whether a span is matched, as far as what had arrived by the deciding span's deadline tells.
//!
//! Where nobody can have come to an outbound span later than that, a call it made is enough, even if its callee is forgotten
//! meanwhile. Otherwise what a callee becomes may hang on what arrives until its own deadline, and on links into other traces, so it is not
//! asked: whoever had arrived by then, and whose caller by R3 and R12 the span is of all that had, matches it. An inbound
//! span of its own service does whether it is called or hands the call on (R4).

use super::carried::parent_in;
use super::{Sight, Walk};
use crate::pairing::linking::creator;
use crate::pairing::parent::Parent;
use crate::pairing::probe::{LinkProbe, Target};
use crate::pairing::record::{Flags, Seen};
use crate::span::SpanKind;

// === impl Walk ===

impl Walk {
    /// Whether the span is matched for the one that is decided.
    pub(super) fn is_matched(&mut self, sight: Sight<'_>, p: &Seen) -> bool {
        let accepts_nobody_later = p.deadline <= self.deadline && !p.flags.has(Flags::IGNORED);
        if p.flags.outbound() && accepts_nobody_later && p.flags.has(Flags::HAS_CALL) {
            return true;
        }
        if let Some(&known) = self.matched.get(&p.at) {
            return known;
        }
        sight.store.look(self.trace, p.span, 0, &mut self.near);
        self.near.seen_since(self.since);
        self.near.arrived_by(self.deadline);
        let matched = self.is_parent(sight, p) || self.is_linked(sight, p);
        self.matched.insert(p.at, matched);
        matched
    }

    /// Whether R3 gives a span near `p` that parent, and it may be called by it.
    fn is_parent(&mut self, sight: Sight<'_>, p: &Seen) -> bool {
        let same = self.near.same.iter().filter(|c| c.flags.inbound());
        let mut callees = same
            .chain(&self.near.children)
            .filter(|c| may_be_called(c, p));
        callees.any(|c| {
            let seen = (self.since.max(c.arrived), self.deadline);
            let parent = parent_in(sight, self.trace, c, seen, &mut self.callee);
            matches!(parent, Parent::Is(of) if of.at == p.at)
        })
    }

    /// Whether a link names `p` as where its span's message was created.
    fn is_linked(&self, sight: Sight<'_>, p: &Seen) -> bool {
        if !matches!(p.flags.kind(), SpanKind::Producer | SpanKind::Client) {
            return false;
        }
        let target = Target {
            trace: sight.store.id(self.trace),
            span: p.span,
        };
        let is_callee = |LinkProbe { from, .. }: &LinkProbe| {
            let in_time = from.arrived <= self.deadline;
            !from.sends() && in_time && sight.probes.expires(from) >= self.since
        };
        sight.probes.any(target, |probe, _| {
            let seen = self.near.same.iter();
            let seen = seen.filter(|s| s.until >= probe.from.arrived);
            is_callee(probe)
                && creator(sight.graph, &probe.from, seen).is_some_and(|of| of.at == p.at)
        })
    }
}

/// Whether a span whose parent `p` is may be its callee: inbound or, in another service, an entry (R4, R5, R12).
fn may_be_called(c: &Seen, p: &Seen) -> bool {
    if c.service == p.service {
        return c.flags.inbound() && !p.flags.receives() && !p.flags.settles();
    }
    c.flags.inbound() || !c.flags.settles()
}
