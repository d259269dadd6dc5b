//! Settles callees: an inbound span finds its caller, or what stands for it.

use super::draw::{Callee, inbound_connection};
use super::linked::Answered;
use super::parent::Parent;
use super::record::{Flags, Place, Record, Seen};
use super::shard::{Context, Shard};
use crate::graph::TextId;
use crate::graph::call::{
    CallClass, CalledFrom, Effects, NodeCall, Outcome, Reason, Sample, Unpaired,
};
use crate::span::SpanKind;

// === impl Shard ===

impl Shard {
    /// Settles an inbound span at once on the parent that was found, if no later span could change that: it has the
    /// span's own id, or the span's id cannot be shared.
    pub(super) fn settle_early(
        &mut self,
        cx: &Context<'_>,
        trace: u32,
        at: u32,
        parent: Parent,
        fx: &mut Effects,
    ) {
        let x = self.store.record(at);
        if let Parent::Is(parent) = parent
            && !x.flags.has(Flags::DECIDED)
            && (x.flags.has(Flags::EARLY) || parent.span == x.span)
        {
            self.settle_on(cx, trace, at, &parent, fx);
        }
    }

    /// Settles an inbound span whose wait is over, one way or another.
    pub(super) fn settle_inbound(
        &mut self,
        cx: &Context<'_>,
        trace: u32,
        at: u32,
        fx: &mut Effects,
    ) {
        let x = *self.store.record(at);
        let answered = self.answered.get(&at).copied();
        let parent = self.parent_of(cx, trace, at);
        let linked_inside = |p: &Seen| answered.is_some() && p.service == x.service;
        let unused = matches!(parent, Parent::Is(p) | Parent::Closed(p) if linked_inside(&p));
        let aside = answered == Some(Answered::Aside)
            || !unused && self.gives_way_below(cx, trace, &x, &parent);
        let calls = match parent {
            // R12: these are nobody's caller in their own service, so nothing is late for them.
            Parent::Closed(p) if p.service == x.service && never_calls(&p) => Parent::Is(p),
            parent => parent,
        };
        match calls {
            // Its messages are those of ignored producers.
            _ if x.flags.has(Flags::FILTERED) => self.decide(at, Outcome::Filtered, fx),
            _ if aside => self.decide(at, Outcome::Internal, fx),
            Parent::Is(p) if !linked_inside(&p) && !is_own_receive(&x, &p) => {
                self.settle_on(cx, trace, at, &p, fx);
            }
            Parent::Closed(p) if !linked_inside(&p) => {
                self.settle_uncalled(trace, at, Outcome::Late, fx);
            }
            Parent::NotSeen if !x.flags.has(Flags::BROKERED) => {
                self.settle_uncalled(trace, at, Outcome::UnpairedServer, fx);
            }
            _ if answered == Some(Answered::Closed) => {
                self.settle_uncalled(trace, at, Outcome::Late, fx);
            }
            // R12: a receive without links draws nothing.
            Parent::Is(_) | Parent::None if x.flags.receives() && answered.is_none() => {
                self.decide(at, Outcome::Internal, fx);
            }
            _ if self.draw_virtual_client(cx, trace, at, fx) => {}
            _ => self.settle_uncalled(trace, at, Outcome::Root, fx),
        }
        if let Parent::Is(_) = parent {
            // Its parent was seen: no other span with that id was its caller.
            self.store.unmark(Place::Waiting(at), Flags::AWAITING);
        }
    }

    /// R4, R5, R6 for an inbound span with a seen parent.
    pub(super) fn settle_on(
        &mut self,
        cx: &Context<'_>,
        trace: u32,
        at: u32,
        parent: &Seen,
        fx: &mut Effects,
    ) {
        let x = *self.store.record(at);
        let call = if parent.service != x.service {
            true
        } else if never_calls(parent) {
            false
        } else if parent.flags.outbound() {
            let inside = x.flags.has(Flags::LOCAL) || parent.flags.has(Flags::LOOPBACK);
            if inside {
                self.store.mark(parent.at, Flags::CONTINUED);
            }
            !inside
        } else {
            x.flags.has(Flags::REMOTE)
        };
        if !call {
            return self.decide(at, Outcome::Internal, fx);
        }
        if self.filter_pair(at, parent, fx) {
            return;
        }
        let callee = Callee::inbound(
            &x,
            CallClass::Paired,
            inbound_connection(x.flags, parent.flags),
        );
        self.draw(cx, trace, parent, &callee, fx);
        if parent.span != x.span {
            self.store.mark(Place::Waiting(at), Flags::OVERTAKEN);
        }
        self.decide(at, Outcome::Paired, fx);
    }

    /// An inbound span that no edge leads to: its node was called all the same.
    fn settle_uncalled(&mut self, trace: u32, at: u32, outcome: Outcome, fx: &mut Effects) {
        let x = *self.store.record(at);
        self.store.record_mut(at).flags.set(Flags::AWAITING);
        if x.flags.has(Flags::IGNORED) {
            return self.decide(at, Outcome::Filtered, fx);
        }
        let from = match outcome {
            Outcome::Root => CalledFrom::NoCaller,
            _ => CalledFrom::Unpaired,
        };
        fx.node_calls.push(NodeCall {
            node: x.service,
            from,
            failed: x.flags.has(Flags::FAILED),
            server: Sample::between(x.start_ns, x.end_ns),
            address: TextId(0),
        });
        match outcome {
            Outcome::Late => self.unpaired(trace, &x, Reason::ArrivedLate, fx),
            Outcome::UnpairedServer => self.unpaired(trace, &x, Reason::ParentNotSeen, fx),
            _ => {}
        }
        self.decide(at, outcome, fx);
    }

    /// Notes a span without a partner for "why is my edge missing?". If its wait was cut short, that is why (R2).
    pub(super) fn unpaired(&self, trace: u32, x: &Record, reason: Reason, fx: &mut Effects) {
        let cut_short = x.deadline > self.store.now() && reason != Reason::ArrivedLate;
        let reason = if cut_short { Reason::Evicted } else { reason };
        fx.unpaired.push(Unpaired {
            node: x.service,
            kind: x.flags.kind(),
            name: x.name,
            reason,
            trace: self.store.id(trace),
        });
    }
}

/// R12: receive and settle never call their own service.
fn never_calls(parent: &Seen) -> bool {
    parent.flags.receives() || parent.flags.settles()
}

/// R12: a CONSUMER without links below its own service's receive without links is a root of its own.
fn is_own_receive(x: &Record, parent: &Seen) -> bool {
    x.flags.kind() == SpanKind::Consumer
        && parent.flags.receives()
        && parent.service == x.service
        && !parent.flags.has(Flags::LINKS)
}
