//! What happened to one listener's connections.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use super::Metric;
use super::handshakes::Handshakes;

/// Counters of one listener; [`NetCounters::snapshot`] reads them.
#[derive(Debug)]
pub struct NetCounters {
    listener: &'static str,
    pub(super) opened: AtomicU64,
    pub(super) closed: AtomicU64,
    pub(super) refused: AtomicU64,
    pub(super) accept_errors: AtomicU64,
    pub(super) head_timeouts: AtomicU64,
    pub(super) heads_refused: AtomicU64,
    pub(super) stalled: AtomicU64,
    pub(super) idle_closed: AtomicU64,
    pub(super) aged_closed: AtomicU64,
    pub(super) drain_cut: AtomicU64,
    pub(super) panics: AtomicU64,
    /// Of a listener with TLS only.
    pub(super) handshakes: OnceLock<Handshakes>,
}

/// One reading of [`NetCounters`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct NetSnapshot {
    /// Connections open now.
    pub open: u64,
    /// Connections taken since start.
    pub opened: u64,
    /// Connections closed at once because all slots were taken.
    pub refused: u64,
    /// Failed attempts to accept, of any kind.
    pub accept_errors: u64,
    /// Closed: silent after connecting, or a request head that did not end in time.
    pub head_timeouts: u64,
    /// Closed after a bare 431 or 414: a request head that was too large (HTTP/1).
    pub heads_refused: u64,
    /// Closed: a request or a write that did not move.
    pub stalled: u64,
    /// Closed politely: no request for a while.
    pub idle_closed: u64,
    /// Closed politely: old.
    pub aged_closed: u64,
    /// Cut because a shutdown did not want to wait any longer.
    pub drain_cut: u64,
    /// Connection tasks that panicked.
    pub panics: u64,
    /// Closed: no TLS handshake, for any reason.
    pub tls_failed: u64,
}

// === impl NetCounters ===

impl NetCounters {
    /// All zero; `listener` becomes the label of that name (`grpc`, `http`, `api`).
    pub fn new(listener: &'static str) -> Self {
        let zero = || AtomicU64::new(0);
        Self {
            listener,
            opened: zero(),
            closed: zero(),
            refused: zero(),
            accept_errors: zero(),
            head_timeouts: zero(),
            heads_refused: zero(),
            stalled: zero(),
            idle_closed: zero(),
            aged_closed: zero(),
            drain_cut: zero(),
            panics: zero(),
            handshakes: OnceLock::new(),
        }
    }

    /// Reads them all. Each is exact; together they are not one cut.
    pub fn snapshot(&self) -> NetSnapshot {
        let closed = self.closed.load(Relaxed);
        let opened = self.opened.load(Relaxed);
        NetSnapshot {
            open: opened.saturating_sub(closed),
            opened,
            refused: self.refused.load(Relaxed),
            accept_errors: self.accept_errors.load(Relaxed),
            head_timeouts: self.head_timeouts.load(Relaxed),
            heads_refused: self.heads_refused.load(Relaxed),
            stalled: self.stalled.load(Relaxed),
            idle_closed: self.idle_closed.load(Relaxed),
            aged_closed: self.aged_closed.load(Relaxed),
            drain_cut: self.drain_cut.load(Relaxed),
            panics: self.panics.load(Relaxed),
            tls_failed: self.handshakes.get().map_or(0, Handshakes::failed),
        }
    }

    /// The same, ready for `/metrics`.
    pub fn metrics(&self) -> Vec<Metric> {
        let now = self.snapshot();
        let on = [("listener", self.listener)];
        let mut metrics = vec![
            Metric::gauge(
                "spangraph_net_connections_open",
                "Connections open now.",
                &on,
                now.open,
            ),
            Metric::counter(
                "spangraph_net_connections_total",
                "Connections taken.",
                &on,
                now.opened,
            ),
            Metric::counter(
                "spangraph_net_connections_refused_total",
                "Connections closed at once because all slots were taken.",
                &on,
                now.refused,
            ),
            Metric::counter(
                "spangraph_net_accept_errors_total",
                "Failed attempts to accept a connection.",
                &on,
                now.accept_errors,
            ),
            Metric::counter(
                "spangraph_net_connection_panics_total",
                "Connection tasks that panicked.",
                &on,
                now.panics,
            ),
        ];
        let closed = [
            ("head_timeout", now.head_timeouts),
            ("head_size", now.heads_refused),
            ("stalled", now.stalled),
            ("idle", now.idle_closed),
            ("age", now.aged_closed),
            ("drain", now.drain_cut),
        ];
        metrics.extend(closed.map(|(reason, value)| {
            Metric::counter(
                "spangraph_net_connections_closed_total",
                "Connections closed from this side, by reason.",
                &[("listener", self.listener), ("reason", reason)],
                value,
            )
        }));
        let tls = self.handshakes.get().into_iter();
        metrics.extend(tls.flat_map(|handshakes| handshakes.metrics(self.listener)));
        metrics
    }
}

/// One more.
pub(super) fn count(counter: &AtomicU64) {
    counter.fetch_add(1, Relaxed);
}
