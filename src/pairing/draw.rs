//! Draws one call: the edge, R8's failures, R13's latencies. Used by every rule that ends in an edge.

use super::record::{Flags, Place, Record, Seen};
use super::shard::{Context, Shard};
use crate::graph::call::{Call, CallClass, CalledFrom, Effects, NodeCall, Outcome, Sample};
use crate::graph::{NodeId, TextId};
use crate::proto::ConnectionType;
use crate::span::{CallStatus, SpanKind, Weight};

/// The side that was called.
#[derive(Debug, Clone, Copy)]
pub(super) struct Callee {
    pub(super) service: NodeId,
    /// It fails the call (R8).
    pub(super) failed: bool,
    /// Its own duration, if it is an inbound span.
    pub(super) server: Sample,
    /// Its start, if it is a consumer.
    pub(super) consumed_at_ns: Option<u64>,
    pub(super) topic: TextId,
    pub(super) status: CallStatus,
    /// Calls it stands for (R14).
    pub(super) weight: Weight,
    /// The span an exemplar names.
    pub(super) span: u64,
    pub(super) class: CallClass,
    pub(super) connection: ConnectionType,
}

// === impl Callee ===

impl Callee {
    /// An inbound span as a callee.
    pub(super) fn inbound(x: &Record, class: CallClass, connection: ConnectionType) -> Self {
        Self {
            service: x.service,
            failed: x.flags.has(Flags::FAILED),
            server: Sample::between(x.start_ns, x.end_ns),
            consumed_at_ns: (x.flags.kind() == SpanKind::Consumer).then_some(x.start_ns),
            topic: x.topic,
            status: x.status,
            weight: x.weight,
            span: x.span,
            class,
            connection,
        }
    }
}

/// R7: what connects an inbound `x` to its parent.
pub(super) fn inbound_connection(x: Flags, parent: Flags) -> ConnectionType {
    match x.kind() {
        SpanKind::Consumer => ConnectionType::MessagingSystem,
        _ if parent.outbound() && parent.has(Flags::DB) => ConnectionType::Database,
        _ => ConnectionType::None,
    }
}

/// R7: what connects a service entered by a non-inbound span to its parent.
pub(super) fn entry_connection(parent: Flags) -> ConnectionType {
    match parent.kind() {
        SpanKind::Producer => ConnectionType::MessagingSystem,
        SpanKind::Client if parent.has(Flags::DB) => ConnectionType::Database,
        _ => ConnectionType::None,
    }
}

// === impl Shard ===

impl Shard {
    /// Draws the call from `parent` to `callee`.
    pub(super) fn draw(
        &mut self,
        cx: &Context<'_>,
        trace: u32,
        parent: &Seen,
        callee: &Callee,
        fx: &mut Effects,
    ) {
        let call = self.call(cx, trace, parent, callee, fx);
        fx.calls.push(call);
        fx.node_calls.push(NodeCall {
            node: callee.service,
            from: CalledFrom::Edges,
            failed: callee.failed,
            server: callee.server,
            address: self.met_at(parent, callee),
        });
    }

    /// Where an outbound parent met whom it called (R11).
    fn met_at(&self, parent: &Seen, callee: &Callee) -> TextId {
        match parent.at {
            Place::Waiting(at) if callee.connection == ConnectionType::None => {
                self.store.record(at).address
            }
            _ => TextId(0),
        }
    }

    /// The call from `parent` to `callee`, with all that it means for the parent.
    pub(super) fn call(
        &mut self,
        cx: &Context<'_>,
        trace: u32,
        parent: &Seen,
        callee: &Callee,
        fx: &mut Effects,
    ) -> Call {
        let edge = cx
            .graph
            .edge(parent.service, callee.service, callee.connection, cx.now_s);
        self.store.mark(parent.at, Flags::HAS_CALL);
        let weight = self.store.weight(parent.at).max(callee.weight);
        let mut call = Call {
            edge,
            class: callee.class,
            failed: u32::from(callee.failed),
            weight: weight.fixed(),
            weighted_failed: u64::from(callee.failed) * weight.fixed(),
            client_failed: 0,
            server_failed: callee.failed,
            client: Sample::None,
            server: callee.server,
            gap: Sample::None,
            queue: Sample::None,
            status: callee.status,
            destination: callee.topic,
            address: TextId(0),
            logical: false,
            trace: self.store.id(trace),
            span: callee.span,
            duration: callee.server,
        };
        if let (Place::Waiting(at), true) = (parent.at, parent.flags.outbound()) {
            self.outbound_side(at, callee, weight, &mut call);
            self.decide(at, Outcome::Paired, fx);
        }
        cx.rules.weigh(call)
    }

    /// What the waiting outbound parent adds: its failure, its duration once per edge, the gap, the queue.
    fn outbound_side(&mut self, at: u32, callee: &Callee, weight: Weight, call: &mut Call) {
        let parent = *self.store.record(at);
        let client = Sample::between(parent.start_ns, parent.end_ns);
        let record = self.store.record_mut(at);
        let charge = self
            .charges
            .charge(at, record, call.edge, callee.failed, weight);
        (call.failed, call.weighted_failed) = (charge.failed, charge.weighted_failed);
        (call.span, call.duration) = (parent.span, client);
        if charge.first {
            call.client = client;
            call.client_failed = u32::from(parent.flags.has(Flags::FAILED));
        }
        if callee.connection == ConnectionType::MessagingSystem {
            if parent.topic != TextId(0) {
                call.destination = parent.topic;
            }
            call.queue = callee.consumed_at_ns.map_or(Sample::None, |start_ns| {
                Sample::between(parent.end_ns, start_ns)
            });
        } else if let (Sample::Ns(client_ns), Sample::Ns(server_ns)) = (client, callee.server) {
            call.gap = Sample::between(server_ns, client_ns);
        }
        call.status = told(parent.status, call.status);
    }
}

/// R8: what the caller's span says of a call, and what it does not say the called side's. A database or broker has no
/// code, whatever the side that answers for it speaks.
fn told(outbound: CallStatus, inbound: CallStatus) -> CallStatus {
    let same = outbound.protocol == inbound.protocol;
    if outbound == CallStatus::default() || (same && outbound.code == 0) {
        inbound
    } else {
        outbound
    }
}
