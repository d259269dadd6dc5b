//! The ring of sealed slices: what is held, in how many slots, and what goes when. For windows see `history_windows`.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use proptest::prelude::*;
use prost::Message;
use spangraph::history::{History, LONGEST_S, Resolved, WindowError};
use spangraph::proto;
use spangraph::slice::{Join, Sealed, join};

const DAY: u64 = 1_700_000_400;

/// A slice with a count of its own and a string table of some length.
fn sealed(second: u64, padding: usize) -> Sealed {
    let slice = proto::Slice {
        schema: 1,
        start_unix_s: second,
        end_unix_s: second + 1,
        monotonic_ns: 1_000_000_000,
        first_sequence: second,
        last_sequence: second,
        law: Some(proto::Law {
            decoded: 1 + second % 977,
            accepted: 1 + second % 977,
            ..proto::Law::default()
        }),
        strings: vec![format!("node-{}{}", second % 5, "x".repeat(padding))],
        nodes: vec![proto::Node {
            calls_no_caller: second % 31,
            first_seen_s: second,
            ..proto::Node::default()
        }],
        ..proto::Slice::default()
    };
    Sealed {
        start_unix_s: second,
        end_unix_s: second + 1,
        bytes: slice.encode_to_vec().into(),
    }
}

/// Pushes one slice for each second reached by the given steps.
fn filled(history: &History, steps: impl IntoIterator<Item = u64>) -> Vec<Sealed> {
    let mut second = DAY;
    let mut pushed = Vec::new();
    for step in steps {
        second += step;
        let slice = sealed(second, 0);
        history.push(&slice);
        pushed.push(slice);
    }
    pushed
}

/// The merge of the raw slices whose second lies in the resolved range.
fn raw(pushed: &[Sealed], resolved: &Resolved) -> proto::Slice {
    let range = resolved.start_unix_s..resolved.end_unix_s;
    let inside = pushed
        .iter()
        .filter(|slice| range.contains(&slice.start_unix_s));
    decoded(&join(Join::Then, inside.map(|slice| &*slice.bytes)).unwrap())
}

fn merged(resolved: &Resolved) -> proto::Slice {
    decoded(&join(Join::Then, resolved.slots.iter().map(|slot| &**slot)).unwrap())
}

fn decoded(bytes: &[u8]) -> proto::Slice {
    proto::Slice::decode(bytes).unwrap()
}

/// Mostly the next second; now and then a leap, as a clock step makes it.
fn step() -> impl Strategy<Value = u64> {
    prop_oneof![30 => Just(1_u64), 2 => 2_u64..12, 1 => 12_u64..1500]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(24) })]

    /// Guarantees: while slots roll down and none is dropped, every pushed second is held exactly once.
    #[test]
    fn nothing_is_lost_or_doubled_when_slots_roll_down(steps in prop::collection::vec(step(), 1..3000)) {
        let history = History::new(u64::MAX);
        let pushed = filled(&history, steps);
        let all = history.resolve(LONGEST_S, None).unwrap();
        let held: u64 = all.slots.iter().map(|slot| decoded(slot).law.unwrap().decoded).sum();
        let oldest = history.levels().iter().filter_map(|level| level.oldest_unix_s).min().unwrap();
        let since_oldest = pushed.iter().filter(|slice| slice.start_unix_s >= oldest);
        let in_window = since_oldest.filter(|slice| slice.start_unix_s >= all.start_unix_s);
        prop_assert_eq!(held, in_window.map(|slice| 1 + slice.start_unix_s % 977).sum::<u64>());
    }

    #[test]
    fn levels_do_not_overlap_and_keep_their_capacity(steps in prop::collection::vec(step(), 1..2000), bytes in 0_u64..200_000) {
        let history = History::new(bytes);
        filled(&history, steps);
        let levels = history.levels();
        for level in &levels {
            prop_assert!(level.slots <= level.capacity);
        }
        for (finer, coarser) in levels.iter().zip(&levels[1..]) {
            if let (Some(oldest), Some(newest)) = (finer.oldest_unix_s, coarser.newest_unix_s) {
                prop_assert!(newest <= oldest, "{:?} over {:?}", coarser, finer);
            }
        }
    }

    /// Scenario: a memory share too small for everything, down to nothing at all.
    /// Guarantees: the bytes stay within it unless only the floors are left.
    #[test]
    fn memory_stays_within_its_share_above_the_floors(share in 0_u64..60_000, seconds in 1_u64..3000) {
        let history = History::new(share);
        filled(&history, (0..seconds).map(|_| 1));
        let levels = history.levels();
        let bytes: u64 = levels.iter().map(|level| level.bytes).sum();
        // A floor may be exceeded by less than one slot of the next level: 9, 5 and 9 slots.
        let at_floors = levels[0].slots < 70 && levels[1].slots < 66 && levels[2].slots < 40 && levels[3].slots == 0;
        prop_assert!(bytes <= share || at_floors, "{} bytes in {:?}", bytes, levels);
    }
}

#[test]
fn memory_pressure_takes_resolution_first_and_never_the_floors() {
    let history = History::new(0);
    filled(&history, (0..30_000).map(|_| 1));
    let slots: Vec<usize> = history.levels().iter().map(|level| level.slots).collect();
    assert!((60..70).contains(&slots[0]), "{slots:?}");
    assert!((60..66).contains(&slots[1]), "{slots:?}");
    assert!((30..40).contains(&slots[2]), "{slots:?}");
    assert_eq!(slots[3], 0);
}

#[test]
fn a_long_window_is_answered_from_few_slots_that_lie_on_boundaries() {
    let history = History::new(u64::MAX);
    filled(&history, (0..10_000).map(|_| 1));
    let all = history.resolve(LONGEST_S, None).unwrap();
    let mut covered = DAY + 1;
    for slot in &all.slots {
        let slice = decoded(slot);
        let length = slice.end_unix_s - slice.start_unix_s;
        assert_eq!(slice.start_unix_s, covered, "no gap");
        covered = slice.end_unix_s;
        if slice.start_unix_s > DAY + 1 {
            assert_eq!(slice.start_unix_s % length, 0);
            assert!([1, 10, 60, 600].contains(&length));
        }
    }
    assert_eq!(covered, DAY + 10_001);
    let five_minutes = history.resolve(300, None).unwrap();
    assert!(
        five_minutes.slots.len() <= 40,
        "{}",
        five_minutes.slots.len()
    );
    assert_eq!(five_minutes.resolution_s, 10);
}

/// Guarantees: within the finest level a window is exact to the second, though groups of ten are kept merged beside.
#[test]
fn a_window_within_the_finest_level_is_exact_to_the_second() {
    let history = History::new(u64::MAX);
    let pushed = filled(&history, (0..300).map(|_| 1));
    let newest = DAY + 301;
    for window_s in 1..100 {
        let resolved = history.resolve(window_s, None).unwrap();
        assert_eq!(
            (resolved.start_unix_s, resolved.end_unix_s),
            (newest - window_s, newest)
        );
        assert_eq!(merged(&resolved), raw(&pushed, &resolved));
    }
}

#[test]
fn windows_that_cannot_be_answered_say_why() {
    let history = History::new(u64::MAX);
    assert_eq!(
        history.resolve(60, None).unwrap_err(),
        WindowError::NotReady
    );
    filled(&history, [1, 1, 1]);
    assert_eq!(
        history.resolve(LONGEST_S + 1, None).unwrap_err(),
        WindowError::TooLong {
            asked_s: LONGEST_S + 1,
            longest_s: 94_620
        }
    );
    let oldest = WindowError::Expired {
        oldest_unix_s: DAY + 1,
    };
    assert_eq!(history.resolve(60, Some(DAY + 1)).unwrap_err(), oldest);
    assert_eq!(
        history.resolve(60, Some(DAY + 2)).unwrap().slots.len(),
        1,
        "held in part"
    );
    assert!(
        history
            .resolve(60, Some(DAY + 1000))
            .unwrap()
            .slots
            .is_empty(),
        "after all that is held"
    );
}

/// Scenario: a slice that begins before the last one ended, which a sealer never makes.
/// Guarantees: nothing is lost and seconds stay in order.
#[test]
fn a_slice_of_a_second_already_held_is_joined_to_it() {
    let history = History::new(u64::MAX);
    for second in [DAY, DAY + 1, DAY + 1, DAY + 2] {
        history.push(&sealed(second, 0));
    }
    let all = history.resolve(60, None).unwrap();
    assert_eq!(history.levels()[0].slots, 3);
    assert_eq!(
        merged(&all).law.unwrap().decoded,
        [DAY, DAY + 1, DAY + 1, DAY + 2]
            .map(|s| 1 + s % 977)
            .iter()
            .sum::<u64>()
    );
}

#[test]
fn a_slot_that_does_not_decode_is_left_out_and_counted() {
    let history = History::new(u64::MAX);
    for second in DAY..DAY + 130 {
        let mut slice = sealed(second, 0);
        if second == DAY + 3 {
            slice.bytes = vec![0xff; 9].into();
        }
        history.push(&slice);
    }
    assert_eq!(history.unreadable(), 1);
}

#[tokio::test]
async fn a_reader_is_woken_by_the_next_slice() {
    let history = std::sync::Arc::new(History::new(u64::MAX));
    let seen = history.version();
    let waiting = tokio::spawn({
        let history = std::sync::Arc::clone(&history);
        async move { history.changed(seen).await }
    });
    history.push(&sealed(DAY, 0));
    waiting.await.unwrap();
    assert_eq!(history.version(), seen + 1);
    history.changed(seen).await;
}
