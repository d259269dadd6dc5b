//! What the table needs of a snapshot. Fields it does not know are ignored and those it misses are absent: within
//! version 1 of the API, fields are only ever added.

use std::collections::BTreeMap;

use serde::Deserialize;

/// A snapshot's body.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Graph {
    pub(super) window: Window,
    pub(super) law: Law,
    pub(super) hidden: Hidden,
    pub(super) nodes: Vec<Node>,
    pub(super) edges: Vec<Edge>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Window {
    /// RFC 3339.
    pub(super) end: String,
    pub(super) effective_s: u64,
    pub(super) covered_s: f64,
}

/// The terms of the law that two of its identities need.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Law {
    pub(super) decoded: u64,
    pub(super) accepted: u64,
    rejected: BTreeMap<String, u64>,
    pending_before: u64,
    pending_after: u64,
    outcomes: BTreeMap<String, u64>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Hidden {
    pub(super) edges: u64,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Node {
    pub(super) r#type: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Edge {
    pub(super) client: String,
    pub(super) server: String,
    pub(super) connection_type: String,
    pub(super) rate_per_s: Option<f64>,
    pub(super) failed_ratio: Option<f64>,
    pub(super) protocols: BTreeMap<String, u64>,
    latency: Sides,
    pub(super) health: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Sides {
    client: Option<Latency>,
    server: Option<Latency>,
}

#[derive(Debug, Default, Clone, Copy, Deserialize)]
#[serde(default)]
pub(super) struct Latency {
    pub(super) p50_ms: Option<f64>,
    pub(super) p95_ms: Option<f64>,
}

// === impl Graph ===

impl Graph {
    pub(super) fn read(body: &[u8]) -> Result<Self, String> {
        serde_json::from_slice(body).map_err(|error| error.to_string())
    }

    /// Spans accepted per second of the time the daemon was receiving.
    #[expect(
        clippy::cast_precision_loss,
        reason = "shown to two digits; exact below 2^53 spans"
    )]
    pub(super) fn spans_per_s(&self) -> Option<f64> {
        let covered_s = self.window.covered_s;
        (covered_s > 0.0).then(|| self.law.accepted as f64 / covered_s)
    }

    pub(super) fn services(&self) -> usize {
        let is_service = |node: &&Node| node.r#type == "service";
        self.nodes.iter().filter(is_service).count()
    }
}

// === impl Law ===

impl Law {
    /// Every span read was accepted or rejected, and every one accepted has one outcome or waits for it.
    pub(super) fn holds(&self) -> bool {
        let sum = |terms: &BTreeMap<String, u64>| terms.values().map(|&n| u128::from(n)).sum();
        let (rejected, outcomes): (u128, u128) = (sum(&self.rejected), sum(&self.outcomes));
        let [decoded, accepted, before, after] = [
            self.decoded,
            self.accepted,
            self.pending_before,
            self.pending_after,
        ]
        .map(u128::from);
        decoded == accepted + rejected && before + accepted == outcomes + after
    }
}

// === impl Edge ===

impl Edge {
    /// What the client saw, else what the server did.
    pub(super) fn latency(&self) -> Latency {
        self.latency
            .client
            .or(self.latency.server)
            .unwrap_or_default()
    }

    /// One word: what is special about the edge, else the protocol most of its calls spoke.
    pub(super) fn kind(&self) -> &str {
        match self.connection_type.as_str() {
            "" => {
                let most = self.protocols.iter().max_by_key(|(_, calls)| **calls);
                most.map_or("", |(protocol, _)| protocol)
            }
            "virtual_node" => "virtual",
            "messaging_system" => "messaging",
            other => other,
        }
    }
}
