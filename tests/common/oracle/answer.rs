//! What all slices say together.

use std::collections::{BTreeMap, BTreeSet};

/// Everything compared.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Answer {
    /// By client, server and connection type.
    pub edges: BTreeMap<(String, String, i32), EdgeSums>,
    /// By id; only nodes that something happened to.
    pub nodes: BTreeMap<String, NodeSums>,
    /// Spans per outcome; none that are 0.
    pub outcomes: BTreeMap<&'static str, u64>,
    /// Calls per class; none that are 0.
    pub classes: BTreeMap<&'static str, u64>,
    /// The same by the second of their slice, from the beginning.
    pub seconds: BTreeMap<(u64, &'static str), u64>,
    pub negative_duration: u64,
    pub negative_gap: u64,
    pub clock_skew: u64,
    pub unresolved_links: u64,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EdgeSums {
    pub seen_both: u64,
    pub seen_client: u64,
    pub seen_server: u64,
    pub failed: u64,
    pub client_failed: u64,
    pub server_failed: u64,
    /// Calls per class; none that are 0.
    pub classes: BTreeMap<&'static str, u64>,
    pub client: Samples,
    pub server: Samples,
    pub gap: Samples,
    pub queue: Samples,
    /// Topics.
    pub destinations: BTreeSet<String>,
    /// Fixed point, 20 bits; 0 without sampling.
    pub weighted_calls: u64,
    pub weighted_failed: u64,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NodeSums {
    pub from_edges: u64,
    pub no_caller: u64,
    pub unpaired: u64,
    pub failed: u64,
    pub latency: Samples,
}

/// A histogram.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Samples {
    pub count: u64,
    pub sum_ns: u64,
    /// Samples of exactly 0.
    pub zero: u64,
    /// Other samples by bucket: b^i < seconds <= b^(i+1) with b = 2^(1/16).
    pub buckets: BTreeMap<i32, u64>,
}

// === impl Samples ===

impl Samples {
    /// One more; by the definition, and right for whole milliseconds: of these, only the powers of two lie on a
    /// boundary or near one, and their logarithms are exact.
    pub(super) fn add(&mut self, ns: u64) {
        self.count += 1;
        self.sum_ns += ns;
        if ns == 0 {
            self.zero += 1;
            return;
        }
        let seconds = std::time::Duration::from_nanos(ns).as_secs_f64();
        #[expect(clippy::cast_possible_truncation, reason = "a small whole number")]
        let bucket = (seconds.log2() * 16.0).ceil() as i32 - 1;
        *self.buckets.entry(bucket).or_default() += 1;
    }
}
