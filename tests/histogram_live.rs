//! The live histogram and quantiles, against sorted lists of the recorded durations.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeMap;

use proptest::prelude::*;
use spangraph::graph::BlockPool;
use spangraph::graph::bucket;
use spangraph::graph::histogram::Histogram;
use spangraph::proto;
use spangraph::slice::quantile::{max_relative_error, quantile};

fn recorded(durations: &[u64], pool: &BlockPool) -> proto::Histogram {
    let mut histogram = Histogram::default();
    for ns in durations {
        histogram.record(*ns, pool);
    }
    let written = histogram.to_proto().unwrap();
    histogram.release(pool);
    written
}

/// The same by counting each bucket in a map, at the finest scale whose filled buckets span at most 320.
fn counted(durations: &[u64]) -> proto::Histogram {
    let positive: Vec<u64> = durations.iter().copied().filter(|ns| *ns > 0).collect();
    let mut buckets = BTreeMap::<i32, u64>::new();
    let mut scale = 4;
    loop {
        buckets.clear();
        for ns in &positive {
            *buckets
                .entry(bucket::index(*ns).div_euclid(1 << (4 - scale)))
                .or_default() += 1;
        }
        let span = buckets
            .keys()
            .next_back()
            .map_or(0, |hi| hi - buckets.keys().next().unwrap());
        if span < 320 {
            break;
        }
        scale -= 1;
    }
    let offset = buckets.keys().next().copied().unwrap_or(0);
    let end = buckets.keys().next_back().map_or(offset, |hi| hi + 1);
    proto::Histogram {
        scale,
        count: durations.len() as u64,
        sum_ns: durations
            .iter()
            .fold(0, |sum: u64, ns| sum.saturating_add(*ns)),
        min_ns: *durations.iter().min().unwrap(),
        max_ns: *durations.iter().max().unwrap(),
        zero_count: (durations.len() - positive.len()) as u64,
        offset,
        counts: (offset..end)
            .map(|i| buckets.get(&i).copied().unwrap_or(0))
            .collect(),
    }
}

fn duration() -> impl Strategy<Value = u64> {
    prop_oneof![
        8 => 100_000_u64..50_000_000,
        2 => (any::<u64>(), 0_u32..64).prop_map(|(bits, shift)| bits >> shift),
        1 => Just(0),
    ]
}

proptest! {
    /// Guarantees: nothing is dropped, whatever the range, and the scale is the finest that fits.
    #[test]
    fn every_duration_is_counted_in_its_bucket(durations in prop::collection::vec(duration(), 1..200)) {
        prop_assert_eq!(recorded(&durations, &BlockPool::default()), counted(&durations));
    }

    #[test]
    fn the_order_of_recording_never_shows(mut durations in prop::collection::vec(duration(), 1..200)) {
        let pool = BlockPool::default();
        let forwards = recorded(&durations, &pool);
        durations.reverse();
        let backwards = recorded(&durations, &pool);
        durations.sort_unstable();
        prop_assert_eq!(&forwards, &backwards);
        prop_assert_eq!(forwards, recorded(&durations, &pool));
    }

    /// Scenario: blocks that held other counts are taken from the pool again.
    #[test]
    fn a_block_used_again_remembers_nothing(first in prop::collection::vec(duration(), 1..100), second in prop::collection::vec(duration(), 1..100)) {
        let pool = BlockPool::default();
        recorded(&first, &pool);
        prop_assert_eq!(recorded(&second, &pool), counted(&second));
    }

    #[test]
    fn a_quantile_is_off_by_no_more_than_its_scale_allows(mut durations in prop::collection::vec(duration(), 1..300), q in 0.0_f64..1.0) {
        let histogram = recorded(&durations, &BlockPool::default());
        durations.sort_unstable();
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss, reason = "small")]
        let rank = ((q * durations.len() as f64).ceil() as usize).max(1);
        #[expect(clippy::cast_precision_loss, reason = "compared within a tolerance")]
        let exact = durations[rank - 1] as f64;
        let read = quantile(&histogram, q).unwrap();
        let allowed = exact * (max_relative_error(histogram.scale) + 1e-9);
        prop_assert!((read - exact).abs() <= allowed, "read {} for {}", read, exact);
    }
}

#[test]
fn the_error_at_scale_four_is_what_the_design_promises() {
    assert!((max_relative_error(4) - 0.021_66).abs() < 0.000_05);
}

#[test]
fn an_empty_histogram_has_no_quantile() {
    assert_eq!(quantile(&proto::Histogram::default(), 0.5), None);
    assert!(Histogram::default().to_proto().is_none());
}

#[test]
fn blocks_return_to_the_pool_and_are_used_again() {
    let pool = BlockPool::default();
    recorded(&[5_000_000], &pool);
    let held = pool.bytes();
    assert_eq!(held, 16 * 8, "one block of 16 buckets");
    recorded(&[7_000_000], &pool);
    assert_eq!(pool.bytes(), held);
}
