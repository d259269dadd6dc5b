//! R12's messages between shards: a span asks after what it links to, the linked span's shard answers.
//!
//! Both are plain data that name spans by their ids, never by where they are kept, since the shard that answers may one
//! day be another process's.

use super::record::{Flags, Record, Seen};
use crate::graph::call::Call;
use crate::graph::{NodeId, TextId};
use crate::span::{CallStatus, Operation, SpanKind, TraceId, Weight};

/// The ids of a linked span.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Target {
    pub(super) trace: TraceId,
    pub(super) span: u64,
}

/// One link of one span, on its way to the shard of the linked span's trace.
#[derive(Debug, Clone, Copy)]
pub(super) struct LinkProbe {
    pub(super) target: Target,
    pub(super) from: Linker,
}

/// The span that links, as far as its call needs it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Linker {
    pub(super) trace: TraceId,
    pub(super) span: u64,
    pub(super) start_ns: u64,
    pub(super) service: NodeId,
    pub(super) topic: TextId,
    pub(super) arrived: u32,
    /// Tick at whose close it settles.
    pub(super) deadline: u32,
    pub(super) weight: Weight,
    pub(super) status: CallStatus,
    pub(super) flags: Flags,
}

/// What became of a link, on its way back. A link to a span that is no creation context has no answer: it is ignored.
#[derive(Debug, Clone)]
pub(super) struct Answer {
    pub(super) to: Linker,
    pub(super) verdict: Verdict,
}

#[derive(Debug, Clone)]
pub(super) enum Verdict {
    /// The call from the linked producer, as its side knows it.
    Call(Box<Call>),
    /// The call from the linked producer is left out, since a rule ignores one of the two.
    Filtered,
    /// A receive gives way to another consumer of its service.
    Aside,
    /// The producer had stopped accepting consumers when the span arrived.
    Closed,
    /// The linked span was not seen.
    NotSeen,
    /// A batch send links to a PRODUCER of its own service.
    Batch,
}

// === impl Linker ===

impl Linker {
    pub(super) fn new(trace: TraceId, record: &Record) -> Self {
        Self {
            trace,
            span: record.span,
            start_ns: record.start_ns,
            service: record.service,
            topic: record.topic,
            arrived: record.arrived,
            deadline: record.deadline,
            weight: record.weight,
            status: record.status,
            flags: record.flags,
        }
    }

    /// Whether `record` is the span that asked.
    pub(super) fn is(&self, record: &Record) -> bool {
        let sides_agree = self.flags.side() == record.flags.side();
        sides_agree && self.service == record.service && self.start_ns == record.start_ns
    }

    /// A CONSUMER that does not merely receive: its link settles at once, and receives of its service give way to it.
    pub(super) fn consumes(&self) -> bool {
        consumes(self.flags)
    }

    /// It asks only whether it is a batch send: it is nobody's callee.
    pub(super) fn sends(&self) -> bool {
        self.flags.outbound() && !self.flags.receives()
    }

    /// Whether `p` is a creation context for it: a PRODUCER, or another service's messaging CLIENT that sends or
    /// creates. For a batch send only a PRODUCER of its own service counts.
    pub(super) fn is_created_by(&self, p: &Seen) -> bool {
        if self.sends() {
            return p.flags.kind() == SpanKind::Producer && p.service == self.service;
        }
        is_creation_context(p, self.service)
    }
}

/// R12: whether a span of `service` may have been sent its message by `p`.
pub(super) fn is_creation_context(p: &Seen, service: NodeId) -> bool {
    match p.flags.kind() {
        SpanKind::Producer => true,
        SpanKind::Client => {
            let creates = p.flags.performs(Operation::Send) || p.flags.performs(Operation::Create);
            creates && p.flags.has(Flags::MESSAGING) && p.service != service
        }
        _ => false,
    }
}

/// See [`Linker::consumes`].
pub(super) fn consumes(flags: Flags) -> bool {
    flags.kind() == SpanKind::Consumer && !flags.receives()
}
