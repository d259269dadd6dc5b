//! The shapes of one element, as `api.md` names its fields.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};

use crate::render::text::significant;
use crate::topology::Latency;

#[derive(Serialize)]
pub(in crate::render) struct NodeBody<'a> {
    pub(in crate::render) id: &'a str,
    pub(in crate::render) name: &'a str,
    pub(in crate::render) namespace: Option<&'a str>,
    pub(in crate::render) r#type: &'static str,
    #[serde(skip_serializing_if = "is_false")]
    pub(in crate::render) inferred: bool,
    pub(in crate::render) calls: u64,
    pub(in crate::render) failed: u64,
    pub(in crate::render) rate_per_s: Option<f64>,
    pub(in crate::render) failed_ratio: Option<f64>,
    pub(in crate::render) calls_from: CallsFromBody,
    pub(in crate::render) latency: Option<LatencyBody<'a>>,
    pub(in crate::render) versions: &'a BTreeSet<String>,
    #[serde(skip_serializing_if = "is_false")]
    pub(in crate::render) versions_more: bool,
    pub(in crate::render) instances: &'a BTreeSet<String>,
    #[serde(skip_serializing_if = "is_false")]
    pub(in crate::render) instances_more: bool,
    pub(in crate::render) health: Option<&'static str>,
    pub(in crate::render) first_seen: Option<String>,
    pub(in crate::render) last_seen: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::render) histograms: Option<NodeHistograms<'a>>,
}

#[derive(Serialize)]
pub(in crate::render) struct CallsFromBody {
    pub(in crate::render) edges: u64,
    pub(in crate::render) no_caller: u64,
    pub(in crate::render) unpaired: u64,
}

#[derive(Serialize)]
pub(in crate::render) struct EdgeBody<'a> {
    pub(in crate::render) id: &'a str,
    pub(in crate::render) client: &'a str,
    pub(in crate::render) server: &'a str,
    pub(in crate::render) connection_type: &'static str,
    pub(in crate::render) calls: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::render) raw_calls: Option<u64>,
    pub(in crate::render) seen: SeenBody,
    pub(in crate::render) inferred: u64,
    pub(in crate::render) failed: u64,
    pub(in crate::render) client_failed: u64,
    pub(in crate::render) server_failed: u64,
    pub(in crate::render) rate_per_s: Option<f64>,
    pub(in crate::render) failed_ratio: Option<f64>,
    pub(in crate::render) protocols: &'a BTreeMap<String, u64>,
    pub(in crate::render) statuses: &'a BTreeMap<String, u64>,
    pub(in crate::render) destinations: &'a BTreeSet<String>,
    #[serde(skip_serializing_if = "is_false")]
    pub(in crate::render) destinations_more: bool,
    pub(in crate::render) latency: Sides<LatencyBody<'a>>,
    pub(in crate::render) health: Option<&'static str>,
    pub(in crate::render) first_seen: Option<String>,
    pub(in crate::render) last_seen: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::render) histograms: Option<Sides<HistogramBody<'a>>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::render) exemplars: Option<Vec<ExemplarBody>>,
}

#[derive(Serialize)]
pub(in crate::render) struct SeenBody {
    pub(in crate::render) both: u64,
    pub(in crate::render) client: u64,
    pub(in crate::render) server: u64,
}

#[derive(Serialize)]
pub(in crate::render) struct Sides<T> {
    pub(in crate::render) client: Option<T>,
    pub(in crate::render) server: Option<T>,
    pub(in crate::render) gap: Option<T>,
    pub(in crate::render) queue: Option<T>,
}

pub(in crate::render) struct LatencyBody<'a> {
    pub(in crate::render) keys: &'a [String],
    pub(in crate::render) latency: &'a Latency,
}

#[derive(Serialize)]
pub(in crate::render) struct NodeHistograms<'a> {
    pub(in crate::render) server: Option<HistogramBody<'a>>,
}

#[derive(Serialize)]
pub(in crate::render) struct HistogramBody<'a> {
    pub(in crate::render) scale: i32,
    pub(in crate::render) count: u64,
    pub(in crate::render) sum_s: f64,
    pub(in crate::render) min_s: f64,
    pub(in crate::render) max_s: f64,
    pub(in crate::render) zero_count: u64,
    pub(in crate::render) offset: i32,
    pub(in crate::render) counts: &'a [u64],
}

#[derive(Serialize)]
pub(in crate::render) struct ExemplarBody {
    pub(in crate::render) trace_id: String,
    pub(in crate::render) span_id: String,
    pub(in crate::render) kind: &'static str,
    pub(in crate::render) duration_ms: f64,
    pub(in crate::render) at: String,
}

impl Serialize for LatencyBody<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut body = serializer.serialize_map(Some(self.keys.len() + 2))?;
        for (key, value) in self.keys.iter().zip(&self.latency.quantiles_ms) {
            body.serialize_entry(key, &significant(*value))?;
        }
        body.serialize_entry("mean_ms", &significant(self.latency.mean_ms))?;
        body.serialize_entry("max_ms", &self.latency.max_ms)?;
        body.end()
    }
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde calls it with a reference"
)]
fn is_false(flag: &bool) -> bool {
    !flag
}
