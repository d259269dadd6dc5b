//! The engine under a scheduler that switches threads at every lock: two writers, the sealer and a reader, in thousands
//! of random interleavings and in those that few switches reach (probabilistic concurrency testing).
//!
//! `cargo test --features shuttle --test core_shuttle`

#![allow(unreachable_pub, clippy::unwrap_used, reason = "test code")]
#![allow(dead_code, reason = "the case reader offers more than is needed here")]

#[path = "common/cases.rs"]
mod cases;
#[path = "common/drive.rs"]
mod drive;

use std::sync::Arc;

use cases::{CaseLink, CaseSpan, Ids};
use prost::Message as _;
use shuttle::scheduler::{PctScheduler, RandomScheduler};
use shuttle::{Config, Runner, thread};
use spangraph::core::{Core, Scratch};
use spangraph::otlp::Encoding;
use spangraph::pairing::Rules;
use spangraph::proto::{Law, Origin, Slice};
use spangraph::slice::law;

const ITERATIONS: usize = 1_500;
/// Calls that are there to be found: three pairs by parent, three by link.
const CALLS: u64 = 6;

fn trace(number: u64) -> String {
    format!("{number:032x}")
}

fn span(number: u64, kind: &str, id: &str, parent: Option<&str>) -> CaseSpan {
    CaseSpan {
        trace: trace(number),
        span: id.to_owned(),
        parent: parent.map(str::to_owned),
        service: Some(kind.to_lowercase()),
        kind: kind.to_owned(),
        name: String::new(),
        start_ms: 0,
        end_ms: 1,
        status: "UNSET".to_owned(),
        ..CaseSpan::default()
    }
}

/// What the callers and the called send, three requests each: a CLIENT and a PRODUCER, and those who answer them. The
/// consumer's trace is another than its producer's, so its link crosses shards.
fn requests() -> [Vec<Vec<u8>>; 2] {
    let mut ids = Ids::default();
    let mut encode = |spans: [CaseSpan; 2]| cases::request(&spans, &mut ids, true).encode_to_vec();
    let mut sides = [Vec::new(), Vec::new()];
    for pair in 1..=3 {
        let (sent, taken) = (100 + pair, 200 + pair);
        sides[0].push(encode([
            span(pair, "CLIENT", "c", None),
            span(sent, "PRODUCER", "p", None),
        ]));
        let link = CaseLink {
            trace: trace(sent),
            span: "p".to_owned(),
            times: 1,
        };
        sides[1].push(encode([
            span(pair, "SERVER", "s", Some("c")),
            CaseSpan {
                links: vec![link],
                ..span(taken, "CONSUMER", "m", None)
            },
        ]));
    }
    sides
}

fn write(core: &Core, requests: &[Vec<u8>]) {
    let mut scratch = Scratch::default();
    for (second, request) in (0_u64..).zip(requests) {
        let at = drive::at_ms(1_000 * second);
        core.apply(request, Encoding::Protobuf, &mut scratch, at)
            .unwrap();
    }
}

/// What a reader may count on at any moment.
fn read(core: &Core) {
    let gauges = core.gauges().pairing;
    assert!(gauges.pending <= 12);
    let totals = core.totals();
    let outcomes = totals.outcomes.unwrap_or_default();
    let unpaired = outcomes.unpaired_client + outcomes.unpaired_server;
    let decided = outcomes.paired + outcomes.r#virtual + unpaired;
    assert_eq!(
        decided + totals.pending_after,
        totals.accepted,
        "{totals:?}"
    );
    thread::yield_now();
}

/// Bytes of a pairing share that holds everything, and of one that does not hold the spans of one side.
const ROOMY: u64 = 64 << 20;
const TIGHT: u64 = 1 << 10;

/// The law's terms at the end, and how many calls were found.
fn scenario(pairing_bytes: u64) -> (Law, u64) {
    let rules = Rules {
        wait: 4,
        messaging_wait: 4,
        retain: 2,
        ..Rules::default()
    };
    let core = Arc::new(drive::core_of(rules, 2, pairing_bytes));
    let writers = requests().map(|requests| {
        let core = Arc::clone(&core);
        thread::spawn(move || write(&core, &requests))
    });
    let reader = thread::spawn({
        let core = Arc::clone(&core);
        move || (0..3).for_each(|_| read(&core))
    });
    let mut slices = Vec::new();
    for second in 1..4 {
        slices.extend(core.advance(drive::at_ms(1_000 * second)));
    }
    for writer in writers {
        writer.join().unwrap();
    }
    reader.join().unwrap();
    slices.extend(core.advance(drive::at_ms(20_000)));
    let mut calls = 0;
    for slice in &slices {
        let slice = Slice::decode(slice.bytes.clone()).unwrap();
        assert_eq!(law::check(&slice), Vec::<String>::new());
        calls += slice.edges.iter().map(|e| e.seen_both).sum::<u64>();
    }
    let totals = core.totals();
    assert_eq!((totals.accepted, totals.pending_after), (12, 0));
    (totals, calls)
}

fn explore(scenario: impl Fn() + Send + Sync + Clone + 'static) {
    Runner::new(RandomScheduler::new(ITERATIONS), Config::default()).run(scenario.clone());
    Runner::new(PctScheduler::new(3, ITERATIONS), Config::default()).run(scenario);
}

/// Scenario: halves of calls, links across traces, sealing and reading, in any interleaving of their locks.
/// Guarantees: no deadlock; the law in every slice and at every reading; each call is found once.
#[test]
fn any_interleaving_of_writers_sealer_and_reader_finds_each_call_once() {
    explore(|| {
        let (law, calls) = scenario(ROOMY);
        assert_eq!((law.evicted, calls), (0, CALLS));
    });
}

/// Scenario: the same with so little room that shards are taken out to make some, and that who brings spans waits.
/// Guarantees: no deadlock; the law in every slice and at every reading; every span is decided, early or not.
#[test]
fn any_interleaving_where_room_is_short_decides_every_span() {
    explore(|| {
        let (law, calls) = scenario(TIGHT);
        assert!(law.evicted > 0 && calls <= CALLS, "{law:?} {calls}");
    });
}

/// Scenario: checkpoints are taken while writers, with too little room, have spans decided early.
/// Guarantees: each adds up, so that it can be restored: no span is in it both as waiting and as decided.
#[test]
fn a_checkpoint_adds_up_however_room_is_made_meanwhile() {
    explore(|| {
        let rules = Rules {
            wait: 4,
            messaging_wait: 4,
            retain: 2,
            ..Rules::default()
        };
        let core = Arc::new(drive::core_of(rules.clone(), 4, TIGHT / 2));
        let writers = requests().map(|requests| {
            let core = Arc::clone(&core);
            thread::spawn(move || write(&core, &requests))
        });
        for _ in 0..4 {
            let bytes = core.checkpoint();
            let config = drive::config_of(rules.clone(), 4, TIGHT / 2);
            let restored = Core::restore(config, Origin::default(), &bytes, drive::at_ms(3_000));
            assert!(restored.is_ok(), "{restored:?}");
        }
        for writer in writers {
            writer.join().unwrap();
        }
    });
}
