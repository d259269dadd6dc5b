//! Where nodes stand: columns by rank, namespaces together, and whoever once stood somewhere stays there.
//!
//! A function of the previous layout and the graph, nothing else. Whole numbers throughout and ties broken by id, so
//! equal input gives equal positions on every machine. Fed with the unfiltered graph of all that is retained; filters
//! hide nodes and never move them. Deliberately absent: dummy nodes, which make long edges of a dense graph cost more
//! than everything else (renderers lead those edges through the gaps between boxes), figures, and sizes of text.

mod area;
mod blocks;
mod floor;
mod fresh;
mod geometry;
mod graph;
mod insert;
mod order;
mod rank;
mod rooms;
mod spread;

use std::collections::{BTreeMap, BTreeSet};

use sha2::{Digest as _, Sha256};

use super::ident::hex;
pub use area::Area;
pub use geometry::{BLOCK_GAP, BOX_HEIGHT, BOX_WIDTH, FRAME_HEAD, FRAME_PAD, RANK_STEP, ROW_STEP};
pub use graph::Graph;

/// Nodes that may come and go, in percent of those a layout was made for, before everything is laid out anew.
const MAX_CHANGED_PERCENT: usize = 30;

/// Where everything stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layout {
    /// First 16 hex digits of SHA-256 over every node and its place when all was last laid out anew. Within one epoch
    /// nothing moves; replicas that saw the same graph first have the same.
    epoch: String,
    /// Nodes of that moment.
    founders: BTreeSet<String>,
    standing: Standing,
}

/// What stands where.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Standing {
    /// From the first to the last.
    columns: Vec<Column>,
    /// The namespace of each frame; the first has number 1.
    frames: Vec<String>,
    places: BTreeMap<String, Place>,
}

/// Where one node stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Place {
    /// Middle of its box along the direction of calls, in pixels.
    pub x: i32,
    /// Middle of its box across it, in pixels, growing downwards.
    pub y: i32,
    /// How many steps it is from whoever begins the calls, at most 12 in a new layout.
    pub rank: u32,
    /// Nodes of one namespace with the same number stand in one frame that holds nobody else; 0 is none.
    pub frame: u32,
}

/// One column of nodes; a rank with many nodes has several, side by side.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Column {
    x: i32,
    rank: u32,
}

/// Lays out `graph`. Nodes that `previous` knows stay where they are and new ones join them, unless more than 30 % of
/// the nodes it was made for came or went: then everything is laid out as if for the first time, under another epoch.
///
/// Time is `O((nodes + edges) log nodes)` for a new layout: 500 nodes and 3,000 edges take a few milliseconds
/// (`benches/layout.rs`).
pub fn layout(previous: Option<&Layout>, graph: &Graph) -> Layout {
    match previous {
        Some(previous) if !previous.outgrown(graph) => previous.with(graph),
        _ => Layout::anew(graph),
    }
}

// === impl Layout ===

impl Layout {
    /// Under which nothing moves.
    pub fn epoch(&self) -> &str {
        &self.epoch
    }

    /// Where `node` stands, if it is known.
    pub fn place(&self, node: &str) -> Option<Place> {
        self.standing.places.get(node).copied()
    }

    /// Every node with its place, by id.
    pub fn places(&self) -> impl Iterator<Item = (&str, Place)> {
        self.standing
            .places
            .iter()
            .map(|(id, place)| (id.as_str(), *place))
    }

    /// This layout with every node of `graph` in it: known ones where they are, new ones beside them.
    #[must_use]
    pub fn joined_by(&self, graph: &Graph) -> Self {
        let mut joined = self.clone();
        insert::insert(&mut joined.standing, graph);
        joined
    }

    fn anew(graph: &Graph) -> Self {
        let standing = fresh::arrange(graph);
        Self {
            epoch: epoch(&standing.places),
            founders: standing.places.keys().cloned().collect(),
            standing,
        }
    }

    /// Without the nodes that are gone, and with those that are new.
    fn with(&self, graph: &Graph) -> Self {
        let mut next = self.clone();
        next.standing
            .places
            .retain(|id, _| graph.position(id).is_some());
        insert::insert(&mut next.standing, graph);
        next
    }

    fn outgrown(&self, graph: &Graph) -> bool {
        let known = |id: &str| self.founders.contains(id);
        let stayed = graph.nodes().iter().filter(|n| known(&n.id)).count();
        let (came, went) = (graph.nodes().len() - stayed, self.founders.len() - stayed);
        (came + went) * 100 > self.founders.len() * MAX_CHANGED_PERCENT
    }
}

fn epoch(places: &BTreeMap<String, Place>) -> String {
    let mut hash = Sha256::new();
    for (id, place) in places {
        hash.update(id);
        hash.update([0]);
        hash.update(place.x.to_be_bytes());
        hash.update(place.y.to_be_bytes());
    }
    hex(&hash.finalize()[..8])
}
