//! Nodes, edges and histograms of a saved snapshot back to what they were.

use std::collections::BTreeMap;

use super::body::{EdgeBody, HistogramBody, NodeBody, get};
use crate::proto::Histogram;
use crate::topology::ident::edge_id;
use crate::topology::{
    CallsFrom, Edge, EdgeCounts, Latency, Node, NodeCounts, NodeKind, Quantile, Seen, TextSet,
    connection_named,
};

/// One in the fixed point of weighted sums, as slices have it.
const WEIGHT_ONE: u64 = 1 << 20;
/// Scales of OTLP's exponential histograms.
const SCALES: std::ops::RangeInclusive<i32> = -10..=20;

const KINDS: [NodeKind; 8] = [
    NodeKind::Service,
    NodeKind::Database,
    NodeKind::Messaging,
    NodeKind::External,
    NodeKind::User,
    NodeKind::Overflow,
    NodeKind::Namespace,
    NodeKind::Dimension,
];

// === impl NodeBody ===

impl NodeBody {
    pub(super) fn read(&self, quantiles: &[Quantile]) -> Result<Node, String> {
        let kind = KINDS.into_iter().find(|kind| kind.name() == self.r#type);
        let histograms = self.histograms.as_ref();
        Ok(Node {
            rate_per_s: self.rate_per_s,
            failed_ratio: self.failed_ratio,
            latency: latency(self.latency.as_ref(), quantiles),
            health: None,
            place: None,
            counted: NodeCounts {
                id: self.id.clone(),
                name: self.name.clone(),
                namespace: self.namespace.clone(),
                dimensions: self.dimensions.clone(),
                idle: false,
                kind: kind.ok_or_else(|| format!("`{}` is no type of node", self.r#type))?,
                calls_from: CallsFrom {
                    edges: get(&self.calls_from, "edges"),
                    no_caller: get(&self.calls_from, "no_caller"),
                    unpaired: get(&self.calls_from, "unpaired"),
                },
                failed: self.failed,
                latency: histogram(histograms.and_then(|h| h.server.as_ref()))?,
                versions: TextSet::default(),
                instances: TextSet::default(),
                first_seen_s: 0,
                last_seen_s: 0,
            },
        })
    }
}

// === impl EdgeBody ===

impl EdgeBody {
    pub(super) fn read(&self, quantiles: &[Quantile]) -> Result<Edge, String> {
        if self.id != edge_id(&self.client, &self.server, &self.connection_type) {
            return Err(format!("`{}` is not the id of its edge", self.id));
        }
        let of = &self.latency;
        Ok(Edge {
            id: self.id.clone(),
            client: self.client.clone(),
            server: self.server.clone(),
            rate_per_s: self.rate_per_s,
            failed_ratio: self.failed_ratio,
            client_latency: latency(of.client.as_ref(), quantiles),
            server_latency: latency(of.server.as_ref(), quantiles),
            gap: latency(of.gap.as_ref(), quantiles),
            queue: latency(of.queue.as_ref(), quantiles),
            health: None,
            counted: self.counts()?,
        })
    }

    fn counts(&self) -> Result<EdgeCounts, String> {
        let word = &self.connection_type;
        let connection = connection_named(word);
        let weight = |count: u64| {
            let weighted = count.saturating_mul(WEIGHT_ONE);
            self.raw_calls.map_or(0, |_| weighted)
        };
        let views = self.histograms.as_ref();
        Ok(EdgeCounts {
            connection_type: connection.ok_or_else(|| format!("`{word}` is no connection type"))?,
            seen: Seen {
                both: get(&self.seen, "both"),
                client: get(&self.seen, "client"),
                server: get(&self.seen, "server"),
            },
            idle: false,
            inferred: 0,
            failed: self.failed,
            client_failed: 0,
            server_failed: 0,
            client_latency: histogram(views.and_then(|v| v.client.as_ref()))?,
            server_latency: histogram(views.and_then(|v| v.server.as_ref()))?,
            gap: histogram(views.and_then(|v| v.gap.as_ref()))?,
            queue: histogram(views.and_then(|v| v.queue.as_ref()))?,
            protocols: BTreeMap::new(),
            statuses: BTreeMap::new(),
            destinations: TextSet::default(),
            slowest: None,
            failed_exemplar: None,
            first_seen_s: 0,
            last_seen_s: 0,
            weighted_calls: weight(self.calls),
            weighted_failed: weight(self.failed),
        })
    }
}

fn latency(figures: Option<&BTreeMap<String, f64>>, quantiles: &[Quantile]) -> Option<Latency> {
    let figures = figures?;
    let value = |name: &str| figures.get(name).copied();
    let of = |q: &Quantile| value(&format!("p{}_ms", q.percent_key()));
    Some(Latency {
        quantiles_ms: quantiles.iter().map(of).collect::<Option<_>>()?,
        mean_ms: value("mean_ms")?,
        max_ms: value("max_ms")?,
    })
}

fn histogram(body: Option<&HistogramBody>) -> Result<Option<Histogram>, String> {
    let Some(h) = body else { return Ok(None) };
    if !SCALES.contains(&h.scale) {
        return Err(format!("{} is no scale of a histogram", h.scale));
    }
    Ok((h.count > 0).then_some(Histogram {
        scale: h.scale,
        count: h.count,
        sum_ns: nanoseconds(h.sum_s)?,
        min_ns: nanoseconds(h.min_s)?,
        max_ns: nanoseconds(h.max_s)?,
        zero_count: h.zero_count,
        offset: h.offset,
        counts: h.counts.clone(),
    }))
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "checked to be finite and not negative; the cast saturates"
)]
pub(super) fn nanoseconds(seconds: f64) -> Result<u64, String> {
    if !(seconds.is_finite() && seconds >= 0.0) {
        return Err("a duration is negative".to_owned());
    }
    Ok((seconds * 1e9).round() as u64)
}
