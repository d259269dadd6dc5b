//! How many open links name each trace.

use ahash::RandomState;

use crate::pairing::slab::Slab;
use crate::pairing::table::Table;
use crate::span::TraceId;

/// Traces that open links name.
#[derive(Debug)]
pub(super) struct Opens {
    hasher: RandomState,
    kept: Slab<Open>,
    by_trace: Table<u32>,
}

#[derive(Debug, Clone, Copy)]
struct Open {
    trace: TraceId,
    links: u32,
}

// === impl Opens ===

impl Opens {
    /// Bytes of each trace, besides its place in the table.
    pub(super) const EACH: usize = size_of::<Open>();

    pub(super) fn new(hasher: RandomState) -> Self {
        Self {
            hasher,
            kept: Slab::new(),
            by_trace: Table::new(),
        }
    }

    /// One more link names a trace.
    pub(super) fn add(&mut self, trace: TraceId) {
        if let Some(at) = self.find(trace) {
            self.kept.get_mut(at).links += 1;
            return;
        }
        let at = self.kept.insert(Open { trace, links: 1 });
        let (kept, hasher) = (&self.kept, &self.hasher);
        let hash_of = |at: u32| hasher.hash_one(kept.get(at).trace);
        self.by_trace.add(hasher.hash_one(trace), at, hash_of);
    }

    /// One of them does not any more, or is not open.
    pub(super) fn remove(&mut self, trace: TraceId) {
        let Some(at) = self.find(trace) else {
            return;
        };
        let links = &mut self.kept.get_mut(at).links;
        *links -= 1;
        if *links == 0 {
            self.by_trace.remove(self.hasher.hash_one(trace), at);
            self.kept.remove(at);
        }
    }

    /// Whether any names the trace.
    pub(super) fn has(&self, trace: TraceId) -> bool {
        self.find(trace).is_some()
    }

    fn find(&self, trace: TraceId) -> Option<u32> {
        if self.by_trace.is_empty() {
            return None;
        }
        let is_it = |at: u32| self.kept.get(at).trace == trace;
        self.by_trace.find(self.hasher.hash_one(trace), is_it)
    }

    /// Gives back the room of what was forgotten.
    pub(super) fn give_back(&mut self) {
        let (kept, hasher) = (&self.kept, &self.hasher);
        self.by_trace
            .give_back(|at| hasher.hash_one(kept.get(at).trace));
    }

    /// Bytes in use.
    pub(super) fn bytes(&self) -> u64 {
        self.kept.bytes_used() + self.by_trace.bytes()
    }
}
