//! Blocks: the nodes of one namespace and those without one that mostly deal with it, kept together, and the order in
//! which blocks stand below each other.

use std::collections::BTreeMap;

use super::graph::{Graph, Neighbours};

/// Times a node without a namespace asks its neighbours where they belong: chains of such nodes are short.
const ADOPTIONS: usize = 4;
/// Times all blocks are put beside those they deal with.
const SWEEPS: usize = 16;
/// Blocks up to which swapping neighbours is tried as well.
const FEW: usize = 64;

/// Which block each node is in.
#[derive(Debug)]
pub(super) struct Blocks {
    pub(super) of: Vec<usize>,
    /// The namespace of each block in the order in which they stand; empty for whoever has none.
    pub(super) namespaces: Vec<String>,
}

// === impl Blocks ===

impl Blocks {
    pub(super) fn of(graph: &Graph, neighbours: &Neighbours, ranks: &[u32]) -> Self {
        let homes = homes(graph, neighbours);
        let mut first: BTreeMap<&Option<String>, u32> = BTreeMap::new();
        for (home, rank) in homes.iter().zip(ranks) {
            let first = first.entry(home).or_insert(*rank);
            *first = (*first).min(*rank);
        }
        let mut blocks: Vec<(u32, &Option<String>)> =
            first.into_iter().map(|(h, r)| (r, h)).collect();
        blocks.sort();
        let position: BTreeMap<&Option<String>, usize> = blocks
            .iter()
            .enumerate()
            .map(|(at, (_, home))| (*home, at))
            .collect();
        let of: Vec<usize> = homes.iter().map(|home| position[home]).collect();
        let order = order(blocks.len(), &weights(graph, &of));
        let mut stand = vec![0; order.len()];
        for (at, block) in order.iter().enumerate() {
            stand[*block] = at;
        }
        Self {
            of: of.into_iter().map(|block| stand[block]).collect(),
            namespaces: order
                .iter()
                .map(|block| blocks[*block].1.clone().unwrap_or_default())
                .collect(),
        }
    }
}

/// The namespace of each node; of one without, that of the neighbours it has the most calls with, if any has one.
fn homes(graph: &Graph, neighbours: &Neighbours) -> Vec<Option<String>> {
    let mut homes: Vec<Option<String>> =
        graph.nodes().iter().map(|n| n.namespace.clone()).collect();
    for _ in 0..ADOPTIONS {
        let adopted: Vec<(usize, String)> = (0..homes.len())
            .filter(|node| homes[*node].is_none())
            .filter_map(|node| Some((node, most_calls(&homes, neighbours, node)?)))
            .collect();
        if adopted.is_empty() {
            break;
        }
        for (node, home) in adopted {
            homes[node] = Some(home);
        }
    }
    homes
}

fn most_calls(homes: &[Option<String>], neighbours: &Neighbours, node: usize) -> Option<String> {
    let mut calls: BTreeMap<&str, u128> = BTreeMap::new();
    for neighbour in neighbours.of(node) {
        if let Some(home) = &homes[neighbour.node] {
            *calls.entry(home).or_default() += u128::from(neighbour.calls);
        }
    }
    // Of equal ones the last of `max_by_key` counts, so names are walked backwards.
    let most = calls.into_iter().rev().max_by_key(|(_, calls)| *calls);
    most.map(|(home, _)| home.to_owned())
}

/// Edges between each two blocks.
type Weights = BTreeMap<(usize, usize), i64>;

fn weights(graph: &Graph, of: &[usize]) -> Weights {
    let mut weights = Weights::new();
    for edge in graph.edges() {
        let (a, b) = (of[edge.client], of[edge.server]);
        if a != b {
            *weights.entry((a.min(b), a.max(b))).or_default() += 1;
        }
    }
    weights
}

/// An order in which edges between blocks are short: each in turn beside the mean of those it deals with, the best
/// order seen wins; few blocks are then swapped with their neighbours as long as that helps.
fn order(blocks: usize, weights: &Weights) -> Vec<usize> {
    let mut beside: Vec<Vec<(usize, i64)>> = vec![Vec::new(); blocks];
    for ((a, b), weight) in weights {
        beside[*a].push((*b, *weight));
        beside[*b].push((*a, *weight));
    }
    let mut order: Vec<usize> = (0..blocks).collect();
    let mut best = (length(&order, weights), order.clone());
    for _ in 0..SWEEPS {
        let stand = stand(&order);
        order.sort_by_cached_key(|block| {
            let sum: i64 = beside[*block].iter().map(|(b, w)| stand[*b] * w).sum();
            let weight: i64 = beside[*block].iter().map(|(_, w)| w).sum();
            // A block's own place counts too: two that only deal with each other would swap for ever.
            ((sum + stand[*block]) * 64 / (weight + 1), stand[*block])
        });
        best = best.min((length(&order, weights), order.clone()));
    }
    if blocks <= FEW {
        swap_neighbours(&mut best, weights);
    }
    best.1
}

fn swap_neighbours(best: &mut (i64, Vec<usize>), weights: &Weights) {
    let mut improved = true;
    while improved {
        improved = false;
        for at in 1..best.1.len() {
            best.1.swap(at - 1, at);
            let length = length(&best.1, weights);
            if length < best.0 {
                best.0 = length;
                improved = true;
            } else {
                best.1.swap(at - 1, at);
            }
        }
    }
}

fn stand(order: &[usize]) -> Vec<i64> {
    let mut stand = vec![0; order.len()];
    for (at, block) in (0..).zip(order) {
        stand[*block] = at;
    }
    stand
}

fn length(order: &[usize], weights: &Weights) -> i64 {
    let stand = stand(order);
    let apart = |((a, b), weight): (&(usize, usize), &i64)| (stand[*a] - stand[*b]).abs() * weight;
    weights.iter().map(apart).sum()
}
