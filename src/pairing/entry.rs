//! R5 for spans that are not inbound: the first spans of a service below another service's span are one call.

use super::draw::{Callee, entry_connection};
use super::groups::Group;
use super::parent::{self, Parent};
use super::probe::is_creation_context;
use super::record::{Flags, Place, Record, Seen};
use super::shard::{Context, Shard};
use crate::graph::TextId;
use crate::graph::call::{CallClass, Effects, Sample};
use crate::span::{CallStatus, SpanKind, Weight};

/// A receive enters by its parent only if at its own deadline none of its links is resolved and it does not give way for
/// that parent (R12); whether that is still to come.
fn may_not_enter(s: &Seen, parent: &Seen, horizon: u32) -> bool {
    let asks = || s.flags.has(Flags::LINKS) || is_creation_context(parent, s.service);
    s.flags.receives() && s.deadline > horizon && asks()
}

/// Whether the caller of a callee that is not inbound may still come, too late.
pub(super) fn is_missing(x: &Record, parent: &Parent) -> bool {
    match parent {
        Parent::NotSeen => true,
        Parent::Closed(parent) => parent.service != x.service,
        Parent::Is(_) | Parent::None => false,
    }
}

// === impl Shard ===

impl Shard {
    /// Decides the R5 group of the non-inbound span `at`, whose wait is over by `horizon`. `Some(tick)` when the group
    /// is to be decided at the close of a later tick: that of the member that arrived first.
    pub(super) fn enter(
        &mut self,
        cx: &Context<'_>,
        trace: u32,
        at: u32,
        horizon: u32,
        fx: &mut Effects,
    ) -> Option<u32> {
        self.store.record_mut(at).flags.clear(Flags::HELD);
        let x = *self.store.record(at);
        let parent = match self.parent_of(cx, trace, at) {
            Parent::Is(parent) if parent.service != x.service => parent,
            Parent::Closed(parent) if self.is_entered(cx, trace, &x, &parent, horizon, fx) => {
                self.mark_entered(Place::Waiting(at), x.flags.side(), &parent);
                return None;
            }
            parent => {
                // An outbound span may wait on for its callees, but no parent that comes now is its own any more.
                if x.flags.outbound() {
                    self.store.mark(Place::Waiting(at), Flags::INSIDE);
                }
                if is_missing(&x, &parent) {
                    self.store.mark(Place::Waiting(at), Flags::AWAITING);
                }
                return None;
            }
        };
        if self.filter_entry(at, &x, &parent) {
            return None;
        }
        if self.groups.has(&self.group(trace, &x), x.arrived) {
            self.mark_entered(Place::Waiting(at), x.flags.side(), &parent);
            return None;
        }
        let until = self.look_at_group(cx, trace, &x, &parent, horizon, fx);
        if until.is_some() {
            self.store.mark(Place::Waiting(at), Flags::HELD);
        }
        until
    }

    /// Whether the INTERNAL span came when its parent accepted nobody any more, but its service entered below that in time:
    /// such a span adds nothing, and nothing is missing.
    fn is_entered(
        &mut self,
        cx: &Context<'_>,
        trace: u32,
        x: &Record,
        parent: &Seen,
        horizon: u32,
        fx: &mut Effects,
    ) -> bool {
        if parent.service == x.service
            || x.flags.kind() != SpanKind::Internal
            || x.flags.has(Flags::IGNORED)
        {
            return false;
        }
        let group = self.group(trace, x);
        // Every member waits no longer than this.
        let wait = cx.rules.wait.max(cx.rules.messaging_wait);
        let may_wait = x.deadline <= parent.deadline.saturating_add(wait);
        let is_decided = |shard: &Self| shard.groups.has(&group, x.arrived);
        let is_asked = !is_decided(self) && may_wait;
        if is_asked
            && self
                .look_at_group(cx, trace, x, parent, horizon, fx)
                .is_some()
        {
            return true;
        }
        is_decided(self)
    }

    /// Decides the group below `parent` of which `x` is, or would be, a member, once in a sweep and not once for each
    /// member. `Some(tick)` when that is to be done at the close of a later tick.
    fn look_at_group(
        &mut self,
        cx: &Context<'_>,
        trace: u32,
        x: &Record,
        parent: &Seen,
        horizon: u32,
        fx: &mut Effects,
    ) -> Option<u32> {
        let key = (parent.at, x.service);
        if let Some(&until) = self.work.groups.get(&key) {
            return until;
        }
        let until = self.look_below(cx, trace, x, parent, horizon, fx);
        self.work.groups.insert(key, until);
        until
    }

    fn look_below(
        &mut self,
        cx: &Context<'_>,
        trace: u32,
        x: &Record,
        parent: &Seen,
        horizon: u32,
        fx: &mut Effects,
    ) -> Option<u32> {
        let mut siblings = std::mem::take(&mut self.work.siblings);
        siblings.clear();
        self.store
            .below_in(trace, x.parent, x.service, &mut siblings);
        let until = self.enter_group(cx, trace, x, parent, &siblings, horizon, fx);
        self.work.siblings = siblings;
        until
    }

    #[expect(
        clippy::too_many_arguments,
        reason = "one rule's whole view, split off for length only"
    )]
    fn enter_group(
        &mut self,
        cx: &Context<'_>,
        trace: u32,
        x: &Record,
        parent: &Seen,
        siblings: &[Seen],
        horizon: u32,
        fx: &mut Effects,
    ) -> Option<u32> {
        let is_member = |s: &&Seen| {
            matches!(s.at, Place::Waiting(_))
                && !s.flags.inbound()
                && !s.flags.settles()
                && !s.flags.has(Flags::INSIDE)
                && !s.flags.has(Flags::ENTERED)
                && !may_not_enter(s, parent, horizon)
                && !s.flags.has(Flags::IGNORED)
                && parent::accepts(parent, s)
        };
        let members = || siblings.iter().filter(is_member);
        let first = members().map(|m| (m.arrived, m.deadline)).min()?;
        if first.1 > horizon {
            return Some(first.1);
        }
        let seen = |s: &&Seen| s.flags.inbound() && s.until >= first.0;
        let mut entered_inbound = false;
        for sibling in siblings.iter().filter(seen) {
            entered_inbound |= self.is_child(cx, trace, sibling, parent, first.0);
        }
        if entered_inbound {
            // The call is that span's.
        } else if parent.flags.has(Flags::IGNORED) {
            self.filter_call(parent);
        } else {
            let fails = |m: &Seen| {
                m.flags.has(Flags::FAILED)
                    && (m.flags.kind() == SpanKind::Internal || m.flags.receives())
            };
            let callee = Callee {
                service: x.service,
                failed: members().any(fails),
                server: Sample::None,
                consumed_at_ns: None,
                topic: TextId(0),
                status: CallStatus::default(),
                weight: members()
                    .map(|m| self.store.weight(m.at))
                    .fold(Weight::ONE, Weight::max),
                span: members().map(|m| m.span).min()?,
                class: CallClass::Entry,
                connection: entry_connection(parent.flags),
            };
            self.draw(cx, trace, parent, &callee, fx);
        }
        for member in members() {
            self.mark_entered(member.at, member.flags.side(), parent);
            self.store.unmark(member.at, Flags::HELD);
        }
        self.remember_group(cx, self.group(trace, x), parent);
        None
    }

    /// Whether R3 gives this inbound span that parent, as seen by what arrived in the tick `since`.
    fn is_child(
        &mut self,
        cx: &Context<'_>,
        trace: u32,
        sibling: &Seen,
        parent: &Seen,
        since: u32,
    ) -> bool {
        self.store.look_around(trace, sibling, &mut self.near);
        self.near.seen_since(since);
        let of = parent::choose(cx.graph, sibling, &self.near);
        matches!(of, Parent::Is(of) if of.at == parent.at)
    }

    /// The group of which `x` is a member.
    fn group(&self, trace: u32, x: &Record) -> Group {
        Group {
            trace: self.store.id(trace),
            parent: x.parent,
            service: x.service,
        }
    }

    /// A decided group is remembered for as long as its parent may be: as a tombstone, or waiting for a member that came
    /// at its deadline.
    fn remember_group(&mut self, cx: &Context<'_>, group: Group, parent: &Seen) {
        let wait = cx.rules.wait.max(cx.rules.messaging_wait);
        let expires = parent.deadline.saturating_add(wait.max(cx.rules.retain));
        self.groups.insert(group, expires, cx.tick());
    }
}
