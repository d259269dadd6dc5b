//! From a span as sent to a span as kept: R0's normalising and everything the rules ask of attributes, done before
//! any lock is taken.

use std::ops::Range;
use std::sync::atomic::Ordering;

use super::batch::{Batch, Incoming, end_of};
use super::ignore::Matches;
use super::probe::Target;
use super::record::{Flags, Record};
use super::texts::Texts;
use super::tomb::Waits;
use super::{Pairing, SharedIds};
use crate::graph::{EdgeId, Graph, NodeId, TextId};
use crate::proto::NodeType;
use crate::semconv;
use crate::span::{
    FLAG_HAS_IS_REMOTE, FLAG_IS_REMOTE, LinkTarget, Operation, Resource, Side, SpanKind, SpanRef,
    TraceId, Weight,
};

/// What a span inherits from its resource.
#[derive(Debug, Clone, Copy)]
pub struct ServiceInfo {
    /// Its service.
    pub node: NodeId,
    /// An OTLP SDK wrote it (`telemetry.sdk.name` is present).
    pub sdk: bool,
    /// Ignore rules that take it.
    pub ignored: Matches,
    /// Its weight by the sampling attribute, for spans that say none.
    pub sampled: Option<Weight>,
}

// === impl Pairing ===

impl Pairing {
    /// What spans of this service inherit. `node` is the service of this namespace and name.
    pub fn service_info(&self, node: NodeId, resource: &Resource<'_>, name: &str) -> ServiceInfo {
        ServiceInfo {
            node,
            sdk: resource.sdk,
            ignored: self.rules.ignore.service(resource.namespace, name),
            sampled: resource.sampled,
        }
    }

    /// Adds an accepted span that arrives in the open `tick` to the batch.
    pub fn read(
        &self,
        graph: &Graph,
        batch: &mut Batch,
        span: &SpanRef<'_>,
        service: ServiceInfo,
        tick: u32,
    ) {
        let trace = self.trace(span.trace);
        let kind = normal_kind(span);
        let ignore = &self.rules.ignore;
        let (name, named) = batch.texts.span_name(graph, ignore, span.name);
        let mut record = Record {
            span: span.span.get(),
            parent: span.parent.map_or(0, crate::span::SpanId::get),
            start_ns: span.start_ns,
            end_ns: span.end_ns,
            service: service.node,
            peer: TextId(0),
            topic: TextId(0),
            address: TextId(0),
            name,
            arrived: tick,
            deadline: tick.saturating_add(Waits::new(&self.rules, tick).of(kind)),
            edge: EdgeId::OVERFLOW,
            failing: 0,
            weight: self.weight(span, service),
            status: span.attrs.status,
            flags: Flags::new(kind, operation(kind, span.attrs.operation)),
        };
        record.flags.set_if(Flags::FAILED, span.failed);
        record
            .flags
            .set_if(Flags::IGNORED, ignore.takes(service.ignored, named, kind));
        record
            .flags
            .set_if(Flags::EARLY, self.settles_early(span, service));
        let remoteness = span.flags & (FLAG_HAS_IS_REMOTE | FLAG_IS_REMOTE);
        record
            .flags
            .set_if(Flags::LOCAL, remoteness == FLAG_HAS_IS_REMOTE);
        record.flags.set_if(
            Flags::REMOTE,
            remoteness == FLAG_HAS_IS_REMOTE | FLAG_IS_REMOTE,
        );
        match kind.side() {
            Side::Out => self.read_outbound(graph, span, &mut record, &mut batch.texts),
            Side::In => self.read_inbound(graph, span, &mut record, &mut batch.texts),
            Side::None => {}
        }
        let links = self.read_links(span, record.flags, &mut batch.links);
        record.flags.set_if(Flags::LINKS, !links.is_empty());
        let last = batch.incoming.last().filter(|last| last.trace == trace);
        let hash = last.map_or_else(|| self.hasher.hash_one(trace), |last| last.hash);
        batch.incoming.push(Incoming {
            hash,
            trace,
            record,
            links,
        });
    }

    /// A trace id as ids compare.
    fn trace(&self, id: TraceId) -> TraceId {
        if self.rules.match_low64 {
            id.low64()
        } else {
            id
        }
    }

    /// Adds the distinct targets of the links of a span that R12 asks about: a CONSUMER, a receive or a send; returns
    /// where they stand.
    fn read_links(&self, span: &SpanRef<'_>, flags: Flags, links: &mut Vec<Target>) -> Range<u32> {
        let start = end_of(links);
        let asks = match flags.kind() {
            SpanKind::Consumer => true,
            SpanKind::Client => flags.receives() || flags.performs(Operation::Send),
            _ => false,
        };
        if !asks || span.links.count == 0 {
            return start..start;
        }
        let target = |link: LinkTarget| Target {
            trace: self.trace(link.trace),
            span: link.span.get(),
        };
        let unread = span.links.unread();
        if unread > 0 {
            self.unread_links.fetch_add(unread, Ordering::Relaxed);
        }
        links.extend(span.links.targets().map(target));
        links[start as usize..].sort_unstable();
        let mut kept = start as usize;
        for at in start as usize..links.len() {
            if at == start as usize || links[at] != links[kept - 1] {
                links[kept] = links[at];
                kept += 1;
            }
        }
        links.truncate(kept);
        start..end_of(links)
    }

    fn read_outbound(
        &self,
        graph: &Graph,
        span: &SpanRef<'_>,
        record: &mut Record,
        texts: &mut Texts,
    ) {
        let kind = record.flags.kind();
        let attrs = &span.attrs;
        record.flags.set_if(Flags::DB, semconv::is_db(attrs));
        record.flags.set_if(
            Flags::MESSAGING,
            kind == SpanKind::Producer || semconv::is_messaging(attrs),
        );
        record
            .flags
            .set_if(Flags::LOOPBACK, semconv::is_loopback_peer(attrs));
        let topic = semconv::topic(attrs);
        record.topic = topic.map_or(TextId(0), |topic| texts.topic(graph, topic));
        if self.rules.learn_aliases && !record.flags.has(Flags::LOOPBACK) {
            let address = semconv::peer_address(attrs);
            record.address = address.map_or(TextId(0), |address| texts.address(graph, address));
        }
        if let Some(name) = semconv::virtual_server(attrs, kind, &self.rules.naming) {
            record.peer = texts.peer(graph, &name);
            record.flags.set(Flags::NAMEABLE);
            record.flags.set_if(Flags::LOGICAL, name.logical);
            record.flags.set_peer_type(name.node_type);
        }
        if record.flags.receives() {
            // It is a callee: never a caller of its broker, but perhaps called by it (R10).
            self.read_broker(graph, span, record, texts);
        }
    }

    fn read_inbound(
        &self,
        graph: &Graph,
        span: &SpanRef<'_>,
        record: &mut Record,
        texts: &mut Texts,
    ) {
        let (attrs, kind) = (&span.attrs, record.flags.kind());
        if kind == SpanKind::Consumer {
            let topic = semconv::topic(attrs);
            record.topic = topic.map_or(TextId(0), |topic| texts.topic(graph, topic));
            return self.read_broker(graph, span, record, texts);
        }
        record.flags.set_if(Flags::TIMER, attrs.timer_triggered);
        self.read_caller(graph, span, kind, record, texts);
    }

    /// Who is taken to have sent a CONSUMER or a receive its message if nobody else is found.
    fn read_broker(
        &self,
        graph: &Graph,
        span: &SpanRef<'_>,
        record: &mut Record,
        texts: &mut Texts,
    ) {
        let named = record.topic != TextId(0) || span.attrs.messaging_system.is_some();
        record.flags.set_if(Flags::BROKERED, named);
        self.read_caller(graph, span, SpanKind::Consumer, record, texts);
    }

    fn read_caller(
        &self,
        graph: &Graph,
        span: &SpanRef<'_>,
        kind: SpanKind,
        record: &mut Record,
        texts: &mut Texts,
    ) {
        let named = semconv::virtual_client(&span.attrs, kind, &self.rules.naming);
        let named = named.filter(|name| name.node_type != NodeType::User);
        record.peer = named
            .as_ref()
            .map_or(TextId(0), |name| texts.peer(graph, name));
        if let Some(name) = named {
            record.flags.set_if(Flags::LOGICAL, name.logical);
            record.flags.set_peer_type(name.node_type);
        }
    }

    fn settles_early(&self, span: &SpanRef<'_>, service: ServiceInfo) -> bool {
        match self.rules.shared_ids {
            SharedIds::Auto => span.flags & FLAG_HAS_IS_REMOTE != 0 || service.sdk,
            SharedIds::Never => true,
            SharedIds::Always => false,
        }
    }

    /// R14: of what says something, the tracestate first, since samplers write it.
    fn weight(&self, span: &SpanRef<'_>, service: ServiceInfo) -> Weight {
        if !self.rules.sampling {
            return Weight::ONE;
        }
        Weight::of_tracestate(span.trace_state)
            .or(span.sampled)
            .or(service.sampled)
            .unwrap_or(Weight::ONE)
    }
}

/// Only a CLIENT or a CONSUMER receives or settles messages, whatever the attributes of other kinds say (R12).
fn operation(kind: SpanKind, said: Operation) -> Operation {
    match (said, kind) {
        (Operation::Receive | Operation::Settle, SpanKind::Client | SpanKind::Consumer) => said,
        (Operation::Receive | Operation::Settle, _) => Operation::None,
        _ => said,
    }
}

/// R0: an unspecified kind with a logical peer is a CLIENT, otherwise INTERNAL.
fn normal_kind(span: &SpanRef<'_>) -> SpanKind {
    match span.kind {
        SpanKind::Unspecified if span.attrs.logical_peer.is_some() => SpanKind::Client,
        SpanKind::Unspecified => SpanKind::Internal,
        kind => kind,
    }
}
