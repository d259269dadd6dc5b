//! Inbound spans, and what pulls messages: who called them (R4, R5 for inbound spans, R6, R10, R12).

use spangraph::proto::ConnectionType;
use spangraph::semconv;
use spangraph::span::{Side, SpanKind};

use super::links::{self, Link};
use super::seen::Seen;
use super::view::{At, Parent, Then, World};

/// What became of one span as the called side, and in which second.
#[derive(Debug)]
pub(super) struct Callee {
    pub span: At,
    pub settled: u64,
    pub verdict: Verdict,
    /// One for each of its distinct links.
    pub links: Vec<Link>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Verdict {
    /// A call from this span.
    CalledBy(At),
    /// A call from each of these, where its messages were created, with the second in which that was settled (R12).
    Linked(Vec<(At, u64)>),
    /// Handed on inside its service, by this outbound span (R4).
    Continues(At),
    Internal,
    /// A call from this node, which nobody reported, of this connection type (R10).
    Virtual(String, i32),
    Root,
    Unpaired,
    Late,
}

/// A call between two seen sides.
#[derive(Debug)]
pub(super) struct Call {
    pub client: At,
    /// The called span, or the member of the group that came first.
    pub server: At,
    pub connection: i32,
    /// The called side failed.
    pub failed: bool,
    /// When the called side settled.
    pub settled: u64,
    /// The law's word for it.
    pub class: &'static str,
    /// How many it stands for, in fixed point.
    pub weight: u64,
    /// *Reading*: the caller knows best what it sent the message to; of others only who took it has a say.
    pub topic: Option<&'static str>,
    /// An ignore rule took one of its sides: it is not drawn.
    pub struck: bool,
}

/// Settles every inbound span, and every outbound one whose links may be calls.
pub(super) fn settle(world: &World<'_>) -> Vec<Callee> {
    let is_callee = |x: &At| world.spans[*x].side == Side::In || links::counts(world, *x);
    let settle = |x: At| {
        let links = links::judge(world, x);
        let settled = settle_second(world, x, &links);
        Callee {
            span: x,
            settled,
            verdict: verdict(world, x, settled, &links),
            links,
        }
    };
    world.all().filter(is_callee).map(settle).collect()
}

/// A SERVER settles as soon as it and an outbound span with its id are there, or it and a span with its parent id when
/// ids are not shared; a CONSUMER once one of its links is resolved; at its deadline what has not by then.
///
/// *Reading*: each link settles for itself. With one resolved the parent is not used, so nothing is open for that.
fn settle_second(world: &World<'_>, x: At, links: &[Link]) -> u64 {
    let span = &world.spans[x];
    let resolved = links.iter().map(|link| match link {
        Link::Resolved(_, now) => *now,
        _ => span.deadline,
    });
    if let Some(first) = resolved.min() {
        return first;
    }
    let settles_at_once = |now: &u64| match world.parent(x, Then::of(span, *now)) {
        Parent::Is(parent) if span.kind == SpanKind::Server => {
            world.spans[parent].id == span.id || span.has_unshared_ids(world.options.shared_ids)
        }
        _ => false,
    };
    (span.arrival..span.deadline)
        .find(settles_at_once)
        .unwrap_or(span.deadline)
}

fn verdict(world: &World<'_>, x: At, now: u64, links: &[Link]) -> Verdict {
    let resolved = links.iter().filter_map(|link| match link {
        Link::Resolved(y, now) => Some((*y, *now)),
        _ => None,
    });
    let resolved: Vec<(At, u64)> = resolved.collect();
    if !resolved.is_empty() {
        return Verdict::Linked(resolved);
    }
    // *Reading*: a link that gave way is a call drawn by another, so it stands for the parent and for R10 as well.
    if links.contains(&Link::GaveWay) {
        return Verdict::Internal;
    }
    if links.contains(&Link::NotSeen) || links.contains(&Link::Closed) {
        return unresolved(world, x, now, links.contains(&Link::Closed));
    }
    match world.spans[x].side {
        Side::In => by_parent(world, x, now),
        // *Reading*: links that are ignored leave it one without links, which draws nothing.
        Side::Out | Side::None => Verdict::Internal,
    }
}

/// R12 for a span none of whose links was resolved, some of which had been waited for: its parent, else R10.
///
/// *Reading*: where a creation context had been settled without it, it is `late` instead of having an R10 call; a parent
/// in another service goes before, and one that was never seen where nothing names a topic. What is not
/// inbound is a caller first, so it can be neither `late` nor unpaired: it draws nothing; its parent in another service
/// is that of a service entry.
fn unresolved(world: &World<'_>, x: At, now: u64, closed: bool) -> Verdict {
    let span = &world.spans[x];
    let inbound = |verdict: Verdict| match span.side {
        Side::In => verdict,
        Side::Out | Side::None => Verdict::Internal,
    };
    let elsewhere = |parent: At| world.spans[parent].service != span.service;
    let parent = world.parent(x, Then::of(span, now));
    let used = match parent {
        Parent::Is(parent) | Parent::Closed(parent) => elsewhere(parent),
        Parent::NotSeen | Parent::None => true,
    };
    if used && links::gives_way_below(world, x) {
        return Verdict::Internal;
    }
    match parent {
        Parent::Is(parent) if elsewhere(parent) => inbound(Verdict::CalledBy(parent)),
        Parent::Closed(parent) if elsewhere(parent) => inbound(Verdict::Late),
        Parent::NotSeen if unseen_parent(world, x) == Verdict::Unpaired => {
            inbound(Verdict::Unpaired)
        }
        _ if closed => inbound(Verdict::Late),
        _ => without_caller(world, x),
    }
}

fn by_parent(world: &World<'_>, x: At, now: u64) -> Verdict {
    if links::gives_way_below(world, x) {
        return Verdict::Internal;
    }
    match world.parent(x, Then::of(&world.spans[x], now)) {
        Parent::None if world.spans[x].receives() => Verdict::Internal,
        Parent::None => without_caller(world, x),
        Parent::NotSeen => unseen_parent(world, x),
        Parent::Is(parent) if world.spans[parent].service == world.spans[x].service => {
            inside_service(world, x, parent, now)
        }
        Parent::Is(parent) => Verdict::CalledBy(parent),
        // *Reading*: what never calls its own service is no partner that was settled without it.
        Parent::Closed(parent) if never_calls(world, x, parent) => {
            inside_service(world, x, parent, now)
        }
        Parent::Closed(_) => Verdict::Late,
    }
}

/// R12.
fn never_calls(world: &World<'_>, x: At, parent: At) -> bool {
    let above = &world.spans[parent];
    above.service == world.spans[x].service && (above.receives() || above.settles())
}

/// R10 for a parent that was never seen: only a message's topic may be taken for its caller.
fn unseen_parent(world: &World<'_>, x: At) -> Verdict {
    if world.spans[x].names_broker() {
        without_caller(world, x)
    } else {
        Verdict::Unpaired
    }
}

/// R10.
fn without_caller(world: &World<'_>, x: At) -> Verdict {
    world
        .virtual_client(x)
        .map_or(Verdict::Root, |(node, connection)| {
            Verdict::Virtual(node, connection)
        })
}

/// R4, R6 and R12 for a parent in the same service.
///
/// *Reading*: what pulled a message with links has the call, unless by its own deadline all of these are ignored: then it
/// is one without.
fn inside_service(world: &World<'_>, x: At, parent: At, now: u64) -> Verdict {
    let (span, above) = (&world.spans[x], &world.spans[parent]);
    let has_links = || {
        let is_ambient = |link: &Link| *link == Link::Ambient;
        let ignored = above.deadline <= now && links::judge(world, parent).iter().all(is_ambient);
        !above.links.is_empty() && !ignored
    };
    if span.kind == SpanKind::Consumer && above.receives() && !has_links() && !span.receives() {
        return without_caller(world, x);
    }
    if above.receives() || above.settles() {
        return Verdict::Internal;
    }
    if above.side != Side::Out {
        return if span.has_remote_parent() {
            Verdict::CalledBy(parent)
        } else {
            Verdict::Internal
        };
    }
    let loopback = semconv::is_loopback_peer(&above.attrs);
    if span.has_local_parent() || loopback {
        return Verdict::Continues(parent);
    }
    Verdict::CalledBy(parent)
}

/// The calls that have a seen caller.
pub(super) fn calls(world: &World<'_>, callees: &[Callee]) -> Vec<Call> {
    let calls = |callee: &Callee| match &callee.verdict {
        Verdict::CalledBy(client) => vec![Call {
            connection: connection(world, *client, callee.span),
            ..call(world, *client, callee.span, callee.settled)
        }],
        Verdict::Linked(producers) => {
            let linked = |(client, settled): &(At, u64)| Call {
                class: "linked",
                ..call(world, *client, callee.span, *settled)
            };
            producers.iter().map(linked).collect()
        }
        _ => Vec::new(),
    };
    callees.iter().flat_map(calls).collect()
}

fn call(world: &World<'_>, client: At, server: At, settled: u64) -> Call {
    let (above, span) = (&world.spans[client], &world.spans[server]);
    Call {
        client,
        server,
        connection: ConnectionType::MessagingSystem.into(),
        failed: span.failed,
        settled,
        class: "paired",
        weight: above.weight.max(span.weight),
        topic: sent_to(above).or(span.topic()),
        struck: above.ignored || span.ignored,
    }
}

/// The topic a caller names.
pub(super) fn sent_to(caller: &Seen) -> Option<&'static str> {
    caller.topic().filter(|_| caller.side == Side::Out)
}

/// R7.
pub(super) fn connection(world: &World<'_>, client: At, server: At) -> i32 {
    let (client, server) = (&world.spans[client], &world.spans[server]);
    let below_db = client.side == Side::Out && client.is_db();
    let database = if below_db {
        ConnectionType::Database
    } else {
        ConnectionType::None
    };
    match server.kind {
        SpanKind::Consumer => ConnectionType::MessagingSystem,
        SpanKind::Server => database,
        _ if client.kind == SpanKind::Producer => ConnectionType::MessagingSystem,
        _ => database,
    }
    .into()
}
