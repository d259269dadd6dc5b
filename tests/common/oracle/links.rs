//! Links: whom a consumer, and what pulls messages, was sent a message by (R12).

use spangraph::span::{Operation, Side, SpanKind};

use super::input::Target;
use super::view::{At, Parent, Then, World};

/// Most links of a span that count.
const MAX_LINKS: usize = 128;

/// What a link is to a span.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Link {
    /// The context its message was created in, and in which second that was settled.
    Resolved(At, u64),
    /// A consumer of the service has that message.
    GaveWay,
    /// A creation context that had stopped accepting.
    Closed,
    /// A span that creates no messages for it.
    Ambient,
    NotSeen,
}

/// The first links as sent, each once, without those that name nothing.
pub(super) fn distinct(sent: &[Target], low64: bool) -> Vec<Target> {
    let mut targets: Vec<Target> = Vec::new();
    for ((high, low), id) in sent.iter().copied().take(MAX_LINKS) {
        let target = ((if low64 { 0 } else { high }, low), id);
        if (high, low) != (0, 0) && id != 0 && !targets.contains(&target) {
            targets.push(target);
        }
    }
    targets
}

/// Whether the links of `x` may be calls.
pub(super) fn counts(world: &World<'_>, x: At) -> bool {
    let span = &world.spans[x];
    !span.links.is_empty()
        && (span.kind == SpanKind::Consumer || (span.kind == SpanKind::Client && span.receives()))
}

/// What each distinct link of `x` is when `x` settles.
///
/// *Reading*: a CONSUMER that is a `receive` may have to give way until its deadline, so none of its links settles
/// before.
pub(super) fn judge(world: &World<'_>, x: At) -> Vec<Link> {
    if !counts(world, x) {
        return Vec::new();
    }
    let span = &world.spans[x];
    let early = |target: Target| {
        let waits = span.kind != SpanKind::Consumer || span.receives();
        let mut seconds = (span.arrival..span.deadline).filter(|_| !waits);
        seconds.find_map(|now| match at(world, x, target, now) {
            Link::Resolved(y, now) if world.spans[y].kind == SpanKind::Producer => {
                Some(Link::Resolved(y, now))
            }
            _ => None,
        })
    };
    let targets = span.links.iter().copied();
    targets
        .map(|target| early(target).unwrap_or_else(|| at(world, x, target, span.deadline)))
        .collect()
}

/// What a link of `x` is at the close of a second.
fn at(world: &World<'_>, x: At, target: Target, now: u64) -> Link {
    let seen = world.with_id(target.0, target.1, Then::of(&world.spans[x], now));
    let contexts: Vec<At> = seen
        .iter()
        .copied()
        .filter(|y| creates(world, *y, x))
        .collect();
    let is_ambient = !seen.is_empty() && contexts.is_empty();
    if is_ambient {
        return Link::Ambient;
    }
    if world.spans[x].receives()
        && now == world.spans[x].deadline
        && gives_way(world, x, target, &contexts, now)
    {
        return Link::GaveWay;
    }
    match creator(world, x, &contexts) {
        Some(y) => Link::Resolved(y, now),
        None if contexts.is_empty() => Link::NotSeen,
        None => Link::Closed,
    }
}

/// Of the spans with one id, the one in which the message of `x` was created.
///
/// *Reading*: of several creation contexts with one id, that of another service first, then a PRODUCER, then the
/// smallest name; the best of those that accept `x`.
pub(super) fn creator(world: &World<'_>, x: At, named: &[At]) -> Option<At> {
    let service = world.spans[x].service;
    let contexts = named.iter().copied().filter(|y| creates(world, *y, x));
    let open = contexts.filter(|y| world.accepts(*y, x));
    open.min_by_key(|y| {
        let y = &world.spans[*y];
        (
            y.service == service,
            y.kind != SpanKind::Producer,
            y.service,
        )
    })
}

/// The last second in which the links of `x` are remembered.
///
/// *Reading*: the links of a receive are settled with it, even if it waits on for whom it calls itself.
pub(super) fn remembered(world: &World<'_>, x: At) -> u64 {
    world.spans[x].deadline + world.options.waits.retain
}

/// Whether messages for `x` are created in `y`.
///
/// *Reading*: any PRODUCER creates them, whatever its operation.
pub(super) fn creates(world: &World<'_>, y: At, x: At) -> bool {
    let above = &world.spans[y];
    let sends = || matches!(above.attrs.operation, Operation::Send | Operation::Create);
    match above.kind {
        SpanKind::Producer => true,
        SpanKind::Client => {
            above.service != world.spans[x].service && above.is_messaging() && sends()
        }
        _ => false,
    }
}

/// Whether `x`, a `receive` that no link of it has a call from, gives way for its parent at its deadline.
///
/// *Reading*: a parent is a producer as a link's target is one, so it need not accept `x` any more; one that was never
/// seen, where R10 takes the topic for it, is "one whose link was not seen".
pub(super) fn gives_way_below(world: &World<'_>, x: At) -> bool {
    let span = &world.spans[x];
    let then = Then::of(span, span.deadline);
    let above = match world.parent(x, then) {
        Parent::Is(y) | Parent::Closed(y) => creates(world, y, x).then_some(world.spans[y].id),
        Parent::NotSeen => span.parent.filter(|_| span.names_broker()),
        Parent::None => None,
    };
    let gives_way = |id: u64| {
        let mut contexts = world.with_id(span.trace, id, then);
        contexts.retain(|y| creates(world, *y, x));
        gives_way(world, x, (span.trace, id), &contexts, span.deadline)
    };
    span.receives() && above.is_some_and(gives_way)
}

/// Whether a consumer of the service of `x` that is no `receive` has the message.
///
/// *Reading*: whether or not that consumer came in time for the producer.
fn gives_way(world: &World<'_>, x: At, target: Target, contexts: &[At], now: u64) -> bool {
    let (service, then) = (world.spans[x].service, Then::of(&world.spans[x], now));
    world.all().any(|y| {
        let other = &world.spans[y];
        let consumes =
            other.kind == SpanKind::Consumer && !other.receives() && other.service == service;
        if !consumes || y == x || other.arrival > now || other.remembered < then.since {
            return false;
        }
        let is_parent = || match world.parent(y, then) {
            Parent::Is(parent) | Parent::Closed(parent) => {
                contexts.contains(&parent) && world.spans[parent].side == Side::Out
            }
            _ => false,
        };
        other.links.contains(&target) || is_parent()
    })
}

/// Whether `x` sends messages that its own service created one by one: the creations are the calls.
///
/// *Reading*: a CLIENT; a PRODUCER's own context is a creation context. Whether that still accepts anybody is not asked.
pub(super) fn sends_batch(world: &World<'_>, x: At, then: Then) -> bool {
    let span = &world.spans[x];
    let is_own = |y: &At| {
        let created = &world.spans[*y];
        created.kind == SpanKind::Producer && created.service == span.service
    };
    let mut targets = span.links.iter();
    span.kind == SpanKind::Client
        && span.attrs.operation == Operation::Send
        && targets.any(|(trace, id)| world.with_id(*trace, *id, then).iter().any(is_own))
}
