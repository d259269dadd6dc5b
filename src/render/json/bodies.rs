//! The shapes of one element, as `api.md` names its fields.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};

use crate::render::text::significant;
use crate::topology::Latency;

#[derive(Serialize)]
#[expect(clippy::struct_excessive_bools, reason = "each is a field of the body")]
pub(in crate::render) struct NodeBody<'a> {
    pub(super) id: &'a str,
    pub(super) name: &'a str,
    pub(super) namespace: Option<&'a str>,
    pub(super) r#type: &'static str,
    #[serde(skip_serializing_if = "is_false")]
    pub(super) inferred: bool,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) dimensions: &'a BTreeMap<String, String>,
    #[serde(skip_serializing_if = "is_false")]
    pub(super) idle: bool,
    pub(super) calls: u64,
    pub(super) failed: u64,
    pub(super) rate_per_s: Option<f64>,
    pub(super) failed_ratio: Option<f64>,
    pub(super) calls_from: CallsFromBody,
    pub(super) latency: Option<LatencyBody<'a>>,
    pub(super) versions: &'a BTreeSet<String>,
    #[serde(skip_serializing_if = "is_false")]
    pub(super) versions_more: bool,
    pub(super) instances: &'a BTreeSet<String>,
    #[serde(skip_serializing_if = "is_false")]
    pub(super) instances_more: bool,
    pub(super) health: Option<&'static str>,
    pub(super) first_seen: Option<String>,
    pub(super) last_seen: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) histograms: Option<NodeHistograms<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) layout: Option<PlaceBody>,
}

#[derive(Serialize)]
pub(super) struct PlaceBody {
    pub(super) x: f64,
    pub(super) y: f64,
    pub(super) rank: u32,
    pub(super) frame: u32,
}

#[derive(Serialize)]
pub(super) struct CallsFromBody {
    pub(super) edges: u64,
    pub(super) no_caller: u64,
    pub(super) unpaired: u64,
}

#[derive(Serialize)]
pub(in crate::render) struct EdgeBody<'a> {
    pub(super) id: &'a str,
    pub(super) client: &'a str,
    pub(super) server: &'a str,
    pub(super) connection_type: &'static str,
    #[serde(skip_serializing_if = "is_false")]
    pub(super) idle: bool,
    pub(super) calls: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) raw_calls: Option<u64>,
    pub(super) seen: SeenBody,
    pub(super) inferred: u64,
    pub(super) failed: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) raw_failed: Option<u64>,
    pub(super) client_failed: u64,
    pub(super) server_failed: u64,
    pub(super) rate_per_s: Option<f64>,
    pub(super) failed_ratio: Option<f64>,
    pub(super) protocols: &'a BTreeMap<String, u64>,
    pub(super) statuses: &'a BTreeMap<String, u64>,
    pub(super) destinations: &'a BTreeSet<String>,
    #[serde(skip_serializing_if = "is_false")]
    pub(super) destinations_more: bool,
    pub(super) latency: Sides<LatencyBody<'a>>,
    pub(super) health: Option<&'static str>,
    pub(super) first_seen: Option<String>,
    pub(super) last_seen: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) histograms: Option<Sides<HistogramBody<'a>>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) exemplars: Option<Vec<ExemplarBody>>,
}

#[derive(Serialize)]
pub(super) struct SeenBody {
    pub(super) both: u64,
    pub(super) client: u64,
    pub(super) server: u64,
}

#[derive(Serialize)]
pub(super) struct Sides<T> {
    pub(super) client: Option<T>,
    pub(super) server: Option<T>,
    pub(super) gap: Option<T>,
    pub(super) queue: Option<T>,
}

pub(super) struct LatencyBody<'a> {
    pub(super) keys: &'a [String],
    pub(super) latency: &'a Latency,
}

#[derive(Serialize)]
pub(super) struct NodeHistograms<'a> {
    pub(super) server: Option<HistogramBody<'a>>,
}

#[derive(Serialize)]
pub(super) struct HistogramBody<'a> {
    pub(super) scale: i32,
    pub(super) count: u64,
    pub(super) sum_s: f64,
    pub(super) min_s: f64,
    pub(super) max_s: f64,
    pub(super) zero_count: u64,
    pub(super) offset: i32,
    pub(super) counts: &'a [u64],
}

#[derive(Serialize)]
pub(super) struct ExemplarBody {
    pub(super) trace_id: String,
    pub(super) span_id: String,
    pub(super) kind: &'static str,
    pub(super) duration_ms: f64,
    pub(super) at: String,
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
