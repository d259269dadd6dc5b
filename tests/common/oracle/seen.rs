//! One span after R0, and what it says of itself.

use std::ops::Deref;

use spangraph::semconv;
use spangraph::span::{Operation, Side, SpanKind};

use super::input::{Options, SharedIds, Span, Target};
use super::{ignore, links, weights};

/// A span after R0 and R1. Seconds count from the beginning.
#[derive(Debug)]
pub(super) struct Seen {
    /// Its place among the sent ones in order of arrival.
    pub place: usize,
    pub sent: Span,
    pub trace: (u64, u64),
    pub parent: Option<u64>,
    pub service: &'static str,
    pub kind: SpanKind,
    pub side: Side,
    pub arrival: u64,
    /// The last second whose arrivals it is decided from.
    pub deadline: u64,
    /// The last second in which it is remembered: until its retention ends, or until it is decided if that is later.
    pub remembered: u64,
    /// What its links name: the first ones, each once.
    pub links: Vec<Target>,
    /// How many calls it stands for, in fixed point.
    pub weight: u64,
    /// An ignore rule takes it.
    pub ignored: bool,
}

// === impl Seen ===

impl Deref for Seen {
    type Target = Span;

    fn deref(&self) -> &Span {
        &self.sent
    }
}

impl Seen {
    pub(super) fn new(sent: &Span, options: &Options, held: u64) -> Self {
        let kind = match sent.kind {
            SpanKind::Unspecified if sent.attrs.logical_peer.is_some() => SpanKind::Client,
            SpanKind::Unspecified => SpanKind::Internal,
            kind => kind,
        };
        let waits = options.waits;
        let wait = match kind {
            SpanKind::Producer | SpanKind::Consumer => waits.messaging_wait,
            _ => waits.wait,
        };
        let (high, low) = sent.trace;
        let service = sent.service.unwrap_or("unknown_service");
        Self {
            place: 0,
            trace: (if options.match_low64 { 0 } else { high }, low),
            parent: sent.parent.filter(|parent| *parent != sent.id),
            service,
            kind,
            side: kind.side(),
            arrival: sent.second,
            deadline: sent.second + wait,
            remembered: held.max(sent.second + wait + waits.retain),
            links: links::distinct(&sent.links, options.match_low64),
            weight: weights::of_span(sent),
            ignored: ignore::takes(&options.ignore, sent, service, kind.name()),
            sent: sent.clone(),
        }
    }

    /// Whether it pulls messages. Only a CLIENT or a CONSUMER does, whatever other kinds say.
    pub(super) fn receives(&self) -> bool {
        self.does(Operation::Receive)
    }

    /// Whether it acknowledges messages; likewise.
    pub(super) fn settles(&self) -> bool {
        self.does(Operation::Settle)
    }

    fn does(&self, operation: Operation) -> bool {
        let kinds = [SpanKind::Client, SpanKind::Consumer];
        kinds.contains(&self.kind) && self.attrs.operation == operation
    }

    /// Whether it is about a message: a PRODUCER always is.
    pub(super) fn is_messaging(&self) -> bool {
        self.kind == SpanKind::Producer || semconv::is_messaging(&self.attrs)
    }

    pub(super) fn is_db(&self) -> bool {
        semconv::is_db(&self.attrs)
    }

    pub(super) fn topic(&self) -> Option<&'static str> {
        semconv::topic(&self.attrs)
    }

    /// It took a message, and says from where.
    pub(super) fn names_broker(&self) -> bool {
        let topic = self.topic().or(self.attrs.messaging_system);
        topic.is_some() && self.kind != SpanKind::Server
    }

    /// Flags say that the parent is in another process.
    pub(super) fn has_remote_parent(&self) -> bool {
        self.flags & 0x300 == 0x300
    }

    /// Flags say that the parent is in this process.
    pub(super) fn has_local_parent(&self) -> bool {
        self.flags & 0x300 == 0x100
    }

    /// Its id is its own and its parent's its parent's: nobody shares them.
    pub(super) fn has_unshared_ids(&self, shared: SharedIds) -> bool {
        match shared {
            SharedIds::Auto => self.flags & 0x100 != 0 || self.sdk,
            SharedIds::Never => true,
            SharedIds::Always => false,
        }
    }

    /// `None` when it ends before it starts.
    pub(super) fn duration_ns(&self) -> Option<u64> {
        let ms = self.end_ms.checked_sub(self.start_ms)?;
        Some(ms * 1_000_000)
    }
}
