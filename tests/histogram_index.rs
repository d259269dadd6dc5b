//! The bucket of a duration, against exact arithmetic on big integers.
//!
//! Border `k` is 2^(k/16) s, so with whole nanoseconds `v <= border` means `v^16 <= 2^k * 10^144`: no roots, no floats.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::cmp::Ordering;

use proptest::prelude::*;
use spangraph::graph::bucket::{border_ns, index};

/// A natural number, least significant digit first, base 2^32, no leading zeros.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Natural(Vec<u32>);

impl Natural {
    fn times(mut self, factor: u32) -> Self {
        let mut carry = 0_u64;
        for digit in &mut self.0 {
            carry += u64::from(*digit) * u64::from(factor);
            *digit = u32::try_from(carry & 0xffff_ffff).unwrap();
            carry >>= 32;
        }
        if carry > 0 {
            self.0.push(u32::try_from(carry).unwrap());
        }
        self
    }

    fn product(&self, other: &Self) -> Self {
        let mut digits = vec![0_u32; self.0.len() + other.0.len()];
        for (i, a) in self.0.iter().enumerate() {
            let mut carry = 0_u64;
            for (j, b) in other.0.iter().enumerate() {
                carry += u64::from(digits[i + j]) + u64::from(*a) * u64::from(*b);
                digits[i + j] = u32::try_from(carry & 0xffff_ffff).unwrap();
                carry >>= 32;
            }
            digits[i + other.0.len()] = u32::try_from(carry).unwrap();
        }
        while digits.last() == Some(&0) {
            digits.pop();
        }
        Self(digits)
    }

    fn pow16(ns: u64) -> Self {
        let mut power = Self(vec![
            u32::try_from(ns & 0xffff_ffff).unwrap(),
            u32::try_from(ns >> 32).unwrap(),
        ]);
        for _ in 0..4 {
            power = power.product(&power);
        }
        power
    }

    fn shifted(self, bits: u32) -> Self {
        (0..bits).fold(self, |n, _| n.times(2))
    }

    fn compare(&self, other: &Self) -> Ordering {
        (self.0.len().cmp(&other.0.len()))
            .then_with(|| self.0.iter().rev().cmp(other.0.iter().rev()))
    }
}

/// Compares a duration with border `k`.
fn against_border(ns: u64, k: i32) -> Ordering {
    let giga = (0..144).fold(Natural(vec![1]), |n, _| n.times(10));
    let power = Natural::pow16(ns);
    if k >= 0 {
        power.compare(&giga.shifted(k.unsigned_abs()))
    } else {
        power.shifted(k.unsigned_abs()).compare(&giga)
    }
}

fn in_bucket(ns: u64, i: i32) -> bool {
    against_border(ns, i) == Ordering::Greater && against_border(ns, i + 1) != Ordering::Greater
}

/// Guarantees: no duration can stand on the wrong side of a border, over all that 64 bits of nanoseconds can say.
#[test]
fn every_border_is_the_greatest_whole_nanosecond_not_above_it() {
    for k in -480..=546 {
        let ns = border_ns(k);
        assert_ne!(against_border(ns, k), Ordering::Greater, "border {k}");
        if ns < u64::MAX {
            assert_eq!(against_border(ns + 1, k), Ordering::Greater, "border {k}");
        }
    }
}

#[test]
fn durations_beside_every_border_fall_on_its_right_side() {
    for k in -480..=546 {
        let ns = border_ns(k);
        for near in [ns.saturating_sub(1), ns, ns.saturating_add(1)] {
            if near > 0 {
                assert!(in_bucket(near, index(near)), "{near} ns beside border {k}");
            }
        }
    }
}

#[test]
fn every_small_and_every_extreme_duration_has_its_bucket() {
    for ns in (1..3000).chain([u64::MAX, u64::MAX - 1, 1 << 63, (1 << 63) - 1]) {
        assert!(in_bucket(ns, index(ns)), "{ns} ns");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]
    #[test]
    fn any_duration_lies_in_its_bucket(bits in any::<u64>(), shift in 0_u32..64) {
        let ns = (bits >> shift).max(1);
        prop_assert!(in_bucket(ns, index(ns)), "{} ns", ns);
    }
}
