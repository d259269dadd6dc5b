//! A part of a window, read as the window reads it: a slot whose names resolve as they do in the whole.
//!
//! An external peer is a real service when the *window* holds one of its name or address (R11). A slot in which that
//! service sent nothing would not know; so its counts are put among all nodes of the window first.

use std::collections::HashMap;

use super::model::{CallsFrom, Frame, NodeCounts, Topology};
use super::working::Working;
use super::{BuildError, alias, assemble, read};
use crate::proto::{self, ConnectionType};

/// The nodes of a window, without counts, and who stands behind the addresses of its edges.
#[derive(Debug)]
pub struct Roster {
    nodes: Vec<NodeCounts>,
    positions: HashMap<String, usize>,
    /// By the places of both ends of a virtual edge.
    aliases: HashMap<(usize, usize), usize>,
}

// === impl Roster ===

impl Roster {
    /// The nodes of a merged window.
    pub fn of(merged: &proto::Slice) -> Result<Self, BuildError> {
        let nodes = merged.nodes.iter().map(|node| proto::Node {
            latency: None,
            ..node.clone()
        });
        let mut bare = proto::Slice {
            strings: merged.strings.clone(),
            nodes: nodes.collect(),
            ..proto::Slice::default()
        };
        let mut nodes = read::graph(&mut bare)?.nodes;
        for node in &mut nodes {
            node.calls_from = CallsFrom::default();
            node.failed = 0;
        }
        let positions = nodes.iter().enumerate();
        let positions = positions.map(|(at, n)| (n.id.clone(), at)).collect();
        Ok(Self {
            nodes,
            positions,
            aliases: aliases(merged),
        })
    }

    /// Builds what `frame` asks of one slot of the window. Figures are the slot's own; a node that was idle in it is
    /// there, with no calls.
    pub fn build(&self, mut slot: proto::Slice, frame: &Frame<'_>) -> Result<Topology, BuildError> {
        let own = read::graph(&mut slot)?;
        let graph = self.place(own)?;
        assemble(graph, &slot, frame)
    }

    /// The slot's counts among the nodes of the window.
    fn place(&self, own: Working) -> Result<Working, BuildError> {
        let mut nodes = self.nodes.clone();
        let mut places = Vec::with_capacity(own.nodes.len());
        for node in own.nodes {
            let place = self.positions.get(&node.id).copied();
            let place = place.ok_or(BuildError::Malformed("a slot's node is not in its window"))?;
            places.push(place);
            nodes[place].absorb(node);
        }
        let mut edges = own.edges;
        for edge in &mut edges {
            edge.client = places[edge.client];
            edge.server = places[edge.server];
            // What the slot knows of addresses is but a part of what the window knows.
            let is_virtual = edge.counted.connection_type == ConnectionType::VirtualNode;
            let alias = self.aliases.get(&(edge.client, edge.server)).copied();
            edge.alias = alias.filter(|_| is_virtual);
        }
        Ok(Working { nodes, edges })
    }
}

fn aliases(merged: &proto::Slice) -> HashMap<(usize, usize), usize> {
    let ends = |edge: &proto::Edge| (edge.client as usize, edge.server as usize);
    let edges = merged.edges.iter().zip(alias::of_edges(merged));
    edges
        .filter_map(|(edge, alias)| Some((ends(edge), alias?)))
        .collect()
}
