//! Merging slices, against maps by string keys filled through prost's own decoder.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "slice_model/make.rs"]
mod make;
#[path = "slice_model/read.rs"]
mod read;
mod slice_model;

use proptest::prelude::*;
use prost::Message;
use read::read;
use slice_model::Model;
use spangraph::slice::{Accumulator, Join, MergeError, beside, join, then};

fn encoded(seed: u64, second: u64) -> Vec<u8> {
    make::slice(seed, second, "digest").encode_to_vec()
}

/// Slices of seconds after each other, or of one second.
fn several(seeds: &[u64], by: Join) -> Vec<Vec<u8>> {
    let second = |at: u64| if by == Join::Then { 1000 + at } else { 1000 };
    (0..)
        .zip(seeds)
        .map(|(at, seed)| encoded(*seed, second(at)))
        .collect()
}

fn naive(slices: &[Vec<u8>], by: Join) -> Model {
    let models = slices.iter().map(|slice| read(slice));
    models.reduce(|a, b| a.merge(b, by)).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn a_merge_in_time_is_what_the_table_of_operators_says(seeds in prop::collection::vec(any::<u64>(), 1..8)) {
        let slices = several(&seeds, Join::Then);
        let merged = join(Join::Then, slices.iter().map(Vec::as_slice)).unwrap();
        prop_assert_eq!(read(&merged), naive(&slices, Join::Then));
    }

    #[test]
    fn a_merge_of_origins_is_what_the_table_of_operators_says(seeds in prop::collection::vec(any::<u64>(), 1..8)) {
        let slices = several(&seeds, Join::Beside);
        let merged = join(Join::Beside, slices.iter().map(Vec::as_slice)).unwrap();
        prop_assert_eq!(read(&merged), naive(&slices, Join::Beside));
    }

    #[test]
    fn beside_is_associative_and_commutative_to_the_byte(seeds in any::<[u64; 3]>()) {
        let [a, b, c] = seeds.map(|seed| encoded(seed, 1000));
        let left = beside(&beside(&a, &b).unwrap(), &c).unwrap();
        let right = beside(&a, &beside(&b, &c).unwrap()).unwrap();
        prop_assert_eq!(&left, &right);
        prop_assert_eq!(&left, &beside(&c, &beside(&b, &a).unwrap()).unwrap());
    }

    #[test]
    fn then_follows_the_seconds_and_not_the_order_of_its_arguments(seeds in any::<[u64; 3]>()) {
        let slices = several(&seeds, Join::Then);
        let [a, b, c] = [&slices[0], &slices[1], &slices[2]];
        let left = then(&then(a, b).unwrap(), c).unwrap();
        prop_assert_eq!(&left, &then(a, &then(b, c).unwrap()).unwrap());
        prop_assert_eq!(&left, &then(&then(c, a).unwrap(), b).unwrap());
    }

    #[test]
    fn the_empty_merge_is_the_identity(seed in any::<u64>()) {
        let slice = encoded(seed, 1000);
        for by in [Join::Then, Join::Beside] {
            let identity = Accumulator::new(by).finish_encoded();
            let alone = join(by, [&*slice]).unwrap();
            prop_assert_eq!(read(&alone), read(&slice));
            prop_assert_eq!(&join(by, [&*identity, &*slice]).unwrap(), &alone);
            prop_assert_eq!(&join(by, [&*alone, &*identity]).unwrap(), &alone);
        }
    }

    /// Scenario: bytes changed, cut or inserted anywhere.
    /// Guarantees: an answer or an error, never a panic, and what is accepted can be merged again.
    #[test]
    fn damaged_slices_are_refused_or_read_but_never_fatal(seed in any::<u64>(), changes in prop::collection::vec((any::<usize>(), any::<u8>()), 1..6), cut in any::<usize>()) {
        let mut slice = encoded(seed, 1000);
        for (at, byte) in changes {
            let at = at % slice.len();
            slice[at] = byte;
        }
        if cut % 4 == 0 {
            slice.truncate(cut % slice.len());
        }
        let mut merged = Accumulator::new(Join::Then);
        merged.add(&encoded(seed ^ 1, 1001)).unwrap();
        if merged.add(&slice).is_ok() {
            let written = merged.finish_encoded();
            prop_assert!(join(Join::Then, [&*written]).is_ok());
        }
    }

    #[test]
    fn any_bytes_are_refused_or_read_but_never_fatal(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = Accumulator::new(Join::Then).add(&bytes);
        let mut with_schema = vec![8, 1];
        with_schema.extend(bytes);
        let _ = Accumulator::new(Join::Beside).add(&with_schema);
    }
}

#[test]
fn origins_under_different_configurations_do_not_merge() {
    let a = make::slice(1, 1000, "one").encode_to_vec();
    let b = make::slice(2, 1000, "two").encode_to_vec();
    let refused = MergeError::ConfigDigest {
        a: "one".into(),
        b: "two".into(),
    };
    assert_eq!(beside(&a, &b), Err(refused));
    assert!(
        then(&a, &b).is_ok(),
        "a restart under a new configuration goes on in time"
    );
}

#[test]
fn an_unknown_schema_is_refused() {
    let slice = spangraph::proto::Slice {
        schema: 2,
        ..make::slice(1, 1000, "")
    }
    .encode_to_vec();
    assert_eq!(
        then(&slice, &slice),
        Err(MergeError::Malformed("schema 2 is not known here".into()))
    );
}

/// Scenario: more rows of unpaired spans than a slice may carry, spread over two slices.
/// Guarantees: the smallest keys stay and no span is lost from the count.
#[test]
fn unpaired_rows_beyond_the_cap_are_summed() {
    let make = |from: u32| {
        let strings = (0..800)
            .map(|n| format!("name-{:05}", from + n))
            .chain(["svc".into()])
            .collect();
        let row = |n| spangraph::proto::UnpairedRow {
            span_name_ref: n,
            count: 2,
            sample_trace_id: vec![1; 16],
            ..Default::default()
        };
        spangraph::proto::Slice {
            schema: 1,
            end_unix_s: 1,
            strings,
            nodes: vec![spangraph::proto::Node {
                id_ref: 800,
                name_ref: 800,
                ..Default::default()
            }],
            unpaired: (0..800).map(row).collect(),
            ..Default::default()
        }
        .encode_to_vec()
    };
    let merged = read(&beside(&make(0), &make(800)).unwrap());
    assert_eq!(merged.unpaired.len(), 1000);
    assert_eq!(merged.unpaired_other, 600 * 2);
    assert_eq!(merged.unpaired.keys().next_back().unwrap().2, "name-00999");
}
