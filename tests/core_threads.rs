//! The core under threads: writers, readers and a sealer at once while seconds pass, with both halves of every call, and
//! every link and its target, coming from different writers.

#![allow(unreachable_pub, clippy::unwrap_used, reason = "test code")]
#![allow(dead_code, reason = "the case reader offers more than is needed here")]

#[path = "common/cases.rs"]
mod cases;
#[path = "common/drive.rs"]
mod drive;

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use cases::{CaseLink, CaseSpan, ExpectedEdge, Ids};
use drive::Answer;
use prost::Message as _;
use spangraph::core::{Core, Scratch};
use spangraph::otlp::Encoding;
use spangraph::pairing::Rules;
use spangraph::proto::{Law, Slice};
use spangraph::slice::Join;
use spangraph::slice::{Sealed, join, law};

const WRITERS: u64 = 8;
const READERS: u64 = 4;
/// Two requests each.
const ROUNDS: u64 = 40;
/// Calls, and messages, of one writer in one round.
const CALLS: u64 = 8;
const REQUESTS: u64 = WRITERS * ROUNDS * 2;
const SPANS: u64 = REQUESTS * CALLS * 2;
/// Over which the requests are spread, by how many were taken.
const SECONDS: u64 = 40;

const CALLER: &str = "caller";

/// What the threads share.
struct Run {
    core: Core,
    now_ms: AtomicU64,
    taken: AtomicU64,
    sealed: Mutex<Vec<Sealed>>,
}

/// Everything that was sealed, and the law's terms at the end.
struct Ran {
    slices: Vec<Slice>,
    totals: Law,
}

// === impl Run ===

impl Run {
    /// Runs all threads until every request is taken, then lets every wait elapse.
    fn whole(rules: Rules, shards: usize) -> Ran {
        let after = u64::from(rules.messaging_wait.max(rules.wait)) + 2;
        let run = Self {
            core: drive::core(rules, shards),
            now_ms: AtomicU64::new(0),
            taken: AtomicU64::new(0),
            sealed: Mutex::default(),
        };
        std::thread::scope(|scope| {
            for _ in 0..READERS {
                scope.spawn(|| run.read());
            }
            for writer in 0..WRITERS {
                let run = &run;
                scope.spawn(move || run.write(writer));
            }
            run.seal();
        });
        let end = drive::at_ms(1_000 * (SECONDS + after));
        let mut sealed = run.sealed.into_inner().unwrap();
        sealed.extend(run.core.advance(end));
        let decode = |slice: &Sealed| Slice::decode(slice.bytes.clone()).unwrap();
        Ran {
            slices: sealed.iter().map(decode).collect(),
            totals: run.core.totals(),
        }
    }

    fn seal(&self) {
        let mut second = 0;
        while self.going() {
            let due = self.taken.load(Ordering::Relaxed) * SECONDS / REQUESTS;
            if due > second {
                second = due;
                self.now_ms.store(1_000 * second, Ordering::Relaxed);
                let sealed = self.core.advance(drive::at_ms(1_000 * second));
                self.sealed.lock().unwrap().extend(sealed);
            }
            std::thread::yield_now();
        }
    }

    /// What a snapshot would show at any moment: all that is sealed, merged.
    fn read(&self) {
        while self.going() {
            let sealed = self.sealed.lock().unwrap().clone();
            let so_far = join(Join::Then, sealed.iter().map(|slice| &*slice.bytes)).unwrap();
            let so_far = Slice::decode(so_far).unwrap();
            assert_eq!(law::check(&so_far), Vec::<String>::new());
            assert!(self.core.gauges().pairing.pending <= SPANS);
        }
    }

    fn going(&self) -> bool {
        self.taken.load(Ordering::Relaxed) < REQUESTS
    }

    fn write(&self, writer: u64) {
        let mut scratch = Scratch::default();
        for round in 0..ROUNDS {
            let other = (writer + 1) % WRITERS;
            self.send(&callers(writer, round), &mut scratch);
            self.send(&callees(other, round), &mut scratch);
        }
    }

    fn send(&self, spans: &[CaseSpan], scratch: &mut Scratch) {
        let mut ids = Ids::default();
        // Symbols are numbered as they come: a caller's id is the first in every request.
        cases::request(&[span("CLIENT", "", "", CALLER)], &mut ids, true);
        let request = cases::request(spans, &mut ids, true).encode_to_vec();
        let at = drive::at_ms(self.now_ms.load(Ordering::Relaxed));
        self.core
            .apply(&request, Encoding::Protobuf, scratch, at)
            .unwrap();
        self.taken.fetch_add(1, Ordering::Relaxed);
    }
}

/// The CLIENTs and PRODUCERs of a writer.
fn callers(writer: u64, round: u64) -> Vec<CaseSpan> {
    let call = |index| {
        let service = format!("caller-{writer}");
        [
            span(
                "CLIENT",
                &service,
                &call_trace(writer, round, index),
                CALLER,
            ),
            span(
                "PRODUCER",
                &service,
                &message_trace(writer, round, index),
                CALLER,
            ),
        ]
    };
    (0..CALLS).flat_map(call).collect()
}

/// The SERVERs and CONSUMERs that belong to a writer's callers. A CONSUMER has a trace of its own.
fn callees(writer: u64, round: u64) -> Vec<CaseSpan> {
    let call = |index| {
        let service = format!("callee-{writer}");
        let server = CaseSpan {
            parent: Some(CALLER.to_owned()),
            ..span(
                "SERVER",
                &service,
                &call_trace(writer, round, index),
                "server",
            )
        };
        let message = CaseLink {
            trace: message_trace(writer, round, index),
            span: CALLER.to_owned(),
            times: 1,
        };
        let own = trace(2, writer, round, index);
        let consumer = CaseSpan {
            links: vec![message],
            ..span("CONSUMER", &service, &own, "consumer")
        };
        [server, consumer]
    };
    (0..CALLS).flat_map(call).collect()
}

fn call_trace(writer: u64, round: u64, index: u64) -> String {
    trace(0, writer, round, index)
}

fn message_trace(writer: u64, round: u64, index: u64) -> String {
    trace(1, writer, round, index)
}

fn trace(of: u64, writer: u64, round: u64, index: u64) -> String {
    format!(
        "{:032x}",
        1 + (of << 48 | writer << 32 | round << 16 | index)
    )
}

fn span(kind: &str, service: &str, trace: &str, id: &str) -> CaseSpan {
    CaseSpan {
        trace: trace.to_owned(),
        span: id.to_owned(),
        service: Some(service.to_owned()),
        kind: kind.to_owned(),
        name: "op".to_owned(),
        start_ms: 0,
        end_ms: 1,
        status: "UNSET".to_owned(),
        ..CaseSpan::default()
    }
}

/// Scenario: eight writers, four readers and a sealer; every wait is longer than the run.
/// Guarantees: every call and every message is on its edge, exactly once, whoever came first.
#[test]
fn no_call_is_lost_or_doubled_under_eight_writers_and_four_readers() {
    let rules = Rules {
        wait: 100,
        messaging_wait: 100,
        retain: 10,
        ..Rules::default()
    };
    let ran = Run::whole(rules, 7);
    let mut expected = Vec::new();
    for writer in 0..WRITERS {
        for connection_type in ["", "messaging_system"] {
            expected.push(ExpectedEdge {
                client: format!("caller-{writer}"),
                server: format!("callee-{writer}"),
                connection_type: connection_type.to_owned(),
                calls: ROUNDS * CALLS,
                failed: 0,
            });
        }
    }
    assert_eq!(Answer::read(&ran.slices).edges, expected);
    assert_eq!(ran.totals.accepted, SPANS);
    assert_eq!(ran.totals.outcomes.unwrap().paired, SPANS);
}

/// Scenario: the same, with waits so short that halves miss each other, are late and are forgotten while others arrive.
/// Guarantees: the law in every slice and in all that is sealed at any moment; one outcome for every span.
#[test]
fn the_law_holds_at_every_moment_while_waits_end_under_eight_writers() {
    let rules = Rules {
        wait: 1,
        messaging_wait: 1,
        retain: 1,
        ..Rules::default()
    };
    for shards in [1, 7] {
        let ran = Run::whole(rules.clone(), shards);
        for slice in &ran.slices {
            assert_eq!(law::check(slice), Vec::<String>::new());
        }
        assert_eq!(ran.totals.accepted, SPANS);
        assert_eq!(ran.totals.pending_after, 0);
    }
}
