//! From a span as sent to a span as kept: R0's normalising and everything the rules ask of attributes, done before
//! any lock is taken.

use super::record::{Flags, Record};
use super::shard::Incoming;
use super::texts::Texts;
use super::{Pairing, SharedIds};
use crate::graph::{EdgeId, Graph, NodeId, TextId};
use crate::proto::NodeType;
use crate::semconv;
use crate::span::{FLAG_HAS_IS_REMOTE, FLAG_IS_REMOTE, Side, SpanKind, SpanRef};

/// What a span inherits from its resource.
#[derive(Debug, Clone, Copy)]
pub struct ServiceInfo {
    /// Its service.
    pub node: NodeId,
    /// An OTLP SDK wrote it (`telemetry.sdk.name` is present).
    pub sdk: bool,
}

/// Spans on their way into the shards. Reused: a steady stream allocates nothing.
#[derive(Debug, Default)]
pub struct Batch {
    incoming: Vec<Incoming>,
    /// Indexes into `incoming`, shard after shard, in arrival order within each.
    order: Vec<u32>,
    texts: Texts,
    /// Where each shard's run in `order` ends.
    ends: Vec<u32>,
}

/// The spans of a batch that fall to one shard.
#[derive(Debug, Clone, Copy)]
pub(super) struct Run<'a> {
    incoming: &'a [Incoming],
    order: &'a [u32],
}

// === impl Pairing ===

impl Pairing {
    /// Adds an accepted span that arrives in the open `tick` to the batch.
    pub fn read(
        &self,
        graph: &Graph,
        batch: &mut Batch,
        span: &SpanRef<'_>,
        service: ServiceInfo,
        tick: u32,
    ) {
        let trace = if self.rules.match_low64 {
            span.trace.low64()
        } else {
            span.trace
        };
        let kind = normal_kind(span);
        let mut record = Record {
            span: span.span.get(),
            parent: span.parent.map_or(0, crate::span::SpanId::get),
            start_ns: span.start_ns,
            end_ns: span.end_ns,
            service: service.node,
            peer: TextId(0),
            topic: TextId(0),
            name: batch.texts.span_name(graph, span.name),
            arrived: tick,
            deadline: tick.saturating_add(self.wait(kind)),
            edge: EdgeId::OVERFLOW,
            failing: 0,
            status: span.attrs.status,
            flags: Flags::new(kind, span.attrs.operation),
        };
        record.flags.set_if(Flags::FAILED, span.failed);
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
        let last = batch.incoming.last().filter(|last| last.trace == trace);
        let hash = last.map_or_else(|| self.hasher.hash_one(trace), |last| last.hash);
        batch.incoming.push(Incoming {
            hash,
            trace,
            record,
        });
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
        record.topic = semconv::topic(attrs).map_or(TextId(0), |topic| texts.topic(graph, topic));
        if let Some(name) = semconv::virtual_server(attrs, kind, &self.rules.naming) {
            record.peer = texts.peer(graph, name.name);
            record.flags.set(Flags::NAMEABLE);
            record.flags.set_if(Flags::LOGICAL, name.logical);
            record.flags.set_peer_type(name.node_type);
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
        let timer = attrs.timer_triggered && kind == SpanKind::Server;
        record.flags.set_if(Flags::TIMER, timer);
        let named = semconv::virtual_client(attrs, kind, &self.rules.naming);
        if let Some(name) = named.filter(|name| name.node_type != NodeType::User) {
            record.peer = texts.peer(graph, name.name);
            record.flags.set_if(Flags::LOGICAL, name.logical);
            record.flags.set_peer_type(name.node_type);
        }
        if kind == SpanKind::Consumer {
            let topic = semconv::topic(attrs);
            record.topic = topic.map_or(TextId(0), |topic| texts.topic(graph, topic));
            record.flags.set_if(
                Flags::BROKERED,
                topic.is_some() || attrs.messaging_system.is_some(),
            );
        }
    }

    fn settles_early(&self, span: &SpanRef<'_>, service: ServiceInfo) -> bool {
        match self.rules.shared_ids {
            SharedIds::Auto => span.flags & FLAG_HAS_IS_REMOTE != 0 || service.sdk,
            SharedIds::Never => true,
            SharedIds::Always => false,
        }
    }

    fn wait(&self, kind: SpanKind) -> u32 {
        match kind {
            SpanKind::Producer | SpanKind::Consumer => self.rules.messaging_wait,
            _ => self.rules.wait,
        }
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

// === impl Batch ===

impl Batch {
    /// Number of spans.
    pub fn len(&self) -> usize {
        self.incoming.len()
    }

    /// Whether it has none.
    pub fn is_empty(&self) -> bool {
        self.incoming.is_empty()
    }

    /// Hands each shard its spans, in arrival order, and leaves the batch empty.
    pub(super) fn each_shard(&mut self, shards: usize, mut visit: impl FnMut(usize, Run<'_>)) {
        self.sort(shards);
        let mut start = 0;
        for (shard, &end) in self.ends.iter().enumerate() {
            let order = &self.order[start..end as usize];
            if !order.is_empty() {
                visit(
                    shard,
                    Run {
                        incoming: &self.incoming,
                        order,
                    },
                );
            }
            start = end as usize;
        }
        self.incoming.clear();
    }

    /// A counting sort by shard.
    fn sort(&mut self, shards: usize) {
        self.ends.clear();
        self.ends.resize(shards, 0);
        for span in &self.incoming {
            self.ends[shard_of(span.hash, shards)] += 1;
        }
        let mut start = 0;
        for end in &mut self.ends {
            (*end, start) = (start, start + *end);
        }
        self.order.clear();
        self.order.resize(self.incoming.len(), 0);
        for (index, span) in (0_u32..).zip(&self.incoming) {
            let next = &mut self.ends[shard_of(span.hash, shards)];
            self.order[*next as usize] = index;
            *next += 1;
        }
    }
}

/// Not the hash's lowest bits and not its highest: the trace tables use those.
fn shard_of(hash: u64, shards: usize) -> usize {
    let bits = (hash >> 32) as usize;
    bits & (shards - 1)
}

// === impl Run ===

impl<'a> Run<'a> {
    pub(super) fn iter(self) -> impl Iterator<Item = &'a Incoming> {
        self.order
            .iter()
            .map(move |&index| &self.incoming[index as usize])
    }
}
