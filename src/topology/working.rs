//! The graph while it is being built: counted nodes, and edges between their positions.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use super::model::{EdgeCounts, Hidden, NodeCounts};
use crate::proto::ConnectionType;

/// Nodes, and edges between positions in `nodes`.
#[derive(Debug, Default)]
pub(super) struct Working {
    pub(super) nodes: Vec<NodeCounts>,
    pub(super) edges: Vec<WorkingEdge>,
}

/// An edge whose ends are positions.
#[derive(Debug)]
pub(super) struct WorkingEdge {
    pub(super) client: usize,
    pub(super) server: usize,
    /// The service that its virtual server is by its address, until it is folded.
    pub(super) alias: Option<usize>,
    pub(super) counted: EdgeCounts,
}

// === impl Working ===

impl Working {
    /// Takes away the nodes and edges not kept, and edges whose ends go. Returns what went.
    pub(super) fn retain(
        &mut self,
        keep_nodes: &[bool],
        keep_edge: impl Fn(&WorkingEdge) -> bool,
    ) -> Hidden {
        let before = self.sums();
        self.edges
            .retain(|e| keep_nodes[e.client] && keep_nodes[e.server] && keep_edge(e));
        let mut next = 0;
        let positions: Vec<usize> = keep_nodes
            .iter()
            .map(|keep| {
                next += usize::from(*keep);
                next.saturating_sub(1)
            })
            .collect();
        let mut keep = keep_nodes.iter();
        self.nodes.retain(|_| keep.next().copied().unwrap_or(true));
        for edge in &mut self.edges {
            edge.client = positions[edge.client];
            edge.server = positions[edge.server];
        }
        before.minus(self.sums())
    }

    /// Joins edges of the same ends and connection type.
    pub(super) fn join_edges(&mut self) {
        let mut joined: BTreeMap<(usize, usize, ConnectionType), EdgeCounts> = BTreeMap::new();
        for edge in std::mem::take(&mut self.edges) {
            match joined.entry((edge.client, edge.server, edge.counted.connection_type)) {
                Entry::Vacant(slot) => {
                    slot.insert(edge.counted);
                }
                Entry::Occupied(mut slot) => slot.get_mut().absorb(edge.counted),
            }
        }
        self.edges = joined
            .into_iter()
            .map(|((client, server, _), counted)| WorkingEdge {
                client,
                server,
                alias: None,
                counted,
            })
            .collect();
    }

    /// Which nodes have such an edge.
    pub(super) fn connected(&self, such: impl Fn(&WorkingEdge) -> bool) -> Vec<bool> {
        let mut connected = vec![false; self.nodes.len()];
        for edge in self.edges.iter().filter(|edge| such(edge)) {
            connected[edge.client] = true;
            connected[edge.server] = true;
        }
        connected
    }

    fn sums(&self) -> Hidden {
        Hidden {
            nodes: self.nodes.len() as u64,
            edges: self.edges.len() as u64,
            calls: self
                .edges
                .iter()
                .fold(0, |sum: u64, e| sum.saturating_add(e.counted.calls())),
        }
    }
}

// === impl Hidden ===

impl Hidden {
    /// Adds what another step took.
    pub(super) fn add(&mut self, other: Self) {
        self.nodes += other.nodes;
        self.edges += other.edges;
        self.calls = self.calls.saturating_add(other.calls);
    }

    fn minus(self, other: Self) -> Self {
        Self {
            nodes: self.nodes - other.nodes,
            edges: self.edges - other.edges,
            calls: self.calls.saturating_sub(other.calls),
        }
    }
}
