//! Admission by bytes: whoever wants to buffer a request takes permits for it first.
//!
//! Two rules keep it free of deadlock and of unbounded memory. Who holds no permits may wait, at most [`MAX_WAIT`] and
//! in a bounded waiting room (the transport may buffer a window for each who waits). Who holds permits never waits:
//! more of them come at once or not at all.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use super::Metric;

/// Longest wait for room.
pub const MAX_WAIT: Duration = Duration::from_millis(100);

/// Bytes taken at a time when a size is not known beforehand.
pub const STEP: usize = 256 * 1024;

/// Largest message whatever the memory: what OTLP recommends.
const LARGEST_MESSAGE: u64 = 64 * 1024 * 1024;

/// Bytes of one permit.
const UNIT: usize = 1024;

/// What the transport may hold for one who waits: an HTTP/2 window.
const BYTES_PER_WAITER: u64 = 1024 * 1024;

/// The budget of bytes in flight.
#[derive(Debug)]
pub struct Admission {
    free: Arc<Semaphore>,
    waiting_room: Semaphore,
    units: usize,
    largest: usize,
    refused: AtomicU64,
}

/// Bytes taken from the budget; they return when it is dropped.
#[derive(Debug)]
pub struct Permit {
    held: OwnedSemaphorePermit,
    admission: Arc<Admission>,
}

/// No room in time. The sender should try again later.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("too many bytes in flight")]
pub struct Refused;

// === impl Admission ===

impl Admission {
    /// A budget of `bytes` (rounded down to whole KiB, at least 2 MiB, at most 4 TiB).
    pub fn new(bytes: u64) -> Arc<Self> {
        let bytes = bytes.clamp(2 * BYTES_PER_WAITER, u64::from(u32::MAX) * 1024);
        let units = usize::try_from(bytes / 1024).unwrap_or(Semaphore::MAX_PERMITS);
        // A whole number of units, so that a raw and an inflated message of this size fit together exactly.
        let largest = (bytes / 2).min(LARGEST_MESSAGE) / 1024 * 1024;
        let waiters = usize::try_from(bytes / 4 / BYTES_PER_WAITER).unwrap_or(usize::MAX);
        Arc::new(Self {
            free: Arc::new(Semaphore::new(units)),
            waiting_room: Semaphore::new(waiters.clamp(1, Semaphore::MAX_PERMITS)),
            units,
            largest: usize::try_from(largest).unwrap_or(usize::MAX),
            refused: AtomicU64::new(0),
        })
    }

    /// Bytes of the largest message to accept, raw or inflated: 64 MiB or half the budget, whichever is less.
    pub fn largest_message(&self) -> usize {
        self.largest
    }

    /// Takes `bytes` (rounded up to whole KiB), waiting at most [`MAX_WAIT`]. The caller must hold no permits.
    pub async fn admit(self: &Arc<Self>, bytes: usize) -> Result<Permit, Refused> {
        if let Some(permit) = self.take(bytes) {
            return Ok(permit);
        }
        let units = self.count_units(bytes)?;
        let Ok(_seat) = self.waiting_room.try_acquire() else {
            return Err(self.refuse());
        };
        let wait = Arc::clone(&self.free).acquire_many_owned(units);
        match timeout(MAX_WAIT, wait).await {
            Ok(Ok(held)) => Ok(self.permit(held)),
            _ => Err(self.refuse()),
        }
    }

    /// Takes `bytes` at once or not at all.
    pub fn try_admit(self: &Arc<Self>, bytes: usize) -> Result<Permit, Refused> {
        self.take(bytes).ok_or_else(|| self.refuse())
    }

    /// Bytes taken now.
    pub fn in_flight(&self) -> u64 {
        (self.units.saturating_sub(self.free.available_permits()) as u64) * 1024
    }

    /// Bytes that may be taken at once.
    pub fn budget(&self) -> u64 {
        self.units as u64 * 1024
    }

    /// How often there was no room.
    pub fn refused(&self) -> u64 {
        self.refused.load(Relaxed)
    }

    /// Ready for `/metrics`.
    pub fn metrics(&self) -> Vec<Metric> {
        vec![
            Metric::gauge(
                "spangraph_net_inflight_bytes",
                "Bytes of requests being read, inflated or applied.",
                &[],
                self.in_flight(),
            ),
            Metric::gauge(
                "spangraph_net_inflight_limit_bytes",
                "Most bytes of requests at once.",
                &[],
                self.budget(),
            ),
            Metric::counter(
                "spangraph_net_admission_refused_total",
                "Times there was no room for a request's bytes.",
                &[],
                self.refused(),
            ),
        ]
    }

    fn take(self: &Arc<Self>, bytes: usize) -> Option<Permit> {
        let units = units(bytes)?;
        let held = Arc::clone(&self.free).try_acquire_many_owned(units).ok()?;
        Some(self.permit(held))
    }

    /// Refuses at once what could never fit.
    fn count_units(&self, bytes: usize) -> Result<u32, Refused> {
        units(bytes)
            .filter(|&units| units as usize <= self.units)
            .ok_or_else(|| self.refuse())
    }

    fn permit(self: &Arc<Self>, held: OwnedSemaphorePermit) -> Permit {
        Permit {
            held,
            admission: Arc::clone(self),
        }
    }

    fn refuse(&self) -> Refused {
        self.refused.fetch_add(1, Relaxed);
        Refused
    }
}

// === impl Permit ===

impl Permit {
    /// Takes `bytes` more, at once or not at all: who holds permits never waits.
    pub fn try_more(&mut self, bytes: usize) -> Result<(), Refused> {
        let more = self.admission.try_admit(bytes)?;
        self.held.merge(more.held);
        Ok(())
    }

    /// Bytes held, in whole KiB.
    pub fn bytes(&self) -> usize {
        self.held.num_permits() * UNIT
    }
}

/// Permits for `bytes`; even an empty message takes one.
fn units(bytes: usize) -> Option<u32> {
    u32::try_from(bytes.div_ceil(UNIT).max(1)).ok()
}
