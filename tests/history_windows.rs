//! What a window is answered with, against the plain list of every second: never from after its end, whole, of equal
//! length where two are compared, and the same for as long as was promised.
#![allow(clippy::unwrap_used, reason = "a failed step is a failed test")]

mod history_support;

use bytes::Bytes;
use history_support::{FIRST, Past, merged, step};
use proptest::prelude::*;
use spangraph::history::{Ends, Resolved, WindowError};

/// Bytes that hold everything, or so few that slots roll up early and go.
fn share() -> impl Strategy<Value = u64> {
    prop_oneof![Just(u64::MAX), 5_000_u64..60_000]
}

/// Where the base of a comparison ends.
#[derive(Debug, Clone, Copy)]
enum Base {
    Unnamed,
    /// So many seconds before the head begins.
    Before(u64),
    /// So many seconds before the newest.
    Ago(u64),
}

fn base() -> impl Strategy<Value = Base> {
    prop_oneof![
        Just(Base::Unnamed),
        (0_u64..300).prop_map(Base::Before),
        (0_u64..9000).prop_map(Base::Ago),
    ]
}

/// What every answer must be, whatever was asked.
fn holds_what_it_says(past: &Past, answer: &Resolved, window_s: u64, asked_end: u64) {
    let (start, end) = (answer.start_unix_s, answer.end_unix_s);
    assert_eq!(merged(answer), past.plain(answer));
    assert!(end <= asked_end, "ends {} s too late", end - asked_end);
    assert!(
        start + window_s <= end,
        "{start}..{end} is short of {window_s} s"
    );
    // A slice of many seconds is in it whole or not at all.
    for slice in past.inside(answer) {
        assert!(slice.end_unix_s <= end, "{slice:?} reaches over {end}");
    }
    let mut held = past
        .pushed
        .iter()
        .filter(|s| s.start_unix_s >= past.oldest());
    let cut = held.find(|s| (s.start_unix_s + 1..s.end_unix_s).contains(&start));
    assert!(cut.is_none(), "{cut:?} is cut at {start}");
}

/// What must not change while an answer is steady: what a body shows, and the slots of a history.
fn told(answer: &Resolved) -> (u64, u64, u64, u64, Vec<Bytes>) {
    let (start, end) = (answer.start_unix_s, answer.end_unix_s);
    let slots = answer.slots.clone();
    (start, end, answer.resolution_s, answer.revision, slots)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(24) })]

    /// Scenario: any past, with leaps and backward steps of the clock and any memory; any window into it.
    /// Guarantees: the answer is the plain merge of the seconds it names; it holds nothing from after its end and cuts
    /// no slice; it is as long as asked. It is refused only when what is held begins in the last slot before its end.
    #[test]
    fn any_window_is_the_plain_merge_of_the_seconds_it_names(
        steps in prop::collection::vec(step(), 1..2500),
        share in share(),
        windows in prop::collection::vec((1_u64..4000, 0_u64..9000), 1..16),
    ) {
        let past = Past::of(share, steps);
        for (window_s, ago) in windows {
            let end = past.newest() - ago;
            match past.history.resolve(window_s, Some(end)) {
                Ok(answer) => holds_what_it_says(&past, &answer, window_s, end),
                Err(refused) => {
                    prop_assert_eq!(refused, WindowError::Expired { oldest_unix_s: past.oldest() });
                    prop_assert!(end < past.oldest() + 600 + 90, "{} is held", end);
                }
            }
        }
    }

    /// Guarantees: of two windows to be compared each is a window as above; both are of one length; and they have no
    /// second in common unless those asked for had one.
    #[test]
    fn two_windows_are_equally_long_and_apart_when_those_asked_for_are(
        steps in prop::collection::vec(step(), 1..2500),
        share in share(),
        pairs in prop::collection::vec((1_u64..2000, base(), 0_u64..5000), 1..16),
    ) {
        let past = Past::of(share, steps);
        for (window_s, base, head_ago) in pairs {
            let head_end = past.newest() - head_ago;
            let base_end = match base {
                Base::Unnamed => None,
                Base::Before(gap_s) => Some(head_end - window_s - gap_s),
                Base::Ago(ago) => Some(past.newest() - ago),
            };
            let ends = Ends { base: base_end, head: Some(head_end) };
            let [base, head] = match past.history.resolve_pair(window_s, ends) {
                Ok(pair) => pair,
                Err(refused) => {
                    prop_assert_eq!(refused, WindowError::Expired { oldest_unix_s: past.oldest() });
                    continue;
                }
            };
            let base_end = base_end.unwrap_or(head_end - window_s);
            holds_what_it_says(&past, &base, window_s, base_end);
            holds_what_it_says(&past, &head, window_s, head_end);
            let length = |of: &Resolved| of.end_unix_s - of.start_unix_s;
            prop_assert_eq!(length(&base), length(&head));
            if base_end.abs_diff(head_end) >= window_s {
                let apart = base.end_unix_s <= head.start_unix_s || head.end_unix_s <= base.start_unix_s;
                prop_assert!(apart, "{:?} and {:?}", told(&base), told(&head));
            }
        }
    }

    /// Scenario: questions asked at any time, while slices go on coming and memory lasts.
    /// Guarantees: asked again, each gives the same slots until the second it names.
    #[test]
    fn an_answer_stays_the_same_for_as_long_as_it_says(
        steps in prop::collection::vec(step(), 200..2500),
        more in prop::collection::vec(step(), 1..400),
        windows in prop::collection::vec((1_u64..4000, prop::option::of(0_u64..4000), 0_u64..4000), 1..12),
    ) {
        let mut past = Past::of(u64::MAX, steps);
        let newest = past.newest();
        let ask = |past: &Past, (window_s, base_ago, ago): (u64, Option<u64>, u64)| {
            let end = newest - ago;
            let Some(base_ago) = base_ago else {
                return past.history.resolve(window_s, Some(end)).map(|one| vec![one]);
            };
            let ends = Ends { base: Some(newest - base_ago), head: Some(end) };
            past.history.resolve_pair(window_s, ends).map(Vec::from)
        };
        let all = |answers: &[Resolved]| answers.iter().map(told).collect::<Vec<_>>();
        let first = windows.into_iter().filter_map(|window| Some((window, ask(&past, window).ok()?)));
        let first: Vec<_> = first.collect();
        for step in more {
            past.push(step);
            for (window, answers) in &first {
                let until = answers.iter().map(|a| a.steady_until_unix_s).min().unwrap();
                prop_assert!(until > newest);
                if past.newest() < until {
                    prop_assert_eq!(all(&ask(&past, *window).unwrap()), all(answers));
                }
            }
        }
    }
}

/// Guarantees: with a second for every second, no window moves further than it has to: not at all within the finest
/// level, and by less than one slot elsewhere.
#[test]
fn a_window_moves_by_less_than_one_slot() {
    let past = Past::seconds(11_000);
    let newest = past.newest();
    for (ago, slot_s) in [
        (0, 1),
        (60, 1),
        (150, 10),
        (600, 10),
        (3000, 60),
        (9000, 600),
    ] {
        for end in newest - ago - 30..=newest - ago {
            for window_s in [1, 7, 60, 100] {
                let answer = past.history.resolve(window_s, Some(end)).unwrap();
                let coarsest = answer.resolution_s;
                assert!(end - answer.end_unix_s < slot_s, "{ago} {window_s}");
                let longer = answer.end_unix_s - answer.start_unix_s - window_s;
                assert!(longer < coarsest, "{ago} {window_s}: {longer} s longer");
            }
        }
    }
}

/// Scenario: a window of a minute that ends in the middle of a slot of ten, long ago.
/// Guarantees: the answer is the ten minutes before that slot: the last whole slot by the end asked for.
#[test]
fn a_window_shorter_than_its_slot_is_the_last_slot_that_ends_in_time() {
    let past = Past::seconds(12_000);
    let slot = (past.newest() - 9_000) / 600 * 600;
    for end in slot..slot + 600 {
        let answer = past.history.resolve(60, Some(end)).unwrap();
        let range = (answer.start_unix_s, answer.end_unix_s);
        assert_eq!(range, (slot - 600, slot));
        assert_eq!(answer.resolution_s, 600);
        assert_eq!(merged(&answer), past.plain(&answer));
    }
}

/// Scenario: now against the same time two and a half hours ago, when slots are ten minutes long.
/// Guarantees: both are ten minutes long; the head lacks less than one of the slots that it begins in, not ten minutes.
#[test]
fn now_can_be_compared_with_long_ago() {
    let past = Past::seconds(12_000);
    let newest = past.newest();
    let ends = Ends {
        base: Some(newest - 9_000),
        head: None,
    };
    let [base, head] = past.history.resolve_pair(300, ends).unwrap();
    assert_eq!(base.end_unix_s, (newest - 9_000) / 600 * 600);
    assert_eq!(base.end_unix_s - base.start_unix_s, 600);
    assert_eq!(head.end_unix_s - head.start_unix_s, 600);
    assert!(newest - head.end_unix_s < 10);
    assert_eq!(merged(&head), past.plain(&head));
}

/// Scenario: both windows lie in gaps of the clock, each before slots that are going to roll up.
/// Guarantees: they are as long as asked, whatever the slots after them become.
#[test]
fn what_comes_after_a_gap_makes_no_window_longer() {
    let mut past = Past::seconds(300);
    let gap = past.next + 100;
    past.push((1_000, 1));
    for _ in 0..2_000 {
        past.push((0, 1));
        let ends = Ends {
            base: Some(gap + 500),
            head: Some(gap + 7),
        };
        let answers = past.history.resolve_pair(3, ends).unwrap();
        let told = answers.map(|answer| told(&answer));
        let empty = |end: u64| (end - 3, end, 1, 0, Vec::new());
        assert_eq!(told, [empty(gap + 500), empty(gap + 7)]);
    }
}

/// Guarantees: the window just before another one touches it.
#[test]
fn a_base_that_is_not_named_ends_where_the_head_begins() {
    let past = Past::seconds(3_000);
    for window_s in [1, 15, 60, 100, 300, 700] {
        for ago in [0, 3, 200, 500] {
            let head = Some(past.newest() - ago);
            let ends = Ends { base: None, head };
            let [base, head] = past.history.resolve_pair(window_s, ends).unwrap();
            assert_eq!(base.end_unix_s, head.start_unix_s, "{window_s} {ago}");
        }
    }
}

/// Guarantees: where only a slot is left that ends after the window does, it is refused with the oldest second.
#[test]
fn a_window_that_ends_inside_the_oldest_slot_is_refused() {
    let past = Past::seconds(3_000);
    let oldest_unix_s = FIRST;
    let first_end = FIRST / 60 * 60 + 60;
    for end in [FIRST - 1, FIRST, FIRST + 1, first_end - 1] {
        let refused = past.history.resolve(30, Some(end)).unwrap_err();
        assert_eq!(refused, WindowError::Expired { oldest_unix_s }, "{end}");
        let head = Some(end);
        let ends = Ends { base: None, head };
        let refused = past.history.resolve_pair(30, ends).unwrap_err();
        assert_eq!(refused, WindowError::Expired { oldest_unix_s }, "{end}");
    }
    let answer = past.history.resolve(30, Some(first_end)).unwrap();
    assert_eq!(merged(&answer), past.plain(&answer));
    assert_eq!(answer.slots.len(), 1);
}

/// Guarantees: the same with a second for every second, when slots roll up as early as they can.
#[test]
fn an_answer_stays_the_same_when_no_second_is_missing() {
    let mut past = Past::seconds(1_200);
    let mut asked: Vec<(u64, u64, Resolved)> = Vec::new();
    for n in 0..1_800 {
        for grid in [1, 10, 60] {
            let (window_s, end) = (
                1 + n * 37 % 200,
                (past.newest() - n * 53 % 400) / grid * grid,
            );
            let answer = past.history.resolve(window_s, Some(end)).unwrap();
            asked.push((window_s, end, answer));
        }
        past.push((0, 1));
        asked.retain(|(.., answer)| past.newest() < answer.steady_until_unix_s);
        for (window_s, end, answer) in &asked {
            let again = past.history.resolve(*window_s, Some(*end)).unwrap();
            assert_eq!(told(&again), told(answer), "{window_s} s by {end}");
        }
    }
}

/// Guarantees: what lies in the coarsest slots is steady until the history is full; the newest second is not.
#[test]
fn old_answers_are_steady_and_new_ones_are_not() {
    let past = Past::seconds(12_000);
    let (history, newest) = (&past.history, past.newest());
    let old = history.resolve(600, Some(newest - 9_600)).unwrap();
    assert!(old.steady_until_unix_s > newest + 3_600);
    let recent = history.resolve(60, Some(newest - 5)).unwrap();
    assert!(recent.steady_until_unix_s <= newest + 61);
    let short = Past::of(0, (0..2_000).map(|_| (0, 1)));
    let old = short.history.resolve(60, Some(short.newest() - 900));
    assert_eq!(old.unwrap().steady_until_unix_s, short.newest() + 1);
}
