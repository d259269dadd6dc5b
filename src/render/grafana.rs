//! Flat arrays for Grafana's Node Graph panel through its Infinity data source, in the formats "Nodes - Node Graph" and
//! "Edges - Node Graph": <https://grafana.com/docs/plugins/yesoreyeram-infinity-datasource/latest/advanced-features/node-graph/>.
//!
//! Names are all lower case, as the panel reads them, and every record has every one, since columns are guessed from
//! records. The panel throws at an edge whose end is missing: both queries must ask for the same window and filters.

use std::borrow::Cow;

use serde::Serialize;

use super::callers::Callers;
use super::look::{caption, dash, edge_latency, figures, node_latency, pen_width, rank};
use super::text::{rate, significant};
use crate::topology::{Edge, Health, Latency, Node, NodeKind, Quantile, Topology, connection_name};

/// Writes the nodes.
pub fn write_nodes(topology: &Topology, out: &mut Vec<u8>) -> serde_json::Result<()> {
    let callers = Callers::of(topology);
    let nodes = topology.nodes.iter();
    let records: Vec<_> = nodes.map(|n| node(topology, &callers, n)).collect();
    serde_json::to_writer(out, &records)
}

/// Writes the edges.
pub fn write_edges(topology: &Topology, out: &mut Vec<u8>) -> serde_json::Result<()> {
    let records: Vec<_> = topology.edges.iter().map(|e| edge(topology, e)).collect();
    serde_json::to_writer(out, &records)
}

/// Colours of Grafana's own palette, which it shows on light and dark ground; in the order of [`rank`].
const COLOURS: [&str; 4] = ["#999999", "#73bf69", "#ff9830", "#f2495c"];

#[derive(Serialize)]
#[expect(non_snake_case, reason = "the panel's own words")]
struct NodeRecord<'a> {
    id: &'a str,
    title: Cow<'a, str>,
    subtitle: &'a str,
    /// Instead of the two stats, where a node has none.
    icon: Option<&'static str>,
    mainstat: Option<String>,
    secondarystat: Option<String>,
    #[serde(flatten)]
    ring: Ring,
    detail__type: &'static str,
    detail__health: Option<&'static str>,
    detail__calls: u64,
    detail__failed: u64,
    detail__latency: Option<String>,
    #[serde(flatten)]
    fixed: Option<Fixed>,
}

/// Where the panel shall put a node; it wants this of all nodes or of none.
#[derive(Serialize)]
struct Fixed {
    fixedx: i32,
    fixedy: i32,
}

/// Shares of the ring around a node, which sum to 1, each with its colour.
#[derive(Serialize)]
struct Ring {
    #[serde(rename = "arc__ok")]
    ok: f64,
    #[serde(rename = "arc__ok_color")]
    ok_colour: &'static str,
    #[serde(rename = "arc__failed")]
    failed: f64,
    #[serde(rename = "arc__failed_color")]
    failed_colour: &'static str,
    #[serde(rename = "arc__unknown")]
    unknown: f64,
    #[serde(rename = "arc__unknown_color")]
    unknown_colour: &'static str,
}

#[derive(Serialize)]
#[expect(non_snake_case, reason = "the panel's own words")]
struct EdgeRecord<'a> {
    id: &'a str,
    source: &'a str,
    target: &'a str,
    mainstat: Option<String>,
    secondarystat: Option<String>,
    thickness: f64,
    color: &'static str,
    strokedasharray: &'static str,
    detail__connection_type: &'static str,
    detail__health: Option<&'static str>,
    detail__calls: u64,
    detail__failed: u64,
    detail__client: Option<String>,
    detail__server: Option<String>,
    detail__gap: Option<String>,
    detail__queue: Option<String>,
}

fn node<'a>(topology: &Topology, callers: &Callers<'_>, node: &'a Node) -> NodeRecord<'a> {
    let c = &node.counted;
    let told = callers.told(node);
    let mainstat = callers.rate(node);
    NodeRecord {
        id: &c.id,
        title: caption(node),
        subtitle: c.namespace.as_deref().unwrap_or(c.kind.name()),
        icon: icon(c.kind).filter(|_| mainstat.is_none()),
        mainstat,
        secondarystat: node_latency(node, Quantile::P95),
        ring: ring(node.failed_ratio),
        detail__type: c.kind.name(),
        detail__health: node.health.map(Health::name),
        detail__calls: told.calls,
        detail__failed: told.failed,
        detail__latency: node.latency.as_ref().map(|l| figures(topology, l)),
        fixed: node.place.filter(|_| topology.with_layout).map(|p| Fixed {
            fixedx: p.x,
            fixedy: p.y,
        }),
    }
}

fn edge<'a>(topology: &Topology, edge: &'a Edge) -> EdgeRecord<'a> {
    let side = |latency: &Option<Latency>| latency.as_ref().map(|l| figures(topology, l));
    EdgeRecord {
        id: &edge.id,
        source: &edge.client,
        target: &edge.server,
        mainstat: edge.rate_per_s.map(rate),
        secondarystat: edge_latency(edge, Quantile::P95),
        thickness: significant(pen_width(edge)),
        color: COLOURS[rank(edge.health)],
        strokedasharray: dash_array(edge),
        detail__connection_type: connection_name(edge.counted.connection_type),
        detail__health: edge.health.map(Health::name),
        detail__calls: edge.counted.calls(),
        detail__failed: edge.counted.failed_calls(),
        detail__client: side(&edge.client_latency),
        detail__server: side(&edge.server_latency),
        detail__gap: side(&edge.gap),
        detail__queue: side(&edge.queue),
    }
}

fn ring(failed_ratio: Option<f64>) -> Ring {
    let failed = failed_ratio.unwrap_or(0.0);
    let unknown = if failed_ratio.is_none() { 1.0 } else { 0.0 };
    Ring {
        ok: 1.0 - failed - unknown,
        ok_colour: "green",
        failed,
        failed_colour: "red",
        unknown,
        unknown_colour: "gray",
    }
}

/// Names of Grafana's built-in icons.
fn icon(kind: NodeKind) -> Option<&'static str> {
    match kind {
        NodeKind::Database => Some("database"),
        NodeKind::Messaging => Some("envelope"),
        NodeKind::External => Some("cloud"),
        NodeKind::User => Some("user"),
        NodeKind::Service | NodeKind::Overflow | NodeKind::Namespace | NodeKind::Dimension => None,
    }
}

/// Dashes as SVG has them; `0` is a solid line.
fn dash_array(edge: &Edge) -> &'static str {
    match dash(edge) {
        "dashed" => "6 4",
        _ => "0",
    }
}
