//! The neighbourhood of some nodes: the induced subgraph of whoever is within `up` hops towards callers or `down` hops
//! towards the called. The two directions never mix, and no edge between shown nodes is lost.

use std::collections::HashSet;

use super::BuildError;
use super::model::{Hidden, NodeCounts};
use super::query::Focus;
use super::working::Working;

/// Fails when an id of `focus` is no node of `graph`, each node named by `id_of`.
pub(super) fn check(
    graph: &Working,
    focus: &Focus,
    id_of: impl Fn(&NodeCounts) -> String,
) -> Result<(), BuildError> {
    let known: HashSet<String> = graph.nodes.iter().map(id_of).collect();
    let unknown = focus.ids.iter().find(|id| !known.contains(*id));
    unknown.map_or(Ok(()), |id| Err(BuildError::UnknownNode(id.clone())))
}

/// Keeps the neighbourhood.
pub(super) fn apply(graph: &mut Working, focus: &Focus) -> Hidden {
    let start: Vec<usize> = (0..graph.nodes.len())
        .filter(|position| focus.ids.contains(&graph.nodes[*position].id))
        .collect();
    let size = graph.nodes.len();
    let callers = neighbours(size, graph.edges.iter().map(|e| (e.server, e.client)));
    let called = neighbours(size, graph.edges.iter().map(|e| (e.client, e.server)));
    let up = reach(&callers, &start, focus.up);
    let down = reach(&called, &start, focus.down);
    let keep: Vec<bool> = up.iter().zip(down).map(|(up, down)| *up || down).collect();
    graph.retain(&keep, |_| true)
}

fn neighbours(size: usize, pairs: impl Iterator<Item = (usize, usize)>) -> Vec<Vec<usize>> {
    let mut lists = vec![Vec::new(); size];
    for (from, to) in pairs {
        lists[from].push(to);
    }
    lists
}

/// Who is within `hops` of `start`, breadth first.
fn reach(neighbours: &[Vec<usize>], start: &[usize], hops: u32) -> Vec<bool> {
    let mut reached = vec![false; neighbours.len()];
    let mut frontier = start.to_vec();
    for position in start {
        reached[*position] = true;
    }
    for _ in 0..hops {
        let mut next = Vec::new();
        for neighbour in frontier.iter().flat_map(|position| &neighbours[*position]) {
            if !std::mem::replace(&mut reached[*neighbour], true) {
                next.push(*neighbour);
            }
        }
        frontier = next;
    }
    reached
}
