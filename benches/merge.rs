//! Merging the window of a cold snapshot: 138 one-second slots of 500 nodes and 3,000 edges; and taking the same slots
//! into the running totals, one a second, and writing these for a scrape.
//!
//! `cargo bench --bench merge` prints the time of the merge alone, per edge and slot, and beside it the time of
//! prost's decode of the same bytes as the yardstick of this machine.

#![allow(clippy::print_stdout, reason = "a bench prints its result")]

mod graph;

use std::hint::black_box;

use graph::{EDGES, FIRST_SECOND, NODES, ring, slot};
use prost::Message;
use spangraph::clock::Clock;
use spangraph::history::History;
use spangraph::proto;
use spangraph::render::exposition::Dialect;
use spangraph::render::graph_series;
use spangraph::slice::{Accumulator, Join, join, sightings};
use spangraph::topology::series::Totals;

const SLOTS: u64 = 138;
const ROUNDS: usize = 15;

fn main() {
    let slots: Vec<Vec<u8>> = (0..SLOTS)
        .map(|second| slot(second).encode_to_vec())
        .collect();
    let bytes: usize = slots.iter().map(Vec::len).sum();
    println!(
        "{SLOTS} slots, {NODES} nodes, {EDGES} edges: {} KiB a slot",
        bytes / slots.len() / 1024
    );
    let ring = ring(&slots);
    let answer = ring
        .resolve(SLOTS, None)
        .expect("the ring holds the window");
    let window = best_ms(|| join(Join::Then, answer.slots.iter().map(|slot| &**slot)));
    let merge = best_ms(|| {
        let mut merged = Accumulator::new(Join::Then);
        for slot in &slots {
            merged.add(slot).expect("own slices merge");
        }
        merged
    });
    let again = best_ms(|| {
        let mut merged = Accumulator::new(Join::Then);
        for _ in &slots {
            merged.add(&slots[7]).expect("own slices merge");
        }
        merged
    });
    let mut whole = Accumulator::new(Join::Then);
    for slot in &slots {
        whole.add(slot).expect("own slices merge");
    }
    let whole_window = whole.finish();
    let encoded = whole_window.encode_to_vec();
    let finish = best_ms(|| {
        let mut one = Accumulator::new(Join::Then);
        one.add(&encoded).expect("own slices merge");
        one.finish()
    });
    let decode = best_ms(|| {
        slots
            .iter()
            .map(|slot| proto::Slice::decode(&**slot))
            .collect::<Vec<_>>()
    });
    let edges = f64::from(EDGES) * f64::from(u32::try_from(SLOTS).unwrap_or(1));
    println!(
        "merge {merge:.1} ms, {:.0} ns an edge and slot",
        merge * 1e6 / edges
    );
    println!("the same slot as often, as it stays in cache: {again:.1} ms");
    println!(
        "the same window from the ring, {} slots, encoded: {window:.1} ms",
        answer.slots.len()
    );
    println!("one merged slot added and finished {finish:.1} ms");
    println!("prost's decode alone {decode:.1} ms");
    first_seen(&ring, &slots, whole_window);
    totals(&slots);
}

fn first_seen(ring: &History, slots: &[Vec<u8>], mut window: proto::Slice) {
    let read = best_ms(|| {
        slots
            .iter()
            .map(|slot| sightings(slot).expect("own slices are read").edges.len())
            .sum::<usize>()
    });
    let dated = best_ms(|| ring.date(&mut window));
    let slots = f64::from(u32::try_from(slots.len()).unwrap_or(1));
    println!(
        "first seen: {:.2} ms to read a slot, {dated:.2} ms for a window, {} KiB",
        read / slots,
        ring.index_bytes() / 1024
    );
}

fn totals(slots: &[Vec<u8>]) {
    let totals = Totals::new(EDGES as usize, usize::MAX);
    let taken = best_ms(|| slots.iter().for_each(|slot| totals.add(slot, FIRST_SECOND)));
    let slots = f64::from(u32::try_from(slots.len()).unwrap_or(1));
    println!("totals: {:.2} ms a slot", taken / slots);
    for dialect in [Dialect::Text, Dialect::OpenMetrics] {
        let mut bytes = 0;
        let scrape = best_ms(|| {
            let text = graph_series::write(totals.snapshot(), dialect);
            bytes = text.len();
            text
        });
        println!(
            "scrape in {dialect:?}: {scrape:.1} ms, {} KiB",
            bytes / 1024
        );
    }
}

/// The shortest of some rounds: the machine is shared.
fn best_ms<R>(mut work: impl FnMut() -> R) -> f64 {
    let clock = Clock::start();
    let mut best = f64::INFINITY;
    for _ in 0..ROUNDS {
        let before = clock.now().mono_ns;
        let result = black_box(work());
        let took = clock.now().mono_ns - before;
        drop(result);
        #[expect(clippy::cast_precision_loss, reason = "milliseconds for people")]
        let ms = took as f64 / 1e6;
        best = best.min(ms);
    }
    best
}
