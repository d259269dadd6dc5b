//! Time as the core is told it, and the only reader of the wall and monotonic clocks.

use std::time::{Instant, SystemTime, UNIX_EPOCH};

/// One instant on both clocks. The core decides by `wall_ns` which second a chunk belongs to, and by `mono_ns` how
/// long a wait has lasted, so that a step of the wall clock neither expires nor revives a span.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Timestamp {
    /// Unix nanoseconds.
    pub wall_ns: u64,
    /// Nanoseconds since an arbitrary start; never goes back.
    pub mono_ns: u64,
}

/// Reads both clocks.
#[derive(Debug, Clone)]
pub struct Clock {
    start: Instant,
}

// === impl Timestamp ===

impl Timestamp {
    /// An instant whose two clocks agree: for replay, simulation and tests.
    pub fn from_unix_ns(ns: u64) -> Self {
        Self {
            wall_ns: ns,
            mono_ns: ns,
        }
    }

    /// The whole unix second it lies in.
    pub fn second(self) -> u64 {
        self.wall_ns / 1_000_000_000
    }
}

// === impl Clock ===

impl Clock {
    /// A clock whose monotonic time starts now.
    #[expect(
        clippy::disallowed_methods,
        reason = "this module is the one reader of time"
    )]
    pub fn start() -> Self {
        Self {
            start: Instant::now(),
        }
    }

    /// Now, on both clocks. A wall clock before 1970 reads as 1970.
    #[expect(
        clippy::disallowed_methods,
        reason = "this module is the one reader of time"
    )]
    pub fn now(&self) -> Timestamp {
        let wall = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        let nanos = |d: std::time::Duration| u64::try_from(d.as_nanos()).unwrap_or(u64::MAX);
        Timestamp {
            wall_ns: nanos(wall),
            mono_ns: nanos(self.start.elapsed()),
        }
    }
}
