//! The few fields of a span that pairing needs, and the types that carry their checks.
//!
//! A [`SpanRef`] borrows from the request it was read from; reading it costs no allocation. Protobuf and JSON yield
//! the same spans. What it deliberately does not have: any attribute that no rule of pairing uses.

mod weight;

use std::num::NonZeroU64;

pub use weight::Weight;

/// A valid trace id: 16 bytes, not all zero (trace.proto, `Span.trace_id`).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TraceId([u8; 16]);

/// A valid span id: 8 bytes read big-endian, not zero (trace.proto, `Span.span_id`).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SpanId(NonZeroU64);

/// OTLP span kinds. `Unspecified` stands for 0 and for every unknown number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
#[repr(u8)]
pub enum SpanKind {
    /// Kind 0 or unknown; pairing rule R0 makes it `Client` or `Internal`.
    #[default]
    Unspecified = 0,
    /// Inside one service.
    Internal = 1,
    /// Inbound call.
    Server = 2,
    /// Outbound call.
    Client = 3,
    /// Outbound message.
    Producer = 4,
    /// Inbound message.
    Consumer = 5,
}

/// Which way a span faces: R1's side.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Side {
    /// CLIENT and PRODUCER.
    Out = 0,
    /// SERVER and CONSUMER.
    In = 1,
    /// Everything else.
    None = 2,
}

/// OTLP `Span.flags` bit: it is known whether the parent is remote.
pub const FLAG_HAS_IS_REMOTE: u32 = 0x100;
/// OTLP `Span.flags` bit: the parent is remote (meaningful only with [`FLAG_HAS_IS_REMOTE`]).
pub const FLAG_IS_REMOTE: u32 = 0x200;

// === impl TraceId ===

impl TraceId {
    /// `None` unless `raw` is 16 bytes and not all zero.
    pub fn new(raw: &[u8]) -> Option<Self> {
        let bytes: [u8; 16] = raw.try_into().ok()?;
        (u128::from_ne_bytes(bytes) != 0).then_some(Self(bytes))
    }

    /// The 16 bytes as sent.
    pub fn bytes(&self) -> &[u8; 16] {
        &self.0
    }

    /// The id by which traces compare under `match_low64`: the low 64 bits, high bits zero.
    /// A trace id whose low bits are zero stays whole, since it would otherwise become the invalid id.
    #[must_use]
    pub fn low64(self) -> Self {
        let mut bytes = self.0;
        if bytes[8..] != [0; 8] {
            bytes[..8].fill(0);
        }
        Self(bytes)
    }
}

impl std::fmt::Debug for TraceId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:032x}", u128::from_be_bytes(self.0))
    }
}

// === impl SpanId ===

impl SpanId {
    /// `None` unless `raw` is 8 bytes and not all zero.
    pub fn new(raw: &[u8]) -> Option<Self> {
        let bytes: [u8; 8] = raw.try_into().ok()?;
        NonZeroU64::new(u64::from_be_bytes(bytes)).map(Self)
    }

    /// The id as a number, never zero.
    pub fn get(self) -> u64 {
        self.0.get()
    }
}

impl std::fmt::Debug for SpanId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

// === impl SpanKind ===

impl SpanKind {
    /// The kind of an OTLP number; unknown numbers are `Unspecified`.
    pub fn from_otlp(number: u64) -> Self {
        match number {
            1 => Self::Internal,
            2 => Self::Server,
            3 => Self::Client,
            4 => Self::Producer,
            5 => Self::Consumer,
            _ => Self::Unspecified,
        }
    }

    /// Which way a span of this kind faces.
    pub fn side(self) -> Side {
        match self {
            Self::Client | Self::Producer => Side::Out,
            Self::Server | Self::Consumer => Side::In,
            Self::Internal | Self::Unspecified => Side::None,
        }
    }

    /// OTLP's name without the prefix, as the API and the docs write it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Unspecified => "UNSPECIFIED",
            Self::Internal => "INTERNAL",
            Self::Server => "SERVER",
            Self::Client => "CLIENT",
            Self::Producer => "PRODUCER",
            Self::Consumer => "CONSUMER",
        }
    }
}

/// What a messaging span does (`messaging.operation.type`, old `messaging.operation`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[repr(u8)]
pub enum Operation {
    /// Absent or unknown.
    #[default]
    None = 0,
    /// A message is created; its context is what consumers link to.
    Create = 1,
    /// Messages are sent (`send`, old `publish`).
    Send = 2,
    /// Messages are pulled.
    Receive = 3,
    /// Messages are processed (`process`, old `deliver`).
    Process = 4,
    /// Messages are acknowledged or rejected.
    Settle = 5,
}

/// The protocol and outcome of a call as its outbound span tells it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct CallStatus {
    /// How the call was made.
    pub protocol: Protocol,
    /// HTTP status code, or gRPC code + 1; 0 when absent.
    pub code: u16,
}

/// Protocols an edge tells apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
#[repr(u8)]
pub enum Protocol {
    /// No attribute says.
    #[default]
    Unknown = 0,
    /// `http.*`
    Http = 1,
    /// `rpc.system` = `grpc`
    Grpc = 2,
    /// Any other `rpc.system`.
    Rpc = 3,
    /// `db.*`
    Db = 4,
    /// `messaging.*`
    Messaging = 5,
}

/// One span, borrowed from its request. Ids are checked, kind is as sent; nothing else is normalised yet.
#[derive(Debug, Clone)]
pub struct SpanRef<'a> {
    /// The trace.
    pub trace: TraceId,
    /// The span.
    pub span: SpanId,
    /// `None` for an absent or all-zero parent id. A parent equal to the span's own id is `None` too (R0).
    pub parent: Option<SpanId>,
    /// As sent.
    pub kind: SpanKind,
    /// Status code is ERROR.
    pub failed: bool,
    /// Unix nanoseconds by the sender's clock.
    pub start_ns: u64,
    /// Unix nanoseconds by the sender's clock; may be before `start_ns`.
    pub end_ns: u64,
    /// `Span.flags`, whole; high bits are not assumed zero.
    pub flags: u32,
    /// Span name; valid UTF-8 is not promised, since most names are never used.
    pub name: &'a [u8],
    /// W3C tracestate.
    pub trace_state: &'a [u8],
    /// What the attributes say, new keys before old ones. All `None` where the kind needs none (see `otlp`).
    pub attrs: Attrs<'a>,
    /// Its links, read on demand; empty for SERVER and INTERNAL, where no rule uses them.
    pub links: Links<'a>,
    /// Its weight by the sampling attribute, if one is read and says something.
    pub sampled: Option<Weight>,
    /// Which of its chunk's resources this span belongs to (`Chunk::resource`).
    pub resource: u32,
    /// Where its encoded bytes lie in the request, so that a tap can copy the span whole.
    pub bytes: std::ops::Range<u32>,
}

/// What a span's recognised attributes say. Strings are non-empty and at most 256 bytes.
#[derive(Debug, Clone, Default)]
pub struct Attrs<'a> {
    /// `service.peer.name`, else `peer.service`.
    pub logical_peer: Option<&'a str>,
    /// `service.peer.namespace`.
    pub logical_peer_namespace: Option<&'a str>,
    /// `server.address`, else `net.peer.name`.
    pub host: Option<&'a str>,
    /// `server.port`, else `net.peer.port`.
    pub port: Option<u16>,
    /// `network.peer.address`, else `net.sock.peer.addr`, else `net.peer.ip`.
    pub socket_address: Option<&'a str>,
    /// `http.host`.
    pub http_host: Option<&'a str>,
    /// `url.full`, else `http.url`; whole, even beyond 256 bytes: cut short, a password might look like a host.
    pub url: Option<&'a str>,
    /// `db.system.name`, else `db.system`.
    pub db_system: Option<&'a str>,
    /// `db.namespace`.
    pub db_namespace: Option<&'a str>,
    /// `db.name`.
    pub db_name: Option<&'a str>,
    /// `messaging.system`.
    pub messaging_system: Option<&'a str>,
    /// `messaging.destination.template`.
    pub destination_template: Option<&'a str>,
    /// `messaging.destination.name`, else `messaging.destination`.
    pub destination: Option<&'a str>,
    /// `messaging.destination.temporary` or `.anonymous` is true: the name is generated and names no node.
    pub destination_generated: bool,
    /// `messaging.operation.type`, else `messaging.operation`.
    pub operation: Operation,
    /// `rpc.system.name`, else `rpc.system`.
    pub rpc_system: Option<&'a str>,
    /// The part of `rpc.method` before its last `/`, else `rpc.service`.
    pub rpc_service: Option<&'a str>,
    /// `faas.invoked_name`.
    pub faas_invoked: Option<&'a str>,
    /// `faas.trigger` is `timer`.
    pub timer_triggered: bool,
    /// Protocol and status code.
    pub status: CallStatus,
}

/// The links of a span: a borrowed run of encoded fields, read on demand.
#[derive(Debug, Clone, Copy, Default)]
pub struct Links<'a> {
    /// The encoded span from its first link to its last; empty when it has none that matter.
    pub encoded: &'a [u8],
    /// How many links the span carries (all of them, not only the first 128).
    pub count: u32,
}

/// What one link names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LinkTarget {
    /// The linked span's trace.
    pub trace: TraceId,
    /// The linked span.
    pub span: SpanId,
    /// `Link.flags`, whole.
    pub flags: u32,
}

/// Most dimensions that split services; each multiplies nodes.
pub const MOST_DIMENSIONS: usize = 4;

/// What a resource says, already checked. Strings are borrowed from the request.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Resource<'a> {
    /// `service.name`; `None` when missing, empty or not a string (pairing then says `unknown_service`).
    pub service_name: Option<&'a str>,
    /// `service.namespace`; `None` likewise.
    pub namespace: Option<&'a str>,
    /// `service.instance.id`.
    pub instance: Option<&'a str>,
    /// `service.version`.
    pub version: Option<&'a str>,
    /// The weight of its spans by the sampling attribute, where they say none themselves.
    pub sampled: Option<Weight>,
    /// The values of the dimensions that split services, in the order they were configured in; `None` likewise.
    pub dimensions: [Option<&'a str>; MOST_DIMENSIONS],
    /// `telemetry.sdk.name` is present: an OTLP SDK wrote these spans, so their ids are not shared.
    pub sdk: bool,
}
