//! Filters. Each takes nodes or edges away and says how many; none leaves an edge without its ends.

use std::cmp::Reverse;

use super::counts::{rate, ratio};
use super::ident::encode_component;
use super::model::{Hidden, NodeCounts, Thresholds};
use super::query::Query;
use super::working::{Working, WorkingEdge};
use crate::glob::Glob;

/// Keeps the nodes that `namespace`, `service` and `exclude` allow, with the edges among them.
pub(super) fn by_name(graph: &mut Working, query: &Query) -> Hidden {
    let keep: Vec<bool> = graph
        .nodes
        .iter()
        .map(|node| allowed(node, query))
        .collect();
    graph.retain(&keep, |_| true)
}

/// Keeps edges of an asked connection type with their ends, nodes of an asked kind, and edges among these.
pub(super) fn by_type(graph: &mut Working, query: &Query) -> Hidden {
    if query.kinds.is_empty() && query.connections.is_empty() {
        return Hidden::default();
    }
    let asked: Vec<bool> = graph
        .nodes
        .iter()
        .map(|n| query.kinds.contains(&n.kind))
        .collect();
    let wanted = |e: &WorkingEdge| {
        query.connections.contains(&e.counted.connection_type)
            || (asked[e.client] && asked[e.server])
    };
    let mut keep = asked.clone();
    for edge in graph.edges.iter().filter(|e| wanted(e)) {
        keep[edge.client] = true;
        keep[edge.server] = true;
    }
    graph.retain(&keep, wanted)
}

/// Keeps edges with enough calls. A node that loses its last edge goes too, unless it is in focus.
pub(super) fn by_traffic(graph: &mut Working, query: &Query, covered_ns: u64) -> Hidden {
    let enough = |e: &WorkingEdge| {
        let calls = e.counted.calls();
        calls >= query.min_calls && rate(calls, covered_ns).unwrap_or(0.0) >= query.min_rate_per_s
    };
    drop_edges(graph, query, enough)
}

/// Keeps the `top` edges by calls; equal ones by the ids of their ends.
pub(super) fn by_rank(graph: &mut Working, query: &Query) -> Hidden {
    if graph.edges.len() <= query.top {
        return Hidden::default();
    }
    let nodes = &graph.nodes;
    graph.edges.sort_by_cached_key(|e| {
        let ends = (nodes[e.client].id.clone(), nodes[e.server].id.clone());
        (Reverse(e.counted.calls()), ends, e.counted.connection_type)
    });
    let ranked: Vec<(usize, usize, _)> = graph.edges[query.top..].iter().map(identity).collect();
    let gone: std::collections::BTreeSet<_> = ranked.into_iter().collect();
    drop_edges(graph, query, |e| !gone.contains(&identity(e)))
}

/// Keeps edges with a problem, edges of nodes with a problem, and the ends of both.
pub(super) fn by_health(graph: &mut Working, thresholds: Thresholds) -> Hidden {
    let problem =
        |failed, calls| ratio(failed, calls).is_some_and(|r| thresholds.judge(r).problem());
    let ill: Vec<bool> = graph
        .nodes
        .iter()
        .map(|n| problem(n.failed, n.calls_from.calls()))
        .collect();
    let wanted = |e: &WorkingEdge| {
        ill[e.client] || ill[e.server] || problem(e.counted.failed_calls(), e.counted.calls())
    };
    let mut keep = ill.clone();
    for edge in graph.edges.iter().filter(|e| wanted(e)) {
        keep[edge.client] = true;
        keep[edge.server] = true;
    }
    graph.retain(&keep, wanted)
}

/// Whether `namespace`, `service` and `exclude` let a node be shown.
pub(super) fn allowed(node: &NodeCounts, query: &Query) -> bool {
    let any = |globs: &[Glob], text: &str| globs.iter().any(|g| g.matches(text));
    let namespace = node.namespace.as_deref().map(encode_component);
    let in_namespace =
        query.namespace.is_empty() || namespace.is_some_and(|ns| any(&query.namespace, &ns));
    let named = query.service.is_empty() || any(&query.service, &node.id);
    in_namespace && named && !any(&query.exclude, &node.id)
}

fn drop_edges(
    graph: &mut Working,
    query: &Query,
    keep_edge: impl Fn(&WorkingEdge) -> bool,
) -> Hidden {
    let before = graph.connected(|_| true);
    let everything = vec![true; graph.nodes.len()];
    let mut hidden = graph.retain(&everything, keep_edge);
    let after = graph.connected(|_| true);
    let in_focus = |id: &String| query.focus.as_ref().is_some_and(|f| f.ids.contains(id));
    let keep: Vec<bool> = graph
        .nodes
        .iter()
        .zip(before.iter().zip(after))
        .map(|(node, (had, has))| !had || has || in_focus(&node.id))
        .collect();
    hidden.add(graph.retain(&keep, |_| true));
    hidden
}

fn identity(e: &WorkingEdge) -> (usize, usize, crate::proto::ConnectionType) {
    (e.client, e.server, e.counted.connection_type)
}
