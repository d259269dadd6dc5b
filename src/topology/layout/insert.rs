//! New nodes beside known ones: each in the rank after its callers, as level with its neighbours as there is room.
//! Nobody moves.

use super::floor::Floor;
use super::geometry::median;
use super::graph::{Graph, GraphNode, Neighbours};
use super::rank::{line, weighted_median};
use super::{Place, Standing};

/// Adds the nodes of `graph` that have no place.
pub(super) fn insert(standing: &mut Standing, graph: &Graph) {
    if graph
        .nodes()
        .iter()
        .all(|node| standing.places.contains_key(&node.id))
    {
        return;
    }
    let neighbours = graph.neighbours();
    let mut floor = Floor::of(standing);
    let place = |node: &GraphNode| standing.places.get(&node.id).copied();
    let mut found: Vec<Option<Place>> = graph.nodes().iter().map(place).collect();
    for at in line(graph, &neighbours) {
        if found[at].is_none() {
            let node = &graph.nodes()[at];
            let place = floor.find(
                node.namespace.as_deref(),
                &Wish::of(at, &neighbours, &found),
            );
            found[at] = Some(place);
            standing.places.insert(node.id.clone(), place);
        }
    }
    standing.columns = floor.columns;
    standing.frames = floor.namespaces;
}

/// Where a node would like to be.
pub(super) struct Wish {
    pub(super) rank: u32,
    /// `None` without neighbours.
    pub(super) y: Option<i32>,
}

// === impl Wish ===

impl Wish {
    fn of(node: usize, neighbours: &Neighbours, found: &[Option<Place>]) -> Self {
        let callers = neighbours.callers[node].iter();
        let callers = callers.filter_map(|n| Some((found[n.node]?.rank, n.calls)));
        let called = neighbours.called[node].iter().filter_map(|n| found[n.node]);
        let after = weighted_median(callers.collect()).map(|rank| rank + 1);
        let before = called
            .map(|place| place.rank)
            .min()
            .map(|rank| rank.saturating_sub(1));
        let beside = neighbours.of(node).filter_map(|n| found[n.node]);
        let mut heights: Vec<i32> = beside.map(|place| place.y).collect();
        Self {
            rank: after.or(before).unwrap_or(0),
            y: median(&mut heights),
        }
    }
}
