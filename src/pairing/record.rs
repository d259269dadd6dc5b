//! What is kept of a span while it waits ([`Record`]), and how the rules see a span, waiting or remembered ([`Seen`]).

use crate::graph::{EdgeId, NodeId, TextId};
use crate::proto::NodeType;
use crate::span::{CallStatus, Operation, Side, SpanKind, Weight};

/// A waiting span, 72 bytes. Everything a rule may ask of it, nothing else.
#[derive(Debug, Clone, Copy)]
pub(super) struct Record {
    pub(super) span: u64,
    /// 0 without a parent.
    pub(super) parent: u64,
    pub(super) start_ns: u64,
    pub(super) end_ns: u64,
    pub(super) service: NodeId,
    /// R11's name for the other side (R10's, on inbound spans); 0 without one.
    pub(super) peer: TextId,
    /// Topic; 0 without one.
    pub(super) topic: TextId,
    /// Where the other side was called; 0 unless aliases are learned.
    pub(super) address: TextId,
    /// Span name.
    pub(super) name: TextId,
    /// Tick in which it arrived.
    pub(super) arrived: u32,
    /// Tick at whose close its wait ends.
    pub(super) deadline: u32,
    /// First edge on which a call of this span was drawn: as the caller, or as a consumer by its links.
    pub(super) edge: EdgeId,
    /// Failing callees on that edge (R8).
    pub(super) failing: u32,
    /// Calls it stands for (R14).
    pub(super) weight: Weight,
    pub(super) status: CallStatus,
    pub(super) flags: Flags,
}

const _: () = assert!(size_of::<Record>() == 72);

/// What pairing knows of a span in bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Flags(u32);

/// A span as the rules see it, waiting or remembered.
#[derive(Debug, Clone, Copy)]
pub(super) struct Seen {
    pub(super) at: Place,
    pub(super) span: u64,
    /// 0 without a parent, and where only 32 bits of it are known.
    pub(super) parent: u64,
    /// 0 without a parent.
    pub(super) parent32: u32,
    pub(super) start32: u32,
    pub(super) service: NodeId,
    pub(super) arrived: u32,
    /// Tick at whose close its wait ends or ended.
    pub(super) deadline: u32,
    /// What arrives in later ticks does not see it: to that it was never there.
    pub(super) until: u32,
    pub(super) flags: Flags,
}

/// Where a span is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Place {
    /// A record, by its reference.
    Waiting(u32),
    /// A tombstone, by its reference.
    Remembered(u32),
}

/// 32 bits of a 64-bit value, never 0 for a value other than 0. Not keyed, since ties among unequal copies of a span
/// must not depend on the process, and a checkpoint carries it. Whoever chooses ids that collide can confuse spans of
/// one trace with it; that costs no time, since large traces are searched by whole ids (see `index`).
pub(super) fn short(value: u64) -> u32 {
    let mixed = value.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let half = (mixed >> 32) as u32;
    half | u32::from(half == 0 && value != 0)
}

// === impl Record ===

impl Record {
    /// The record as the rules see it.
    pub(super) fn seen(&self, at: u32) -> Seen {
        Seen {
            at: Place::Waiting(at),
            span: self.span,
            parent: self.parent,
            parent32: short(self.parent),
            start32: short(self.start_ns),
            service: self.service,
            arrived: self.arrived,
            deadline: self.deadline,
            until: u32::MAX,
            flags: self.flags,
        }
    }
}

impl Default for Record {
    fn default() -> Self {
        Self {
            span: 0,
            parent: 0,
            start_ns: 0,
            end_ns: 0,
            service: NodeId::OVERFLOW,
            peer: TextId(0),
            topic: TextId(0),
            address: TextId(0),
            name: TextId(0),
            arrived: 0,
            deadline: 0,
            edge: EdgeId::OVERFLOW,
            failing: 0,
            weight: Weight::ONE,
            status: CallStatus::default(),
            flags: Flags::default(),
        }
    }
}

// === impl Flags ===

impl Flags {
    const KIND: u32 = 0b111;
    const OPERATION_SHIFT: u32 = 3;
    const OPERATION: u32 = 0b111 << Self::OPERATION_SHIFT;
    const PEER_TYPE_SHIFT: u32 = 6;
    const PEER_TYPE: u32 = 0b11 << Self::PEER_TYPE_SHIFT;

    /// How many of the lowest bits a remembered span keeps: all above matter only while it waits.
    pub(super) const REMEMBERED: u32 = 24;

    /// Its id cannot be shared: an inbound span may settle at once on its parent id.
    pub(super) const EARLY: Self = Self(1 << 8);
    /// On a remembered span that is not inbound: it was decided after its time, and seen until then.
    pub(super) const OUTLIVED: Self = Self::EARLY;
    /// Carries a db attribute.
    pub(super) const DB: Self = Self(1 << 9);
    /// Carries a messaging attribute, or is a PRODUCER.
    pub(super) const MESSAGING: Self = Self(1 << 10);
    /// Its peer's host is loopback.
    pub(super) const LOOPBACK: Self = Self(1 << 11);
    /// R11 gives its peer a name.
    pub(super) const NAMEABLE: Self = Self(1 << 12);
    /// Its outcome is counted.
    pub(super) const DECIDED: Self = Self(1 << 13);
    /// A call was drawn with it as the caller, or left out.
    pub(super) const HAS_CALL: Self = Self(1 << 14);
    /// A span below it continues its call inside its own service (R4): it draws no virtual edge.
    pub(super) const CONTINUED: Self = Self(1 << 15);
    /// Its R5 group is decided, or as a receive it is settled otherwise.
    pub(super) const ENTERED: Self = Self(1 << 16);
    /// A callee (inbound, an R5 entry or a receive) that was settled without its caller having been seen.
    pub(super) const AWAITING: Self = Self(1 << 17);
    /// Inbound, and called by a span with its parent's id: one with its own, which would have been its caller, is late.
    pub(super) const OVERTAKEN: Self = Self(1 << 18);
    /// Links to other spans, in a kind and operation for which R12 asks after them.
    pub(super) const LINKS: Self = Self(1 << 19);
    /// CONSUMER or receive that names a topic or a messaging system.
    pub(super) const BROKERED: Self = Self(1 << 20);
    /// R3's parent is a span of its own service: it enters nothing.
    pub(super) const INSIDE: Self = Self(1 << 21);
    /// An ignore rule takes it.
    pub(super) const IGNORED: Self = Self(1 << 22);
    /// A call of it is left out, since its other half is ignored: as a caller; as an INTERNAL entry; as a consumer, by a
    /// link.
    pub(super) const FILTERED: Self = Self(1 << 23);

    /// Status ERROR.
    pub(super) const FAILED: Self = Self(1 << 24);
    /// Its parent is known to be local (flags & 0x300 = 0x100).
    pub(super) const LOCAL: Self = Self(1 << 25);
    /// Its parent is known to be remote (flags & 0x300 = 0x300).
    pub(super) const REMOTE: Self = Self(1 << 26);
    /// `faas.trigger=timer`.
    pub(super) const TIMER: Self = Self(1 << 27);
    /// Its peer's name is a logical one.
    pub(super) const LOGICAL: Self = Self(1 << 28);
    /// Its first edge is set (R8).
    pub(super) const CHARGED: Self = Self(1 << 29);
    /// It has calls on more than one edge.
    pub(super) const MANY_EDGES: Self = Self(1 << 30);
    /// A member of an R5 group that is decided at a later tick; a SERVER that settles when the tick at hand closes.
    pub(super) const HELD: Self = Self(1 << 31);

    /// Flags of a span of this kind and operation, nothing else set.
    pub(super) fn new(kind: SpanKind, operation: Operation) -> Self {
        Self(kind as u32 | (operation as u32) << Self::OPERATION_SHIFT)
    }

    /// The bits that a remembered span keeps.
    pub(super) fn bits(self) -> u64 {
        u64::from(self.0) & ((1 << Self::REMEMBERED) - 1)
    }

    /// All bits.
    pub(super) fn whole(self) -> u32 {
        self.0
    }

    /// Flags from all their bits.
    pub(super) fn from_whole(bits: u32) -> Self {
        Self(bits)
    }

    /// Flags from the lowest of these bits.
    pub(super) fn remembered(bits: u64) -> Self {
        let kept = bits & ((1 << Self::REMEMBERED) - 1);
        Self(u32::try_from(kept).expect("REMEMBERED is at most 32"))
    }

    pub(super) fn has(self, flag: Self) -> bool {
        self.0 & flag.0 != 0
    }

    pub(super) fn set(&mut self, flag: Self) {
        self.0 |= flag.0;
    }

    pub(super) fn set_if(&mut self, flag: Self, on: bool) {
        self.0 |= if on { flag.0 } else { 0 };
    }

    pub(super) fn clear(&mut self, flag: Self) {
        self.0 &= !flag.0;
    }

    /// R11's node type of the peer: external, database or messaging.
    pub(super) fn set_peer_type(&mut self, node_type: NodeType) {
        let bits = match node_type {
            NodeType::Database => 1,
            NodeType::Messaging => 2,
            _ => 0,
        };
        self.0 = (self.0 & !Self::PEER_TYPE) | bits << Self::PEER_TYPE_SHIFT;
    }

    pub(super) fn peer_type(self) -> NodeType {
        match (self.0 & Self::PEER_TYPE) >> Self::PEER_TYPE_SHIFT {
            1 => NodeType::Database,
            2 => NodeType::Messaging,
            _ => NodeType::External,
        }
    }

    pub(super) fn kind(self) -> SpanKind {
        SpanKind::from_otlp(u64::from(self.0 & Self::KIND))
    }

    pub(super) fn side(self) -> Side {
        self.kind().side()
    }

    pub(super) fn inbound(self) -> bool {
        self.side() == Side::In
    }

    pub(super) fn outbound(self) -> bool {
        self.side() == Side::Out
    }

    pub(super) fn performs(self, operation: Operation) -> bool {
        (self.0 & Self::OPERATION) >> Self::OPERATION_SHIFT == operation as u32
    }

    pub(super) fn receives(self) -> bool {
        self.performs(Operation::Receive)
    }

    pub(super) fn settles(self) -> bool {
        self.performs(Operation::Settle)
    }
}
