//! Classic histograms with bounds of 2^-10 … 2^5 seconds. They follow exactly from exponential buckets, whose bounds
//! are all powers of two at scale 0 and finer ones in between at higher scales: no sample is ever split.

use crate::proto;

/// Finite bounds; bound `i` is 2^(i - 10) seconds, inclusive.
pub const BOUNDS: usize = 16;

/// log2 of the first bound in seconds.
const FIRST: i32 = -10;

/// A trace that shows what a number means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Sample {
    /// Unix second in which it was recorded. First, so that the newest is the greatest.
    pub second: u64,
    /// Of the call.
    pub duration_ns: u64,
    /// Its trace.
    pub trace: [u8; 16],
    /// Its span.
    pub span: [u8; 8],
}

/// Samples by duration, with the newest exemplar of each bucket.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Classic {
    /// By bucket, not cumulative; the last holds what is above every bound.
    counts: [u64; BOUNDS + 1],
    sum_ns: u64,
    /// At most one for each bucket, by bucket.
    exemplars: Vec<(usize, Sample)>,
}

// === impl Sample ===

impl Sample {
    /// `None` when an id has the wrong length.
    pub(super) fn read(exemplar: &proto::Exemplar) -> Option<Self> {
        Some(Self {
            second: exemplar.second,
            duration_ns: exemplar.duration_ns,
            trace: exemplar.trace_id.as_slice().try_into().ok()?,
            span: exemplar.span_id.as_slice().try_into().ok()?,
        })
    }
}

// === impl Classic ===

impl Classic {
    /// Samples so far.
    pub fn count(&self) -> u64 {
        self.counts.iter().fold(0, |sum, n| sum.saturating_add(*n))
    }

    /// Their sum; exact.
    pub fn sum_ns(&self) -> u64 {
        self.sum_ns
    }

    /// For each bound, and at last for all samples: how many lie at or below, and the exemplar of the bucket it ends.
    pub fn cumulative(&self) -> impl Iterator<Item = (u64, Option<&Sample>)> {
        let mut below = 0_u64;
        self.counts.iter().enumerate().map(move |(bucket, count)| {
            below = below.saturating_add(*count);
            let of_bucket = self.exemplars.iter().find(|(at, _)| *at == bucket);
            (below, of_bucket.map(|(_, sample)| sample))
        })
    }

    /// Adds an exponential histogram, and the exemplar where it is one of its samples: its greatest, since that is the
    /// only one that can be known again.
    pub(super) fn add(&mut self, histogram: &proto::Histogram, slowest: Option<&Sample>) {
        self.sum_ns = self.sum_ns.saturating_add(histogram.sum_ns);
        self.count_in(0, histogram.zero_count);
        for (index, count) in (histogram.offset..).zip(&histogram.counts) {
            self.count_in(bucket_of_index(index, histogram.scale), *count);
        }
        if let Some(sample) = slowest.filter(|sample| sample.duration_ns == histogram.max_ns) {
            self.show(bucket_of_ns(sample.duration_ns), *sample);
        }
    }

    /// Adds another.
    pub(super) fn absorb(&mut self, other: &Self) {
        self.sum_ns = self.sum_ns.saturating_add(other.sum_ns);
        for (bucket, count) in other.counts.iter().enumerate() {
            self.count_in(bucket, *count);
        }
        for (bucket, sample) in &other.exemplars {
            self.show(*bucket, *sample);
        }
    }

    fn count_in(&mut self, bucket: usize, count: u64) {
        self.counts[bucket] = self.counts[bucket].saturating_add(count);
    }

    /// Keeps the newer of two.
    fn show(&mut self, bucket: usize, sample: Sample) {
        match self.exemplars.iter_mut().find(|(at, _)| *at == bucket) {
            Some((_, known)) => *known = sample.max(*known),
            None => self.exemplars.push((bucket, sample)),
        }
    }
}

/// The bucket that wholly holds exponential bucket `index`: at scale s, 2^s of them lie between two powers of two.
/// Below scale 0, which no histogram of at most 320 buckets reaches, samples count at their upper bound.
fn bucket_of_index(index: i32, scale: i32) -> usize {
    let octave = match u32::try_from(scale) {
        Ok(finer) => index >> finer.min(31),
        Err(_) => (index.saturating_add(1))
            .saturating_mul(1 << scale.unsigned_abs().min(16))
            .saturating_sub(1),
    };
    // The octave above 2^k ends at 2^(k+1).
    let bucket = octave.saturating_add(1).saturating_sub(FIRST);
    usize::try_from(bucket).unwrap_or(0).min(BOUNDS)
}

/// The bucket of one duration, compared in whole numbers: bound i is 10^9 * 2^i / 1024 nanoseconds.
fn bucket_of_ns(ns: u64) -> usize {
    let scaled = u128::from(ns) << FIRST.unsigned_abs();
    let holds = |bound: &usize| scaled <= 1_000_000_000_u128 << bound;
    (0..BOUNDS).find(holds).unwrap_or(BOUNDS)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Guarantees: at and beside every bound, the exponential bucket of a duration lies in that duration's classic
    /// bucket, at every scale a histogram can have.
    #[test]
    fn both_ways_to_a_bucket_agree() {
        for scale in 0..=4_i32 {
            for octave in -16..9_i32 {
                let bound = f64::from(octave).exp2() * 1e9;
                // Bucket i ends at 2^((i+1)/2^scale): the one ending at this bound, and the one after.
                let ends_here = (octave << scale) - 1;
                #[expect(
                    clippy::cast_possible_truncation,
                    clippy::cast_sign_loss,
                    reason = "below 2^39"
                )]
                let (at, above) = (bound.floor() as u64, bound.floor() as u64 + 1);
                assert_eq!(
                    bucket_of_ns(at),
                    bucket_of_index(ends_here, scale),
                    "2^{octave} at {scale}"
                );
                assert_eq!(
                    bucket_of_ns(above),
                    bucket_of_index(ends_here + 1, scale),
                    "above 2^{octave} at {scale}"
                );
            }
        }
    }

    #[test]
    fn a_histogram_loses_no_sample_and_counts_up() {
        let mut classic = Classic::default();
        let histogram = proto::Histogram {
            scale: 4,
            count: 9,
            sum_ns: 77,
            zero_count: 2,
            offset: -3,
            counts: vec![1, 0, 2, 4],
            ..proto::Histogram::default()
        };
        classic.add(&histogram, None);
        classic.add(&histogram, None);
        assert_eq!((classic.count(), classic.sum_ns()), (18, 154));
        let below: Vec<u64> = classic.cumulative().map(|(n, _)| n).collect();
        // 2^-10 … 2^-1 hold the zeros, 1 s ends three buckets, 2 s the fourth.
        assert_eq!(below, [vec![4; 10], vec![10], vec![18; 6]].concat());
    }
}
