//! Merging slices, against maps by string keys filled through prost's own decoder.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "slice_model/make.rs"]
mod make;
#[path = "slice_model/read.rs"]
mod read;
mod slice_model;

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use prost::Message;
use read::read;
use slice_model::Model;
use spangraph::proto::{self, UnpairedRow};
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
    let slice = proto::Slice {
        schema: 2,
        ..make::slice(1, 1000, "")
    }
    .encode_to_vec();
    assert_eq!(
        then(&slice, &slice),
        Err(MergeError::Malformed("schema 2 is not known here".into()))
    );
}

/// A slice with these unpaired spans: service, kind, number of the span name if it has one of its own, how many.
fn unpaired(second: u64, rows: &BTreeMap<(u32, u32, Option<u32>), u64>) -> Vec<u8> {
    let text = |n: u32| format!("{n:06}");
    let mut strings: BTreeSet<String> = BTreeSet::from(["reason".to_owned()]);
    for (node, _, name) in rows.keys() {
        strings.extend([Some(text(*node)), name.map(text)].into_iter().flatten());
    }
    let strings: Vec<String> = strings.into_iter().collect();
    let at = |text: &String| u32::try_from(strings.binary_search(text).unwrap()).unwrap();
    let nodes: BTreeSet<u32> = rows.keys().map(|key| key.0).collect();
    let place = |node: &u32| u32::try_from(nodes.range(..node).count()).unwrap();
    let row = |((node, kind, name), count): (&(u32, u32, Option<u32>), &u64)| UnpairedRow {
        node: place(node),
        kind: *kind,
        span_name_ref: name.map_or(0, |name| at(&text(name))),
        reason_ref: at(&"reason".to_owned()),
        count: *count,
        sample_trace_id: vec![u8::try_from(count % 251).unwrap(); 16],
        further_names: name.is_none(),
    };
    proto::Slice {
        schema: 1,
        start_unix_s: second,
        end_unix_s: second + 1,
        unpaired: rows.iter().map(row).collect(),
        nodes: nodes
            .iter()
            .map(|node| proto::Node {
                id_ref: at(&text(*node)),
                name_ref: at(&text(*node)),
                ..Default::default()
            })
            .collect(),
        strings: strings.clone(),
        ..Default::default()
    }
    .encode_to_vec()
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(12) })]

    /// Scenario: more rows of unpaired spans than a slice may carry, with and without span names, of few services or of
    /// very many, spread over slices.
    /// Guarantees: however they are put together the result is that of the model, and no span is lost from the count.
    #[test]
    fn unpaired_rows_beyond_the_cap_are_summed_alike_in_any_grouping(
        services in prop::sample::select(vec![2_u32, 900, 3_000]),
        drawn in prop::collection::vec((0_u32..3_000, 1_u32..5, prop::option::weighted(0.8, 0_u32..3_000), 1_u64..50), 1_500..4_000),
        joins in prop::collection::vec(any::<prop::sample::Index>(), 3),
    ) {
        let mut parts = vec![BTreeMap::new(); 4];
        for (at, (service, kind, name, count)) in drawn.iter().enumerate() {
            *parts[at % 4].entry((service % services, *kind, *name)).or_default() += count;
        }
        let mut slices: Vec<Vec<u8>> = (0..).zip(&parts).map(|(second, part)| unpaired(second, part)).collect();
        let all = slices.iter().map(|bytes| read(bytes));
        let model = all.reduce(|a, b| a.merge(b, Join::Then)).unwrap();
        for join in joins {
            let at = join.index(slices.len() - 1);
            let second = slices.remove(at + 1);
            slices[at] = then(&slices[at], &second).unwrap().to_vec();
        }
        let merged = read(&slices[0]);
        let spans = merged.unpaired.values().map(|row| row.0).sum::<u64>() + merged.unpaired_other;
        prop_assert_eq!(spans, drawn.iter().map(|row| row.3).sum::<u64>());
        prop_assert_eq!((&merged.unpaired, merged.unpaired_other), (&model.unpaired, model.unpaired_other));
    }
}
