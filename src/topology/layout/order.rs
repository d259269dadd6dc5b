//! Who stands above whom: every cell is sorted by where the neighbours of its nodes stand, forwards and backwards by
//! turns, and the best order seen is kept. Small graphs are then polished by swapping.

use std::collections::BTreeMap;

use super::geometry::{RANK_STEP, ROW_STEP, measure};
use super::graph::{Graph, Neighbours};
use super::rooms::Cell;

/// Times every cell is sorted.
const SWEEPS: usize = 24;
/// Edges up to which crossings are counted, which takes their square; beyond, short edges stand for few crossings.
const FEW: usize = 256;
/// Times every two nodes that stand together are swapped on trial.
const SWAPS: usize = 6;

/// Where each node is, as of the order of the cells.
#[derive(Debug, Clone)]
pub(super) struct Positions {
    pub(super) ys: Vec<i32>,
    /// Tells nodes of one row apart.
    places: Vec<i64>,
}

/// Settles the order in all cells.
pub(super) fn settle(
    graph: &Graph,
    neighbours: &Neighbours,
    ranks: &[u32],
    cells: &mut [Cell],
) -> Positions {
    let mut by_rank: BTreeMap<u32, Vec<usize>> = BTreeMap::new();
    for (at, cell) in cells.iter().enumerate() {
        by_rank.entry(cell.rank).or_default().push(at);
    }
    let mut sorter = Sorter {
        graph,
        neighbours,
        ranks,
        cells,
        positions: Positions::new(graph.len()),
    };
    sorter.place_all();
    let mut best = (sorter.cost(), sorter.orders());
    for sweep in 0..SWEEPS {
        let forwards = sweep % 2 == 0;
        let ranks: Vec<&Vec<usize>> = by_rank.values().collect();
        for turn in 0..ranks.len() {
            let rank = if forwards {
                turn
            } else {
                ranks.len() - 1 - turn
            };
            ranks[rank]
                .iter()
                .for_each(|cell| sorter.sort(*cell, forwards));
        }
        let cost = sorter.cost();
        if cost < best.0 {
            best = (cost, sorter.orders());
        }
    }
    sorter.restore(best.1);
    if graph.edges().len() <= FEW {
        sorter.polish();
    }
    sorter.positions
}

struct Sorter<'a> {
    graph: &'a Graph,
    neighbours: &'a Neighbours,
    ranks: &'a [u32],
    cells: &'a mut [Cell],
    positions: Positions,
}

// === impl Positions ===

impl Positions {
    fn new(nodes: usize) -> Self {
        Self {
            ys: vec![0; nodes],
            places: vec![0; nodes],
        }
    }

    /// Rows in order, in the middle of the cell.
    fn place(&mut self, cell: &Cell) {
        let used = measure(cell.rows().saturating_sub(1)) * ROW_STEP;
        let top = cell.lo + (cell.hi - cell.lo - used) / 2;
        for (at, node) in cell.nodes.iter().enumerate() {
            let y = top + measure(at / cell.columns) * ROW_STEP;
            self.ys[*node] = y;
            self.places[*node] = i64::from(y) * 64 + i64::from(measure(at % cell.columns));
        }
    }
}

// === impl Sorter ===

impl Sorter<'_> {
    fn place_all(&mut self) {
        self.cells
            .iter()
            .for_each(|cell| self.positions.place(cell));
    }

    fn orders(&self) -> Vec<Vec<usize>> {
        self.cells.iter().map(|cell| cell.nodes.clone()).collect()
    }

    fn restore(&mut self, orders: Vec<Vec<usize>>) {
        for (cell, nodes) in self.cells.iter_mut().zip(orders) {
            cell.nodes = nodes;
        }
        self.place_all();
    }

    /// By the mean place of the neighbours in earlier ranks, or in later ones; who has none there keeps its place.
    fn sort(&mut self, cell: usize, forwards: bool) {
        let key = |node: &usize| {
            let rank = self.ranks[*node];
            let (mut sum, mut number) = (0, 0);
            for neighbour in self.neighbours.of(*node) {
                let other = self.ranks[neighbour.node];
                if (forwards && other < rank) || (!forwards && other > rank) {
                    sum += self.positions.places[neighbour.node];
                    number += 1;
                }
            }
            let own = self.positions.places[*node];
            let mean = if number > 0 { sum / number } else { own };
            (mean, own)
        };
        let mut nodes = std::mem::take(&mut self.cells[cell].nodes);
        nodes.sort_by_cached_key(key);
        self.cells[cell].nodes = nodes;
        self.positions.place(&self.cells[cell]);
    }

    /// Crossings where they are counted, then the heights that edges climb.
    fn cost(&self) -> (usize, i64) {
        let all: Vec<usize> = (0..self.graph.edges().len()).collect();
        let crossings = if all.len() <= FEW {
            self.crossings(&all)
        } else {
            0
        };
        (crossings, self.climbs(&all))
    }

    /// Of the edges at `some` positions with all edges, as straight lines; those among `some` count twice.
    fn crossings(&self, some: &[usize]) -> usize {
        let lines: Vec<Line> = self
            .graph
            .edges()
            .iter()
            .map(|e| self.line(e.client, e.server))
            .collect();
        let of = |at: &usize| lines.iter().filter(|line| lines[*at].crosses(line)).count();
        some.iter().map(of).sum()
    }

    fn climbs(&self, some: &[usize]) -> i64 {
        let climb = |at: &usize| {
            let edge = &self.graph.edges()[*at];
            i64::from((self.positions.ys[edge.client] - self.positions.ys[edge.server]).abs())
        };
        some.iter().map(climb).sum()
    }

    fn line(&self, client: usize, server: usize) -> Line {
        let point = |node: usize| {
            let x = i64::from(self.ranks[node]) * i64::from(RANK_STEP);
            (x, i64::from(self.positions.ys[node]))
        };
        let (a, b) = (point(client), point(server));
        Line(a.min(b), a.max(b))
    }

    /// Swaps nodes that stand together in a cell as long as edges cross less, or as little and climb less.
    fn polish(&mut self) {
        let mut edges_of = vec![Vec::new(); self.graph.len()];
        for (at, edge) in self.graph.edges().iter().enumerate() {
            edges_of[edge.client].push(at);
            edges_of[edge.server].push(at);
        }
        for _ in 0..SWAPS {
            let mut improved = false;
            for cell in 0..self.cells.len() {
                for at in 1..self.cells[cell].nodes.len() {
                    improved |= self.try_swap(cell, at, &edges_of);
                }
            }
            if !improved {
                break;
            }
        }
    }

    fn try_swap(&mut self, cell: usize, at: usize, edges_of: &[Vec<usize>]) -> bool {
        let (a, b) = (self.cells[cell].nodes[at - 1], self.cells[cell].nodes[at]);
        let mut touched = [edges_of[a].as_slice(), &edges_of[b]].concat();
        touched.sort_unstable();
        touched.dedup();
        let before = (self.crossings(&touched), self.climbs(&touched));
        self.swap(cell, at);
        let better = (self.crossings(&touched), self.climbs(&touched)) < before;
        if !better {
            self.swap(cell, at);
        }
        better
    }

    fn swap(&mut self, cell: usize, at: usize) {
        self.cells[cell].nodes.swap(at - 1, at);
        self.positions.place(&self.cells[cell]);
    }
}

/// A straight edge, its ends in order.
#[derive(Debug, Clone, Copy)]
struct Line((i64, i64), (i64, i64));

// === impl Line ===

impl Line {
    /// Whether the two cross strictly inside both; sharing an end or lying on each other is no crossing.
    fn crosses(&self, other: &Self) -> bool {
        let side = |line: &Self, point: (i64, i64)| {
            let (ax, ay) = (line.1.0 - line.0.0, line.1.1 - line.0.1);
            let (bx, by) = (point.0 - line.0.0, point.1 - line.0.1);
            (ax * by - ay * bx).signum()
        };
        let parts = |line: &Self, other: &Self| side(line, other.0) * side(line, other.1) < 0;
        parts(self, other) && parts(other, self)
    }
}
