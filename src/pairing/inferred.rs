//! R9's and R10's edges: one end reported, the other is named by it.

use super::UserNode;
use super::record::{Flags, Record};
use super::shard::{Context, Shard};
use crate::graph::call::{Call, CallClass, CalledFrom, Effects, NodeCall, Outcome, Sample};
use crate::graph::{NodeId, TextId};
use crate::proto::{ConnectionType, NodeType};
use crate::span::SpanKind;

// === impl Shard ===

impl Shard {
    /// R9 (c): the edge from an outbound span to the node that R11 names.
    pub(super) fn draw_virtual_server(
        &mut self,
        cx: &Context<'_>,
        trace: u32,
        at: u32,
        fx: &mut Effects,
    ) {
        let p = *self.store.record(at);
        let (node_type, connection) = match p.flags.peer_type() {
            NodeType::Database => (NodeType::Database, ConnectionType::Database),
            NodeType::Messaging => (NodeType::Messaging, ConnectionType::MessagingSystem),
            _ => (NodeType::External, ConnectionType::VirtualNode),
        };
        let server = cx.graph.virtual_peer(node_type, p.peer, cx.now_s);
        let failed = p.flags.has(Flags::FAILED);
        let duration = Sample::between(p.start_ns, p.end_ns);
        let destination = match connection {
            ConnectionType::MessagingSystem => p.topic,
            _ => TextId(0),
        };
        let call = Call {
            edge: cx.graph.edge(p.service, server, connection, cx.now_s),
            class: CallClass::VirtualServer,
            failed: u32::from(failed),
            weight: p.weight.fixed(),
            weighted_failed: u64::from(failed) * p.weight.fixed(),
            client_failed: u32::from(failed),
            server_failed: false,
            client: duration,
            // R13: with a virtual server the client's duration stands for the server's.
            server: duration,
            gap: Sample::None,
            queue: Sample::None,
            status: p.status,
            destination,
            address: if node_type == NodeType::External {
                p.address
            } else {
                TextId(0)
            },
            logical: cx.rules.learn_aliases && p.flags.has(Flags::LOGICAL),
            trace: self.store.id(trace),
            span: p.span,
            duration,
        };
        fx.calls.push(cx.rules.weigh(call));
        self.decide(at, Outcome::Virtual, fx);
    }

    /// R10: the edge from whoever called an inbound span, which that settles; `false` when nobody is to be drawn.
    pub(super) fn draw_virtual_client(
        &mut self,
        cx: &Context<'_>,
        trace: u32,
        at: u32,
        fx: &mut Effects,
    ) -> bool {
        let x = *self.store.record(at);
        let drawn = self.virtual_client_call(cx, trace, &x, fx);
        if drawn {
            self.store.record_mut(at).flags.set(Flags::AWAITING);
            self.decide(at, Outcome::Virtual, fx);
        }
        drawn
    }

    /// The same for an inbound span or a receive, whose outcome it leaves alone.
    pub(super) fn virtual_client_call(
        &mut self,
        cx: &Context<'_>,
        trace: u32,
        x: &Record,
        fx: &mut Effects,
    ) -> bool {
        let Some(client) = caller(cx, x.flags, x.peer, x.service) else {
            return false;
        };
        if x.flags.has(Flags::IGNORED) {
            return true;
        }
        let connection = match x.flags.kind() {
            SpanKind::Server => ConnectionType::VirtualNode,
            _ => ConnectionType::MessagingSystem,
        };
        let failed = x.flags.has(Flags::FAILED);
        let duration = Sample::between(x.start_ns, x.end_ns);
        let server = if x.flags.inbound() {
            duration
        } else {
            Sample::None
        };
        let call = Call {
            edge: cx.graph.edge(client, x.service, connection, cx.now_s),
            class: CallClass::VirtualClient,
            failed: u32::from(failed),
            weight: x.weight.fixed(),
            weighted_failed: u64::from(failed) * x.weight.fixed(),
            client_failed: 0,
            server_failed: failed,
            client: Sample::None,
            server,
            gap: Sample::None,
            queue: Sample::None,
            status: x.status,
            destination: x.topic,
            address: TextId(0),
            logical: false,
            trace: self.store.id(trace),
            span: x.span,
            duration,
        };
        fx.calls.push(cx.rules.weigh(call));
        fx.node_calls.push(NodeCall {
            node: x.service,
            from: CalledFrom::Edges,
            failed,
            server,
            address: TextId(0),
        });
        true
    }
}

/// Who called: the named peer (an external node, for a CONSUMER a messaging one), else the user, as configured.
fn caller(cx: &Context<'_>, flags: Flags, peer: TextId, service: NodeId) -> Option<NodeId> {
    if peer != TextId(0) {
        return Some(cx.graph.virtual_peer(flags.peer_type(), peer, cx.now_s));
    }
    if flags.has(Flags::TIMER) {
        return None;
    }
    match cx.rules.user_node {
        UserNode::Shared => Some(cx.graph.user(None, cx.now_s)),
        UserNode::PerService => Some(cx.graph.user(Some(service), cx.now_s)),
        UserNode::Off => None,
    }
}
