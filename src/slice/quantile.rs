//! Quantiles of a merged histogram.

use crate::proto::Histogram;

/// Greatest relative error of a quantile read at `scale`: (b - 1) / (b + 1) with b = 2^(2^-scale); 2.17 % at scale 4.
pub fn max_relative_error(scale: i32) -> f64 {
    let base = border(1, scale);
    (base - 1.0) / (base + 1.0)
}

/// The duration at quantile `q` of `histogram`, in nanoseconds; `None` without samples.
///
/// It stands for the sample of rank `ceil(q * count)` (at least the first, at most the last) and differs from it by at
/// most [`max_relative_error`]: of a bucket (l, u] it is 2lu / (l + u), which is equally far off at both ends. It never
/// lies outside the smallest and greatest sample.
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "ranks and durations are exact below 2^53; beyond, the error is far below a bucket's"
)]
pub fn quantile(histogram: &Histogram, q: f64) -> Option<f64> {
    if histogram.count == 0 {
        return None;
    }
    let (min, max) = (histogram.min_ns as f64, histogram.max_ns as f64);
    let rank = (q * histogram.count as f64).ceil() as u64;
    let rank = rank.clamp(1, histogram.count);
    let mut seen = histogram.zero_count;
    if rank <= seen {
        return Some(0.0);
    }
    for (index, count) in (i64::from(histogram.offset)..).zip(&histogram.counts) {
        seen = seen.saturating_add(*count);
        if rank <= seen {
            let (low, high) = (
                border(index, histogram.scale),
                border(index + 1, histogram.scale),
            );
            return Some((2e9 * low * (high / (low + high))).clamp(min, max.max(min)));
        }
    }
    Some(max)
}

/// The border b^k in seconds.
#[expect(clippy::cast_precision_loss, reason = "bucket indexes are small")]
fn border(k: i64, scale: i32) -> f64 {
    (k as f64 * f64::from(-scale).exp2()).exp2()
}
