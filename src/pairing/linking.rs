//! R12, the linked span's side: which span a link names, and whether that sent the message.

use super::draw::Callee;
use super::ignore::missed_by;
use super::parent;
use super::probe::{Answer, LinkProbe, Linker, Target, Verdict, is_creation_context};
use super::probes::State;
use super::record::{Flags, Seen};
use super::shard::{Context, Shard};
use crate::graph::Graph;
use crate::graph::call::{Call, CallClass, Effects, Outcome, Sample};
use crate::proto::ConnectionType;
use crate::span::SpanKind;

/// What a link names.
enum Linked {
    /// A creation context that accepts its consumer; the slot of its trace.
    Is(u32, Seen),
    /// Only creation contexts that had stopped accepting consumers.
    Closed,
    /// Seen, and no creation context.
    Ambient,
    NotSeen,
}

/// Links that are answered before it is asked whether there is room for more answers.
pub(super) const ANSWERED_AT_ONCE: usize = 64;

// === impl Shard ===

impl Shard {
    /// Begins to answer the links that name this shard's spans and settle: a CONSUMER's as soon as its PRODUCER is there, all
    /// others at their span's deadline. All that were asked by the close of the tick are here.
    pub(super) fn begin_answers(&mut self, cx: &Context<'_>) {
        let mut early = Vec::new();
        self.probes.take_early(&mut early);
        let links = &mut self.round.links;
        self.probes.take_due(cx.tick(), links);
        self.round.due = links.len();
        links.reverse();
        links.extend(early.into_iter().rev());
        self.work.gives_way.clear();
    }

    /// Answers some of them; returns whether there were any.
    pub(super) fn answer_some(
        &mut self,
        cx: &Context<'_>,
        answers: &mut Vec<Answer>,
        fx: &mut Effects,
    ) -> bool {
        if self.round.links.is_empty() {
            self.round.links = Vec::new();
            return false;
        }
        for _ in 0..ANSWERED_AT_ONCE {
            let early = self.round.links.len() > self.round.due;
            match self.round.links.pop().and_then(|id| self.open_link(id)) {
                Some((id, probe)) if !early => self.answer_due(cx, id, &probe, answers, fx),
                Some((id, probe)) if probe.from.consumes() => {
                    self.answer_early(cx, id, &probe, answers, fx);
                }
                _ => {}
            }
            cx.relieve(fx);
        }
        true
    }

    fn open_link(&self, id: u32) -> Option<(u32, LinkProbe)> {
        Some((id, self.probes.open(id)?))
    }

    fn answer_early(
        &mut self,
        cx: &Context<'_>,
        id: u32,
        probe: &LinkProbe,
        answers: &mut Vec<Answer>,
        fx: &mut Effects,
    ) {
        if let Linked::Is(trace, p) = self.linked(cx.graph, probe)
            && p.flags.kind() == SpanKind::Producer
        {
            self.answer_call(cx, id, trace, &p, &probe.from, answers, fx);
            if probe.from.arrived < cx.tick() {
                self.look_again(trace, cx.tick());
            }
        }
    }

    /// Has a trace looked at when `tick` closes, since a callee settled that came earlier: an outbound span may have waited
    /// for it beyond its deadline (R9).
    pub(super) fn look_again(&mut self, trace: u32, tick: u32) {
        self.stirred.insert(trace);
        if self.store.ask(trace, tick) {
            self.due.push(tick, trace);
        }
    }

    fn answer_due(
        &mut self,
        cx: &Context<'_>,
        id: u32,
        probe: &LinkProbe,
        answers: &mut Vec<Answer>,
        fx: &mut Effects,
    ) {
        let from = probe.from;
        let receives = from.flags.receives();
        let ignored = from.flags.has(Flags::IGNORED);
        let mut answer = |verdict| answers.push(Answer { to: from, verdict });
        let linked = self.linked(cx.graph, probe);
        let gives_way = receives
            && !matches!(linked, Linked::Ambient)
            && self.gives_way(cx.graph, probe.target, &from);
        match linked {
            _ if gives_way => answer(Verdict::Aside),
            Linked::Is(..) | Linked::Closed if from.sends() => answer(Verdict::Batch),
            Linked::Is(trace, p) => {
                return self.answer_call(cx, id, trace, &p, &from, answers, fx);
            }
            _ if from.sends() => {}
            Linked::Ambient => {}
            Linked::Closed => {
                fx.unresolved_links += u64::from(!ignored);
                answer(Verdict::Closed);
            }
            Linked::NotSeen => {
                fx.unresolved_links += u64::from(!ignored);
                answer(Verdict::NotSeen);
                return self.probes.settle(id, State::Missed);
            }
        }
        self.probes.settle(id, State::Done);
    }

    #[expect(
        clippy::too_many_arguments,
        reason = "one rule's whole view, split off for length only"
    )]
    fn answer_call(
        &mut self,
        cx: &Context<'_>,
        id: u32,
        trace: u32,
        p: &Seen,
        from: &Linker,
        answers: &mut Vec<Answer>,
        fx: &mut Effects,
    ) {
        let verdict = if self.filter_link(from, p) {
            Verdict::Filtered
        } else {
            Verdict::Call(Box::new(self.linked_call(cx, trace, p, from, fx)))
        };
        answers.push(Answer { to: *from, verdict });
        self.probes.settle(id, State::Done);
    }

    fn linked_call(
        &mut self,
        cx: &Context<'_>,
        trace: u32,
        p: &Seen,
        from: &Linker,
        fx: &mut Effects,
    ) -> Call {
        let callee = Callee {
            service: from.service,
            failed: from.flags.has(Flags::FAILED),
            server: Sample::None,
            consumed_at_ns: (from.flags.kind() == SpanKind::Consumer).then_some(from.start_ns),
            topic: from.topic,
            status: from.status,
            weight: from.weight,
            span: from.span,
            class: CallClass::Linked,
            connection: ConnectionType::MessagingSystem,
        };
        self.call(cx, trace, p, &callee, fx)
    }

    /// What a link names, of all that its span sees: remembered when that arrived, or here by now.
    fn linked(&mut self, graph: &Graph, probe: &LinkProbe) -> Linked {
        let Target { trace, span } = probe.target;
        let Some(trace) = self.store.lookup(trace) else {
            return Linked::NotSeen;
        };
        let named = &mut self.work.linked;
        named.clear();
        self.store.named(trace, span, named);
        named.retain(|seen| seen.until >= probe.from.arrived);
        if named.is_empty() {
            return Linked::NotSeen;
        }
        named.retain(|p| probe.from.is_created_by(p));
        if named.is_empty() {
            return Linked::Ambient;
        }
        let creator = creator(graph, &probe.from, named.iter());
        creator.map_or(Linked::Closed, |p| Linked::Is(trace, p))
    }

    /// What becomes of `p` because a consumer that links to it was settled before it came.
    pub(super) fn was_missed(&self, trace: u32, p: &Seen) -> Option<Outcome> {
        let target = Target {
            trace: self.store.id(trace),
            span: p.span,
        };
        let mut missed = None;
        self.probes.any(target, |probe, state| {
            let from = &probe.from;
            let one = state == State::Missed
                && from.arrived <= p.deadline
                && self.probes.expires(from) >= p.arrived
                && is_creation_context(p, from.service);
            let outcome = one.then(|| missed_by(from.flags));
            missed = missed.into_iter().chain(outcome).max();
            missed == Some(Outcome::Late)
        });
        missed
    }
}

/// Where the message of a span was created, of the spans that a link of it names: the best creation context that accepts
/// it.
pub(super) fn creator<'a>(
    graph: &Graph,
    from: &Linker,
    named: impl Iterator<Item = &'a Seen>,
) -> Option<Seen> {
    let accepts = |p: &Seen| from.arrived <= p.deadline || p.flags.has(Flags::IGNORED);
    let creators = named.filter(|p| from.is_created_by(p) && accepts(p));
    let first = creators.min_by(|a, b| parent::producer_order(graph, from.service, a, b));
    first.copied()
}
