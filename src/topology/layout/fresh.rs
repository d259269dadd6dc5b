//! A layout from nothing but the graph: ranks make columns, blocks take their room, order within is settled, and then
//! every node moves as near to its neighbours as its room allows.

use std::collections::BTreeMap;

use super::blocks::Blocks;
use super::geometry::{RANK_STEP, ROW_STEP, SUB_STEP, median};
use super::graph::{Graph, Neighbours};
use super::order::{self, Positions};
use super::rank;
use super::rooms::{Cell, Rooms};
use super::spread::spread;
use super::{Column, Place, Standing};

/// Times every column moves towards its neighbours.
const MOVES: usize = 10;

/// Lays out the whole graph.
pub(super) fn arrange(graph: &Graph) -> Standing {
    let neighbours = graph.neighbours();
    let ranks = rank::ranks(graph, &neighbours);
    let blocks = Blocks::of(graph, &neighbours, &ranks);
    let mut rooms = Rooms::new(graph, &ranks, &blocks);
    let positions = order::settle(graph, &neighbours, &ranks, &mut rooms.cells);
    let columns = columns(&rooms.columns);
    let ys = heights(&rooms.cells, &neighbours, positions);
    let mut standing = Standing {
        columns,
        frames: blocks.namespaces,
        places: BTreeMap::new(),
    };
    for cell in &rooms.cells {
        let columns: Vec<i32> = standing
            .columns
            .iter()
            .filter(|c| c.rank == cell.rank)
            .map(|c| c.x)
            .collect();
        for (at, node) in cell.nodes.iter().enumerate() {
            let place = Place {
                x: columns[at % cell.columns],
                y: ys[*node],
                rank: cell.rank,
                frame: cell.frame,
            };
            standing
                .places
                .insert(graph.nodes()[*node].id.clone(), place);
        }
    }
    standing
}

fn columns(of_rank: &[usize]) -> Vec<Column> {
    let mut columns: Vec<Column> = Vec::new();
    for (rank, number) in (0..).zip(of_rank) {
        for at in 0..*number {
            let step = if at == 0 { RANK_STEP } else { SUB_STEP };
            let x = columns.last().map_or(0, |last| last.x + step);
            columns.push(Column { x, rank });
        }
    }
    columns
}

/// The height of each node, from where the settled order put it. Columns are moved in turn, forwards and backwards.
fn heights(cells: &[Cell], neighbours: &Neighbours, positions: Positions) -> Vec<i32> {
    let mut ys = positions.ys;
    let mut chains: Vec<(&Cell, Vec<usize>)> = Vec::new();
    for cell in cells {
        for column in 0..cell.columns {
            let nodes = cell.nodes.iter().skip(column).step_by(cell.columns);
            chains.push((cell, nodes.copied().collect()));
        }
    }
    chains.sort_by_key(|(cell, _)| cell.rank);
    for round in 0..MOVES {
        if round > 0 {
            chains.reverse();
        }
        for (cell, chain) in &chains {
            let wishes: Vec<i32> = chain
                .iter()
                .map(|node| wish(*node, neighbours, &ys))
                .collect();
            for (node, y) in chain
                .iter()
                .zip(spread(&wishes, ROW_STEP, cell.lo, cell.hi))
            {
                ys[*node] = y;
            }
        }
    }
    ys
}

/// Level with the middle one of its neighbours; where it is when it has none.
fn wish(node: usize, neighbours: &Neighbours, ys: &[i32]) -> i32 {
    let mut heights: Vec<i32> = neighbours.of(node).map(|n| ys[n.node]).collect();
    median(&mut heights).unwrap_or(ys[node])
}
