//! How many calls one sampled call stands for (R14).

use std::num::NonZeroU32;

/// 1/p of the sampling probability p: at least 1, at most [`Weight::MOST`].
///
/// Exact to 2^-20 below 128 and for powers of two; above, kept to 27 bits. A mantissa below a shift of five bits, so
/// that weights compare as their bits do.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Weight(NonZeroU32);

/// Fraction bits of the fixed point in which weights are summed.
const FRACTION: u32 = 20;
/// Bits of a mantissa.
const MANTISSA: u32 = 27;
/// Bits of a rejection threshold, in hex digits.
const THRESHOLD_DIGITS: usize = 14;

// === impl Weight ===

impl Weight {
    /// Of a call that is not sampled, or that does not say so.
    pub const ONE: Self = Self(NonZeroU32::new(1 << FRACTION).expect("not zero"));
    /// The greatest: a call sampled more rarely counts as this many, lest one span outweigh all others.
    pub const MOST: u64 = 1 << 20;

    /// The weight at a sampling probability; `None` for what is none: zero, negative, above one, not a number.
    pub fn of_probability(probability: f64) -> Option<Self> {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            clippy::cast_precision_loss,
            reason = "at least 2^20, and saturates"
        )]
        let fixed = ((1_u64 << FRACTION) as f64 / probability).round() as u64;
        (probability > 0.0 && probability <= 1.0).then(|| Self::of_fixed(fixed))
    }

    /// The weight at the rejection threshold T that a W3C tracestate holds as `ot=…th:T…`: one to fourteen hex digits,
    /// zeros left out at the end, p = 1 - T / 2^56
    /// (<https://opentelemetry.io/docs/specs/otel/trace/tracestate-probability-sampling/>). `None` without one.
    pub fn of_tracestate(state: &[u8]) -> Option<Self> {
        let mut members = state.split(|byte| *byte == b',').map(<[u8]>::trim_ascii);
        let ours = members.find_map(|member| member.strip_prefix(b"ot="))?;
        let mut fields = ours.split(|byte| *byte == b';');
        let digits = fields.find_map(|field| field.strip_prefix(b"th:"))?;
        if digits.is_empty() || digits.len() > THRESHOLD_DIGITS {
            return None;
        }
        let mut rejected = 0_u64;
        for digit in digits {
            let value = match digit {
                b'0'..=b'9' => digit - b'0',
                b'a'..=b'f' => digit - b'a' + 10,
                _ => return None,
            };
            rejected = rejected << 4 | u64::from(value);
        }
        rejected <<= 4 * (THRESHOLD_DIGITS - digits.len());
        let accepted = u128::from((1_u64 << 56) - rejected);
        let fixed = ((1_u128 << (56 + FRACTION)) + accepted / 2) / accepted;
        Some(Self::of_fixed(u64::try_from(fixed).unwrap_or(u64::MAX)))
    }

    /// The weight in fixed point, 2^-20.
    pub fn fixed(self) -> u64 {
        let code = self.0.get();
        u64::from(code & ((1 << MANTISSA) - 1)) << (code >> MANTISSA)
    }

    /// The nearest weight to one in fixed point.
    pub(crate) fn of_fixed(fixed: u64) -> Self {
        let fixed = fixed.clamp(1 << FRACTION, Self::MOST << FRACTION);
        let mut shift = (u64::BITS - fixed.leading_zeros()).saturating_sub(MANTISSA);
        let mut mantissa = (fixed + (1 << shift >> 1)) >> shift;
        if mantissa >> MANTISSA != 0 {
            (mantissa, shift) = (mantissa >> 1, shift + 1);
        }
        #[expect(clippy::cast_possible_truncation, reason = "27 bits")]
        let code = shift << MANTISSA | mantissa as u32;
        NonZeroU32::new(code).map_or(Self::ONE, Self)
    }
}

impl Default for Weight {
    fn default() -> Self {
        Self::ONE
    }
}

impl std::fmt::Debug for Weight {
    #[expect(clippy::cast_precision_loss, reason = "at most 41 bits")]
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.fixed() as f64 / f64::from(1_u32 << FRACTION))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const ONE: u64 = 1 << 20;

    fn of_tracestate(state: &str) -> Option<u64> {
        Weight::of_tracestate(state.as_bytes()).map(Weight::fixed)
    }

    /// Guarantees: thresholds are read as the specification's examples have them, wherever they stand, and nothing else.
    #[test]
    fn a_threshold_is_read_from_the_ot_entry() {
        for (state, expected) in [
            ("ot=th:0", Some(ONE)),
            ("ot=th:8", Some(2 * ONE)),
            ("ot=th:c", Some(4 * ONE)),
            ("ot=th:c0000000000000", Some(4 * ONE)),
            ("ot=th:fd70a3d70a3d71", Some(100 * ONE)),
            ("vendor=th:c, ot=rv:0123456789abcd;th:e ,x=1", Some(8 * ONE)),
            ("ot=th:4", Some(1_398_101)),
            ("ot=th:ffffffffffffff", Some(ONE << 20)),
            ("ot=th:", None),
            ("ot=th:c00000000000000", None),
            ("ot=th:C", None),
            ("ot=th:-8", None),
            ("ot=rv:8", None),
            ("vendor=th:c", None),
            ("", None),
        ] {
            assert_eq!(of_tracestate(state), expected, "{state}");
        }
    }

    #[test]
    fn what_is_no_probability_says_nothing() {
        let of = |p: f64| Weight::of_probability(p).map(Weight::fixed);
        for p in [0.0, -0.5, 1.5, f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            assert_eq!(of(p), None, "{p}");
        }
        assert_eq!(of(1.0), Some(ONE));
        assert_eq!(of(0.1), Some(10 * ONE));
        assert_eq!(of(0.001), Some(1_000 * ONE));
        assert_eq!(of(f64::MIN_POSITIVE), Some(ONE << 20));
    }

    proptest! {
        /// Guarantees: the stated precision, powers of two exact, order kept.
        #[test]
        fn weights_are_kept_to_27_bits_and_in_order(a in ONE..=ONE << 20, b in ONE..=ONE << 20, power in 20..=40_u32) {
            let (kept, other) = (Weight::of_fixed(a), Weight::of_fixed(b));
            prop_assert!(kept.fixed().abs_diff(a) <= a >> 27);
            prop_assert!(a >= 128 * ONE || kept.fixed() == a);
            prop_assert_eq!(kept.cmp(&other), kept.fixed().cmp(&other.fixed()));
            prop_assert_eq!(Weight::of_fixed(1 << power).fixed(), 1 << power);
        }
    }
}
