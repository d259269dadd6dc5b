//! Outbound spans: whether somebody answered, and what else they may be (R9).

use spangraph::span::Side;

use super::callees::{Call, Callee, Verdict};
use super::groups::Groups;
use super::view::{At, Parent, Then, World};

/// What became of one outbound span.
#[derive(Debug)]
pub(super) struct Caller {
    pub span: At,
    pub decided: u64,
    pub verdict: Said,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Said {
    Paired,
    Internal,
    Late,
    /// A call to this node, of this connection type.
    Virtual(String, i32),
    Unpaired,
}

/// What the decisions look at.
struct Deciding<'a> {
    world: &'a World,
    callees: &'a [Callee],
    groups: &'a Groups,
    calls: &'a [Call],
}

/// Decides every outbound span.
pub(super) fn decide(
    world: &World,
    callees: &[Callee],
    groups: &Groups,
    calls: &[Call],
) -> Vec<Caller> {
    let deciding = Deciding {
        world,
        callees,
        groups,
        calls,
    };
    let outbound = world.all().filter(|x| world.spans[*x].side == Side::Out);
    outbound
        .map(|span| Caller {
            span,
            decided: deciding.then(span).now,
            verdict: deciding.verdict(span),
        })
        .collect()
}

// === impl Deciding ===

impl Deciding<'_> {
    fn verdict(&self, x: At) -> Said {
        let then = self.then(x);
        if self.is_matched(x, then) {
            return Said::Paired;
        }
        let span = &self.world.spans[x];
        let never_calls = span.receives() || span.settles() || self.is_continued(x);
        if never_calls || self.is_transport(x, then) || self.is_covered(x, then) {
            return Said::Internal;
        }
        if self.is_late(x, then) {
            return Said::Late;
        }
        match span.virtual_server() {
            Some((node, connection)) => Said::Virtual(node, connection),
            None => Said::Unpaired,
        }
    }

    /// What an outbound span is decided from: what had arrived by its deadline, once every callee of it or of what is
    /// nested in it has settled.
    ///
    /// *Reading*: it looks whether they have when its wait ends and again whenever a wait ends in its trace.
    fn then(&self, x: At) -> Then {
        let (trace, arrived_by) = (self.world.spans[x].trace, self.world.spans[x].deadline);
        let ends = self.world.spans.iter().filter(|y| y.trace == trace);
        let mut looks: Vec<u64> = ends.map(|y| y.deadline).collect();
        looks.sort_unstable();
        let looks = looks.into_iter().filter(|end| *end >= arrived_by);
        let mut looks = looks.map(|now| Then { arrived_by, now });
        let done = |then: &Then| self.waits_until(x, *then) <= then.now;
        looks
            .find(done)
            .expect("all have settled when the last wait ends")
    }

    /// When the last of the callees of `x`, and of what is nested in it, settles.
    fn waits_until(&self, x: At, then: Then) -> u64 {
        let mut named = vec![x];
        named.extend(self.nested(x, then));
        let names = |callee: At| {
            let span = &self.world.spans[callee];
            let is = |y: &At| {
                let id = self.world.spans[*y].sent.id;
                span.parent == Some(id) || (span.side == Side::In && span.sent.id == id)
            };
            named.iter().any(is)
        };
        let service = self.world.spans[x].service;
        let settled = |y: At| {
            let span = &self.world.spans[y];
            match span.side {
                Side::In => self
                    .callees
                    .iter()
                    .find(|callee| callee.span == y)
                    .map(|callee| callee.settled),
                _ if span.service == service || span.settles() => None,
                _ => Some(self.groups.settled(self.world, y)),
            }
        };
        let callees = self.world.around(x, then).filter(|y| names(*y));
        callees.filter_map(settled).max().unwrap_or(0)
    }

    /// Whether `x` had made a call by then.
    ///
    /// *Reading*: a call counts once its called side has settled. Of a span above, that may be too late: a span waits
    /// for the callees of what is nested in it, not for those of what it is nested in, so transport of an unnameable
    /// message whose consumer settles later is not known as such. Of a span that is nested, it may be early: its called
    /// side may have come after the deadline, while the span above waited for another.
    fn is_matched(&self, x: At, then: Then) -> bool {
        let made = |call: &Call| call.client == x && call.settled <= then.now;
        self.calls.iter().any(made)
    }

    fn is_continued(&self, x: At) -> bool {
        let goes_on = |callee: &Callee| callee.verdict == Verdict::Continues(x);
        self.callees.iter().any(goes_on)
    }

    /// Everything that `x` can know of by `now` and that is nested in it.
    fn nested(&self, x: At, then: Then) -> impl Iterator<Item = At> + '_ {
        let around = self.world.around(x, then);
        around.filter(move |y| self.world.is_nested(*y, x, then))
    }

    /// R9 (a).
    fn is_transport(&self, x: At, then: Then) -> bool {
        let span = &self.world.spans[x];
        let is_logical = |y: At| {
            let outer = &self.world.spans[y];
            outer.side == Side::Out
                && (outer.is_db() || outer.is_messaging())
                && self.world.is_nested(x, y, then)
                && (self.is_matched(y, then) || outer.virtual_server().is_some())
        };
        !span.is_db() && !span.is_messaging() && self.world.around(x, then).any(is_logical)
    }

    /// R9 (b).
    fn is_covered(&self, x: At, then: Then) -> bool {
        self.nested(x, then).any(|y| {
            let inner = &self.world.spans[y];
            let stands_for_it = inner.side == Side::Out
                && inner.virtual_server().is_some()
                && !self.is_transport(y, then);
            stands_for_it || self.is_matched(y, then)
        })
    }

    /// Whether somebody whom `x` called was settled as having no seen caller before `x` came.
    fn is_late(&self, x: At, then: Then) -> bool {
        let span = &self.world.spans[x];
        self.callees.iter().any(|callee| {
            let called = &self.world.spans[callee.span];
            let names = called.sent.id == span.sent.id || called.parent == Some(span.sent.id);
            let missed = matches!(
                callee.verdict,
                Verdict::Virtual(..) | Verdict::Root | Verdict::Unpaired | Verdict::Late
            ) && !matches!(
                self.world.parent(callee.span, Then::at(callee.settled)),
                Parent::Is(_)
            );
            let while_remembered = callee.settled < span.arrival && then.now <= called.remembered;
            called.trace == span.trace && names && missed && while_remembered
        })
    }
}
