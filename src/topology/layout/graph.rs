//! What a layout is made of: ids, namespaces, and who calls whom how often.

use std::collections::BTreeMap;

/// Nodes sorted by id, and one edge for each pair that calls.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Graph {
    nodes: Vec<GraphNode>,
    edges: Vec<GraphEdge>,
}

/// A node.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct GraphNode {
    pub(super) id: String,
    /// The namespace it belongs into.
    pub(super) namespace: Option<String>,
}

/// Calls between the nodes at two positions, which differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct GraphEdge {
    pub(super) client: usize,
    pub(super) server: usize,
    /// At least 1.
    pub(super) calls: u64,
}

/// One end's view of an edge.
#[derive(Debug, Clone, Copy)]
pub(super) struct Neighbour {
    pub(super) node: usize,
    pub(super) calls: u64,
}

/// For each node, whom it calls and who calls it, in order of id.
#[derive(Debug)]
pub(super) struct Neighbours {
    pub(super) callers: Vec<Vec<Neighbour>>,
    pub(super) called: Vec<Vec<Neighbour>>,
}

// === impl Graph ===

impl Graph {
    /// Takes nodes (id, namespace) and edges (client, server, calls) in any order. Of nodes with one id one is kept;
    /// edges of one pair are summed; those to a node itself or to an id that is no node say nothing about places.
    pub fn new(
        nodes: impl IntoIterator<Item = (String, Option<String>)>,
        edges: impl IntoIterator<Item = (String, String, u64)>,
    ) -> Self {
        let mut nodes: Vec<GraphNode> = nodes
            .into_iter()
            .map(|(id, namespace)| GraphNode { id, namespace })
            .collect();
        nodes.sort();
        nodes.dedup_by(|a, b| a.id == b.id);
        let mut graph = Self {
            nodes,
            edges: Vec::new(),
        };
        let mut sums: BTreeMap<(usize, usize), u64> = BTreeMap::new();
        for (client, server, calls) in edges {
            let ends = (graph.position(&client), graph.position(&server));
            if let (Some(client), Some(server)) = ends
                && client != server
            {
                let sum = sums.entry((client, server)).or_default();
                *sum = sum.saturating_add(calls);
            }
        }
        let edge = |((client, server), calls): ((usize, usize), u64)| GraphEdge {
            client,
            server,
            calls: calls.max(1),
        };
        graph.edges = sums.into_iter().map(edge).collect();
        graph
    }

    /// How many nodes there are.
    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }

    pub(super) fn nodes(&self) -> &[GraphNode] {
        &self.nodes
    }

    pub(super) fn edges(&self) -> &[GraphEdge] {
        &self.edges
    }

    pub(super) fn position(&self, id: &str) -> Option<usize> {
        self.nodes
            .binary_search_by(|node| node.id.as_str().cmp(id))
            .ok()
    }

    pub(super) fn neighbours(&self) -> Neighbours {
        let mut neighbours = Neighbours {
            callers: vec![Vec::new(); self.nodes.len()],
            called: vec![Vec::new(); self.nodes.len()],
        };
        for edge in &self.edges {
            let to = |node| Neighbour {
                node,
                calls: edge.calls,
            };
            neighbours.called[edge.client].push(to(edge.server));
            neighbours.callers[edge.server].push(to(edge.client));
        }
        neighbours
    }
}

// === impl Neighbours ===

impl Neighbours {
    /// Callers, then called.
    pub(super) fn of(&self, node: usize) -> impl Iterator<Item = Neighbour> + '_ {
        self.callers[node].iter().chain(&self.called[node]).copied()
    }
}
