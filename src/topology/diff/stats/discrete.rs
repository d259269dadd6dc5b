//! Exact two-sided tests on a unimodal distribution over whole numbers, given only the ratios of its neighbours.

use std::ops::RangeInclusive;

/// Probabilities this close count as equal: rounding must not tell mirror images apart (as R and `SciPy` do it).
const TIES: f64 = 1.0 + 1e-7;
/// What is smaller than this share of the smallest weight of interest adds nothing to a double.
const NEGLIGIBLE: f64 = 1e-17;

/// The probability of everything at most as likely as `seen`, the "minimum likelihood" method of two-sided exact
/// tests. `up(x)` is the probability of x + 1 over that of x. Walks outwards from about the mode, so that no factorial
/// is needed: time is linear in the standard deviation and in the distance of `seen`, until it cannot be told from 0.
pub(super) fn two_sided(
    range: &RangeInclusive<u64>,
    mode: u64,
    seen: u64,
    up: impl Fn(u64) -> f64,
) -> f64 {
    let (low, high) = (*range.start(), *range.end());
    let mode = mode.clamp(low, high);
    let limit = weight(mode, seen.clamp(low, high), &up) * TIES;
    let least = limit.min(1.0) * NEGLIGIBLE;
    let mut sums = Sums {
        limit,
        all: 0.0,
        rare: 0.0,
    };
    let mut above = 1.0;
    for x in mode..=high {
        sums.add(above);
        if above <= least || x == high {
            break;
        }
        above *= up(x);
    }
    let mut below = 1.0;
    for x in (low..mode).rev() {
        below /= up(x);
        sums.add(below);
        if below <= least {
            break;
        }
    }
    sums.rare / sums.all
}

/// The weight at `to` when that at `from` is 1; 0 when it is too small to say.
fn weight(from: u64, to: u64, up: &impl Fn(u64) -> f64) -> f64 {
    let mut weight = 1.0;
    for x in from..to {
        weight *= up(x);
        if weight == 0.0 {
            return 0.0;
        }
    }
    for x in (to..from).rev() {
        weight /= up(x);
        if weight == 0.0 {
            return 0.0;
        }
    }
    weight
}

struct Sums {
    limit: f64,
    all: f64,
    rare: f64,
}

// === impl Sums ===

impl Sums {
    fn add(&mut self, weight: f64) {
        self.all += weight;
        if weight <= self.limit {
            self.rare += weight;
        }
    }
}
