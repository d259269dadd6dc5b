//! Inbound spans: who called them (R4, R5 for inbound spans, R6, R10).

use spangraph::proto::ConnectionType;
use spangraph::semconv;
use spangraph::span::{Side, SpanKind};

use super::view::{At, Parent, Then, World};

/// What became of one inbound span, and in which second.
#[derive(Debug)]
pub(super) struct Callee {
    pub span: At,
    pub settled: u64,
    pub verdict: Verdict,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Verdict {
    /// A call from this span.
    CalledBy(At),
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
    /// The inbound span, or the member of the group that came first.
    pub server: At,
    pub connection: i32,
    /// The called side failed.
    pub failed: bool,
    /// When the called side settled.
    pub settled: u64,
}

/// Settles every inbound span.
pub(super) fn settle(world: &World) -> Vec<Callee> {
    let inbound = world.all().filter(|x| world.spans[*x].side == Side::In);
    inbound
        .map(|x| {
            let settled = settle_second(world, x);
            Callee {
                span: x,
                settled,
                verdict: verdict(world, x, settled),
            }
        })
        .collect()
}

/// A CONSUMER settles at its deadline; a SERVER as soon as it and an outbound span with its id are there, or it and a
/// span with its parent id when ids are not shared.
pub(super) fn settle_second(world: &World, x: At) -> u64 {
    let span = &world.spans[x];
    let settles_at_once = |now: &u64| match world.parent(x, Then::at(*now)) {
        Parent::Is(parent) if span.kind == SpanKind::Server => {
            world.spans[parent].sent.id == span.sent.id || span.has_unshared_ids()
        }
        _ => false,
    };
    (span.arrival..span.deadline)
        .find(settles_at_once)
        .unwrap_or(span.deadline)
}

fn verdict(world: &World, x: At, now: u64) -> Verdict {
    let span = &world.spans[x];
    match world.parent(x, Then::at(now)) {
        Parent::None => without_caller(world, x),
        Parent::NotSeen => {
            let attrs = span.sent.facts.attrs();
            let topic = semconv::topic(&attrs).or(attrs.messaging_system);
            match topic {
                Some(_) if span.kind == SpanKind::Consumer => without_caller(world, x),
                _ => Verdict::Unpaired,
            }
        }
        Parent::Is(parent) if world.spans[parent].service == span.service => {
            inside_service(world, x, parent)
        }
        Parent::Is(parent) => Verdict::CalledBy(parent),
        Parent::Closed(_) => Verdict::Late,
    }
}

/// R10.
fn without_caller(world: &World, x: At) -> Verdict {
    world.spans[x]
        .virtual_client()
        .map_or(Verdict::Root, |(node, connection)| {
            Verdict::Virtual(node, connection)
        })
}

/// R4, R6 and R12 for a parent in the same service.
fn inside_service(world: &World, x: At, parent: At) -> Verdict {
    let (span, above) = (&world.spans[x], &world.spans[parent]);
    if span.kind == SpanKind::Consumer && above.receives() {
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
    let loopback = semconv::is_loopback_peer(&above.sent.facts.attrs());
    if span.has_local_parent() || loopback {
        return Verdict::Continues(parent);
    }
    Verdict::CalledBy(parent)
}

/// The calls that have a seen caller.
pub(super) fn calls(world: &World, callees: &[Callee]) -> Vec<Call> {
    let call = |callee: &Callee| match callee.verdict {
        Verdict::CalledBy(client) => Some(Call {
            client,
            server: callee.span,
            connection: connection(world, client, callee.span),
            failed: world.spans[callee.span].sent.failed,
            settled: callee.settled,
        }),
        _ => None,
    };
    callees.iter().filter_map(call).collect()
}

/// R7.
pub(super) fn connection(world: &World, client: At, server: At) -> i32 {
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
