//! Folding at read time (pairing.md R11): an external virtual node that bears the name of a real service of the window
//! is that service; so is one whose address is known ([`super::alias`]), unless its name says otherwise. Names that depend on what else was seen are thus resolved from the slices alone.

use std::collections::HashMap;

use super::model::{NodeCounts, NodeKind};
use super::working::{Working, WorkingEdge};
use crate::proto::ConnectionType;

/// The name given to peers nobody can name; it stands for many and never folds.
pub(super) const UNKNOWN: &str = "unknown";

/// Folds every edge that can be, and takes away virtual nodes left without an edge. Idle edges are of all that is
/// retained, and so are the services they fold into; what was called in the window folds as if nothing idle were shown.
pub(super) fn fold(graph: &mut Working) {
    let all = || graph.nodes.iter().enumerate();
    let named = |(at, node)| (at, Named::from(node));
    let of_window = Services::of(all().filter(|(_, node)| !node.idle).map(named));
    let is_idle = |edge: &WorkingEdge| edge.counted.idle;
    let retained = graph
        .edges
        .iter()
        .any(is_idle)
        .then(|| Services::of(all().map(named)));
    let mut emptied = vec![false; graph.nodes.len()];
    let mut folded = false;
    for edge in &mut graph.edges {
        let services = retained.as_ref().filter(|_| is_idle(edge));
        let services = services.unwrap_or(&of_window);
        let mut ends = services.ends(&graph.nodes, edge);
        let alias = edge.alias.take().map(|real| (edge.server, real));
        ends.extend(alias.filter(|(server, _)| ends.iter().all(|(end, _)| end != server)));
        for (virtual_end, real) in ends {
            emptied[virtual_end] = true;
            folded = true;
            turn(edge, virtual_end, real);
        }
    }
    if !folded {
        return;
    }
    graph.join_edges();
    let (connected, busy) = (graph.connected(|_| true), graph.connected(|e| !is_idle(e)));
    for ((node, emptied), busy) in graph.nodes.iter_mut().zip(&emptied).zip(busy) {
        node.idle |= *emptied && !busy;
    }
    let keep: Vec<bool> = emptied
        .iter()
        .zip(connected)
        .map(|(gone, has_edge)| !gone || has_edge)
        .collect();
    graph.retain(&keep, |_| true);
}

/// What of a node decides whether an edge folds.
#[derive(Debug, Clone, Copy)]
pub(super) struct Named<'a> {
    pub(super) kind: NodeKind,
    pub(super) name: &'a str,
    pub(super) namespace: Option<&'a str>,
}

/// Real services by name.
#[derive(Debug, Default)]
pub(super) struct Services {
    by_name: HashMap<String, Vec<(Option<String>, usize)>>,
}

// === impl Named ===

impl<'a> From<&'a NodeCounts> for Named<'a> {
    fn from(node: &'a NodeCounts) -> Self {
        Self {
            kind: node.kind,
            name: &node.name,
            namespace: node.namespace.as_deref(),
        }
    }
}

// === impl Services ===

impl Services {
    /// The services among `nodes`, each by its position.
    pub(super) fn of<'a>(nodes: impl IntoIterator<Item = (usize, Named<'a>)>) -> Self {
        let mut by_name: HashMap<String, Vec<_>> = HashMap::new();
        for (position, node) in nodes {
            if node.kind == NodeKind::Service {
                let same = by_name.entry(node.name.to_owned()).or_default();
                same.push((node.namespace.map(str::to_owned), position));
            }
        }
        Self { by_name }
    }

    /// The ends of `edge` that fold, each with the service it becomes.
    fn ends(&self, nodes: &[NodeCounts], edge: &WorkingEdge) -> Vec<(usize, usize)> {
        if edge.counted.connection_type != ConnectionType::VirtualNode {
            return Vec::new();
        }
        [(edge.client, edge.server), (edge.server, edge.client)]
            .into_iter()
            .filter_map(|(end, other)| {
                let beside = nodes[other].namespace.as_deref();
                let real = self.find(Named::from(&nodes[end]), beside)?;
                Some((end, real))
            })
            .collect()
    }

    /// The service that `external` is for a caller in `beside`: in the namespace it names itself (or the one that tells
    /// none), else the caller's own, else the only one there is.
    pub(super) fn find(&self, external: Named<'_>, beside: Option<&str>) -> Option<usize> {
        if external.kind != NodeKind::External || external.name == UNKNOWN {
            return None;
        }
        let services = self.by_name.get(external.name)?;
        let within = |namespace: Option<&str>| {
            let hits = services.iter().filter(|(ns, _)| ns.as_deref() == namespace);
            only(hits.map(|(_, position)| *position))
        };
        match external.namespace {
            Some(named) => within(Some(named)).or_else(|| within(None)),
            None => within(beside).or_else(|| only(services.iter().map(|(_, position)| *position))),
        }
    }
}

/// The one element of an iterator that has exactly one.
fn only(mut items: impl Iterator<Item = usize>) -> Option<usize> {
    let first = items.next()?;
    items.next().is_none().then_some(first)
}

/// Puts a real service in place of a virtual end. The virtual server's durations were the client's own; a real
/// server's are only what it reported, so they go.
fn turn(edge: &mut WorkingEdge, virtual_end: usize, real: usize) {
    if edge.server == virtual_end {
        edge.server = real;
        edge.counted.server_latency = None;
    } else {
        edge.client = real;
    }
    edge.counted.inferred = edge.counted.calls();
    edge.counted.connection_type = ConnectionType::None;
}
