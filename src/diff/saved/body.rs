//! The shapes of a saved snapshot. Absent fields are their defaults; unknown ones are ignored.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use crate::proto::{CallClasses, Law, Outcomes, Rejected};

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Body {
    pub(super) schema: String,
    pub(super) generated_at: String,
    pub(super) epoch: String,
    pub(super) window: WindowBody,
    pub(super) query: BTreeMap<String, Value>,
    pub(super) law: LawBody,
    pub(super) hidden: HiddenBody,
    pub(super) histogram: LayoutBody,
    pub(super) nodes: Vec<NodeBody>,
    pub(super) edges: Vec<EdgeBody>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct WindowBody {
    pub(super) start: String,
    pub(super) end: String,
    pub(super) requested_s: u64,
    pub(super) covered_s: f64,
    pub(super) resolution_s: u64,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct HiddenBody {
    pub(super) nodes: u64,
    pub(super) edges: u64,
    pub(super) calls: u64,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct LayoutBody {
    pub(super) max_relative_error: f64,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct LawBody {
    pub(super) decoded: u64,
    pub(super) accepted: u64,
    pub(super) rejected: BTreeMap<String, u64>,
    pub(super) pending_before: u64,
    pub(super) pending_after: u64,
    pub(super) outcomes: BTreeMap<String, u64>,
    pub(super) calls: BTreeMap<String, u64>,
    negative_duration: u64,
    negative_gap: u64,
    clock_skew: u64,
    unresolved_links: u64,
    pub(super) overflow_calls: u64,
    evicted: u64,
    pub(super) sampling_adjusted: bool,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct NodeBody {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) namespace: Option<String>,
    pub(super) r#type: String,
    pub(super) dimensions: BTreeMap<String, String>,
    pub(super) idle: bool,
    pub(super) calls: Option<u64>,
    pub(super) failed: u64,
    pub(super) rate_per_s: Option<f64>,
    pub(super) failed_ratio: Option<f64>,
    pub(super) calls_from: BTreeMap<String, u64>,
    pub(super) latency: Option<BTreeMap<String, f64>>,
    pub(super) histograms: Option<Views<HistogramBody>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct EdgeBody {
    pub(super) id: String,
    pub(super) client: String,
    pub(super) server: String,
    pub(super) connection_type: String,
    pub(super) idle: bool,
    pub(super) calls: u64,
    pub(super) raw_calls: Option<u64>,
    pub(super) seen: BTreeMap<String, u64>,
    pub(super) failed: u64,
    pub(super) rate_per_s: Option<f64>,
    pub(super) failed_ratio: Option<f64>,
    pub(super) latency: Views<BTreeMap<String, f64>>,
    pub(super) histograms: Option<Views<HistogramBody>>,
}

#[derive(Debug, Deserialize)]
#[serde(default)]
pub(super) struct Views<T> {
    pub(super) client: Option<T>,
    pub(super) server: Option<T>,
    pub(super) gap: Option<T>,
    pub(super) queue: Option<T>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct HistogramBody {
    pub(super) scale: i32,
    pub(super) count: u64,
    pub(super) sum_s: f64,
    pub(super) min_s: f64,
    pub(super) max_s: f64,
    pub(super) zero_count: u64,
    pub(super) offset: i32,
    pub(super) counts: Vec<u64>,
}

// === impl Views ===

impl<T> Default for Views<T> {
    fn default() -> Self {
        Self {
            client: None,
            server: None,
            gap: None,
            queue: None,
        }
    }
}

// === impl LawBody ===

impl LawBody {
    pub(super) fn read(&self) -> Law {
        let (rejected, outcomes, calls) = (&self.rejected, &self.outcomes, &self.calls);
        Law {
            decoded: self.decoded,
            accepted: self.accepted,
            rejected: Some(Rejected {
                trace_id: get(rejected, "trace_id"),
                span_id: get(rejected, "span_id"),
                parent_span_id: get(rejected, "parent_span_id"),
            }),
            pending_before: self.pending_before,
            pending_after: self.pending_after,
            outcomes: Some(Outcomes {
                paired: get(outcomes, "paired"),
                r#virtual: get(outcomes, "virtual"),
                internal: get(outcomes, "internal"),
                root: get(outcomes, "root"),
                unpaired_client: get(outcomes, "unpaired_client"),
                unpaired_server: get(outcomes, "unpaired_server"),
                filtered: get(outcomes, "filtered"),
                duplicate: get(outcomes, "duplicate"),
                late: get(outcomes, "late"),
            }),
            calls: Some(CallClasses {
                paired: get(calls, "paired"),
                entry: get(calls, "entry"),
                linked: get(calls, "linked"),
                virtual_server: get(calls, "virtual_server"),
                virtual_client: get(calls, "virtual_client"),
            }),
            negative_duration: self.negative_duration,
            negative_gap: self.negative_gap,
            clock_skew: self.clock_skew,
            unresolved_links: self.unresolved_links,
            overflow_calls: self.overflow_calls,
            evicted: self.evicted,
        }
    }
}

pub(super) fn get(counts: &BTreeMap<String, u64>, name: &str) -> u64 {
    counts.get(name).copied().unwrap_or_default()
}
