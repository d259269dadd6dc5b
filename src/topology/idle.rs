//! What is retained but had no calls in the window: added to the window's graph with every count at nothing.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::BuildError;
use super::model::{CallsFrom, EdgeCounts, NodeCounts, Seen, TextSet};
use super::read;
use super::working::{Working, WorkingEdge};
use crate::proto;

/// Adds the nodes and edges of `retained`, the merge of the whole history, that `graph` does not have. When each was
/// first and last seen stays.
pub(super) fn add(graph: &mut Working, mut retained: proto::Slice) -> Result<(), BuildError> {
    let retained = read::graph(&mut retained)?;
    let known = graph.edges.iter().map(|e| {
        let id = |node: usize| graph.nodes[node].id.clone();
        (id(e.client), id(e.server), e.counted.connection_type)
    });
    let known: HashSet<_> = known.collect();
    let mut positions: HashMap<String, usize> =
        graph.nodes.iter().map(|n| n.id.clone()).zip(0..).collect();
    let mut here = Vec::with_capacity(retained.nodes.len());
    for node in &retained.nodes {
        let position = *positions
            .entry(node.id.clone())
            .or_insert(graph.nodes.len());
        if position == graph.nodes.len() {
            graph.nodes.push(idle_node(node));
        }
        here.push(position);
    }
    for edge in &retained.edges {
        let id = |node: usize| retained.nodes[node].id.clone();
        let key = (
            id(edge.client),
            id(edge.server),
            edge.counted.connection_type,
        );
        if !known.contains(&key) {
            graph.edges.push(WorkingEdge {
                client: here[edge.client],
                server: here[edge.server],
                alias: edge.alias.map(|node| here[node]),
                counted: idle_edge(&edge.counted),
            });
        }
    }
    Ok(())
}

fn idle_node(node: &NodeCounts) -> NodeCounts {
    NodeCounts {
        calls_from: CallsFrom::default(),
        failed: 0,
        latency: None,
        versions: TextSet::default(),
        instances: TextSet::default(),
        idle: true,
        ..node.clone()
    }
}

fn idle_edge(edge: &EdgeCounts) -> EdgeCounts {
    EdgeCounts {
        connection_type: edge.connection_type,
        first_seen_s: edge.first_seen_s,
        last_seen_s: edge.last_seen_s,
        idle: true,
        seen: Seen::default(),
        inferred: 0,
        failed: 0,
        client_failed: 0,
        server_failed: 0,
        client_latency: None,
        server_latency: None,
        gap: None,
        queue: None,
        protocols: BTreeMap::new(),
        statuses: BTreeMap::new(),
        destinations: TextSet::default(),
        slowest: None,
        failed_exemplar: None,
        weighted_calls: 0,
        weighted_failed: 0,
    }
}
