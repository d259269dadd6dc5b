//! The part of a graph that Mermaid takes. Its two limits guard whoever draws strangers' texts, and no text can lift
//! them (`secure` keys of its configuration, in their defaults).

use std::cmp::Reverse;
use std::collections::BTreeSet;
use std::fmt;

use crate::render::Undrawn;
use crate::render::look::edges_by_ends;
use crate::topology::{Edge, Node, Topology};

/// `maxEdges`: one more is an error.
pub(super) const MAX_EDGES: usize = 500;
/// `maxTextSize`, in UTF-16 units: a longer text is refused.
pub(super) const MAX_UNITS: usize = 50_000;

/// Some of the edges with their ends, and maybe other nodes.
pub(super) struct Part<'a> {
    topology: &'a Topology,
    edges: Vec<&'a Edge>,
    nodes: BTreeSet<&'a str>,
}

// === impl Part ===

impl<'a> Part<'a> {
    /// The `edges` with the most calls, and the first `others` of the nodes that are no end of these.
    fn of(topology: &'a Topology, ranked: &[&'a Edge], edges: usize, others: usize) -> Self {
        let kept: BTreeSet<_> = ranked[..edges].iter().map(|e| e.id.as_str()).collect();
        let mut edges = edges_by_ends(topology);
        edges.retain(|e| kept.contains(e.id.as_str()));
        let mut nodes: BTreeSet<&str> = edges
            .iter()
            .flat_map(|e| [e.client.as_str(), e.server.as_str()])
            .collect();
        let ids = topology.nodes.iter().map(|n| n.counted.id.as_str());
        let others: Vec<_> = ids.filter(|id| !nodes.contains(id)).take(others).collect();
        nodes.extend(others);
        Self {
            topology,
            edges,
            nodes,
        }
    }

    /// Its edges by the ids of their ends.
    pub(super) fn edges(&self) -> &[&'a Edge] {
        &self.edges
    }

    pub(super) fn shows(&self, node: &Node) -> bool {
        self.nodes.contains(node.counted.id.as_str())
    }

    /// What it lacks.
    fn undrawn(&self) -> Undrawn {
        Undrawn {
            nodes: self.topology.nodes.len() - self.nodes.len(),
            edges: self.topology.edges.len() - self.edges.len(),
        }
    }

    /// The same in words.
    pub(super) fn missing(&self) -> Option<String> {
        let (nodes, edges) = (self.topology.nodes.len(), self.topology.edges.len());
        (self.undrawn() != Undrawn::default()).then(|| {
            format!(
                "the busiest {} of {edges} edges, {} of {nodes} nodes",
                self.edges.len(),
                self.nodes.len()
            )
        })
    }
}

/// The text of the largest part within both limits: as many of the busiest edges as fit, then, if all did, as many
/// nodes without any; and what is not in it.
pub(super) fn largest(
    topology: &Topology,
    text: impl Fn(&Part<'_>) -> Result<String, fmt::Error>,
) -> Result<(String, Undrawn), fmt::Error> {
    let mut ranked: Vec<&Edge> = topology.edges.iter().collect();
    ranked.sort_by_key(|e| (Reverse(e.counted.calls()), &e.id));
    let (all, nodes) = (ranked.len(), topology.nodes.len());
    let drawn = |edges, others| {
        let part = Part::of(topology, &ranked, edges, others);
        Ok::<_, fmt::Error>((text(&part)?, part.undrawn()))
    };
    let fits = |(text, _): &(String, Undrawn)| text.encode_utf16().count() <= MAX_UNITS;
    if all <= MAX_EDGES {
        let whole = drawn(all, nodes)?;
        if fits(&whole) {
            return Ok(whole);
        }
    }
    let edges = greatest(all.min(MAX_EDGES), |edges| Ok(fits(&drawn(edges, 0)?)))?;
    let others = if edges == all { nodes } else { 0 };
    let others = greatest(others, |others| Ok(fits(&drawn(edges, others)?)))?;
    drawn(edges, others)
}

/// The greatest number up to `most` that is `good`, where every smaller one is too; 0 if none is.
fn greatest(
    most: usize,
    good: impl Fn(usize) -> Result<bool, fmt::Error>,
) -> Result<usize, fmt::Error> {
    let (mut least, mut most) = (0, most);
    while least < most {
        let middle = least + (most - least).div_ceil(2);
        if good(middle)? {
            least = middle;
        } else {
            most = middle - 1;
        }
    }
    Ok(least)
}
