//! What the tests say of one element by itself.

use crate::topology::{Quantile, max_relative_error};

use super::judge::Raw;
use super::model::{Change, LatencyChange, Measure, Shape, Status, Test};
use super::sample::{Sample, View};
use super::stats::{Exposed, distance, rates_p, shares_p};

/// A quantile with fewer calls beyond it is the figure of a handful, and moves by itself.
const LEAST_BEYOND: u64 = 10;

/// Measures and tests; nothing is judged yet. `absent` is what each window says of an element it does not have.
pub(super) fn change(
    (base, head): (Option<Sample<'_>>, Option<Sample<'_>>),
    absent: (Exposed, Exposed),
    quantiles: &[Quantile],
) -> Raw {
    let (b, h) = (base.as_ref(), head.as_ref());
    let rate_p = match (b, h) {
        (Some(b), Some(h)) => rates_p(b.calls, h.calls),
        (Some(b), None) => rates_p(b.presence, absent.1),
        (None, Some(h)) => rates_p(absent.0, h.presence),
        (None, None) => None,
    };
    let failed_p = b.zip(h).and_then(|(b, h)| shares_p(b.failed, h.failed));
    let (latencies, resolutions) = latencies(b, h, quantiles).into_iter().unzip();
    Raw {
        change: Change {
            status: Status::Same,
            significant: false,
            base: b.map(|s| s.counts),
            head: h.map(|s| s.counts),
            rate_per_s: Measure {
                base: b.and_then(|s| s.rate_per_s),
                head: h.and_then(|s| s.rate_per_s),
                test: rate_p.map(untold),
            },
            failed_ratio: Measure {
                base: b.and_then(|s| s.failed_ratio),
                head: h.and_then(|s| s.failed_ratio),
                test: failed_p.map(untold),
            },
            latencies,
        },
        resolutions,
    }
}

/// Each view that either window has, with the factor that its buckets can tell apart.
fn latencies(
    base: Option<&Sample<'_>>,
    head: Option<&Sample<'_>>,
    quantiles: &[Quantile],
) -> Vec<(LatencyChange, f64)> {
    let views = |sample: Option<&Sample<'_>>| sample.map_or(0, |s| s.latencies.len());
    let all = (0..views(base).max(views(head))).filter_map(|at| {
        let (b, h) = (
            base.and_then(|s| s.latencies.get(at)),
            head.and_then(|s| s.latencies.get(at)),
        );
        latency(b, h, quantiles)
    });
    all.collect()
}

fn latency(
    base: Option<&View<'_>>,
    head: Option<&View<'_>>,
    quantiles: &[Quantile],
) -> Option<(LatencyChange, f64)> {
    let histograms = base
        .and_then(|v| v.histogram)
        .zip(head.and_then(|v| v.histogram));
    let found = histograms.and_then(|(b, h)| distance(b, h));
    let latency = LatencyChange {
        of: head.or(base)?.of,
        base: base.and_then(|v| v.figures).cloned(),
        head: head.and_then(|v| v.figures).cloned(),
        judged: histograms.map_or(0, |(b, h)| judged(b.count.min(h.count), quantiles)),
        shape: found.map(|d| Shape {
            ks: d.ks,
            ks_p: d.ks_p,
            slow_p: d.slow_p,
        }),
        test: found.map(|d| untold(d.p())),
    };
    // Either estimate may be off by the error, in opposite directions.
    let scale = histograms.map(|(b, h)| b.scale.min(h.scale));
    let told_apart = scale.map_or(1.0, |s| (1.0 + max_relative_error(s)).powi(2));
    let any = latency.base.is_some() || latency.head.is_some();
    any.then_some((latency, told_apart))
}

/// How many quantiles, from the lowest, have enough of `count` calls beyond them; the lowest always counts.
fn judged(count: u64, quantiles: &[Quantile]) -> usize {
    let stands = |q: &&Quantile| q.beyond(count) >= LEAST_BEYOND;
    quantiles.iter().take_while(stands).count().max(1)
}

fn untold(p: f64) -> Test {
    Test {
        p,
        p_adjusted: p,
        changed: false,
    }
}
