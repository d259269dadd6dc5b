//! The core as the receiver sees it: with a clock, and with scratch space that outlives a request.

use std::sync::Arc;

use parking_lot::Mutex;

use crate::clock::Clock;
use crate::core::{Core, Scratch};
use crate::otlp::{Counts, Malformed};
use crate::receiver::{Encoding, Ingest};

/// Applies requests to a core, at the time they came.
#[derive(Debug)]
pub(super) struct Engine {
    core: Arc<Core>,
    clock: Clock,
    /// As many as ever worked at once: applying is synchronous, so at most one for each worker thread.
    idle: Mutex<Vec<Scratch>>,
}

// === impl Engine ===

impl Engine {
    pub(super) fn new(core: Arc<Core>, clock: Clock) -> Self {
        Self {
            core,
            clock,
            idle: Mutex::default(),
        }
    }
}

impl Ingest for Engine {
    fn apply(&self, request: &[u8], encoding: Encoding) -> Result<Counts, Malformed> {
        // A panic while applying loses that scratch, not the pool: the next request makes a new one.
        let mut scratch = self.idle.lock().pop().unwrap_or_default();
        let now = self.clock.now();
        let result = self.core.apply(request, encoding, &mut scratch, now);
        self.idle.lock().push(scratch);
        result
    }

    fn reads(&self, _: Encoding) -> bool {
        true
    }
}
