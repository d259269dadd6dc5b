//! Two latency distributions, from their histograms.

use super::share::{Share, shares_p};
use super::{float, within};
use crate::proto::Histogram;

/// How far two distributions are apart.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(in crate::topology::diff) struct Distance {
    /// The largest difference of the two cumulative shares at any bound of a bucket: at most the true statistic.
    pub(in crate::topology::diff) ks: f64,
    /// Of that distance; two-sided, asymptotic.
    pub(in crate::topology::diff) ks_p: f64,
    /// Of the shares of slow calls.
    pub(in crate::topology::diff) slow_p: f64,
}

/// One twentieth of all calls of both windows, the slowest, are the slow ones.
const SLOW: u64 = 20;

/// Two tests on binned samples; `None` when one window has none.
///
/// The first is the two-sample Kolmogorov-Smirnov test. Where scales differ, the finer histogram is read at the
/// coarser scale. Inside a bucket the two distributions may be further apart than at its bounds, so `ks` is a lower
/// bound of the statistic of the samples themselves, and its p an upper one: a change may be missed, none is made up.
/// That p is Kolmogorov's limit at √(n₁n₂/(n₁+n₂))·D (N. Smirnov, *Table for estimating the goodness of fit of
/// empirical distributions*, Ann. Math. Statist. 19, 1948), without the small-sample correction, which would make it
/// smaller.
///
/// It looks at shares of calls, so a tail that doubles moves it little: that of one call in twenty by 0.05, which it
/// finds from some two thousand calls on. Hence the second: the share of calls in the slowest twentieth of both
/// windows together, by Fisher's exact test. That bound depends on the pooled samples alone, and so holds the level
/// (as in A. Mood's median test, *Introduction to the Theory of Statistics*, 1950).
pub(in crate::topology::diff) fn distance(base: &Histogram, head: &Histogram) -> Option<Distance> {
    if base.count == 0 || head.count == 0 {
        return None;
    }
    let scale = base.scale.min(head.scale);
    let (base, head) = (Steps::of(base, scale), Steps::of(head, scale));
    let walked = base.walk(&head);
    let (n1, n2) = (float(base.total), float(head.total));
    let slow = |below: u64, steps: &Steps<'_>| Share {
        hits: steps.total.saturating_sub(below),
        of: steps.total,
    };
    Some(Distance {
        ks: walked.largest,
        ks_p: within(kolmogorov_tail(
            (n1 * n2 / (n1 + n2)).sqrt() * walked.largest,
        )),
        slow_p: shares_p(slow(walked.below.0, &base), slow(walked.below.1, &head))?,
    })
}

// === impl Distance ===

impl Distance {
    /// Of both tests together, by Bonferroni's bound.
    pub(in crate::topology::diff) fn p(&self) -> f64 {
        within(2.0 * self.ks_p.min(self.slow_p))
    }
}

/// What one walk over both histograms finds.
struct Walked {
    largest: f64,
    /// Samples of either that are not slow.
    below: (u64, u64),
}

/// A histogram read at a scale no finer than its own.
struct Steps<'a> {
    zeros: u64,
    total: u64,
    offset: i64,
    /// Bits by which an index is coarsened.
    by: u32,
    counts: &'a [u64],
}

// === impl Steps ===

impl<'a> Steps<'a> {
    fn of(histogram: &'a Histogram, scale: i32) -> Self {
        let inside = histogram
            .counts
            .iter()
            .fold(histogram.zero_count, |sum, count| {
                sum.saturating_add(*count)
            });
        let by = i64::from(histogram.scale) - i64::from(scale);
        Self {
            zeros: histogram.zero_count,
            // What the buckets say, so that both curves end at 1 even where the bodies come from strangers.
            total: inside.max(1),
            offset: i64::from(histogram.offset),
            by: u32::try_from(by).unwrap_or(0).min(62),
            counts: &histogram.counts,
        }
    }

    /// Filled buckets as (index at the common scale, count), ascending; neighbours may share an index.
    fn filled(&self) -> impl Iterator<Item = (i64, u64)> {
        let indices = (self.offset..).map(|index| index >> self.by);
        let all = indices
            .zip(self.counts)
            .map(|(index, count)| (index, *count));
        all.filter(|(_, count)| *count > 0)
    }

    fn walk(&self, other: &Self) -> Walked {
        let (mut ours, mut theirs) = (self.filled().peekable(), other.filled().peekable());
        let (n1, n2) = (float(self.total), float(other.total));
        let both = self.total.saturating_add(other.total);
        let (mut below, mut below_other) = (self.zeros, other.zeros);
        let mut largest: f64 = 0.0;
        let mut not_slow = None;
        loop {
            largest = largest.max((float(below) / n1 - float(below_other) / n2).abs());
            if below.saturating_add(below_other) >= both - both / SLOW {
                not_slow.get_or_insert((below, below_other));
            }
            let next = [ours.peek(), theirs.peek()];
            let Some(bound) = next.into_iter().flatten().map(|(index, _)| *index).min() else {
                return Walked {
                    largest: largest.min(1.0),
                    below: not_slow.unwrap_or((below, below_other)),
                };
            };
            while let Some((_, count)) = ours.next_if(|(index, _)| *index == bound) {
                below = below.saturating_add(count);
            }
            while let Some((_, count)) = theirs.next_if(|(index, _)| *index == bound) {
                below_other = below_other.saturating_add(count);
            }
        }
    }
}

/// P(K > λ) of Kolmogorov's distribution: the alternating series where it converges fast, Jacobi's form of it for
/// small λ (W. Feller, *On the Kolmogorov-Smirnov limit theorems*, Ann. Math. Statist. 19, 1948).
fn kolmogorov_tail(lambda: f64) -> f64 {
    use std::f64::consts::{PI, TAU};
    if lambda <= 0.0 {
        return 1.0;
    }
    if lambda < 1.0 {
        let term = |j: i32| libm::exp(-(f64::from(2 * j - 1) * PI / lambda).powi(2) / 8.0);
        return 1.0 - TAU.sqrt() / lambda * (1..=5).map(term).sum::<f64>();
    }
    let term = |j: i32| libm::exp(-2.0 * (f64::from(j) * lambda).powi(2));
    2.0 * (term(1) - term(2) + term(3) - term(4) + term(5))
}
