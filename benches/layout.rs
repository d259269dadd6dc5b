//! Layouts of made-up meshes: a first one, and one more node beside a known one.
//!
//! `cargo bench --bench layout` prints the best of several rounds for each size.

#![allow(clippy::print_stdout, reason = "a bench prints its result")]

use std::hint::black_box;

use spangraph::clock::Clock;
use spangraph::topology::layout::{Graph, layout};

/// Nodes, edges.
const SIZES: [(u64, u64); 4] = [(15, 25), (60, 110), (500, 3_000), (10_000, 100_000)];
const TIERS: u64 = 8;
const NAMESPACES: u64 = 20;

fn main() {
    let clock = Clock::start();
    for (nodes, edges) in SIZES {
        let graph = mesh(nodes, edges);
        let grown = mesh(nodes + 1, edges);
        let known = layout(None, &graph);
        let rounds = if nodes > 1_000 { 3 } else { 25 };
        let best_ms = |work: &dyn Fn()| {
            let round = |_| {
                let start = clock.now().mono_ns;
                work();
                clock.now().mono_ns - start
            };
            let best = (0..rounds).map(round).min().unwrap_or_default();
            std::time::Duration::from_nanos(best).as_secs_f64() * 1e3
        };
        let first = best_ms(&|| drop(black_box(layout(None, black_box(&graph)))));
        let more = best_ms(&|| drop(black_box(layout(Some(&known), black_box(&grown)))));
        println!(
            "{nodes} nodes, {edges} edges: first layout {first:.2} ms, one node more {more:.2} ms"
        );
    }
}

/// Tiers that mostly call the next ones, within namespaces and across, some calls running backwards.
fn mesh(nodes: u64, edges: u64) -> Graph {
    let mut dice = Dice(42);
    let id = |at: u64| format!("ns{}/service-{at}", at % NAMESPACES);
    let all = (0..nodes).map(|at| (id(at), Some(format!("ns{}", at % NAMESPACES))));
    let calls = (0..edges).map(|_| {
        let client = dice.below(nodes);
        let tier = client * TIERS / nodes;
        let next = if dice.below(100) < 3 {
            dice.below(TIERS)
        } else {
            (tier + 1 + dice.below(4) / 3).min(TIERS - 1)
        };
        let server = (next * nodes / TIERS + dice.below((nodes / TIERS).max(1))).min(nodes - 1);
        (id(client), id(server), 1 + dice.below(1_000))
    });
    let calls: Vec<_> = calls.collect();
    Graph::new(all, calls)
}

/// `SplitMix64`.
struct Dice(u64);

// === impl Dice ===

impl Dice {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (z ^ (z >> 31)) % bound
    }
}
