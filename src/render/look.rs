//! How nodes and edges look and what their labels say, the same in every drawing: colour and sign by health, a dash for
//! messages, width by rate, figures in words for people. Nothing but [`caption`] repeats a name, so all other texts are inert everywhere.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::picture::{Label, Picture, Theme};
use super::text::{duration_ms, percent, rate};
use crate::proto::{ConnectionType, Histogram};
use crate::topology::times::rfc3339;
use crate::topology::{Edge, Health, Latency, Node, NodeKind, Quantile, Topology, estimate_ns};

/// Colours of one theme; each pair of text and ground has a contrast of at least 4.5.
pub(super) struct Palette {
    pub(super) ground: &'static str,
    pub(super) ink: &'static str,
    pub(super) faint: &'static str,
    /// Node fill and line colour by [`rank`].
    pub(super) fill: [&'static str; 4],
    pub(super) line: [&'static str; 4],
}

// === impl Palette ===

impl Palette {
    pub(super) fn of(theme: Theme) -> Self {
        match theme {
            Theme::Light => Self {
                ground: "#ffffff",
                ink: "#212121",
                faint: "#78909c",
                fill: ["#eceff1", "#e8f5e9", "#fff3e0", "#ffebee"],
                line: ["#607d8b", "#2e7d32", "#e65100", "#c62828"],
            },
            Theme::Dark => Self {
                ground: "#121212",
                ink: "#eeeeee",
                faint: "#78909c",
                fill: ["#263238", "#1b3a1e", "#4a2c00", "#4a1414"],
                line: ["#90a4ae", "#81c784", "#ffb74d", "#ef9a9a"],
            },
        }
    }
}

/// The place of a health in the palette: unknown, ok, degraded, failing.
pub(super) fn rank(health: Option<Health>) -> usize {
    match health {
        None => 0,
        Some(Health::Ok) => 1,
        Some(Health::Degraded) => 2,
        Some(Health::Failing) => 3,
    }
}

/// A dash is a message, for which nobody waits. It says nothing of health.
pub(super) fn dash(edge: &Edge) -> &'static str {
    match edge.counted.connection_type {
        ConnectionType::MessagingSystem => "dashed",
        _ => "solid",
    }
}

/// Health must not be told by colour alone: what has a problem bears a sign, and tells it in words.
fn sign(health: Option<Health>) -> Option<char> {
    match health {
        None | Some(Health::Ok) => None,
        Some(Health::Degraded) => Some('▲'),
        Some(Health::Failing) => Some('✕'),
    }
}

/// `✕ 12% failed`, of what has a problem.
pub(super) fn trouble(health: Option<Health>, failed_ratio: Option<f64>) -> Option<String> {
    let sign = sign(health)?;
    Some(failed_ratio.map_or_else(|| sign.to_string(), |r| format!("{sign} {}", failed(r))))
}

fn failed(ratio: f64) -> String {
    format!("{} failed", percent(ratio))
}

/// 1 at one call a second, 1 more for each factor of ten; 0.5 to 8, and never thin when something is wrong.
pub(super) fn pen_width(edge: &Edge) -> f64 {
    let least = if edge.health.is_some_and(Health::problem) {
        1.5
    } else {
        0.5
    };
    let width = edge.rate_per_s.map_or(0.5, |r| 1.0 + r.log10());
    width.clamp(least, 8.0)
}

/// From when to when.
pub(super) fn title(topology: &Topology) -> String {
    let window = &topology.window;
    format!(
        "{} to {}",
        rfc3339(window.start_unix_s),
        rfc3339(window.end_unix_s)
    )
}

/// Ids for languages in which no name may stand: `n0`, `n1` in the order of the nodes.
pub(super) struct Numbers<'a>(BTreeMap<&'a str, usize>);

// === impl Numbers ===

impl<'a> Numbers<'a> {
    pub(super) fn of(topology: &'a Topology) -> Self {
        let ids = topology.nodes.iter().map(|n| n.counted.id.as_str());
        Self(ids.zip(0..).collect())
    }

    /// The id of a node. Both ends of every edge are among the nodes, so every one has a number.
    pub(super) fn id(&self, node: &str) -> String {
        let number = self.0.get(node);
        number.map_or_else(|| "unknown".to_owned(), |n| format!("n{n}"))
    }
}

/// The nodes by the namespace that frames them, sorted; virtual nodes and services without one stand outside.
pub(super) fn frames(topology: &Topology) -> Frames<'_, &Node> {
    let nodes = topology.nodes.iter();
    framed(nodes.map(|n| (n.counted.kind, n.counted.namespace.as_deref(), n)))
}

/// Nodes by their frame.
pub(super) type Frames<'a, T> = BTreeMap<Option<&'a str>, Vec<T>>;

/// The same of any nodes, given with what they are and their namespace.
pub(super) fn framed<'a, T>(
    nodes: impl Iterator<Item = (NodeKind, Option<&'a str>, T)>,
) -> Frames<'a, T> {
    let mut frames: Frames<'a, T> = BTreeMap::new();
    for (kind, namespace, node) in nodes {
        let namespace = namespace.filter(|_| kind == NodeKind::Service);
        frames.entry(namespace).or_default().push(node);
    }
    frames
}

/// The edges by the ids of their ends: neighbours stay together when one comes or goes.
pub(super) fn edges_by_ends(topology: &Topology) -> Vec<&Edge> {
    let mut edges: Vec<&Edge> = topology.edges.iter().collect();
    edges.sort_by_key(|e| (&e.client, &e.server, e.counted.connection_type));
    edges
}

/// What a node is called in a drawing: its name, and what tells it apart from others of that name. May hold anything
/// that a stranger sent.
pub(super) fn caption(node: &Node) -> Cow<'_, str> {
    let c = &node.counted;
    if let (NodeKind::External, Some(namespace)) = (c.kind, &c.namespace) {
        return Cow::Owned(format!("{namespace}/{}", c.name));
    }
    if c.kind != NodeKind::Service || c.dimensions.is_empty() {
        return Cow::Borrowed(&c.name);
    }
    let pairs: Vec<_> = c
        .dimensions
        .iter()
        .map(|(k, v)| format!("{k}={v}"))
        .collect();
    Cow::Owned(format!("{} ({})", c.name, pairs.join(", ")))
}

/// An edge's label, one line each. A quantile names the side that measured it. One with a problem says so, whatever is
/// asked; where nothing is, by its sign alone.
pub(super) fn edge_lines(edge: &Edge, picture: &Picture) -> Vec<String> {
    let trouble = trouble(edge.health, edge.failed_ratio);
    let line = |label: &Label| match label {
        Label::Calls => Some(format!("{} calls", edge.counted.calls())),
        Label::Rate => edge.rate_per_s.map(rate),
        Label::Failed => trouble.clone().or_else(|| edge.failed_ratio.map(failed)),
        Label::Latency(quantile) => edge_latency(edge, *quantile),
    };
    let labels = picture.labels();
    let mut lines: Vec<String> = labels.iter().filter_map(line).collect();
    if labels.is_empty() {
        lines.extend(sign(edge.health).map(String::from));
    } else if !labels.contains(&Label::Failed) {
        lines.extend(trouble);
    }
    lines
}

/// `p95 33 ms client`: the client's view where there is one, else the server's, else the queue's.
pub(super) fn edge_latency(edge: &Edge, quantile: Quantile) -> Option<String> {
    let c = &edge.counted;
    let sides = [
        ("client", &c.client_latency),
        ("server", &c.server_latency),
        ("queue", &c.queue),
    ];
    let (side, histogram) = sides
        .into_iter()
        .find_map(|(side, h)| Some((side, h.as_ref()?)))?;
    Some(format!("{} {side}", estimate(histogram, quantile)?))
}

/// `p95 31 ms`, of a node's own inbound spans.
pub(super) fn node_latency(node: &Node, quantile: Quantile) -> Option<String> {
    estimate(node.counted.latency.as_ref()?, quantile)
}

/// `p50 9.0 ms, p95 33 ms`: every quantile asked for.
pub(super) fn figures(topology: &Topology, latency: &Latency) -> String {
    let values = topology.quantiles.iter().zip(&latency.quantiles_ms);
    let values: Vec<_> = values
        .map(|(q, ms)| format!("{} {}", q.label(), duration_ms(*ms)))
        .collect();
    values.join(", ")
}

fn estimate(histogram: &Histogram, quantile: Quantile) -> Option<String> {
    let ms = estimate_ns(histogram, quantile)? / 1e6;
    Some(format!("{} {}", quantile.label(), duration_ms(ms)))
}
