//! Every bound of a connection in one place, with the number it has unless told otherwise.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Bounds of one listener. Durations are from the last progress named; past them the connection is closed and counted.
#[derive(Debug, Clone)]
pub struct Limits {
    /// From accept to the first byte, and from a request head's first byte to its last (HTTP/1).
    pub header_timeout: Duration,
    /// Without any progress of a request: none open, or none that moves. Closed politely when none is open.
    pub idle_timeout: Duration,
    /// A write the peer does not take.
    pub write_timeout: Duration,
    /// From a polite close (idle, age) to a hard one.
    pub close_grace: Duration,
    /// From accept to a polite close, ± 10 % so that clients behind a balancer do not all return at once. `None`: no age.
    pub max_age: Option<Duration>,
    /// From the start of a shutdown until connections that are still busy are cut.
    pub drain_timeout: Duration,
    /// Connections open at once, shared by all listeners that hold a clone.
    pub slots: Slots,
}

/// Room for connections. One more than fits is closed at once, so that its client can try another replica.
#[derive(Debug, Clone)]
pub struct Slots {
    free: Arc<Semaphore>,
    max: usize,
}

/// HTTP/2: concurrent streams per connection.
pub(super) const H2_STREAMS: u32 = 100;
/// HTTP/2: streams reset by the peer before they were accepted (rapid reset) until GOAWAY.
pub(super) const H2_PENDING_RESETS: usize = 20;
/// HTTP/2: streams we had to reset for the peer's errors until GOAWAY.
pub(super) const H2_LOCAL_RESETS: usize = 1024;
/// HTTP/2: bytes of a decoded header list.
pub(super) const H2_HEADER_LIST: u32 = 16 * 1024;
/// HTTP/2: bytes in flight per stream and per connection.
pub(super) const H2_WINDOW: u32 = 1024 * 1024;
/// HTTP/2: the largest frame we invite. Big frames mean few copies for clients that use them.
pub(super) const H2_FRAME: u32 = 256 * 1024;
/// HTTP/2: unsent response bytes kept per stream.
pub(super) const H2_SEND_BUFFER: usize = 64 * 1024;
/// HTTP/2: a ping after this long without a frame …
pub(super) const H2_PING_EVERY: Duration = Duration::from_secs(30);
/// … which must be answered within this.
pub(super) const H2_PING_TIMEOUT: Duration = Duration::from_secs(20);
/// HTTP/1: bytes of a head, to its empty line; beyond them 431. Room for 8 KiB of fields beside a URL of 64 KiB, so that
/// this is refused for what it is (414). The connection's read buffer has the same bound.
pub(super) const H1_HEAD: usize = 72 * 1024;

/// Uncharged memory a connection may take for long: its buffers and one header list. What it sends before it was
/// admitted is bounded by [`super::Admission`]'s waiting room instead.
const BYTES_PER_CONNECTION: u64 = 64 * 1024;

// === impl Limits ===

impl Limits {
    /// The usual numbers, with room for `slots`.
    pub fn new(slots: Slots) -> Self {
        Self {
            header_timeout: Duration::from_secs(10),
            idle_timeout: Duration::from_mins(1),
            write_timeout: Duration::from_secs(30),
            close_grace: Duration::from_secs(30),
            max_age: Some(Duration::from_mins(30)),
            drain_timeout: Duration::from_secs(10),
            slots,
        }
    }
}

// === impl Slots ===

impl Slots {
    /// Room for `max` connections, at least one.
    pub fn new(max: usize) -> Self {
        let max = max.clamp(1, Semaphore::MAX_PERMITS);
        Self {
            free: Arc::new(Semaphore::new(max)),
            max,
        }
    }

    /// As many as the bytes allowed in flight can carry at 64 KiB each, between 64 and 65,536: 6,553 for 2 GiB of
    /// memory with its 20 % in flight.
    pub fn for_in_flight(bytes: u64) -> Self {
        let max = (bytes / BYTES_PER_CONNECTION).clamp(64, 65_536);
        Self::new(usize::try_from(max).unwrap_or(65_536))
    }

    /// The bound.
    pub fn max(&self) -> usize {
        self.max
    }

    /// Connections open now.
    pub fn open(&self) -> usize {
        self.max - self.free.available_permits()
    }

    pub(super) fn take(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.free).try_acquire_owned().ok()
    }
}
