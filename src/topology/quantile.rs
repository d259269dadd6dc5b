//! Quantiles of a merged histogram, and what error they may carry.
//!
//! A quantile is the sample of rank ⌈q·n⌉; its estimate is the geometric middle of the bucket that holds that rank,
//! clamped to the smallest and largest sample. Never averaged, never interpolated across buckets.

use crate::proto::Histogram;

/// A quantile in (0, 1), exact to nine decimals.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Quantile {
    /// Billionths, 1 ..= 999,999,999.
    ppb: u32,
}

/// Billionths in one.
const ONE: u32 = 1_000_000_000;

/// Exponential histograms have scales within -10 ..= 20 (OTLP); others are read as the nearest of these.
const SCALES: (i32, i32) = (-10, 20);

// === impl Quantile ===

impl Quantile {
    /// The median.
    pub const P50: Self = Self { ppb: ONE / 2 };
    /// The 90th percentile.
    pub const P90: Self = Self { ppb: ONE / 10 * 9 };
    /// The 95th percentile.
    pub const P95: Self = Self {
        ppb: ONE / 100 * 95,
    };
    /// The 99th percentile.
    pub const P99: Self = Self {
        ppb: ONE / 100 * 99,
    };

    /// Reads `0.5` or `.999`: a decimal fraction in (0, 1) with at most nine digits.
    pub fn parse(text: &str) -> Option<Self> {
        let (whole, digits) = text.split_once('.')?;
        let plain = digits.bytes().all(|b| b.is_ascii_digit());
        if !matches!(whole, "" | "0") || !plain || !(1..=9).contains(&digits.len()) {
            return None;
        }
        let ppb: u32 = format!("{digits:0<9}").parse().ok()?;
        (ppb > 0).then_some(Self { ppb })
    }

    /// As percent digits: `50`, `99_9`, `0_1`; what stands between `p` and `_ms` in a body.
    pub fn percent_key(self) -> String {
        self.percent("_")
    }

    /// As people write it: `p50`, `p99.9`.
    pub fn label(self) -> String {
        format!("p{}", self.percent("."))
    }

    /// As a fraction: `0.5`, `0.999`.
    pub fn fraction(self) -> String {
        let digits = format!("{:09}", self.ppb);
        format!("0.{}", digits.trim_end_matches('0'))
    }

    fn percent(self, point: &str) -> String {
        let (whole, rest) = (self.ppb / (ONE / 100), self.ppb % (ONE / 100));
        let rest = format!("{rest:07}");
        match rest.trim_end_matches('0') {
            "" => whole.to_string(),
            rest => format!("{whole}{point}{rest}"),
        }
    }

    /// How many of `count` samples lie beyond this quantile.
    pub(super) fn beyond(self, count: u64) -> u64 {
        count.saturating_sub(self.rank(count))
    }

    /// The 1-based rank of this quantile among `count` samples.
    fn rank(self, count: u64) -> u64 {
        let exact = u128::from(self.ppb) * u128::from(count);
        u64::try_from(exact.div_ceil(u128::from(ONE))).unwrap_or(u64::MAX)
    }
}

/// The estimates of `quantiles`, which ascend, in nanoseconds. `None` when there is no sample.
pub fn estimates_ns(histogram: &Histogram, quantiles: &[Quantile]) -> Option<Vec<f64>> {
    if histogram.count == 0 {
        return None;
    }
    let mut walk = Walk::new(histogram);
    Some(
        quantiles
            .iter()
            .map(|q| walk.value_ns(q.rank(histogram.count)))
            .collect(),
    )
}

/// One estimate, in nanoseconds.
pub fn estimate_ns(histogram: &Histogram, quantile: Quantile) -> Option<f64> {
    Some(*estimates_ns(histogram, &[quantile])?.first()?)
}

/// The mean in nanoseconds; exact up to the float's own precision.
#[expect(
    clippy::cast_precision_loss,
    reason = "a mean of sums below 2^53 ns is exact to far less than a bucket"
)]
pub(super) fn mean_ns(histogram: &Histogram) -> Option<f64> {
    (histogram.count > 0).then(|| histogram.sum_ns as f64 / histogram.count as f64)
}

/// The largest relative error of any estimate from buckets of this scale: √b − 1 for base b = 2^(2^-scale).
pub fn max_relative_error(scale: i32) -> f64 {
    (0.5 * step(scale)).exp2() - 1.0
}

/// log2 of a bucket's base.
fn step(scale: i32) -> f64 {
    f64::from(-scale.clamp(SCALES.0, SCALES.1)).exp2()
}

/// One pass over the buckets for ascending ranks.
struct Walk<'a> {
    histogram: &'a Histogram,
    /// Samples in the buckets before `next`.
    below: u64,
    next: usize,
}

impl<'a> Walk<'a> {
    fn new(histogram: &'a Histogram) -> Self {
        Self {
            histogram,
            below: histogram.zero_count,
            next: 0,
        }
    }

    #[expect(
        clippy::cast_precision_loss,
        reason = "durations below 2^53 ns, about 104 days, are exact"
    )]
    fn value_ns(&mut self, rank: u64) -> f64 {
        let h = self.histogram;
        if rank <= h.zero_count {
            return 0.0;
        }
        if rank >= h.count {
            return h.max_ns as f64;
        }
        while self.below < rank {
            let Some(in_bucket) = h.counts.get(self.next) else {
                return h.max_ns as f64;
            };
            self.below = self.below.saturating_add(*in_bucket);
            self.next += 1;
        }
        self.middle_ns().max(h.min_ns as f64).min(h.max_ns as f64)
    }

    /// The geometric middle of the bucket before `next`.
    fn middle_ns(&self) -> f64 {
        let bucket = i32::try_from(self.next)
            .unwrap_or(i32::MAX)
            .saturating_sub(1);
        let index = f64::from(self.histogram.offset) + f64::from(bucket);
        ((index + 0.5) * step(self.histogram.scale)).exp2() * 1e9
    }
}
