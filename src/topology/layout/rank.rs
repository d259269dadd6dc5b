//! Ranks: one more than the median rank of a node's callers, each weighing as many as its calls.
//!
//! The median lets a node that nearly everybody calls stand near its callers, where the longest path would give a
//! layer to every hop of the deepest trace. So that a median of callers exists at all, cycles are opened first: nodes
//! are put in a line in which few calls run backwards (the greedy rule of Eades, Lin and Smyth, 1993), and only the
//! calls that run forwards count.

use std::collections::BTreeSet;

use super::graph::{Graph, Neighbour, Neighbours};

/// The last rank; whoever would come after stands in it.
const MAX_RANK: u32 = 12;

/// The rank of each node: 0 begins, and no rank between two is empty.
pub(super) fn ranks(graph: &Graph, neighbours: &Neighbours) -> Vec<u32> {
    let line = line(graph, neighbours);
    let mut place = vec![0; line.len()];
    for (at, node) in line.iter().enumerate() {
        place[*node] = at;
    }
    let mut ranks = vec![0; line.len()];
    for node in &line {
        let before = |n: &&Neighbour| place[n.node] < place[*node];
        let callers = neighbours.callers[*node].iter().filter(before);
        let callers = callers.map(|n| (ranks[n.node], n.calls)).collect();
        ranks[*node] = weighted_median(callers).map_or(0, |rank| (rank + 1).min(MAX_RANK));
    }
    pull_beginners(&line, neighbours, &mut ranks);
    close_gaps(&mut ranks);
    ranks
}

/// Every node once, callers mostly before those they call. A node without callers left goes to the front, one that
/// calls nobody left to the back; when there is neither, the one with the most calls out over those in goes to the
/// front.
pub(super) fn line(graph: &Graph, neighbours: &Neighbours) -> Vec<usize> {
    let mut open = Open::of(graph, neighbours);
    let (mut front, mut back) = (Vec::new(), Vec::new());
    while let Some((_, node)) = open.queue.first().copied() {
        if let Some(sink) = open.sinks.pop_first() {
            open.take(sink, neighbours);
            back.push(sink);
        } else {
            let node = open.sources.pop_first().unwrap_or(node);
            open.take(node, neighbours);
            front.push(node);
        }
    }
    back.reverse();
    front.append(&mut back);
    front
}

/// What is not in the line yet.
struct Open {
    calls_in: Vec<u64>,
    calls_out: Vec<u64>,
    taken: Vec<bool>,
    sources: BTreeSet<usize>,
    sinks: BTreeSet<usize>,
    /// By calls in less calls out: the first is the best to go to the front.
    queue: BTreeSet<(i128, usize)>,
}

// === impl Open ===

impl Open {
    fn of(graph: &Graph, neighbours: &Neighbours) -> Self {
        let sum =
            |list: &Vec<Neighbour>| list.iter().fold(0, |s: u64, n| s.saturating_add(n.calls));
        let mut open = Self {
            calls_in: neighbours.callers.iter().map(sum).collect(),
            calls_out: neighbours.called.iter().map(sum).collect(),
            taken: vec![false; graph.len()],
            sources: BTreeSet::new(),
            sinks: BTreeSet::new(),
            queue: BTreeSet::new(),
        };
        for node in 0..graph.len() {
            open.enter(node);
        }
        open
    }

    fn key(&self, node: usize) -> (i128, usize) {
        let (calls_in, calls_out) = (self.calls_in[node], self.calls_out[node]);
        (i128::from(calls_in) - i128::from(calls_out), node)
    }

    fn enter(&mut self, node: usize) {
        self.queue.insert(self.key(node));
        if self.calls_in[node] == 0 {
            self.sources.insert(node);
        } else if self.calls_out[node] == 0 {
            self.sinks.insert(node);
        }
    }

    fn leave(&mut self, node: usize) {
        self.queue.remove(&self.key(node));
        self.sources.remove(&node);
        self.sinks.remove(&node);
    }

    fn take(&mut self, node: usize, neighbours: &Neighbours) {
        self.leave(node);
        self.taken[node] = true;
        for to in &neighbours.called[node] {
            self.less(to.node, |open| &mut open.calls_in, to.calls);
        }
        for from in &neighbours.callers[node] {
            self.less(from.node, |open| &mut open.calls_out, from.calls);
        }
    }

    fn less(&mut self, node: usize, which: impl Fn(&mut Self) -> &mut Vec<u64>, calls: u64) {
        if !self.taken[node] {
            self.leave(node);
            let sum = &mut which(self)[node];
            *sum = sum.saturating_sub(calls);
            self.enter(node);
        }
    }
}

/// The rank at which half of all calls are reached.
pub(super) fn weighted_median(mut callers: Vec<(u32, u64)>) -> Option<u32> {
    callers.sort_unstable();
    let half = callers
        .iter()
        .map(|(_, calls)| u128::from(*calls))
        .sum::<u128>();
    let mut reached = 0;
    let middle = callers.iter().find(|(_, calls)| {
        reached += 2 * u128::from(*calls);
        reached >= half
    });
    middle.map(|(rank, _)| *rank)
}

/// Whoever nobody calls stands right before the first it calls, instead of far away at the beginning.
fn pull_beginners(line: &[usize], neighbours: &Neighbours, ranks: &mut [u32]) {
    for node in line {
        let first = neighbours.called[*node].iter().map(|n| ranks[n.node]).min();
        if let (true, Some(first)) = (neighbours.callers[*node].is_empty(), first) {
            ranks[*node] = first.saturating_sub(1);
        }
    }
}

fn close_gaps(ranks: &mut [u32]) {
    let used: BTreeSet<u32> = ranks.iter().copied().collect();
    for rank in ranks {
        let before = used.range(..*rank).count();
        *rank = u32::try_from(before).unwrap_or(MAX_RANK);
    }
}
