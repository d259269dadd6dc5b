//! The pairing cases, as data: each forward and reversed, split and whole, over several shard counts, with and without
//! early settling.

#![allow(unreachable_pub, clippy::unwrap_used, reason = "test code")]
#![allow(dead_code, reason = "the case reader offers more than is needed here")]

#[path = "common/cases.rs"]
mod cases;
#[path = "common/drive.rs"]
mod drive;
#[path = "common/said.rs"]
mod said;

use std::fmt::Write as _;

use std::collections::BTreeSet;

use cases::{Case, CaseSpan, ExpectedEdge};
use drive::{Answer, Drive};

/// Each arrival order that must give the same answer.
fn orders(case: &Case) -> Vec<(String, Vec<CaseSpan>)> {
    let mut forward = case.spans.clone();
    forward.sort_by_key(|span| span.at_ms);
    let mut reversed: Vec<CaseSpan> = case.spans.iter().rev().cloned().collect();
    reversed.sort_by_key(|span| span.at_ms);
    vec![
        ("forward".to_owned(), forward),
        ("reversed".to_owned(), reversed),
    ]
}

fn ids_are_unshared(case: &Case) -> bool {
    let ids: BTreeSet<_> = case
        .spans
        .iter()
        .map(|span| (&span.trace, &span.span))
        .collect();
    ids.len() == case.spans.len()
}

/// A span that is its own second apart from the one before, whatever the case says.
fn one_second_apart(spans: &[CaseSpan]) -> Vec<CaseSpan> {
    let shift = |(second, span): (u64, &CaseSpan)| CaseSpan {
        at_ms: 1_000 * second,
        ..span.clone()
    };
    (0..).zip(spans).map(shift).collect()
}

fn drives(case: &Case) -> Vec<(String, Drive, Vec<CaseSpan>)> {
    let mut all = Vec::new();
    for (order, spans) in orders(case) {
        for shards in [1, 2, 7, 64] {
            for whole in [false, true] {
                let drive = Drive {
                    shards,
                    whole,
                    sdk: false,
                };
                all.push((format!("{order}, {drive:?}"), drive, spans.clone()));
            }
        }
        if ids_are_unshared(case) {
            let drive = Drive {
                shards: 2,
                whole: false,
                sdk: true,
            };
            all.push((format!("{order}, {drive:?}"), drive, spans.clone()));
        }
        if case.timed {
            continue;
        }
        let drive = Drive {
            shards: 2,
            whole: false,
            sdk: false,
        };
        all.push((
            format!("{order}, a second apart"),
            drive,
            one_second_apart(&spans),
        ));
    }
    all
}

fn list(edges: &[ExpectedEdge]) -> String {
    edges.iter().fold(String::new(), |mut list, edge| {
        write!(list, "\n    {edge:?}").unwrap();
        list
    })
}

fn difference(case: &Case, answer: &Answer) -> Option<String> {
    let mut expected = case.expect.edges.clone();
    expected.sort();
    let mut wrong = String::new();
    if answer.edges != expected {
        let (expected, got) = (list(&expected), list(&answer.edges));
        write!(wrong, "\n  expected{expected}\n  got{got}").unwrap();
    }
    for (counter, count) in &case.expect.counters {
        let got = answer.counter(counter);
        if got != *count {
            write!(wrong, "\n  {counter}: expected {count}, got {got}").unwrap();
        }
    }
    let no_topics = BTreeSet::new();
    for (edge, expected) in &case.expect.destinations {
        let got = answer.destinations.get(edge).unwrap_or(&no_topics);
        if got != expected {
            write!(
                wrong,
                "\n  topics of {edge}: expected {expected:?}, got {got:?}"
            )
            .unwrap();
        }
    }
    for (edge, expected) in &case.expect.samples {
        let got = answer.samples.get(edge);
        if got != Some(expected) {
            write!(
                wrong,
                "\n  samples of {edge}: expected {expected:?}, got {got:?}"
            )
            .unwrap();
        }
    }
    (!wrong.is_empty()).then_some(wrong)
}

/// Scenario: every case, in every order, split, shard count and settling mode.
/// Guarantees: the edges and counters the case expects; the law in every slice.
#[test]
fn every_case_gives_its_edges_in_every_order() {
    let (mut runs, mut wrong) = (0, String::new());
    let mut cases = cases::load();
    cases.extend(cases::load_from("pairing_more.json"));
    for case in &cases {
        for (how, drive, spans) in drives(case) {
            runs += 1;
            let answer = drive.run(case, &spans);
            if let Some(difference) = difference(case, &answer) {
                write!(wrong, "\n{} ({how}){difference}", case.name).unwrap();
            }
        }
    }
    let decisions = cases.iter().filter(|case| case.decided.is_some());
    said::say(&format!(
        "{} pairing cases in {runs} runs; {} of them decide what the rules leave open",
        cases.len(),
        decisions.count()
    ));
    assert!(wrong.is_empty(), "{wrong}");
}
