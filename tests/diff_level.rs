//! The level of the whole comparison, by drawing: how often two windows of one distribution differ, and how often a
//! real change is found. The generator has a fixed seed, so the figures are the same on every run.
#![allow(clippy::unwrap_used, reason = "a failed step is a failed test")]

mod read_support;

use read_support::{World, differ, histogram};
use spangraph::proto::{ConnectionType, Slice};
use spangraph::topology::diff::{Reason, Way};

/// `SplitMix64` (G. Steele, D. Lea, C. Flood, *Fast splittable pseudorandom number generators*, 2014).
struct Dice(u64);

// === impl Dice ===

impl Dice {
    /// In [0, 1).
    #[expect(clippy::cast_precision_loss, reason = "53 bits are exact")]
    fn uniform(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((z ^ (z >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
    }

    fn exponential(&mut self) -> f64 {
        -(1.0 - self.uniform()).ln()
    }

    /// Box and Muller.
    fn normal(&mut self) -> f64 {
        (2.0 * self.exponential()).sqrt() * (std::f64::consts::TAU * self.uniform()).cos()
    }
}

/// How one edge behaves.
#[derive(Clone, Copy)]
struct Habit {
    calls: f64,
    failing: f64,
    median_ms: f64,
}

/// A window of Poisson arrivals on a star of edges: each call fails by a coin and lasts lognormally. The called node
/// has the same calls as its edge, so half the tests repeat the other half.
fn window(habits: &[Habit], covered_s: u64, dice: &mut Dice) -> Slice {
    let mut w = World::new();
    let web = w.service("web");
    for (at, habit) in habits.iter().enumerate() {
        let node = w.service(&format!("s{at:02}"));
        #[expect(clippy::cast_precision_loss, reason = "some hundred seconds")]
        let mean = habit.calls * covered_s as f64 / 300.0;
        let (mut samples, mut failed, mut time) = (Vec::new(), 0, dice.exponential());
        while time < mean {
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "milliseconds"
            )]
            samples.push((habit.median_ms * (0.8 * dice.normal()).exp() * 1e6) as u64);
            failed += u64::from(dice.uniform() < habit.failing);
            time += dice.exponential();
        }
        if samples.is_empty() {
            continue;
        }
        let calls = (samples.len() as u64, 0);
        let edge = w.call((web, node), ConnectionType::None, calls, failed);
        edge.client_latency = histogram(&samples, 4);
        edge.server_latency = histogram(&samples, 4);
        w.slice.nodes[node as usize].latency = histogram(&samples, 4);
    }
    w.slice.covered_ns = covered_s * 1_000_000_000;
    w.done()
}

/// From two calls in five minutes to three hundred, from never failing to one in four.
fn habits(dice: &mut Dice) -> Vec<Habit> {
    let mut habit = || Habit {
        calls: 2.0 * 150_f64.powf(dice.uniform()),
        failing: 0.25 * dice.uniform().powi(3),
        median_ms: 1.0 + 200.0 * dice.uniform(),
    };
    (0..12).map(|_| habit()).collect()
}

const TRIALS: u32 = 400;

/// Guarantees: with no least effect to help, comparisons of two windows of one distribution that find anything at all
/// are no more than `alpha` of all, also when one window is held for half its time. (It is 10 of 400: exact tests of
/// few calls stay below their level.)
#[test]
fn unchanged_windows_differ_no_more_often_than_alpha() {
    let mut dice = Dice(1);
    let mut found = 0;
    for trial in 0..TRIALS {
        let habits = habits(&mut dice);
        let covered = if trial % 2 == 0 { 300 } else { 150 };
        let (base, head) = (
            window(&habits, 300, &mut dice),
            window(&habits, covered, &mut dice),
        );
        let all = "alpha=0.05&min_rate_change=0&min_failed_change=0&min_latency_change=0";
        let diff = differ(&base, &head, all).unwrap();
        let significant = diff.node_tally.significant + diff.edge_tally.significant;
        found += u32::from(significant > 0);
    }
    assert!(
        f64::from(found) <= 0.05 * f64::from(TRIALS),
        "{found} of {TRIALS}"
    );
}

/// Guarantees: what is worth a pager is found among a dozen edges that did not change, with the defaults: a failed
/// ratio that goes from 1 % to 15 %, a median that doubles, a rate that halves; each in at least nine of ten.
#[test]
fn real_changes_are_found() {
    let steady = Habit {
        calls: 300.0,
        failing: 0.01,
        median_ms: 20.0,
    };
    let cases = [
        (
            Habit {
                failing: 0.15,
                ..steady
            },
            Reason::Failed(Way::Up),
        ),
        (
            Habit {
                calls: 150.0,
                ..steady
            },
            Reason::Rate(Way::Down),
        ),
        (
            Habit {
                median_ms: 40.0,
                ..steady
            },
            Reason::Latency(spangraph::topology::diff::Viewpoint::Client, Way::Up),
        ),
    ];
    let mut dice = Dice(2);
    for (changed, reason) in cases {
        let mut found = 0;
        for _ in 0..40 {
            let mut habits = habits(&mut dice);
            habits[0] = steady;
            let base = window(&habits, 300, &mut dice);
            habits[0] = changed;
            let diff = differ(&base, &window(&habits, 300, &mut dice), "").unwrap();
            let edge = diff.edges.iter().find(|e| e.server == "s00");
            found += u32::from(edge.is_some_and(|e| e.change.reasons().contains(&reason)));
        }
        assert!(found >= 36, "{reason:?}: {found} of 40");
    }
}
