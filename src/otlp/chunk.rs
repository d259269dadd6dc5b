//! What a walk hands out: rows of places, read back as borrowed spans.

use super::Counts;
use super::attributes::{AttrRow, number_of};
use super::fields::Ids;
use super::links::MAX_LINKS;
use super::resource::{ResourceRow, text};
use super::wire::Place;
use crate::semconv::keys::Meaning;
use crate::span::{
    Attrs, CallStatus, Links, Operation, Protocol, Resource, SpanKind, SpanRef, Weight,
};

/// One accepted span.
#[derive(Debug, Clone)]
pub(super) struct SpanRow {
    pub(super) ids: Ids,
    pub(super) kind: SpanKind,
    pub(super) failed: bool,
    pub(super) flags: u32,
    pub(super) start_ns: u64,
    pub(super) end_ns: u64,
    pub(super) name: Place,
    pub(super) trace_state: Place,
    /// Rows of its attributes.
    pub(super) attrs: Place,
    pub(super) links: Place,
    pub(super) link_count: u32,
    pub(super) sampled: Option<Weight>,
    pub(super) resource: u32,
    pub(super) bytes: Place,
}

/// The rows of one chunk.
#[derive(Debug, Default)]
pub(super) struct Rows {
    pub(super) spans: Vec<SpanRow>,
    pub(super) attrs: Vec<AttrRow>,
    pub(super) resources: Vec<ResourceRow>,
    /// Resources that came in pieces, their pieces joined.
    pub(super) joined: Vec<u8>,
}

/// Some spans of one request, with the resources they name.
#[derive(Debug, Clone, Copy)]
pub struct Chunk<'a> {
    /// Counts of this chunk alone.
    pub counts: Counts,
    pub(super) request: &'a [u8],
    pub(super) rows: &'a Rows,
    pub(super) spans: &'a [SpanRow],
}

// === impl Rows ===

impl Rows {
    pub(super) fn clear(&mut self) {
        self.spans.clear();
        self.attrs.clear();
        self.resources.clear();
    }
}

// === impl Chunk ===

impl<'a> Chunk<'a> {
    /// All that was walked since the last one.
    pub(super) fn of(request: &'a [u8], rows: &'a Rows, counts: Counts) -> Self {
        Self {
            counts,
            request,
            rows,
            spans: &rows.spans,
        }
    }

    /// The accepted spans in the order sent.
    pub fn spans(self) -> impl Iterator<Item = SpanRef<'a>> {
        self.spans.iter().map(move |row| self.span(row))
    }

    /// Of each accepted span, how many links are read at most.
    pub fn links(self) -> impl Iterator<Item = u32> {
        let links = |row: &SpanRow| row.link_count.min(MAX_LINKS);
        self.spans.iter().map(links)
    }

    /// Its first spans, so many and not all, and the rest. The spans that were rejected are counted with the first.
    pub fn split_at(self, spans: usize) -> (Self, Self) {
        let (first, rest) = self.spans.split_at(spans);
        let (mut counts, mut rest_counts) = (self.counts, Counts::default());
        rest_counts.decoded = rest.len() as u64;
        counts.decoded -= rest_counts.decoded;
        let of = |spans, counts| Self {
            counts,
            spans,
            ..self
        };
        (of(first, counts), of(rest, rest_counts))
    }

    /// The whole request in protobuf's form: as sent, or what was made of its JSON.
    pub fn request(self) -> &'a [u8] {
        self.request
    }

    /// Number of accepted spans.
    pub fn len(self) -> usize {
        self.spans.len()
    }

    /// Whether it has no accepted span.
    pub fn is_empty(self) -> bool {
        self.spans.is_empty()
    }

    /// Number of resources its spans name; [`SpanRef::resource`] is below it.
    pub fn resources(self) -> usize {
        self.rows.resources.len()
    }

    /// Encoded bytes of resource `index` (as [`SpanRef::resource`] names it): the key under which it is remembered.
    /// Empty for a `ResourceSpans` without resource, and for an index that the chunk does not have.
    pub fn resource_bytes(self, index: u32) -> &'a [u8] {
        self.row(index)
            .map_or(&[], |row| row.bytes(self.request, &self.rows.joined))
    }

    /// Resource `index`, read.
    pub fn resource(self, index: u32) -> Resource<'a> {
        self.row(index).map_or_else(Resource::default, |row| {
            row.read(self.request, &self.rows.joined)
        })
    }

    fn row(self, index: u32) -> Option<&'a ResourceRow> {
        self.rows.resources.get(index as usize)
    }

    #[inline]
    fn span(self, row: &SpanRow) -> SpanRef<'a> {
        let start = row.bytes.start;
        SpanRef {
            trace: row.ids.trace,
            span: row.ids.span,
            parent: row.ids.parent,
            kind: row.kind,
            failed: row.failed,
            start_ns: row.start_ns,
            end_ns: row.end_ns,
            flags: row.flags,
            name: row.name.of(self.request),
            trace_state: row.trace_state.of(self.request),
            attrs: self.attrs_of(row),
            links: Links {
                encoded: row.links.of(self.request),
                count: row.link_count,
            },
            sampled: row.sampled,
            resource: row.resource,
            bytes: start..start + row.bytes.len,
        }
    }

    /// A SERVER's attributes name its caller, which only matters without a parent; its status always does.
    #[inline]
    fn attrs_of(self, row: &SpanRow) -> Attrs<'a> {
        let attrs = self.attrs(row.attrs, row.kind);
        if row.kind == SpanKind::Server && row.ids.parent.is_some() {
            return Attrs {
                status: attrs.status,
                ..Attrs::default()
            };
        }
        attrs
    }

    fn attrs(self, rows: Place, kind: SpanKind) -> Attrs<'a> {
        let mut attrs = Attrs::default();
        if rows.len == 0 {
            return attrs;
        }
        let start = rows.start as usize;
        let mut codes = Codes::default();
        for row in &self.rows.attrs[start..start + rows.len as usize] {
            fill(&mut attrs, &mut codes, *row, self.request);
        }
        attrs.status = codes.status(&attrs, kind);
        attrs
    }
}

fn fill<'a>(attrs: &mut Attrs<'a>, codes: &mut Codes, row: AttrRow, request: &'a [u8]) {
    let value = row.value;
    let text = || text(value, request);
    match row.meaning {
        Meaning::LogicalPeer => attrs.logical_peer = text(),
        Meaning::LogicalPeerNamespace => attrs.logical_peer_namespace = text(),
        Meaning::Host => attrs.host = text(),
        Meaning::Port => attrs.port = Some(number_of(value)),
        Meaning::SocketAddress => attrs.socket_address = text(),
        Meaning::HttpHost => attrs.http_host = text(),
        Meaning::Url => attrs.url = text(),
        Meaning::DbSystem => attrs.db_system = text(),
        Meaning::DbNamespace => attrs.db_namespace = text(),
        Meaning::DbName => attrs.db_name = text(),
        Meaning::MessagingSystem => attrs.messaging_system = text(),
        Meaning::DestinationTemplate => attrs.destination_template = text(),
        Meaning::Destination => attrs.destination = text(),
        Meaning::DestinationGenerated => attrs.destination_generated = true,
        Meaning::Operation => attrs.operation = operation(value.of(request)),
        Meaning::RpcSystem => attrs.rpc_system = text(),
        Meaning::RpcService => attrs.rpc_service = text(),
        Meaning::FaasInvoked => attrs.faas_invoked = text(),
        Meaning::FaasTrigger => attrs.timer_triggered = value.of(request) == b"timer",
        Meaning::HttpMethod => codes.http = true,
        Meaning::HttpCode => codes.http_code = number_of(value),
        Meaning::GrpcCode => codes.grpc_code = Some(number_of(value)),
    }
}

fn operation(name: &[u8]) -> Operation {
    match name {
        b"create" => Operation::Create,
        b"send" | b"publish" => Operation::Send,
        b"receive" => Operation::Receive,
        b"process" | b"deliver" => Operation::Process,
        b"settle" => Operation::Settle,
        _ => Operation::None,
    }
}

/// Status attributes as found.
#[derive(Debug, Default)]
struct Codes {
    http: bool,
    http_code: u16,
    grpc_code: Option<u16>,
}

// === impl Codes ===

impl Codes {
    /// One protocol per call, the most specific: a database or broker that is spoken to over HTTP or RPC is what the
    /// call is about, and an RPC over HTTP is an RPC. Who sends or takes a message does so even where the broker is also
    /// a database. Only HTTP and gRPC have a code of their own.
    fn status(&self, attrs: &Attrs<'_>, kind: SpanKind) -> CallStatus {
        let grpc = attrs
            .rpc_system
            .map_or(self.grpc_code.is_some(), |system| system == "grpc");
        let message = matches!(kind, SpanKind::Producer | SpanKind::Consumer);
        let db = crate::semconv::is_db(attrs);
        let (protocol, code) = if db && !message {
            (Protocol::Db, 0)
        } else if db || crate::semconv::is_messaging(attrs) {
            (Protocol::Messaging, 0)
        } else if grpc {
            (Protocol::Grpc, self.grpc_code.map_or(0, |code| code + 1))
        } else if attrs.rpc_system.is_some() || attrs.rpc_service.is_some() {
            (Protocol::Rpc, 0)
        } else if self.http || self.http_code != 0 || attrs.http_host.is_some() {
            (Protocol::Http, self.http_code)
        } else {
            (Protocol::Unknown, 0)
        };
        CallStatus { protocol, code }
    }
}
