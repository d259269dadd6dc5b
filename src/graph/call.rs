//! What pairing tells the graph: calls, the outcomes of spans, and why a span found no partner.

use super::{EdgeId, NodeId};
use crate::span::{CallStatus, SpanKind, TraceId};

/// How a call was drawn; a term of the law's second identity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum CallClass {
    /// Everything that is none of the others.
    Paired = 0,
    /// A service entry by a non-inbound span (R5).
    Entry = 1,
    /// Producer to consumer by a link (R12).
    Linked = 2,
    /// Only the client reported (R9).
    VirtualServer = 3,
    /// Only the server reported (R10).
    VirtualClient = 4,
}

/// What became of an accepted span; every one gets exactly one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Outcome {
    /// It took part in a call seen from both sides.
    Paired = 0,
    /// Its call has a virtual node on the other side.
    Virtual = 1,
    /// It stays inside its service, or another span stands for it.
    Internal = 2,
    /// It has no parent and no caller.
    Root = 3,
    /// Outbound, nobody answered and nothing names the peer.
    UnpairedClient = 4,
    /// Its caller was named but never seen.
    UnpairedServer = 5,
    /// An ignore rule took it.
    Filtered = 6,
    /// Seen before.
    Duplicate = 7,
    /// It came after its partner was settled without it.
    Late = 8,
}

/// Number of outcomes.
pub const OUTCOMES: usize = 9;

/// One call, drawn from client to server, or a correction to calls already drawn on the same edge.
#[derive(Debug, Clone)]
pub struct Call {
    /// Interned (client, server, connection type).
    pub edge: EdgeId,
    /// Which identity of the law it belongs to.
    pub class: CallClass,
    /// Failed calls this adds to the edge: 0 or 1.
    pub failed: u32,
    /// Its weight (R14), fixed point 2^-20; 0 unless sampling is adjusted.
    pub weight: u64,
    /// Weight of failed calls this adds to the edge; likewise.
    pub weighted_failed: u64,
    /// Calls this adds to the edge's `client_failed`: 0 or 1, once per (outbound span, edge).
    pub client_failed: u32,
    /// The inbound side failed.
    pub server_failed: bool,
    /// What is known of the client's duration.
    pub client: Sample,
    /// What is known of the server's duration.
    pub server: Sample,
    /// Client minus server of one pair.
    pub gap: Sample,
    /// Consumer start minus producer end.
    pub queue: Sample,
    /// Protocol and status code.
    pub status: CallStatus,
    /// Topic of a messaging call, interned with [`super::Graph::text`].
    pub destination: super::TextId,
    /// Where an external node was called, interned with [`super::Graph::address`]; 0 unless aliases are learned.
    pub address: super::TextId,
    /// An external node got its name from a logical peer; likewise.
    pub logical: bool,
    /// Exemplar: the trace.
    pub trace: TraceId,
    /// Exemplar: the caller's span where an outbound one was seen, else the callee's.
    pub span: u64,
    /// Exemplar: the duration of that span. All calls of one outbound span name it alike, so that the exemplar kept does
    /// not depend on which of them was settled first.
    pub duration: Sample,
}

/// A duration that may be unknown, or known to be impossible.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Sample {
    /// No sample: that side was not seen, or its sample is already counted.
    #[default]
    None,
    /// Nanoseconds.
    Ns(u64),
    /// The clocks say a negative duration: no sample, counted by the field it is for.
    Negative,
}

/// How a node came to be called.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum CalledFrom {
    /// The server side of an edge's call.
    Edges = 0,
    /// An inbound span with outcome `root`.
    NoCaller = 1,
    /// An inbound span with outcome `unpaired_server` or `late`.
    Unpaired = 2,
}

/// One call as the called node saw it.
#[derive(Debug, Clone)]
pub struct NodeCall {
    /// The called node.
    pub node: NodeId,
    /// Where from.
    pub from: CalledFrom,
    /// Its span says ERROR.
    pub failed: bool,
    /// Its own duration; `None` for a service entry that is no inbound span. A `Negative` here, and one in
    /// [`Call::client`], counts `negative_duration`; one in [`Call::server`] does not, being the same span.
    pub server: Sample,
    /// Where the call met it, interned with [`super::Graph::address`]; 0 unless aliases are learned.
    pub address: super::TextId,
}

/// Why a span found no partner, in words a user understands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Reason {
    /// Its parent id was never seen within `wait`.
    ParentNotSeen = 0,
    /// Nobody answered within `wait`, and no attribute names the peer.
    NoServerSpan = 1,
    /// Its partner had been settled without it.
    ArrivedLate = 2,
    /// Its wait was cut short for want of memory.
    Evicted = 3,
}

/// One unpaired or late span, for `/api/v1/unpaired`.
#[derive(Debug, Clone)]
pub struct Unpaired {
    /// Its service.
    pub node: NodeId,
    /// Its kind.
    pub kind: SpanKind,
    /// Its interned span name.
    pub name: super::TextId,
    /// Why.
    pub reason: Reason,
    /// Its trace.
    pub trace: TraceId,
}

/// Everything one chunk or one sweep did. Filled by pairing, absorbed by the live slice in one go, then cleared and
/// used again, so that a steady stream allocates nothing.
#[derive(Debug, Default)]
pub struct Effects {
    /// Calls drawn.
    pub calls: Vec<Call>,
    /// The same calls as the called nodes saw them, and calls without an edge.
    pub node_calls: Vec<NodeCall>,
    /// Spans without a partner.
    pub unpaired: Vec<Unpaired>,
    /// Spans per [`Outcome`].
    pub outcomes: [u64; OUTCOMES],
    /// Spans accepted; each is `pending` until its outcome is counted.
    pub accepted: u64,
    /// Links that found no target.
    pub unresolved_links: u64,
    /// Spans decided before their wait ended, for want of memory.
    pub evicted: u64,
}

// === impl Sample ===

impl Sample {
    /// The time from `start_ns` to `end_ns`; `Negative` when the clocks run backwards.
    pub fn between(start_ns: u64, end_ns: u64) -> Self {
        end_ns
            .checked_sub(start_ns)
            .map_or(Self::Negative, Self::Ns)
    }
}

// === impl Effects ===

impl Effects {
    /// Counts one span's outcome.
    pub fn outcome(&mut self, outcome: Outcome) {
        self.outcomes[outcome as usize] += 1;
    }

    /// Empties it, keeping its room.
    pub fn clear(&mut self) {
        self.calls.clear();
        self.node_calls.clear();
        self.unpaired.clear();
        self.outcomes = [0; OUTCOMES];
        self.accepted = 0;
        self.unresolved_links = 0;
        self.evicted = 0;
    }
}
