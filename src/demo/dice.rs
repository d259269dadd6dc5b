//! Chance with a seed: the same seed, the same shop. No secret depends on it.

use std::time::Duration;

/// `SplitMix64` (Steele, Lea, Flood: *Fast splittable pseudorandom number generators*, 2014).
#[derive(Debug, Clone)]
pub(super) struct Dice {
    state: u64,
}

// === impl Dice ===

impl Dice {
    pub(super) fn new(seed: u64) -> Self {
        Self { state: seed }
    }

    /// 64 bits.
    pub(super) fn bits(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// An id: 64 bits, not all zero.
    pub(super) fn id(&mut self) -> u64 {
        self.bits().max(1)
    }

    /// From 0 to below 1.
    fn unit(&mut self) -> f64 {
        let high = u32::try_from(self.bits() >> 32).unwrap_or(u32::MAX);
        f64::from(high) / (f64::from(u32::MAX) + 1.0)
    }

    /// Below `end`; 0 when that is 0.
    pub(super) fn below(&mut self, end: u64) -> u64 {
        // The high half of the product is as even as anyone here can see (Lemire, 2019, without the rejection).
        let product = u128::from(self.bits()) * u128::from(end);
        u64::try_from(product >> 64).unwrap_or_default()
    }

    /// True in so many of a hundred cases.
    pub(super) fn percent(&mut self, percent: f64) -> bool {
        self.unit() * 100.0 < percent
    }

    /// A duration as services have them: half below `typical`, now and then three times as long, never above twenty
    /// times. In nanoseconds.
    pub(super) fn around(&mut self, typical: Duration) -> u64 {
        // Log-normal; four uniform numbers make a normal one well enough, and bound it: e^(0.45 * 3.47) is below 5.
        let normal: f64 = (0..4).map(|_| self.unit() - 0.5).sum::<f64>() * 3_f64.sqrt();
        let factor = (normal * 0.45).exp().min(20.0);
        u64::try_from(typical.mul_f64(factor).as_nanos()).unwrap_or(u64::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_says_everything() {
        let three = |seed| {
            let mut dice = Dice::new(seed);
            [dice.bits(), dice.id(), dice.below(1_000)]
        };
        assert_eq!(three(7), three(7));
        assert_ne!(three(7), three(8));
        // The first output for seed 0, as published with the reference implementation.
        assert_eq!(Dice::new(0).bits(), 0xe220_a839_7b1d_cdaf);
    }

    #[test]
    fn numbers_stay_in_their_bounds_and_about_their_middle() {
        let mut dice = Dice::new(1);
        let typical = Duration::from_millis(100);
        let times: Vec<u64> = (0..10_000).map(|_| dice.around(typical)).collect();
        let below = times.iter().filter(|ns| **ns < 100_000_000).count();
        assert!((4_700..5_300).contains(&below), "{below}");
        let range = 15_000_000..500_000_000;
        assert!(times.iter().all(|ns| range.contains(ns)));
        let hits = (0..10_000).filter(|_| dice.percent(20.0)).count();
        assert!((1_800..2_200).contains(&hits), "{hits}");
        assert!((0..10_000).all(|_| dice.below(3) < 3));
        assert_eq!(dice.below(0), 0);
    }
}
