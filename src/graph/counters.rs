//! The law's terms of an open slice, besides what its edges and nodes hold.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use super::EdgeId;
use super::call::{Effects, OUTCOMES};
use super::stats::Negatives;
use crate::proto;

/// What the law counts besides edges and nodes.
#[derive(Debug, Default)]
pub(super) struct LawCounters {
    pub(super) decoded: AtomicU64,
    pub(super) rejected: [AtomicU64; 3],
    accepted: AtomicU64,
    outcomes: [AtomicU64; OUTCOMES],
    calls: [AtomicU64; 5],
    negative_duration: AtomicU64,
    negative_gap: AtomicU64,
    clock_skew: AtomicU64,
    unresolved_links: AtomicU64,
    overflow_calls: AtomicU64,
    evicted: AtomicU64,
}

// === impl LawCounters ===

impl LawCounters {
    pub(super) fn add(&self, effects: &Effects, negatives: &Negatives) {
        add(&self.accepted, effects.accepted);
        for (counter, n) in self.outcomes.iter().zip(effects.outcomes) {
            add(counter, n);
        }
        let mut calls = [0; 5];
        let mut overflow = 0;
        for call in &effects.calls {
            calls[call.class as usize] += 1;
            overflow += u64::from(call.edge == EdgeId::OVERFLOW);
        }
        for (counter, n) in self.calls.iter().zip(calls) {
            add(counter, n);
        }
        add(&self.overflow_calls, overflow);
        add(&self.negative_duration, negatives.duration);
        add(&self.negative_gap, negatives.gap);
        add(&self.clock_skew, negatives.clock_skew);
        add(&self.unresolved_links, effects.unresolved_links);
        add(&self.evicted, effects.evicted);
    }

    /// The law's terms; all but the two pendings, which the sealer knows.
    pub(super) fn take(&self) -> proto::Law {
        self.read(|counter| counter.swap(0, Relaxed))
    }

    /// The same, left as they are.
    pub(super) fn copy(&self) -> proto::Law {
        self.read(|counter| counter.load(Relaxed))
    }

    fn read(&self, take: impl Fn(&AtomicU64) -> u64) -> proto::Law {
        let [trace_id, span_id, parent_span_id] = self.rejected.each_ref().map(&take);
        let [
            paired,
            r#virtual,
            internal,
            root,
            unpaired_client,
            unpaired_server,
            filtered,
            duplicate,
            late,
        ] = self.outcomes.each_ref().map(&take);
        proto::Law {
            decoded: take(&self.decoded),
            accepted: take(&self.accepted),
            rejected: Some(proto::Rejected {
                trace_id,
                span_id,
                parent_span_id,
            }),
            pending_before: 0,
            pending_after: 0,
            outcomes: Some(proto::Outcomes {
                paired,
                r#virtual,
                internal,
                root,
                unpaired_client,
                unpaired_server,
                filtered,
                duplicate,
                late,
            }),
            calls: Some(classes(&self.calls.each_ref().map(&take))),
            negative_duration: take(&self.negative_duration),
            negative_gap: take(&self.negative_gap),
            clock_skew: take(&self.clock_skew),
            unresolved_links: take(&self.unresolved_links),
            overflow_calls: take(&self.overflow_calls),
            evicted: take(&self.evicted),
        }
    }
}

/// Calls by class, as slices carry them.
pub(super) fn classes(calls: &[u64; 5]) -> proto::CallClasses {
    let [paired, entry, linked, virtual_server, virtual_client] = *calls;
    proto::CallClasses {
        paired,
        entry,
        linked,
        virtual_server,
        virtual_client,
    }
}

/// Adds, and spares the cache line where there is nothing to add.
pub(super) fn add(counter: &AtomicU64, n: u64) {
    if n > 0 {
        counter.fetch_add(n, Relaxed);
    }
}
