//! From counts to figures: rates, ratios, quantiles and health. The last step, on what the filters left.

use super::counts::{connection_name, rate, ratio};
use super::ident::edge_id;
use super::model::{Edge, Frame, Latency, Node, NodeCounts};
use super::quantile::{Quantile, estimates_ns, max_relative_error, mean_ns};
use super::working::{Working, WorkingEdge};
use crate::proto::Histogram;

/// Scale of a histogram that never had to be downscaled.
const FINEST_SCALE: i32 = 4;

/// Derives figures for one window.
pub(super) struct Figures<'a> {
    pub(super) frame: &'a Frame<'a>,
    pub(super) covered_ns: u64,
}

// === impl Figures ===

impl Figures<'_> {
    /// The finished nodes and edges, each sorted by id.
    pub(super) fn finish(&self, graph: Working) -> (Vec<Node>, Vec<Edge>) {
        let mut edges: Vec<Edge> = graph
            .edges
            .into_iter()
            .map(|e| self.edge(e, &graph.nodes))
            .collect();
        let mut nodes: Vec<Node> = graph.nodes.into_iter().map(|n| self.node(n)).collect();
        edges.sort_by(|a, b| a.id.cmp(&b.id));
        nodes.sort_by(|a, b| a.counted.id.cmp(&b.counted.id));
        (nodes, edges)
    }

    fn node(&self, counted: NodeCounts) -> Node {
        let calls = counted.calls_from.calls();
        let failed_ratio = ratio(counted.failed, calls);
        Node {
            rate_per_s: self.rate(calls, counted.idle || counted.silent()),
            failed_ratio,
            latency: self.latency(counted.latency.as_ref()),
            health: failed_ratio.map(|r| self.frame.thresholds.judge(r)),
            counted,
            place: None,
        }
    }

    fn edge(&self, edge: WorkingEdge, nodes: &[NodeCounts]) -> Edge {
        let counted = edge.counted;
        let (client, server) = (nodes[edge.client].id.clone(), nodes[edge.server].id.clone());
        let failed_ratio = ratio(counted.failed_calls(), counted.calls());
        Edge {
            id: edge_id(&client, &server, connection_name(counted.connection_type)),
            client,
            server,
            rate_per_s: self.rate(counted.calls(), counted.idle),
            failed_ratio,
            client_latency: self.latency(counted.client_latency.as_ref()),
            server_latency: self.latency(counted.server_latency.as_ref()),
            gap: self.latency(counted.gap.as_ref()),
            queue: self.latency(counted.queue.as_ref()),
            health: failed_ratio.map(|r| self.frame.thresholds.judge(r)),
            counted,
        }
    }

    fn rate(&self, calls: u64, idle: bool) -> Option<f64> {
        rate(calls, self.covered_ns).filter(|_| !idle)
    }

    fn latency(&self, histogram: Option<&Histogram>) -> Option<Latency> {
        latency(histogram?, &self.frame.query.quantiles)
    }
}

#[expect(
    clippy::cast_precision_loss,
    reason = "durations below 2^53 ns, about 104 days, are exact"
)]
fn latency(histogram: &Histogram, quantiles: &[Quantile]) -> Option<Latency> {
    let estimates = estimates_ns(histogram, quantiles)?;
    Some(Latency {
        quantiles_ms: estimates.iter().map(|ns| ns / 1e6).collect(),
        mean_ms: mean_ns(histogram)? / 1e6,
        max_ms: histogram.max_ns as f64 / 1e6,
    })
}

/// The largest relative error of any quantile of the graph: that of its coarsest histogram.
pub(super) fn graph_error(graph: &Working) -> f64 {
    let of_nodes = graph.nodes.iter().map(|n| &n.latency);
    let of_edges = graph.edges.iter().flat_map(|e| {
        let c = &e.counted;
        [&c.client_latency, &c.server_latency, &c.gap, &c.queue]
    });
    let coarsest = of_nodes.chain(of_edges).flatten().map(|h| h.scale).min();
    max_relative_error(coarsest.unwrap_or(FINEST_SCALE))
}
