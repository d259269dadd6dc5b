//! The core against the rules written down once more (`common/oracle`): random systems, random seconds of arrival,
//! random orders, splits, encodings and shard counts.

#![allow(unreachable_pub, clippy::unwrap_used, reason = "test code")]

#[path = "common/oracle/mod.rs"]
mod oracle;
#[path = "common/said.rs"]
mod said;
#[path = "common/served.rs"]
mod served;
#[path = "common/systems/mod.rs"]
mod systems;

use std::cell::Cell;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use oracle::Answer;
use proptest::prelude::*;
use proptest::test_runner::{RngAlgorithm, TestCaseError, TestError, TestRng, TestRunner};
use systems::{System, Way};

/// Whether random systems are also remembered for longer than messages wait.
const LONG_RETENTION: bool = true;

/// Systems tried unless `PAIRING_CASES` says otherwise. They are the same ones each time; another `PAIRING_SEED`, a whole
/// number, gives others: `PAIRING_CASES=1000000 PAIRING_SEED=$RANDOM cargo test --test pairing_model -- --nocapture`.
const CASES: u32 = 10_000;

/// Each tries its share of the systems.
const THREADS: u32 = 4;

/// What differs, in lines; empty when nothing does.
fn difference(expected: &Answer, served: &Answer) -> String {
    let mut lines = String::new();
    compare(&mut lines, &expected.edges, &served.edges);
    compare(&mut lines, &expected.nodes, &served.nodes);
    compare(&mut lines, &expected.outcomes, &served.outcomes);
    compare(&mut lines, &expected.classes, &served.classes);
    compare(&mut lines, &expected.seconds, &served.seconds);
    let rest = |answer: &Answer| {
        BTreeMap::from([
            ("negative_duration", answer.negative_duration),
            ("negative_gap", answer.negative_gap),
            ("clock_skew", answer.clock_skew),
            ("unresolved_links", answer.unresolved_links),
        ])
    };
    compare(&mut lines, &rest(expected), &rest(served));
    lines
}

fn compare<K, V>(lines: &mut String, expected: &BTreeMap<K, V>, served: &BTreeMap<K, V>)
where
    K: Ord + std::fmt::Debug,
    V: PartialEq + std::fmt::Debug,
{
    for key in expected
        .keys()
        .chain(served.keys().filter(|key| !expected.contains_key(key)))
    {
        let (rules, core) = (expected.get(key), served.get(key));
        if rules != core {
            write!(
                lines,
                "\n  {key:?}\n    rules {rules:?}\n    core  {core:?}"
            )
            .unwrap();
        }
    }
}

/// Where the core and the rules differ, if they do.
fn disagreement(system: &System, way: &Way) -> Option<String> {
    let lines =
        std::panic::catch_unwind(|| difference(&system.answer(), &served::served(system, way)));
    let lines = lines.unwrap_or_else(|_| "\n  panicked".to_owned());
    Some(lines).filter(|lines| !lines.is_empty())
}

/// What the threads have in common.
#[derive(Debug, Default)]
struct Progress {
    systems: AtomicU64,
    spans: AtomicU64,
    /// One thread found a difference: the others need not go on.
    found: AtomicBool,
}

/// Scenario: any system of services, with everything that goes wrong in real ones, arriving around the ends of waits;
/// any order inside a second, any split into requests, any number of shards.
/// Guarantees: the calls, failures, samples and outcomes that the rules say, and the law in every slice.
#[test]
fn the_core_agrees_with_the_rules_on_random_systems() {
    let chosen = |name| {
        let text = std::env::var(name).ok();
        text.map(|text| text.parse::<u32>().unwrap())
    };
    let each = chosen("PAIRING_CASES").unwrap_or(CASES).div_ceil(THREADS);
    let seed = chosen("PAIRING_SEED").unwrap_or(0);
    let progress = Progress::default();
    let found: Vec<String> = std::thread::scope(|scope| {
        let run = |thread: u32| {
            let progress = &progress;
            scope.spawn(move || search(runner(thread, each, seed), progress))
        };
        let threads: Vec<_> = (0..THREADS).map(run).collect();
        let join = |thread: std::thread::ScopedJoinHandle<'_, _>| thread.join().unwrap();
        threads.into_iter().filter_map(join).collect()
    });
    let count = |of: &AtomicU64| of.load(Ordering::Relaxed);
    said::say(&format!(
        "{} random systems of {} spans, compared with the oracle",
        count(&progress.systems),
        count(&progress.spans)
    ));
    assert!(found.is_empty(), "{}", found.join("\n"));
}

fn runner(thread: u32, cases: u32, seed: u32) -> TestRunner {
    let config = ProptestConfig {
        cases,
        failure_persistence: None,
        max_shrink_iters: 1_000,
        // ChaCha without optimisation takes longer than everything else together.
        rng_algorithm: RngAlgorithm::XorShift,
        ..ProptestConfig::default()
    };
    let seed = (u128::from(seed) << 64 | u128::from(thread + 1)).to_le_bytes();
    TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::XorShift, &seed))
}

/// The simplest difference it finds, in lines.
fn search(mut runner: TestRunner, progress: &Progress) -> Option<String> {
    let any = (systems::system(LONG_RETENTION), systems::way());
    let mine = Cell::new(false);
    let result = runner.run(&any, |(system, way)| {
        if progress.found.load(Ordering::Relaxed) && !mine.get() {
            return Ok(());
        }
        progress.systems.fetch_add(1, Ordering::Relaxed);
        let spans = system.spans.len() as u64;
        progress.spans.fetch_add(spans, Ordering::Relaxed);
        match disagreement(&system, &way) {
            None => Ok(()),
            Some(lines) => {
                let first = !progress.found.swap(true, Ordering::Relaxed);
                mine.set(mine.get() || first);
                Err(TestCaseError::fail(lines))
            }
        }
    });
    match result {
        Ok(()) => None,
        Err(TestError::Fail(_, (system, way))) => Some(simplest(system, &way)),
        Err(other) => Some(other.to_string()),
    }
}

/// The simplest system on which they still differ, and how.
fn simplest(mut system: System, way: &Way) -> String {
    for _ in 0..200 {
        let simpler = |next: &System| disagreement(next, way).is_some();
        let Some(next) = system.simpler().find(simpler) else {
            break;
        };
        system = next;
    }
    let lines = disagreement(&system, way).unwrap_or_default();
    format!("{way:?}{system:?}\n{lines}")
}
