//! Elements of a topology in their shapes.

use crate::proto::{Exemplar, Histogram};
use crate::render::text::{decimals, significant};
use crate::topology::ident::hex;
use crate::topology::layout::Place;
use crate::topology::times::rfc3339;
use crate::topology::{CallsFrom, Edge, Latency, Node, Quantile, Seen, Topology, connection_name};

use super::bodies::{
    CallsFromBody, EdgeBody, ExemplarBody, HistogramBody, LatencyBody, NodeBody, NodeHistograms,
    PlaceBody, SeenBody, Sides,
};

/// How elements of one topology are shown.
pub(in crate::render) struct View<'a> {
    topology: &'a Topology,
    quantile_keys: Vec<String>,
}

// === impl View ===

impl<'a> View<'a> {
    pub(in crate::render) fn of(topology: &'a Topology) -> Self {
        let key = |q: &Quantile| format!("p{}_ms", q.percent_key());
        Self {
            topology,
            quantile_keys: topology.quantiles.iter().map(key).collect(),
        }
    }

    pub(super) fn latency(&'a self, latency: Option<&'a Latency>) -> Option<LatencyBody<'a>> {
        Some(LatencyBody {
            keys: &self.quantile_keys,
            latency: latency?,
        })
    }

    pub(in crate::render) fn node(&'a self, node: &'a Node) -> NodeBody<'a> {
        let c = &node.counted;
        NodeBody {
            id: &c.id,
            name: &c.name,
            namespace: c.namespace.as_deref(),
            r#type: c.kind.name(),
            inferred: c.kind.inferred(),
            dimensions: &c.dimensions,
            idle: c.idle,
            calls: c.calls_from.calls(),
            failed: c.failed,
            rate_per_s: node.rate_per_s.map(significant),
            failed_ratio: node.failed_ratio.map(significant),
            calls_from: calls_from(c.calls_from),
            latency: self.latency(node.latency.as_ref()),
            versions: &c.versions.values,
            versions_more: c.versions.more,
            instances: &c.instances.values,
            instances_more: c.instances.more,
            health: node.health.map(crate::topology::Health::name),
            first_seen: seen_at(c.first_seen_s),
            last_seen: seen_at(c.last_seen_s),
            histograms: self.topology.with_histograms.then(|| NodeHistograms {
                server: histogram(c.latency.as_ref()),
            }),
            layout: node.place.filter(|_| self.topology.with_layout).map(place),
        }
    }

    pub(in crate::render) fn edge(&'a self, edge: &'a Edge) -> EdgeBody<'a> {
        let c = &edge.counted;
        EdgeBody {
            id: &edge.id,
            client: &edge.client,
            server: &edge.server,
            connection_type: connection_name(c.connection_type),
            idle: c.idle,
            calls: c.calls(),
            raw_calls: c.weighted().then(|| c.seen.calls()),
            seen: seen(c.seen),
            inferred: c.inferred,
            failed: c.failed_calls(),
            raw_failed: c.weighted().then_some(c.failed),
            client_failed: c.client_failed,
            server_failed: c.server_failed,
            rate_per_s: edge.rate_per_s.map(significant),
            failed_ratio: edge.failed_ratio.map(significant),
            protocols: &c.protocols,
            statuses: &c.statuses,
            destinations: &c.destinations.values,
            destinations_more: c.destinations.more,
            latency: self.sides(edge),
            health: edge.health.map(crate::topology::Health::name),
            first_seen: seen_at(c.first_seen_s),
            last_seen: seen_at(c.last_seen_s),
            histograms: self.topology.with_histograms.then(|| histograms(edge)),
            exemplars: self.topology.with_exemplars.then(|| exemplars(edge)),
        }
    }

    pub(super) fn sides(&'a self, edge: &'a Edge) -> Sides<LatencyBody<'a>> {
        Sides {
            client: self.latency(edge.client_latency.as_ref()),
            server: self.latency(edge.server_latency.as_ref()),
            gap: self.latency(edge.gap.as_ref()),
            queue: self.latency(edge.queue.as_ref()),
        }
    }
}

fn place(place: Place) -> PlaceBody {
    PlaceBody {
        x: place.x.into(),
        y: place.y.into(),
        rank: place.rank,
        frame: place.frame,
    }
}

fn calls_from(from: CallsFrom) -> CallsFromBody {
    CallsFromBody {
        edges: from.edges,
        no_caller: from.no_caller,
        unpaired: from.unpaired,
    }
}

fn seen(seen: Seen) -> SeenBody {
    SeenBody {
        both: seen.both,
        client: seen.client,
        server: seen.server,
    }
}

fn seen_at(unix_s: u64) -> Option<String> {
    (unix_s > 0).then(|| rfc3339(unix_s))
}

fn histograms(edge: &Edge) -> Sides<HistogramBody<'_>> {
    let c = &edge.counted;
    Sides {
        client: histogram(c.client_latency.as_ref()),
        server: histogram(c.server_latency.as_ref()),
        gap: histogram(c.gap.as_ref()),
        queue: histogram(c.queue.as_ref()),
    }
}

fn histogram(histogram: Option<&Histogram>) -> Option<HistogramBody<'_>> {
    let h = histogram?;
    Some(HistogramBody {
        scale: h.scale,
        count: h.count,
        sum_s: decimals(h.sum_ns, 9),
        min_s: decimals(h.min_ns, 9),
        max_s: decimals(h.max_ns, 9),
        zero_count: h.zero_count,
        offset: h.offset,
        counts: &h.counts,
    })
}

fn exemplars(edge: &Edge) -> Vec<ExemplarBody> {
    let body = |e: &Exemplar, kind| ExemplarBody {
        trace_id: hex(&e.trace_id),
        span_id: hex(&e.span_id),
        kind,
        duration_ms: decimals(e.duration_ns, 6),
        at: rfc3339(e.second),
    };
    let slow = edge.counted.slowest.iter().map(|e| body(e, "slow"));
    let failed = edge
        .counted
        .failed_exemplar
        .iter()
        .map(|e| body(e, "failed"));
    slow.chain(failed).collect()
}
