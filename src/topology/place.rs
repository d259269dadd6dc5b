//! Between a topology and its layout: what graph a layout is made of, and where the nodes of an answer stand in it.

use super::layout::{Graph, Layout};
use super::model::{NodeCounts, NodeKind, Topology};
use super::query::GroupBy;
use super::working::Working;
use super::{BuildError, fold, group, read};
use crate::proto;

/// The graph a layout is made of: all of `merged`, folded and rolled up as an answer would be, unfiltered.
pub fn layout_graph(mut merged: proto::Slice, group_by: &GroupBy) -> Result<Graph, BuildError> {
    let mut graph = read::graph(&mut merged)?;
    fold::fold(&mut graph);
    if *group_by != GroupBy::Service {
        group::roll_up(&mut graph, group_by);
    }
    Ok(of_working(&graph))
}

// === impl Topology ===

impl Topology {
    /// Notes where each node stands. Nodes that the layout does not know, which may be newer than it or stand in no
    /// other window under their name, are put beside the others as if they had just come.
    pub fn place(&mut self, layout: &Layout) {
        let known = self
            .nodes
            .iter()
            .all(|n| layout.place(&n.counted.id).is_some());
        let joined = (!known).then(|| layout.joined_by(&self.layout_graph()));
        let layout = joined.as_ref().unwrap_or(layout);
        for node in &mut self.nodes {
            node.place = layout.place(&node.counted.id);
        }
        self.layout_epoch = Some(layout.epoch().to_owned());
    }

    /// The graph of what is shown.
    pub fn layout_graph(&self) -> Graph {
        let nodes = self.nodes.iter().map(|node| named(&node.counted));
        let edges = self
            .edges
            .iter()
            .map(|e| (e.client.clone(), e.server.clone(), e.counted.calls()));
        Graph::new(nodes, edges)
    }
}

fn of_working(graph: &Working) -> Graph {
    let id = |node: usize| graph.nodes[node].id.clone();
    let edges = graph
        .edges
        .iter()
        .map(|e| (id(e.client), id(e.server), e.counted.calls()));
    Graph::new(graph.nodes.iter().map(named), edges)
}

/// Only services stand in the frame of their namespace.
fn named(node: &NodeCounts) -> (String, Option<String>) {
    let namespace = node
        .namespace
        .clone()
        .filter(|_| node.kind == NodeKind::Service);
    (node.id.clone(), namespace)
}
