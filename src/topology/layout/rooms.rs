//! Rooms: how many columns a rank takes, and between which heights the nodes of a block stand in each.
//!
//! A block's services of its namespace share one frame, which holds nobody else: nodes without a namespace stand below
//! it, or beside it in ranks where the frame does not reach. Blocks stand below each other, but a block whose ranks
//! nobody above uses moves up.

use std::collections::BTreeMap;

use super::blocks::Blocks;
use super::geometry::{BLOCK_GAP, BOX_HEIGHT, FRAME_GAP, RANK_STEP, ROW_STEP, SUB_STEP, measure};
use super::graph::Graph;

/// Nodes of one block and rank below each other that are tried before a rank takes more columns.
const CAPS: [usize; 12] = [64, 48, 36, 27, 20, 15, 11, 8, 6, 4, 3, 2];

/// Nodes of one block and rank that stand below each other, row by row in one or more columns.
#[derive(Debug, Clone)]
pub(super) struct Cell {
    pub(super) rank: u32,
    block: usize,
    /// Of [`super::Place`]; 0 outside frames.
    pub(super) frame: u32,
    pub(super) nodes: Vec<usize>,
    pub(super) columns: usize,
    /// Heights between which the middles of its nodes may be.
    pub(super) lo: i32,
    pub(super) hi: i32,
}

/// The room of everybody.
#[derive(Debug, Clone)]
pub(super) struct Rooms {
    pub(super) cells: Vec<Cell>,
    /// How many columns each rank has.
    pub(super) columns: Vec<usize>,
}

// === impl Rooms ===

impl Rooms {
    pub(super) fn new(graph: &Graph, ranks: &[u32], blocks: &Blocks) -> Self {
        let cells = cells(graph, ranks, blocks);
        let ranks = ranks.iter().max().map_or(0, |last| *last as usize + 1);
        let tries = CAPS.map(|cap| Self::with(cells.clone(), ranks, cap));
        let wide_enough = |rooms: &&Self| rooms.width() * 4 >= rooms.height() * 3;
        let chosen = tries.iter().find(wide_enough);
        // None is: whichever comes nearest, the first of equals.
        let ratio =
            |rooms: &&Self| i64::from(rooms.width()) * 1_000 / i64::from(rooms.height().max(1));
        let chosen = chosen.or_else(|| tries.iter().rev().max_by_key(ratio));
        chosen.cloned().unwrap_or(Self {
            cells,
            columns: Vec::new(),
        })
    }

    fn with(mut cells: Vec<Cell>, ranks: usize, cap: usize) -> Self {
        let mut columns = vec![1; ranks];
        for cell in &mut cells {
            cell.columns = cell.nodes.len().div_ceil(cap).max(1);
            let most = &mut columns[cell.rank as usize];
            *most = cell.columns.max(*most);
        }
        let mut free = vec![0; ranks];
        for block in cells.chunk_by_mut(|a, b| a.block == b.block) {
            let ranks = block.iter().map(|cell| cell.rank as usize);
            let (first, last) = (ranks.clone().min().unwrap_or(0), ranks.max().unwrap_or(0));
            let top = free[first..=last].iter().max().copied().unwrap_or(0);
            let end = take_room(block, top);
            free[first..=last].fill(end);
        }
        Self { cells, columns }
    }

    fn width(&self) -> i32 {
        let columns: usize = self.columns.iter().sum();
        let ranks = self.columns.len();
        measure(ranks) * RANK_STEP + measure(columns - ranks) * SUB_STEP
    }

    fn height(&self) -> i32 {
        self.cells.iter().map(|cell| cell.hi).max().unwrap_or(0) + BOX_HEIGHT
    }
}

// === impl Cell ===

impl Cell {
    /// Rows its nodes need.
    pub(super) fn rows(&self) -> usize {
        self.nodes.len().div_ceil(self.columns)
    }
}

/// The cells, block by block.
fn cells(graph: &Graph, ranks: &[u32], blocks: &Blocks) -> Vec<Cell> {
    let mut cells: BTreeMap<(usize, u32, u32), Vec<usize>> = BTreeMap::new();
    for (node, rank) in ranks.iter().enumerate() {
        let block = blocks.of[node];
        let at_home = graph.nodes()[node].namespace.is_some();
        let frame = if at_home {
            u32::try_from(block + 1).unwrap_or(u32::MAX)
        } else {
            0
        };
        cells.entry((block, frame, *rank)).or_default().push(node);
    }
    let cell = |((block, frame, rank), nodes)| Cell {
        rank,
        block,
        frame,
        nodes,
        columns: 1,
        lo: 0,
        hi: 0,
    };
    cells.into_iter().map(cell).collect()
}

/// Gives the cells of one block their heights from `top` on; returns where the next block may begin.
fn take_room(block: &mut [Cell], top: i32) -> i32 {
    let framed = |cell: &&Cell| cell.frame > 0;
    let reach = block.iter().filter(framed).map(|cell| cell.rank);
    let (first, last) = (reach.clone().min().unwrap_or(1), reach.max().unwrap_or(0));
    let below = |cell: &&Cell| cell.frame == 0 && (first..=last).contains(&cell.rank);
    let beside = |cell: &&Cell| cell.frame == 0 && !(first..=last).contains(&cell.rank);
    let tallest = |cells: &dyn Fn(&&Cell) -> bool| -> i32 {
        let rows = block.iter().filter(|cell| cells(cell)).map(Cell::rows);
        measure(rows.max().unwrap_or(0))
    };
    let (inside, under) = (tallest(&framed), tallest(&below));
    let under_top = if inside > 0 {
        top + inside * ROW_STEP + FRAME_GAP
    } else {
        top
    };
    let end = (under_top + under * ROW_STEP).max(top + tallest(&beside) * ROW_STEP) - ROW_STEP;
    let end = end.max(top + (inside - 1) * ROW_STEP);
    for cell in block {
        let inside_end = top + (inside - 1) * ROW_STEP;
        (cell.lo, cell.hi) = match cell.frame {
            0 if (first..=last).contains(&cell.rank) => (under_top, end),
            0 => (top, end),
            _ => (top, inside_end),
        };
    }
    end + ROW_STEP + BLOCK_GAP
}
