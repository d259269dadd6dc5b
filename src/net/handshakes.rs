//! How TLS handshakes fail, counted.

use std::io;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use tokio_rustls::rustls::Error;

use super::Metric;
use super::counters::count;

/// Failed handshakes of one listener.
#[derive(Debug, Default)]
pub(super) struct Handshakes {
    failed: [AtomicU64; Failed::ALL.len()],
}

/// Why there was no handshake.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Failed {
    /// It took too long.
    Timeout,
    /// The peer went away: a probe of the port, or a client that gave up.
    Closed,
    /// The peer speaks something else, plain HTTP for one.
    NotTls,
    /// The peer does not want what it was shown: most often it does not trust the certificate.
    Refused,
    /// No version, suite, group or protocol in common, or a peer that breaks the rules.
    Protocol,
}

// === impl Failed ===

impl Failed {
    const ALL: [(Self, &'static str); 5] = [
        (Self::Timeout, "timeout"),
        (Self::Closed, "closed"),
        (Self::NotTls, "not_tls"),
        (Self::Refused, "refused"),
        (Self::Protocol, "protocol"),
    ];

    pub(super) fn of(error: &io::Error) -> Self {
        let tls = error.get_ref().and_then(|inner| inner.downcast_ref());
        match tls {
            Some(Error::InvalidMessage(_)) => Self::NotTls,
            Some(Error::AlertReceived(_)) => Self::Refused,
            Some(_) => Self::Protocol,
            None if error.kind() == io::ErrorKind::TimedOut => Self::Timeout,
            None => Self::Closed,
        }
    }
}

// === impl Handshakes ===

impl Handshakes {
    pub(super) fn count(&self, failed: Failed) {
        count(&self.failed[failed as usize]);
    }

    /// All of them.
    pub(super) fn failed(&self) -> u64 {
        self.failed.iter().map(|count| count.load(Relaxed)).sum()
    }

    pub(super) fn metrics(&self, listener: &'static str) -> impl Iterator<Item = Metric> {
        Failed::ALL.into_iter().map(move |(failed, reason)| {
            Metric::counter(
                "spangraph_net_tls_handshake_failures_total",
                "Connections closed for want of a TLS handshake, by reason.",
                &[("listener", listener), ("reason", reason)],
                self.failed[failed as usize].load(Relaxed),
            )
        })
    }
}
