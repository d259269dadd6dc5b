//! Outbound spans: whether somebody answered, and what else they may be (R9).

use spangraph::span::Side;

use super::callees::{Call, Callee, Verdict};
use super::groups::{self, Groups};
use super::input::Target;
use super::links::{self, Link};
use super::matched::has_callee;
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
    Filtered,
    Late,
    /// A call to this node, of this connection type.
    Virtual(String, i32),
    Unpaired,
}

/// What the decisions look at.
struct Deciding<'a> {
    world: &'a World<'a>,
    callees: &'a [Callee],
    groups: &'a Groups,
    calls: &'a [Call],
}

/// Decides every outbound span.
pub(super) fn decide(
    world: &World<'_>,
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
        let span = &self.world.spans[x];
        if span.ignored {
            return Said::Filtered;
        }
        if self.made(x, then).any(|call| !call.struck) {
            return Said::Paired;
        }
        if self.has_called(x, then) {
            return Said::Filtered;
        }
        let never_calls = span.receives()
            || span.settles()
            || self.is_continued(x)
            || links::sends_batch(self.world, x, then);
        if never_calls || self.is_transport(x, then) || self.is_covered(x, then) {
            return Said::Internal;
        }
        let mut missed = self.missed(x, then).peekable();
        if missed.peek().is_some() {
            return if missed.all(|y| self.world.spans[y].ignored) {
                Said::Filtered
            } else {
                Said::Late
            };
        }
        match self.world.virtual_server(x) {
            Some((node, connection)) => Said::Virtual(node, connection),
            None => Said::Unpaired,
        }
    }

    /// What an outbound span is decided from: what had arrived by its deadline, in the first second from that on in which
    /// every callee of it or of what is nested in it has settled.
    fn then(&self, x: At) -> Then {
        let span = &self.world.spans[x];
        let (since, arrived_by) = (span.arrival, span.deadline);
        let then = |now| Then {
            since,
            arrived_by,
            now,
        };
        let last = self.world.spans.iter().map(|y| y.deadline).max();
        (arrived_by..=last.unwrap_or(arrived_by))
            .map(then)
            .find(|then| self.waits_until(x, *then) <= then.now)
            .expect("all have settled when the last wait ends")
    }

    /// When the last of the callees of `x`, and of what is nested in it, settles.
    fn waits_until(&self, x: At, then: Then) -> u64 {
        let named = self.named(x, then);
        let names = |callee: At| {
            let span = &self.world.spans[callee];
            let is = |y: &At| {
                let id = self.world.spans[*y].id;
                span.parent == Some(id) || (span.side == Side::In && span.id == id)
            };
            named.iter().any(is)
        };
        let service = self.world.spans[x].service;
        let settled = |y: At| {
            let span = &self.world.spans[y];
            match span.side {
                Side::In => self.callee(y).map(|callee| callee.settled),
                _ if span.service == service || span.settles() => None,
                _ => Some(self.groups.settled(self.world, y)),
            }
        };
        let callees = self.world.around(x, then).filter(|y| names(*y));
        let linking = named.iter().flat_map(|y| self.linking(*y, then));
        callees
            .filter_map(settled)
            .chain(linking)
            .max()
            .unwrap_or(0)
    }

    /// `x` and what is nested in it.
    fn named(&self, x: At, then: Then) -> Vec<At> {
        std::iter::once(x).chain(self.nested(x, then)).collect()
    }

    fn callee(&self, y: At) -> Option<&Callee> {
        self.callees.iter().find(|callee| callee.span == y)
    }

    /// When the links that name `x`, from any trace, settle.
    fn linking(&self, x: At, then: Then) -> impl Iterator<Item = u64> + '_ {
        let span = &self.world.spans[x];
        let target = (span.trace, span.id);
        self.callees.iter().filter_map(move |callee| {
            let other = &self.world.spans[callee.span];
            let at = other.links.iter().position(|link| *link == target)?;
            let link = callee
                .links
                .get(at)
                .filter(|_| other.arrival <= then.arrived_by)?;
            Some(match link {
                Link::Resolved(_, now) => *now,
                _ => other.deadline,
            })
        })
    }

    /// Whether `x` had made a call by then.
    ///
    /// *Reading*: a call that is not drawn, since one of its sides is ignored, was made all the same.
    fn has_called(&self, x: At, then: Then) -> bool {
        self.made(x, then).next().is_some() || self.has_ignored_entry(x, then)
    }

    /// Whether `x` is matched, as far as what had arrived by then tells.
    ///
    /// *Reading*: a call that was made is one of these if nobody came later, as nobody may to an outbound span whose
    /// deadline is not later, unless it is ignored; so the callee may have been forgotten since.
    fn is_matched(&self, x: At, then: Then) -> bool {
        let span = &self.world.spans[x];
        let accepts_nobody_later = span.deadline <= then.arrived_by && !span.ignored;
        (span.side == Side::Out && accepts_nobody_later && self.has_called(x, then))
            || has_callee(self.world, x, then)
    }

    fn made(&self, x: At, then: Then) -> impl Iterator<Item = &Call> {
        let made = move |call: &&Call| call.client == x && call.settled <= then.now;
        self.calls.iter().filter(made)
    }

    /// Whether what enters another service below `x` is ignored.
    fn has_ignored_entry(&self, x: At, then: Then) -> bool {
        let world = self.world;
        let below =
            |y: At, now: u64| world.parent(y, Then::of(&world.spans[y], now)) == Parent::Is(x);
        world.all().any(|y| {
            let (span, now) = (&world.spans[y], world.spans[y].deadline);
            let elsewhere = span.service != world.spans[x].service;
            let enters = groups::enters(world, y) && !groups::is_inside(world, y, now);
            span.ignored && elsewhere && enters && now <= then.now && below(y, now)
        })
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
    ///
    /// *Reading*: a span does not wait for the callees of what it is nested in, so what these will be is not known.
    fn is_transport(&self, x: At, then: Then) -> bool {
        let span = &self.world.spans[x];
        let is_logical = |y: At| {
            let outer = &self.world.spans[y];
            outer.side == Side::Out
                && (outer.is_db() || outer.is_messaging())
                && self.world.is_nested(x, y, then)
                && (self.is_matched(y, then) || self.world.virtual_server(y).is_some())
        };
        !span.is_db() && !span.is_messaging() && self.world.around(x, then).any(is_logical)
    }

    /// R9 (b).
    ///
    /// *Reading*: a span waits for the callees of what is nested in it, so a call of its own is one that was made. Its
    /// callee may have come after the deadline, while the span waited for another: one that had come by then is needed.
    fn is_covered(&self, x: At, then: Then) -> bool {
        self.nested(x, then).any(|y| {
            let inner = &self.world.spans[y];
            let stands_for_it = inner.side == Side::Out
                && self.world.virtual_server(y).is_some()
                && !self.is_transport(y, then);
            stands_for_it || (self.has_called(y, then) && self.is_matched(y, then))
        })
    }

    /// Those whom `x` called and who were settled as having no seen caller before `x` came: by their own id, their
    /// parent id, or a link.
    fn missed(&self, x: At, then: Then) -> impl Iterator<Item = At> {
        let entries = self
            .world
            .all()
            .filter(move |y| self.missed_as_entry(x, *y, then));
        let missed = move |callee: &&Callee| {
            let called = &self.world.spans[callee.span];
            let before = callee.settled < self.world.spans[x].arrival;
            let seen = then.since <= called.remembered && self.missed_as_parent(x, callee);
            let link = || then.since <= links::remembered(self.world, callee.span);
            before && (seen || (link() && self.missed_by_link(x, callee)))
        };
        let callees = self.callees.iter().filter(missed).map(|callee| callee.span);
        callees.chain(entries)
    }

    /// *Reading*: what would have been an entry below `x` is its partner, though what is not inbound is not `unpaired`
    /// without it.
    fn missed_as_entry(&self, x: At, y: At, then: Then) -> bool {
        let (span, entry) = (&self.world.spans[x], &self.world.spans[y]);
        let below = entry.trace == span.trace
            && entry.parent == Some(span.id)
            && entry.service != span.service;
        let before = entry.deadline < span.arrival && then.since <= entry.remembered;
        let alone = || match self.world.parent(y, Then::of(entry, entry.deadline)) {
            Parent::NotSeen => true,
            Parent::Closed(parent) => self.world.spans[parent].service != entry.service,
            Parent::Is(_) | Parent::None => false,
        };
        let entered = || self.groups.members.contains_key(&y);
        below && before && groups::enters(self.world, y) && !entered() && alone()
    }

    fn missed_as_parent(&self, x: At, callee: &Callee) -> bool {
        let (span, called) = (&self.world.spans[x], &self.world.spans[callee.span]);
        let names = called.id == span.id || called.parent == Some(span.id);
        let alone = matches!(
            callee.verdict,
            Verdict::Virtual(..) | Verdict::Root | Verdict::Unpaired | Verdict::Late
        );
        let parent = || {
            let then = Then::of(called, callee.settled);
            self.world.parent(callee.span, then)
        };
        let alone = || alone && !matches!(parent(), Parent::Is(_));
        called.side == Side::In
            && called.trace == span.trace
            && names
            && (alone() || self.overtook(x, callee))
    }

    /// *Reading*: who has the id of the called side would have been its caller before one with its parent's id, and is as late
    /// if it had that one.
    fn overtook(&self, x: At, callee: &Callee) -> bool {
        let own_id = |y: At| self.world.spans[y].id == self.world.spans[callee.span].id;
        let struck = |y: At| self.world.spans[y].ignored;
        match callee.verdict {
            Verdict::CalledBy(parent) => {
                own_id(x) && !own_id(parent) && !struck(parent) && !struck(callee.span)
            }
            _ => false,
        }
    }

    /// *Reading*: whatever else the called side was paired with.
    fn missed_by_link(&self, x: At, callee: &Callee) -> bool {
        let (span, called) = (&self.world.spans[x], &self.world.spans[callee.span]);
        let missed = |(target, link): (&Target, &Link)| {
            *target == (span.trace, span.id) && *link == Link::NotSeen
        };
        links::creates(self.world, x, callee.span)
            && called.links.iter().zip(&callee.links).any(missed)
    }
}
