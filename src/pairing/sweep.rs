//! Decides everything whose wait ended: callees first, then service entries, then outbound spans; then makes
//! tombstones of what was decided and forgets the oldest of those.

use super::nest::Sight;
use super::parent::Parent;
use super::record::Flags;
use super::room::KEPT;
use super::shard::{Context, Shard};
use crate::graph::call::{Effects, Outcome, Reason};
use crate::span::Side;

/// Traces that are swept before it is asked whether that takes more than there is.
pub(super) const SWEPT_AT_ONCE: usize = 64;

/// Spans of one trace of which tombstones are made before the room of their records is given back, unless more are left:
/// that looks at all of them.
const RETIRED_AT_ONCE: usize = 64;

// === impl Shard ===

impl Shard {
    /// Begins to decide all waits that end by the close of the tick at hand.
    pub(super) fn begin_sweep(&mut self, cx: &Context<'_>, fx: &mut Effects) {
        self.store.begin(cx.tick());
        self.settle_closing(cx, fx);
    }

    /// Decides those of some traces; returns whether there may be more.
    pub(super) fn sweep_some(&mut self, cx: &Context<'_>, fx: &mut Effects) -> bool {
        let horizon = cx.tick();
        if self.round.traces.is_empty() {
            let Some((_, bucket)) = self.due.pop(horizon) else {
                return false;
            };
            self.round.traces = bucket;
            self.round.traces.reverse();
        }
        for _ in 0..SWEPT_AT_ONCE {
            let Some(trace) = self.round.traces.pop() else {
                self.due.recycle(std::mem::take(&mut self.round.traces));
                break;
            };
            self.sweep_trace(cx, trace, horizon, fx);
        }
        true
    }

    /// Forgets what is not needed any more when all are decided; what arrives now belongs to the next tick.
    pub(super) fn end_sweep(&mut self, cx: &Context<'_>) {
        let horizon = cx.tick();
        self.answered.clear();
        let store = &self.store;
        self.probes.forget(horizon, |id| store.any_waiting(id));
        self.groups.forget(horizon, |id| store.any_waiting(id));
        while let Some((tick, bucket)) = self.expiring.pop(horizon) {
            for &trace in &bucket {
                self.forget(trace, tick);
            }
            self.expiring.recycle(bucket);
        }
        self.give_back(KEPT);
        self.swept = horizon;
    }

    /// Forgets a trace's tombstones that expire when `tick` closes, unless they were seen by somebody who waits: in the
    /// trace, or with a link to it. How long ago the latter arrived is not known, but no longer than any callee waits.
    fn forget(&mut self, trace: u32, tick: u32) {
        let longest = self.store.longest_wait();
        let mut oldest = self.store.oldest_waiting(trace);
        if self.probes.any_open(self.store.id(trace)) {
            oldest = oldest.min((tick + 1).saturating_sub(longest));
        }
        if self.store.forget(trace, tick, Some(oldest)) {
            self.expire_at(trace, tick.saturating_add(longest));
        }
    }

    pub(super) fn sweep_trace(
        &mut self,
        cx: &Context<'_>,
        trace: u32,
        horizon: u32,
        fx: &mut Effects,
    ) {
        let mut waiting = std::mem::take(&mut self.work.waiting);
        self.store.waiting(trace, &mut waiting);
        self.store.answered(trace);
        let total = waiting.len();
        waiting.retain(|&at| self.store.record(at).deadline <= horizon);
        // The first of a group decides it, and what a walk finds holds for spans of one wait, so those stand together.
        waiting.sort_unstable_by_key(|&at| {
            let record = self.store.record(at);
            (record.arrived, record.deadline)
        });
        if horizon == cx.tick() {
            self.ignore_links(&waiting);
        }
        for &at in &waiting {
            let flags = self.store.record(at).flags;
            if flags.inbound() && !flags.has(Flags::DECIDED) {
                self.settle_inbound(cx, trace, at, fx);
            } else if flags.outbound() && flags.receives() && !flags.has(Flags::ENTERED) {
                self.settle_receive(cx, trace, at, fx);
            }
            cx.relieve(fx);
        }
        let mut again = None;
        self.work.groups.clear();
        for &at in &waiting {
            if may_enter(self.store.record(at).flags) {
                again = earlier(again, self.enter(cx, trace, at, horizon, fx));
                cx.relieve(fx);
            }
        }
        // With nothing else waiting and no group held, every callee here has settled.
        let closed = waiting.len() == total
            && again.is_none()
            && !self.probes.any_open(self.store.id(trace));
        self.work.walk.begin(trace, horizon);
        let stirred = self.stirred.remove(&trace);
        waiting.retain(|&at| {
            let known = self.open_until.get(&at).copied();
            let still_open = known.filter(|&until| until > horizon && !stirred);
            let open_until = still_open.or_else(|| self.decide_due(cx, trace, at, closed, fx));
            self.note_open(at, known, open_until);
            cx.relieve(fx);
            again = earlier(again, open_until.map(|tick| tick.max(horizon + 1)));
            // A group decided later still asks its members whether they failed.
            open_until.is_none() && !self.store.record(at).flags.has(Flags::HELD)
        });
        // Only now: what one span sees of another must not depend on which of them was looked at first.
        let mut untidy = 0;
        for (left, &at) in (0..waiting.len()).rev().zip(&waiting) {
            self.retire(trace, at, horizon);
            untidy += 1;
            if untidy > RETIRED_AT_ONCE.max(left / 4) {
                self.store.tidy(trace);
                untidy = 0;
            }
        }
        if let Some(tick) = again.filter(|&tick| self.store.ask(trace, tick)) {
            self.due.push(tick, trace);
        }
        self.store.tidy(trace);
        self.work.waiting = waiting;
    }

    fn note_open(&mut self, at: u32, known: Option<u32>, open_until: Option<u32>) {
        match open_until {
            Some(until) if known != open_until => {
                self.open_until.insert(at, until);
            }
            None if known.is_some() => {
                self.open_until.remove(&at);
            }
            _ => {}
        }
    }

    /// Decides one span whose wait is over; or says when to look again.
    fn decide_due(
        &mut self,
        cx: &Context<'_>,
        trace: u32,
        at: u32,
        closed: bool,
        fx: &mut Effects,
    ) -> Option<u32> {
        let flags = self.store.record(at).flags;
        match flags.side() {
            Side::In => {}
            Side::None if flags.has(Flags::HELD) => {}
            Side::None => self.decide_internal(cx, trace, at, fx),
            Side::Out if flags.has(Flags::DECIDED) && closed => {}
            Side::Out => {
                let p = self.store.record(at).seen(at);
                let sight = Sight {
                    graph: cx.graph,
                    store: &self.store,
                    probes: &self.probes,
                };
                let below = self.work.walk.look(sight, &p);
                if below.open_until.is_some() {
                    return below.open_until;
                }
                if !flags.has(Flags::DECIDED) {
                    self.decide_outbound(cx, trace, at, below, fx);
                }
            }
        }
        None
    }

    fn retire(&mut self, trace: u32, at: u32, horizon: u32) {
        let record = self.store.record(at);
        if record.flags.has(Flags::MANY_EDGES) {
            self.charges.forget(at);
        }
        if let Some(expires) = self.store.retire(trace, at, horizon) {
            self.expire_at(trace, expires);
        }
    }

    /// Has the trace's tombstones looked at when `expires`, a tick not swept yet, closes.
    fn expire_at(&mut self, trace: u32, expires: u32) {
        if self.store.ask_expiry(trace, expires) {
            self.expiring.push(expires, trace);
        }
    }

    /// An INTERNAL span: part of an entry, or nothing to the graph.
    fn decide_internal(&mut self, cx: &Context<'_>, trace: u32, at: u32, fx: &mut Effects) {
        let x = *self.store.record(at);
        let outcome = if x.flags.has(Flags::IGNORED) || x.flags.has(Flags::FILTERED) {
            Outcome::Filtered
        } else if x.flags.has(Flags::ENTERED) {
            Outcome::Paired
        } else if x.flags.has(Flags::INSIDE) {
            Outcome::Internal
        } else {
            match self.parent_of(cx, trace, at) {
                Parent::None => Outcome::Root,
                Parent::Closed(parent) if parent.service != x.service => Outcome::Late,
                _ => Outcome::Internal,
            }
        };
        if outcome == Outcome::Late {
            self.unpaired(trace, &x, Reason::ArrivedLate, fx);
        }
        self.decide(at, outcome, fx);
    }

    /// R9 for an outbound span without a call.
    fn decide_outbound(
        &mut self,
        cx: &Context<'_>,
        trace: u32,
        at: u32,
        below: super::nest::Surroundings,
        fx: &mut Effects,
    ) {
        let p = *self.store.record(at);
        let never_calls = p.flags.settles() || p.flags.receives() || p.flags.has(Flags::CONTINUED);
        if p.flags.has(Flags::IGNORED) || p.flags.has(Flags::FILTERED) {
            return self.decide(at, Outcome::Filtered, fx);
        }
        let by_link = self.was_missed(trace, &p.seen(at));
        let missed = below.missed.into_iter().chain(by_link).max();
        if never_calls || below.covered || below.transport {
            self.decide(at, Outcome::Internal, fx);
        } else if let Some(outcome) = missed {
            if outcome == Outcome::Late {
                self.unpaired(trace, &p, Reason::ArrivedLate, fx);
            }
            self.decide(at, outcome, fx);
        } else if p.flags.has(Flags::NAMEABLE) {
            self.draw_virtual_server(cx, trace, at, fx);
        } else {
            self.unpaired(trace, &p, Reason::NoServerSpan, fx);
            self.decide(at, Outcome::UnpairedClient, fx);
        }
    }
}

/// Whether R5 is still to be asked about a span: not when its parent is certainly of its own service, unless its group
/// was put off before that parent came.
fn may_enter(flags: Flags) -> bool {
    let undecided = !flags.inbound() && !flags.settles() && !flags.has(Flags::ENTERED);
    undecided && (!flags.has(Flags::INSIDE) || flags.has(Flags::HELD))
}

fn earlier(a: Option<u32>, b: Option<u32>) -> Option<u32> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (a, b) => a.or(b),
    }
}
