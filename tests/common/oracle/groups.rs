//! Spans that are not inbound: service entries (R5), and what becomes of INTERNAL spans (R6, R10).

use std::collections::{BTreeMap, BTreeSet};

use spangraph::span::{Side, SpanKind};

use super::callees::{Call, connection, sent_to};
use super::links::{self, Link};
use super::view::{At, Parent, Then, World};

/// What became of the spans that are not inbound.
#[derive(Debug, Default)]
pub(super) struct Groups {
    pub entries: Vec<Entry>,
    /// When it was known of each member that it is one.
    pub members: BTreeMap<At, u64>,
    /// Members below a span that an ignore rule took.
    pub filtered: BTreeSet<At>,
    /// INTERNAL spans that came after their parent was settled, and whose service was not entered below it.
    pub late: BTreeSet<At>,
}

/// A group that is a call.
#[derive(Debug)]
pub(super) struct Entry {
    pub parent: At,
    /// In order of arrival.
    pub members: Vec<At>,
    pub failed: bool,
}

/// The key of a group: trace, parent id, service.
type Key = ((u64, u64), Option<u64>, &'static str);

// === impl Groups ===

impl Groups {
    /// When it is known of a span that is not inbound whether it enters its service: once a parent in its own service
    /// is there, or once its group is decided.
    pub(super) fn settled(&self, world: &World<'_>, x: At) -> u64 {
        let span = &world.spans[x];
        let inside = (span.arrival..span.deadline).find(|now| is_inside(world, x, *now));
        let decided = self.members.get(&x).copied().unwrap_or(span.deadline);
        inside.map_or(decided, |inside| inside.min(decided))
    }
}

/// Whether a parent in its own service that accepts it had come by `now`.
///
/// *Reading*: a parent that was remembered when `x` came, even if it is forgotten when `x` is decided.
pub(super) fn is_inside(world: &World<'_>, x: At, now: u64) -> bool {
    let span = &world.spans[x];
    world.all().any(|y| {
        let above = &world.spans[y];
        y != x
            && above.trace == span.trace
            && Some(above.id) == span.parent
            && above.service == span.service
            && above.arrival <= now
            && above.remembered >= span.arrival
            && world.accepts(y, x)
    })
}

/// Decides every group, second after second.
///
/// *Reading*: of members that arrived in one second, the one with the earlier deadline is the first; while it waits,
/// the others wait with it, and are judged when it is. Spans that share an id share the groups below it.
pub(super) fn settle(world: &World<'_>) -> Groups {
    let mut groups = Groups::default();
    let mut open: BTreeSet<At> = world.all().filter(|x| may_enter(world, *x)).collect();
    let mut decided: Vec<(Key, u64)> = Vec::new();
    for now in 0..=last_deadline(world) {
        for x in open.clone() {
            if world.spans[x].deadline <= now && open.contains(&x) {
                settle_one(world, x, now, &mut open, &mut decided, &mut groups);
            }
        }
    }
    groups
}

fn last_deadline(world: &World<'_>) -> u64 {
    world.spans.iter().map(|x| x.deadline).max().unwrap_or(0)
}

fn key(world: &World<'_>, x: At) -> Key {
    let span = &world.spans[x];
    (span.trace, span.parent, span.service)
}

/// Judges a span whose wait is over, and with it its group, unless that waits for its first member.
fn settle_one(
    world: &World<'_>,
    x: At,
    now: u64,
    open: &mut BTreeSet<At>,
    decided: &mut Vec<(Key, u64)>,
    groups: &mut Groups,
) {
    let (span, key_of_x) = (&world.spans[x], key(world, x));
    let is_known =
        |(known, remembered): &(Key, u64)| *known == key_of_x && *remembered >= span.arrival;
    let parent = match world.parent(x, Then::of(span, now)) {
        Parent::Is(parent) if world.spans[parent].service != span.service => parent,
        Parent::Closed(parent) if world.spans[parent].service != span.service => {
            open.remove(&x);
            let enters = || decided.iter().any(is_known) || may_decide(world, x, parent, now, open);
            if span.kind == SpanKind::Internal && enters() {
                groups.members.insert(x, now);
            } else {
                groups.late.insert(x);
            }
            return;
        }
        _ => {
            open.remove(&x);
            return;
        }
    };
    if is_inside(world, x, now) {
        open.remove(&x);
        return;
    }
    let mut members = vec![x];
    if !decided.iter().any(is_known) {
        members = members_of(world, x, parent, now, open);
        let order = |y: &At| (world.spans[*y].arrival, world.spans[*y].deadline);
        members.sort_by_key(order);
        let first = members[0];
        if world.spans[first].deadline > now {
            return;
        }
        let remembered = world.spans[parent].deadline + world.options.waits.longest();
        decided.push((key_of_x, remembered));
        draw(world, parent, &members, now, groups);
    }
    for member in members {
        groups.members.insert(member, now);
        if world.spans[parent].ignored {
            groups.filtered.insert(member);
        }
        open.remove(&member);
    }
}

/// Who of the group of `x` below `parent` has arrived and is not decided.
fn members_of(world: &World<'_>, x: At, parent: At, now: u64, open: &BTreeSet<At>) -> Vec<At> {
    let key_of_x = key(world, x);
    let asks_first = |y: At| {
        let gives_way = world.spans[y].receives() && links::creates(world, parent, y);
        links::counts(world, y) || gives_way
    };
    let is_member = |y: &At| {
        key(world, *y) == key_of_x
            && world.spans[*y].arrival <= now
            && world.accepts(parent, *y)
            && !is_inside(world, *y, now)
            && (!asks_first(*y) || world.spans[*y].deadline <= now)
    };
    open.iter().copied().filter(is_member).collect()
}

/// Whether the group that `x`, which came too late for it, would have been in is still to be decided.
///
/// *Reading*: an INTERNAL is then as one that comes later: it is `paired` and adds nothing.
fn may_decide(world: &World<'_>, x: At, parent: At, now: u64, open: &BTreeSet<At>) -> bool {
    !members_of(world, x, parent, now, open).is_empty()
}

/// Whether its parent in another service may be its caller, and no rule ignores it.
///
/// *Reading*: what an ignore rule took is no member.
fn may_enter(world: &World<'_>, x: At) -> bool {
    enters(world, x) && !world.spans[x].ignored
}

/// Whether its parent in another service may be its caller.
///
/// *Reading*: what pulls messages by links or from its parent becomes one only at its own deadline,
/// when none of the links was resolved and it gave way for none and not for the parent.
pub(super) fn enters(world: &World<'_>, x: At) -> bool {
    let span = &world.spans[x];
    let drawn = |link: &Link| matches!(link, Link::Resolved(..) | Link::GaveWay);
    let linked = links::judge(world, x).iter().any(drawn);
    span.side != Side::In && !span.settles() && !linked && !links::gives_way_below(world, x)
}

/// The group's call, unless an inbound span of the service is a child of the same parent.
///
/// *Reading*: of both, what the first member sees.
fn draw(world: &World<'_>, parent: At, members: &[At], now: u64, groups: &mut Groups) {
    let first = &world.spans[members[0]];
    let then = Then::of(first, now);
    let is_sibling = |y: At| {
        let span = &world.spans[y];
        span.side == Side::In
            && span.service == first.service
            && span.parent == first.parent
            && world.parent(y, then) == Parent::Is(parent)
    };
    if world.around(members[0], then).any(is_sibling) {
        return;
    }
    let fails = |y: &At| {
        let span = &world.spans[*y];
        span.failed && (span.kind == SpanKind::Internal || span.receives())
    };
    let failed = members.iter().any(fails);
    groups.entries.push(Entry {
        parent,
        members: members.to_vec(),
        failed,
    });
}

/// One call per group that draws one.
///
/// *Reading*: all members are halves of the call, so its weight is the greatest of all.
pub(super) fn calls(world: &World<'_>, groups: &Groups) -> Vec<Call> {
    let call = |entry: &Entry| {
        let (parent, first) = (&world.spans[entry.parent], entry.members[0]);
        let members = entry.members.iter().map(|member| &world.spans[*member]);
        let weights = members.map(|member| member.weight);
        Call {
            client: entry.parent,
            server: first,
            connection: connection(world, entry.parent, first),
            failed: entry.failed,
            settled: groups.members[&first],
            class: "entry",
            weight: weights.fold(parent.weight, u64::max),
            topic: sent_to(parent),
            struck: parent.ignored,
        }
    };
    groups.entries.iter().map(call).collect()
}

/// The outcome of an INTERNAL span.
pub(super) fn outcome(world: &World<'_>, groups: &Groups, x: At) -> &'static str {
    if world.spans[x].ignored || groups.filtered.contains(&x) {
        "filtered"
    } else if groups.members.contains_key(&x) {
        "paired"
    } else if groups.late.contains(&x) {
        "late"
    } else if world.spans[x].parent.is_none() {
        "root"
    } else {
        "internal"
    }
}
