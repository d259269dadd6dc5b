//! Merging of histograms, for roll-ups and folded edges: the operators of slice.proto's `Histogram`.

use crate::proto::Histogram;

/// Most buckets of one histogram; more are halved in resolution, never dropped.
const MAX_BUCKETS: usize = 320;

/// Adds `from` to `into`; an absent or empty one is the identity.
pub(super) fn absorb(into: &mut Option<Histogram>, from: Option<Histogram>) {
    let Some(mut b) = from.filter(|b| b.count > 0) else {
        return;
    };
    let Some(a) = into.as_mut().filter(|a| a.count > 0) else {
        *into = Some(b);
        return;
    };
    let scale = a.scale.min(b.scale);
    downscale(a, scale);
    downscale(&mut b, scale);
    add_buckets(a, &b);
    a.count = a.count.saturating_add(b.count);
    a.sum_ns = a.sum_ns.saturating_add(b.sum_ns);
    a.zero_count = a.zero_count.saturating_add(b.zero_count);
    a.min_ns = a.min_ns.min(b.min_ns);
    a.max_ns = a.max_ns.max(b.max_ns);
    while a.counts.len() > MAX_BUCKETS {
        let coarser = a.scale - 1;
        downscale(a, coarser);
    }
}

/// Halves the resolution until `scale` is reached. Bucket i of the finer scale lies wholly in bucket i >> 1.
fn downscale(h: &mut Histogram, scale: i32) {
    let Ok(by) = u32::try_from(h.scale.saturating_sub(scale)) else {
        return;
    };
    let by = by.min(31);
    if by == 0 {
        return;
    }
    let first = h.offset >> by;
    let mut counts = Vec::with_capacity((h.counts.len() >> by) + 2);
    for (index, count) in (h.offset..).zip(&h.counts) {
        let slot = distance(first, index >> by);
        if counts.len() <= slot {
            counts.resize(slot + 1, 0_u64);
        }
        counts[slot] = counts[slot].saturating_add(*count);
    }
    h.scale = scale;
    h.offset = first;
    h.counts = counts;
}

/// Adds `b`'s buckets to `a`'s, both at one scale.
fn add_buckets(a: &mut Histogram, b: &Histogram) {
    if b.counts.is_empty() {
        return;
    }
    if a.counts.is_empty() {
        a.offset = b.offset;
    }
    if b.offset < a.offset {
        let missing = distance(b.offset, a.offset);
        a.counts.splice(0..0, std::iter::repeat_n(0, missing));
        a.offset = b.offset;
    }
    let shift = distance(a.offset, b.offset);
    if a.counts.len() < shift + b.counts.len() {
        a.counts.resize(shift + b.counts.len(), 0);
    }
    for (slot, count) in a.counts[shift..].iter_mut().zip(&b.counts) {
        *slot = slot.saturating_add(*count);
    }
}

/// Buckets from `low` up to `high`; 0 when they are the other way round.
fn distance(low: i32, high: i32) -> usize {
    usize::try_from(high.saturating_sub(low)).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// A histogram of `samples`, made by the definition of a bucket.
    fn of(samples: &[u64], scale: i32) -> Option<Histogram> {
        let indices: Vec<i32> = samples.iter().map(|ns| index(*ns, scale)).collect();
        let (low, high) = (*indices.iter().min()?, *indices.iter().max()?);
        let mut counts = vec![0; distance(low, high) + 1];
        for i in &indices {
            counts[distance(low, *i)] += 1;
        }
        Some(Histogram {
            scale,
            count: samples.len() as u64,
            sum_ns: samples.iter().sum(),
            min_ns: *samples.iter().min()?,
            max_ns: *samples.iter().max()?,
            zero_count: 0,
            offset: low,
            counts,
        })
    }

    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        reason = "test samples are small"
    )]
    fn index(ns: u64, scale: i32) -> i32 {
        let exact = (ns as f64 / 1e9).log2() * f64::from(scale).exp2();
        exact.ceil() as i32 - 1
    }

    proptest! {
        /// Scenario: samples are counted in two histograms of any two scales and merged.
        /// Guarantees: the result is that of counting them all at once at the coarser scale.
        #[test]
        fn merging_equals_counting_together(
            a in prop::collection::vec(1_000_000_u64..1_000_000_000, 0..40),
            b in prop::collection::vec(1_000_000_u64..1_000_000_000, 0..40),
            scales in (0_i32..4, 0_i32..4),
        ) {
            let mut merged = of(&a, scales.0);
            absorb(&mut merged, of(&b, scales.1));
            let scale = match (a.is_empty(), b.is_empty()) {
                (true, _) => scales.1,
                (_, true) => scales.0,
                _ => scales.0.min(scales.1),
            };
            let all: Vec<u64> = a.iter().chain(&b).copied().collect();
            prop_assert_eq!(merged, of(&all, scale));
        }
    }

    /// Scenario: two histograms at scale 4 whose samples lie 40 binary orders apart.
    /// Guarantees: the result stays within the bucket bound and loses no sample.
    #[test]
    fn a_wide_merge_is_coarser_but_complete() {
        let mut merged = of(&[1, 2], 4);
        absorb(&mut merged, of(&[1 << 40, 3 << 39], 4));
        let merged = merged.unwrap();
        assert!(merged.counts.len() <= MAX_BUCKETS);
        assert_eq!(merged.counts.iter().sum::<u64>(), 4);
        assert!(merged.scale < 4);
    }
}
