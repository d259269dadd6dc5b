//! What a pipeline stops at.

use std::collections::BTreeMap;

use super::report::Report;
use crate::render::text::visible;

/// A kind of difference that can be asked to fail on. Only what is significant counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum FailOn {
    /// Nodes and edges that came
    Added,
    /// Nodes and edges that went
    Removed,
    /// Rates, either way
    Rate,
    /// Failed ratios that grew
    Errors,
    /// Latencies that grew
    Latency,
    /// Failed ratios and latencies that shrank
    Better,
    /// All of these
    Any,
    /// None of these
    Nothing,
}

/// What was found that counts, as `2 added` or `1 failed_up`, by kind.
pub(super) fn found(report: &Report, fail_on: &[FailOn]) -> Vec<String> {
    let mut counts: BTreeMap<&str, u64> = BTreeMap::new();
    for reason in report.all().flat_map(|row| &row.reasons) {
        if fail_on.iter().any(|kind| kind.covers(reason)) {
            *counts.entry(reason).or_default() += 1;
        }
    }
    let told = counts
        .into_iter()
        .map(|(reason, n)| format!("{n} {}", visible(reason)));
    told.collect()
}

// === impl FailOn ===

impl FailOn {
    /// Whether a reason of a `spangraph.diff/1` is of this kind.
    fn covers(self, reason: &str) -> bool {
        let of = match reason {
            "added" => Self::Added,
            "removed" => Self::Removed,
            "failed_up" => Self::Errors,
            r if r.starts_with("rate_") => Self::Rate,
            r if r.ends_with("_latency_up") => Self::Latency,
            r if r.ends_with("_down") => Self::Better,
            // A reason that only a newer daemon has.
            _ => Self::Any,
        };
        self == of || self == Self::Any
    }
}
