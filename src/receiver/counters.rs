//! What the receiver has seen and said.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use crate::net::Metric;
use crate::otlp::Counts;

/// Which port a request came by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transport {
    /// 4317.
    Grpc,
    /// 4318.
    Http,
}

/// How a request ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// All spans accepted.
    Ok,
    /// Some spans rejected, the rest accepted.
    Partial,
    /// Could not be read.
    Invalid,
    /// Over the size limit.
    TooLarge,
    /// A method, path, media type or coding that is not served.
    Unsupported,
    /// No room for its bytes.
    Overload,
    /// Came while the daemon was stopping.
    Draining,
    /// Body too slow, or the client's deadline over.
    TooSlow,
    /// The handler panicked.
    Internal,
}

/// Counters of both transports; they only rise. Spans of a request that was refused before it was read cannot be
/// known, so refusals are counted as requests.
#[derive(Debug, Default)]
pub struct ReceiverCounters {
    requests: [[AtomicU64; CLASSES.len()]; TRANSPORTS.len()],
    raw_bytes: [AtomicU64; TRANSPORTS.len()],
    inflated_bytes: [AtomicU64; TRANSPORTS.len()],
    accepted_spans: [AtomicU64; TRANSPORTS.len()],
    rejected_spans: [[AtomicU64; REASONS.len()]; TRANSPORTS.len()],
    enum_names: [AtomicU64; TRANSPORTS.len()],
}

/// One reading of one transport.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ReceiverSnapshot {
    /// Requests by [`Class`], in its order.
    pub requests: [u64; 9],
    /// Bytes of messages that were read whole, as sent.
    pub raw_bytes: u64,
    /// The same messages after inflating; only those that inflated.
    pub inflated_bytes: u64,
    /// Spans answered for: counted, or known duplicates.
    pub accepted_spans: u64,
    /// Spans rejected for their trace id, span id, parent span id.
    pub rejected_spans: [u64; 3],
    /// Enum values of JSON requests that were sent by name, which OTLP forbids.
    pub enum_names: u64,
}

const TRANSPORTS: [(Transport, &str); 2] = [(Transport::Grpc, "grpc"), (Transport::Http, "http")];

const CLASSES: [(Class, &str); 9] = [
    (Class::Ok, "ok"),
    (Class::Partial, "partial"),
    (Class::Invalid, "invalid"),
    (Class::TooLarge, "too_large"),
    (Class::Unsupported, "unsupported"),
    (Class::Overload, "overload"),
    (Class::Draining, "draining"),
    (Class::TooSlow, "too_slow"),
    (Class::Internal, "internal"),
];

/// Labels of the three entries of [`Counts::rejected`].
const REASONS: [&str; 3] = ["trace_id", "span_id", "parent_span_id"];

// === impl ReceiverSnapshot ===

impl ReceiverSnapshot {
    /// Requests that ended as `class`.
    pub fn requests(&self, class: Class) -> u64 {
        self.requests[class as usize]
    }
}

// === impl ReceiverCounters ===

impl ReceiverCounters {
    /// Reads one transport's. Each is exact; together they are not one cut.
    pub fn snapshot(&self, transport: Transport) -> ReceiverSnapshot {
        let t = transport as usize;
        let read = |counter: &AtomicU64| counter.load(Relaxed);
        ReceiverSnapshot {
            requests: self.requests[t].each_ref().map(read),
            raw_bytes: read(&self.raw_bytes[t]),
            inflated_bytes: read(&self.inflated_bytes[t]),
            accepted_spans: read(&self.accepted_spans[t]),
            rejected_spans: self.rejected_spans[t].each_ref().map(read),
            enum_names: read(&self.enum_names[t]),
        }
    }

    /// The same, ready for `/metrics`.
    pub fn metrics(&self) -> Vec<Metric> {
        let now = TRANSPORTS.map(|(transport, label)| (label, self.snapshot(transport)));
        let mut metrics = Vec::new();
        for (transport, snapshot) in &now {
            for ((_, class), value) in CLASSES.iter().zip(snapshot.requests) {
                metrics.push(Metric::counter(
                    "spangraph_receiver_requests_total",
                    "OTLP requests answered, by transport and how they ended.",
                    &[("transport", transport), ("result", class)],
                    value,
                ));
            }
        }
        for (transport, snapshot) in &now {
            for (reason, value) in REASONS.iter().zip(snapshot.rejected_spans) {
                metrics.push(Metric::counter(
                    "spangraph_receiver_rejected_spans_total",
                    "Spans rejected, by the first thing wrong with them.",
                    &[("transport", transport), ("reason", reason)],
                    value,
                ));
            }
        }
        for (name, help, read) in PER_TRANSPORT {
            for (transport, snapshot) in &now {
                let on = [("transport", *transport)];
                metrics.push(Metric::counter(name, help, &on, read(snapshot)));
            }
        }
        metrics
    }

    pub(super) fn count_request(&self, transport: Transport, class: Class) {
        self.requests[transport as usize][class as usize].fetch_add(1, Relaxed);
    }

    pub(super) fn count_raw(&self, transport: Transport, bytes: usize) {
        self.raw_bytes[transport as usize].fetch_add(bytes as u64, Relaxed);
    }

    pub(super) fn count_inflated(&self, transport: Transport, bytes: usize) {
        self.inflated_bytes[transport as usize].fetch_add(bytes as u64, Relaxed);
    }

    pub(super) fn count_spans(&self, transport: Transport, counts: Counts) {
        let t = transport as usize;
        if counts.enum_names > 0 {
            self.enum_names[t].fetch_add(counts.enum_names, Relaxed);
        }
        self.accepted_spans[t].fetch_add(accepted(counts), Relaxed);
        for (counter, &spans) in self.rejected_spans[t].iter().zip(&counts.rejected) {
            if spans > 0 {
                counter.fetch_add(spans, Relaxed);
            }
        }
    }
}

type PerTransport = (&'static str, &'static str, fn(&ReceiverSnapshot) -> u64);

const PER_TRANSPORT: [PerTransport; 4] = [
    (
        "spangraph_receiver_accepted_spans_total",
        "Spans accepted.",
        |s| s.accepted_spans,
    ),
    (
        "spangraph_receiver_raw_bytes_total",
        "Bytes of messages read whole, as sent.",
        |s| s.raw_bytes,
    ),
    (
        "spangraph_receiver_inflated_bytes_total",
        "Bytes of messages after inflating.",
        |s| s.inflated_bytes,
    ),
    (
        "spangraph_receiver_json_enum_names_total",
        "Enum values sent by name in JSON: understood, though OTLP forbids them.",
        |s| s.enum_names,
    ),
];

fn accepted(counts: Counts) -> u64 {
    let rejected: u64 = counts.rejected.iter().sum();
    counts.decoded.saturating_sub(rejected)
}
