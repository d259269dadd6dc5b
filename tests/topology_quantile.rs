//! Quantiles against the sorted samples themselves.
#![allow(clippy::unwrap_used, reason = "a failed step is a failed test")]

mod read_support;

use proptest::prelude::*;
use read_support::histogram;
use spangraph::topology::{Quantile, estimate_ns, estimates_ns, max_relative_error};

proptest! {
    /// Guarantees: the estimate of any quantile is within the promised relative error of the sample of rank ⌈q·n⌉, at
    /// every scale, and within the extremes.
    #[test]
    #[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, reason = "small test data")]
    fn an_estimate_is_within_its_error(
        mut samples in prop::collection::vec(1_000_u64..100_000_000_000, 1..200),
        thousandths in 1_u32..1_000,
        scale in 0_i32..6,
    ) {
        let h = histogram(&samples, scale).unwrap();
        let quantile = Quantile::parse(&format!("0.{thousandths:03}")).unwrap();
        let estimate = estimate_ns(&h, quantile).unwrap();
        samples.sort_unstable();
        let rank = (u64::from(thousandths) * samples.len() as u64).div_ceil(1_000);
        let truth = samples[rank as usize - 1] as f64;
        prop_assert!((estimate / truth - 1.0).abs() <= max_relative_error(scale) + 1e-9, "{estimate} {truth}");
        prop_assert!(estimate >= samples[0] as f64 && estimate <= samples[samples.len() - 1] as f64);
    }
}

#[test]
fn scale_four_promises_two_point_two_percent() {
    assert!(max_relative_error(4) <= 0.022);
}

#[test]
fn zero_samples_are_zero_and_no_samples_are_nothing() {
    let h = histogram(&[0, 0, 0, 5_000_000], 4).unwrap();
    let quantiles = [Quantile::P50, Quantile::P99];
    assert_eq!(estimates_ns(&h, &quantiles), Some(vec![0.0, 5_000_000.0]));
    assert_eq!(
        estimates_ns(&spangraph::proto::Histogram::default(), &quantiles),
        None
    );
}

#[test]
fn a_quantile_is_named_by_its_percent() {
    let name = |text| Quantile::parse(text).map(|q| (q.percent_key(), q.label(), q.fraction()));
    let named =
        |key: &str, label: &str, f: &str| Some((key.to_owned(), label.to_owned(), f.to_owned()));
    assert_eq!(name("0.5"), named("50", "p50", "0.5"));
    assert_eq!(name(".999"), named("99_9", "p99.9", "0.999"));
    assert_eq!(name("0.05"), named("5", "p5", "0.05"));
    assert_eq!(name("0.001"), named("0_1", "p0.1", "0.001"));
    for wrong in [
        "",
        "0",
        "1",
        "0.0",
        "1.0",
        "-0.5",
        "0.5x",
        "0.",
        "5e-1",
        "0.1234567890",
        "95",
    ] {
        assert_eq!(Quantile::parse(wrong), None, "{wrong}");
    }
}
