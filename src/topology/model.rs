//! The topology as plain owned data: what was counted, and what is derived from it. Sorted by id, so that equal data
//! gives equal bytes.

use std::collections::{BTreeMap, BTreeSet};

use crate::proto::{ConnectionType, Exemplar, Histogram, Law};

use super::layout::Place;
use super::quantile::Quantile;
use super::query::{Echo, Query};

/// The service graph of one window, after every filter.
#[derive(Debug, Clone)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each part of `include` is asked for or not"
)]
pub struct Topology {
    /// Seal time of the newest slot used, unix seconds.
    pub generated_unix_s: u64,
    /// Process epoch of the daemon that built it.
    pub epoch: String,
    /// The window as it was answered.
    pub window: Window,
    /// What was asked, normalised; defaults are left out.
    pub query: Vec<(&'static str, Echo)>,
    /// The law's terms of the whole window, before filters.
    pub law: Law,
    /// Some edge's calls are weighted by sampling.
    pub sampling_adjusted: bool,
    /// What the filters took away.
    pub hidden: Hidden,
    /// The largest relative error of any quantile here.
    pub max_relative_error: f64,
    /// Which quantiles each latency carries, ascending.
    pub quantiles: Vec<Quantile>,
    /// Renderers show raw histograms too.
    pub with_histograms: bool,
    /// Renderers show exemplars too.
    pub with_exemplars: bool,
    /// Renderers show places too.
    pub with_layout: bool,
    /// Of the layout that [`Topology::place`] took places from; `None` before.
    pub layout_epoch: Option<String>,
    /// Sorted by id. Both ends of every edge are here.
    pub nodes: Vec<Node>,
    /// Sorted by id.
    pub edges: Vec<Edge>,
}

/// The window as it was answered.
#[derive(Debug, Clone, PartialEq)]
pub struct Window {
    /// First unix second, moved back to a slot boundary.
    pub start_unix_s: u64,
    /// First unix second after.
    pub end_unix_s: u64,
    /// Length asked for.
    pub requested_s: u64,
    /// Time in it during which the daemon was receiving, nanoseconds; rates divide by it.
    pub covered_ns: u64,
    /// Length of the coarsest slot used.
    pub resolution_s: u64,
}

/// What the filters took away.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Hidden {
    /// Nodes.
    pub nodes: u64,
    /// Edges.
    pub edges: u64,
    /// Calls of those edges.
    pub calls: u64,
}

/// What a node is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum NodeKind {
    /// A service that sent spans.
    Service,
    /// Virtual.
    Database,
    /// Virtual.
    Messaging,
    /// Virtual: somebody else's service.
    External,
    /// Virtual: whoever calls from outside.
    User,
    /// Stands for everything beyond the node cap.
    Overflow,
    /// All services of one namespace, under `group_by=namespace`.
    Namespace,
    /// All services with one value of a dimension, under `group_by=<dimension>`.
    Dimension,
}

/// One node with what follows from its counts.
#[derive(Debug, Clone)]
pub struct Node {
    /// What was counted.
    pub counted: NodeCounts,
    /// Calls per covered second; `None` when nothing was covered, it is idle, or it is a virtual node that reports
    /// nothing: its incoming edges have theirs.
    pub rate_per_s: Option<f64>,
    /// Failed calls per call; `None` without calls.
    pub failed_ratio: Option<f64>,
    /// Of its own inbound spans.
    pub latency: Option<Latency>,
    /// `None` without calls.
    pub health: Option<Health>,
    /// Where it stands; `None` before [`Topology::place`].
    pub place: Option<Place>,
}

/// What was counted of one node.
#[derive(Debug, Clone, PartialEq)]
pub struct NodeCounts {
    /// Identity; see design.md section 7.
    pub id: String,
    /// Plain name.
    pub name: String,
    /// `None` without one.
    pub namespace: Option<String>,
    /// What it is.
    pub kind: NodeKind,
    /// What else tells it apart from nodes of the same name: configured dimensions with their values.
    pub dimensions: BTreeMap<String, String>,
    /// Where its calls came from.
    pub calls_from: CallsFrom,
    /// Of those calls.
    pub failed: u64,
    /// Durations of its own inbound spans.
    pub latency: Option<Histogram>,
    /// `service.version`s seen.
    pub versions: TextSet,
    /// `service.instance.id`s seen.
    pub instances: TextSet,
    /// Unix second; 0 is unknown.
    pub first_seen_s: u64,
    /// Unix second; 0 is unknown.
    pub last_seen_s: u64,
    /// Retained, but not seen in the window: all counts are nothing.
    pub idle: bool,
}

/// Where a node's calls came from; the three sum to its calls.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct CallsFrom {
    /// Its incoming edges' calls that its own spans reported.
    pub edges: u64,
    /// Inbound root spans.
    pub no_caller: u64,
    /// Inbound spans whose caller was never seen, or came too late.
    pub unpaired: u64,
}

/// One edge with what follows from its counts.
#[derive(Debug, Clone)]
pub struct Edge {
    /// Identity; see [`super::ident::edge_id`].
    pub id: String,
    /// Node id of the caller.
    pub client: String,
    /// Node id of the called.
    pub server: String,
    /// What was counted.
    pub counted: EdgeCounts,
    /// Calls per covered second; `None` when nothing was covered, or it is idle.
    pub rate_per_s: Option<f64>,
    /// Failed calls per call; `None` without calls.
    pub failed_ratio: Option<f64>,
    /// As the client saw it.
    pub client_latency: Option<Latency>,
    /// As the server saw it; the client's view when the server is virtual.
    pub server_latency: Option<Latency>,
    /// Client minus server of the same call: network and queueing.
    pub gap: Option<Latency>,
    /// Consumer start minus producer end, on messaging edges.
    pub queue: Option<Latency>,
    /// `None` without calls.
    pub health: Option<Health>,
}

/// What was counted of one edge.
#[derive(Debug, Clone, PartialEq)]
pub struct EdgeCounts {
    /// How the two are connected.
    pub connection_type: ConnectionType,
    /// Which sides reported its calls.
    pub seen: Seen,
    /// Calls that were folded from a virtual node into a real service.
    pub inferred: u64,
    /// Failed calls.
    pub failed: u64,
    /// Failed calls by the client's report.
    pub client_failed: u64,
    /// Failed calls by the server's report.
    pub server_failed: u64,
    /// Durations by the client.
    pub client_latency: Option<Histogram>,
    /// Durations by the server.
    pub server_latency: Option<Histogram>,
    /// Client minus server.
    pub gap: Option<Histogram>,
    /// Consumer start minus producer end.
    pub queue: Option<Histogram>,
    /// Calls by protocol.
    pub protocols: BTreeMap<String, u64>,
    /// Calls by protocol and status.
    pub statuses: BTreeMap<String, u64>,
    /// Topics.
    pub destinations: TextSet,
    /// Exemplar of the slowest call.
    pub slowest: Option<Exemplar>,
    /// Exemplar of a failed call.
    pub failed_exemplar: Option<Exemplar>,
    /// Unix second; 0 is unknown.
    pub first_seen_s: u64,
    /// Unix second; 0 is unknown.
    pub last_seen_s: u64,
    /// Fixed point 2^-20; 0 unless sampling is adjusted.
    pub weighted_calls: u64,
    /// Likewise.
    pub weighted_failed: u64,
    /// Retained, but without calls in the window: all counts are nothing.
    pub idle: bool,
}

/// Which sides reported an edge's calls; the three sum to its calls.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Seen {
    /// Both.
    pub both: u64,
    /// Only the client.
    pub client: u64,
    /// Only the server.
    pub server: u64,
}

/// At most 16 texts, the smallest of all.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TextSet {
    /// Sorted.
    pub values: BTreeSet<String>,
    /// Something was cut.
    pub more: bool,
}

/// A latency distribution in figures; milliseconds.
#[derive(Debug, Clone, PartialEq)]
pub struct Latency {
    /// One per [`Topology::quantiles`].
    pub quantiles_ms: Vec<f64>,
    /// Exact.
    pub mean_ms: f64,
    /// Exact.
    pub max_ms: f64,
}

/// How an element fares by its failed ratio.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Health {
    /// Below both thresholds.
    Ok,
    /// At or above the first.
    Degraded,
    /// At or above the second.
    Failing,
}

/// Where health changes; `health.{degraded,failing}_failed_ratio`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Thresholds {
    /// Default 0.01.
    pub degraded_failed_ratio: f64,
    /// Default 0.05.
    pub failing_failed_ratio: f64,
}

/// Everything [`super::build`] is told besides the slice.
#[derive(Debug, Clone)]
pub struct Frame<'a> {
    /// First unix second of the resolved slots.
    pub start_unix_s: u64,
    /// First unix second after them.
    pub end_unix_s: u64,
    /// Length of the coarsest slot used.
    pub resolution_s: u64,
    /// Process epoch of this daemon.
    pub epoch: &'a str,
    /// Where health changes.
    pub thresholds: Thresholds,
    /// What was asked.
    pub query: &'a Query,
}
