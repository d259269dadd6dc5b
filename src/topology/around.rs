//! One node and whoever it talks to, out of a wider topology.

use std::cmp::Reverse;
use std::collections::HashSet;

use super::model::{Edge, Hidden, Topology};

/// Most edges kept of one node, in either direction. A gateway can have tens of thousands of callers.
pub const MAX_EDGES_AROUND: usize = 1_000;

/// Keeps the node `id`, the edges that end or begin at it, and their other ends. Beyond [`MAX_EDGES_AROUND`] in one
/// direction the busiest stay; [`Topology::hidden`] says what went for that reason.
pub fn around(topology: &mut Topology, id: &str) {
    topology
        .edges
        .retain(|edge| edge.client == id || edge.server == id);
    let mut hidden = Hidden::default();
    for touches in [is_incoming, is_outgoing] {
        let gone = beyond(topology, |edge| touches(edge, id));
        hidden.edges += gone.len() as u64;
        for edge in topology.edges.iter().filter(|e| gone.contains(&e.id)) {
            hidden.calls = hidden.calls.saturating_add(edge.counted.calls());
        }
        topology.edges.retain(|edge| !gone.contains(&edge.id));
    }
    let ends = topology.edges.iter().flat_map(|e| [&*e.client, &*e.server]);
    let shown: HashSet<&str> = ends.chain([id]).collect();
    topology
        .nodes
        .retain(|node| shown.contains(&*node.counted.id));
    topology.hidden = hidden;
}

/// Whether an edge leads to the node.
pub fn is_incoming(edge: &Edge, id: &str) -> bool {
    edge.server == id
}

/// Whether an edge leaves the node.
pub fn is_outgoing(edge: &Edge, id: &str) -> bool {
    edge.client == id
}

/// Ids of the edges beyond the busiest; equal ones by id.
fn beyond(topology: &Topology, touches: impl Fn(&Edge) -> bool) -> HashSet<String> {
    let mut edges: Vec<&Edge> = topology.edges.iter().filter(|e| touches(e)).collect();
    edges.sort_by_key(|edge| (Reverse(edge.counted.calls()), &edge.id));
    let gone = edges.iter().skip(MAX_EDGES_AROUND);
    gone.map(|edge| edge.id.clone()).collect()
}
