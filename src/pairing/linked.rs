//! R12, the linking span's side: its calls, and what it is when it has none.

use super::entry::is_missing;
use super::parent::Parent;
use super::probe::{Answer, Linker, Verdict};
use super::record::{Flags, Place};
use super::shard::{Context, Shard};
use crate::graph::TextId;
use crate::graph::call::{Call, CalledFrom, Effects, NodeCall, Outcome, Sample};

/// What was answered to a span that settles in the sweep at hand. The first of these outweighs the later.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Answered {
    /// It has a call by a link.
    Called,
    /// It gives way to another consumer of its service.
    Aside,
    /// A producer it links to was decided without it.
    Closed,
    /// A span it links to was not seen.
    NotSeen,
}

// === impl Shard ===

impl Shard {
    /// Takes the answers to this shard's links; what they say holds until the sweep that follows. A span that is not
    /// there any more had its wait cut short for want of memory, and was decided, and perhaps drawn, without them.
    pub(super) fn take_answers(&mut self, cx: &Context<'_>, answers: &[Answer], fx: &mut Effects) {
        for Answer { to, verdict } in answers {
            cx.relieve(fx);
            let asked = self.find(to);
            let waited = asked.is_some() && to.arrived < cx.tick();
            if let Some(trace) = self.store.lookup(to.trace).filter(|_| waited) {
                self.look_again(trace, cx.tick());
            }
            match (verdict, asked) {
                (Verdict::Call(call), Some(at)) => self.draw_linked(to, at, (**call).clone(), fx),
                (Verdict::Batch, Some(at)) => {
                    self.store.mark(Place::Waiting(at), Flags::CONTINUED);
                }
                (Verdict::Filtered, Some(at)) => self.filter_linked(at),
                (Verdict::Aside, Some(at)) => self.note(at, Answered::Aside),
                (Verdict::Closed, Some(at)) => self.note(at, Answered::Closed),
                (Verdict::NotSeen, Some(at)) => self.note(at, Answered::NotSeen),
                (_, None) => {}
            }
        }
    }

    fn find(&mut self, asked: &Linker) -> Option<u32> {
        let trace = self.store.lookup(asked.trace)?;
        let mut named = std::mem::take(&mut self.work.linked);
        named.clear();
        self.store.named(trace, asked.span, &mut named);
        let found = named.iter().find_map(|seen| match seen.at {
            Place::Waiting(at) => asked.is(self.store.record(at)).then_some(at),
            Place::Remembered(_) => None,
        });
        self.work.linked = named;
        found
    }

    pub(super) fn note(&mut self, at: u32, answered: Answered) {
        let known = self.answered.entry(at).or_insert(answered);
        *known = answered.min(*known);
    }

    /// A call by a link. The consumer's duration is one sample of each edge on which it is called, and one of its node,
    /// however many messages it took (R13).
    fn draw_linked(&mut self, to: &Linker, at: u32, mut call: Call, fx: &mut Effects) {
        let mut server = Sample::None;
        let x = *self.store.record(at);
        if x.flags.inbound() {
            let duration = Sample::between(x.start_ns, x.end_ns);
            let record = self.store.record_mut(at);
            let charge = self.charges.charge(at, record, call.edge, false, x.weight);
            if charge.first {
                call.server = duration;
            }
            if !x.flags.has(Flags::DECIDED) {
                server = duration;
            }
            self.decide(at, Outcome::Paired, fx);
        } else {
            self.note(at, Answered::Called);
        }
        fx.calls.push(call);
        fx.node_calls.push(NodeCall {
            node: to.service,
            from: CalledFrom::Edges,
            failed: to.flags.has(Flags::FAILED),
            server,
            address: TextId(0),
        });
    }

    /// R12: of these spans, whose wait is over, a receive to whose links nothing was answered has none that counts: it is one
    /// without links for the consumers below it too.
    pub(super) fn ignore_links(&mut self, waiting: &[u32]) {
        for &at in waiting {
            let flags = self.store.record(at).flags;
            let is_asked = flags.receives() && flags.has(Flags::LINKS);
            // A receive that is a CLIENT is decided as a caller, perhaps long before.
            let settled = if flags.inbound() {
                [Flags::DECIDED, Flags::FILTERED]
            } else {
                [Flags::ENTERED, Flags::HELD]
            };
            let is_settled = || settled.iter().any(|flag| flags.has(*flag));
            if is_asked && !is_settled() && !self.answered.contains_key(&at) {
                self.store.unmark(Place::Waiting(at), Flags::LINKS);
            }
        }
    }

    /// Settles a CLIENT receive, whose wait is over, as a callee, unless another service's span is its parent, for which it
    /// does not give way, and it has no call by a link: then R5 is asked.
    pub(super) fn settle_receive(
        &mut self,
        cx: &Context<'_>,
        trace: u32,
        at: u32,
        fx: &mut Effects,
    ) {
        let x = *self.store.record(at);
        if x.flags.has(Flags::HELD) {
            // All this was asked at its deadline; its group waits for another member.
            return;
        }
        let answered = self.answered.get(&at).copied();
        if !matches!(answered, Some(Answered::Called | Answered::Aside)) {
            let parent = self.parent_of(cx, trace, at);
            let inside =
                matches!(parent, Parent::Is(p) | Parent::Closed(p) if p.service == x.service);
            let aside = !inside && self.gives_way_below(cx, trace, &x, &parent);
            if !aside && is_missing(&x, &parent) {
                self.store.mark(Place::Waiting(at), Flags::AWAITING);
            }
            let unseen = match parent {
                _ if inside => true,
                _ if aside => false,
                Parent::Is(_) => return,
                Parent::Closed(_) => false,
                Parent::NotSeen => x.flags.has(Flags::BROKERED),
                Parent::None => true,
            };
            if unseen && answered == Some(Answered::NotSeen) {
                self.virtual_client_call(cx, trace, &x, fx);
            }
        }
        self.store.mark(Place::Waiting(at), Flags::ENTERED);
    }
}
