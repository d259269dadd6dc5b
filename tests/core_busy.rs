//! Nobody who brings spans waits for what takes longer than a chunk: not for the sweep of an enormous trace, not for a
//! parent of very many children. What is put off for that shows in no slice.

#![allow(unreachable_pub, clippy::unwrap_used, reason = "test code")]
#![allow(dead_code, reason = "the driver offers more than is needed here")]

#[path = "common/cases.rs"]
mod cases;
#[path = "common/drive.rs"]
mod drive;

use std::sync::atomic::{AtomicBool, Ordering};

use cases::{CaseSpan, Ids};
use prost::Message as _;
use spangraph::core::{Core, CoreConfig, Scratch};
use spangraph::otlp::{Encoding, ResourceKeys};
use spangraph::pairing::Rules;
use spangraph::proto::{Origin, Slice};
use spangraph::slice::{Sealed, law};

const WAIT_S: u64 = 10;
/// Of the enormous trace.
const SPANS: u64 = 60_000;

fn rules() -> Rules {
    Rules {
        wait: 10,
        messaging_wait: 10,
        retain: 20,
        ..Rules::default()
    }
}

fn config(shards: usize) -> CoreConfig {
    CoreConfig {
        resource_keys: ResourceKeys::default(),
        rules: rules(),
        pairing_bytes: 256 << 20,
        shards,
        max_nodes: 100,
        max_edges: 100,
        idle_s: 15 * 60,
        digest: "test".to_owned(),
    }
}

/// A core, and what it is fed with.
struct Fed {
    core: Core,
    scratch: Scratch,
    ids: Ids,
    sealed: Vec<Sealed>,
}

// === impl Fed ===

impl Fed {
    fn new(shards: usize) -> Self {
        Self {
            core: Core::new(config(shards), Origin::default(), drive::at_ms(0)),
            scratch: Scratch::default(),
            ids: Ids::default(),
            sealed: Vec::new(),
        }
    }

    fn send(&mut self, second: u64, spans: &[CaseSpan]) {
        let request = cases::request(spans, &mut self.ids, true).encode_to_vec();
        let at = drive::at_ms(1_000 * second);
        let (core, scratch) = (&self.core, &mut self.scratch);
        core.apply(&request, Encoding::Protobuf, scratch, at)
            .unwrap();
    }

    fn advance(&mut self, second: u64) {
        let sealed = self.core.advance(drive::at_ms(1_000 * second));
        self.sealed.extend(sealed);
    }

    /// Goes on as another process would.
    fn hand_over(&mut self, second: u64, shards: usize) {
        let bytes = self.core.checkpoint();
        let at = drive::at_ms(1_000 * second);
        self.core = Core::restore(config(shards), Origin::default(), &bytes, at).unwrap();
        self.scratch = Scratch::default();
    }

    /// The bytes of every slice, each of which keeps the law.
    fn slices(mut self) -> Vec<Vec<u8>> {
        self.advance(120);
        let gauges = self.core.gauges().pairing;
        assert_eq!((gauges.pending, gauges.held, gauges.tombstones), (0, 0, 0));
        let slices = self.sealed.iter().map(|slice| slice.bytes.to_vec());
        let slices: Vec<Vec<u8>> = slices.collect();
        for slice in &slices {
            assert_eq!(
                law::check(&Slice::decode(&**slice).unwrap()),
                Vec::<String>::new()
            );
        }
        slices
    }
}

fn span(trace: u64, id: String, parent: Option<String>, service: &str, kind: &str) -> CaseSpan {
    CaseSpan {
        trace: format!("{trace:032x}"),
        span: id,
        parent,
        service: Some(service.to_owned()),
        kind: kind.to_owned(),
        name: "op".to_owned(),
        start_ms: 0,
        end_ms: 5,
        status: "UNSET".to_owned(),
        ..CaseSpan::default()
    }
}

/// A call in a trace of its own.
fn call(trace: u64) -> [CaseSpan; 2] {
    [
        span(trace, "c".to_owned(), None, "web", "CLIENT"),
        span(trace, "s".to_owned(), Some("c".to_owned()), "app", "SERVER"),
    ]
}

/// Scenario: the wait of an enormous trace is over and it is swept by one thread, while another brings calls of the next
/// second, to the same shard.
/// Guarantees: these are taken in meanwhile, as many as there is time for; and each is found in the end.
#[test]
fn chunks_are_taken_in_while_an_enormous_trace_is_swept() {
    let mut fed = Fed::new(1);
    for from in (0..SPANS).step_by(1_000) {
        let spans: Vec<_> = (from..from + 1_000)
            .map(|at| {
                let parent = (at > 0).then(|| format!("x{}", at / 3));
                let kind = ["CLIENT", "INTERNAL"][(at % 2) as usize];
                span(1, format!("x{at}"), parent, "big", kind)
            })
            .collect();
        fed.send(0, &spans);
    }
    let after = WAIT_S + 1;
    fed.advance(after - 1);
    let (begun, done) = (AtomicBool::new(false), AtomicBool::new(false));
    let Fed { core, ids, .. } = &mut fed;
    let requests: Vec<_> = (0..2_000)
        .map(|call_at| cases::request(&call(1_000 + call_at), ids, true).encode_to_vec())
        .collect();
    let (meanwhile, sealed) = std::thread::scope(|scope| {
        let sweep = scope.spawn(|| {
            begun.store(true, Ordering::SeqCst);
            let sealed = core.advance(drive::at_ms(1_000 * after));
            done.store(true, Ordering::SeqCst);
            sealed
        });
        while !begun.load(Ordering::SeqCst) {
            std::thread::yield_now();
        }
        let mut scratch = Scratch::default();
        let mut meanwhile = 0;
        for request in &requests {
            let at = drive::at_ms(1_000 * after);
            core.apply(request, Encoding::Protobuf, &mut scratch, at)
                .unwrap();
            meanwhile += u64::from(!done.load(Ordering::SeqCst));
        }
        (meanwhile, sweep.join().unwrap())
    });
    // Who waited for the sweep would have come back from two or three at most.
    assert!(meanwhile >= 100, "{meanwhile} of 2000");
    fed.sealed.extend(sealed);
    let slices = fed.slices();
    let slices = slices.iter().map(|slice| Slice::decode(&**slice).unwrap());
    let paired: u64 = slices
        .map(|slice| slice.law.unwrap().calls.unwrap().paired)
        .sum();
    assert_eq!(paired, 2_000);
}

/// Scenario: very many callers of one trace stay open beyond their wait, since of each a callee has come late.
/// Guarantees: when all is over, next to nothing of the room that took is kept.
#[test]
fn what_an_enormous_trace_took_is_given_back() {
    let mut fed = Fed::new(1);
    let mut most = 0;
    for from in (0..SPANS / 2).step_by(1_000) {
        let callers: Vec<_> = (from..from + 1_000)
            .map(|at| span(1, format!("x{at}"), None, "web", "CLIENT"))
            .collect();
        fed.send(0, &callers);
    }
    for from in (0..SPANS / 2).step_by(1_000) {
        let callees: Vec<_> = (from..from + 1_000)
            .map(|at| {
                span(
                    1,
                    format!("y{at}"),
                    Some(format!("x{at}")),
                    "app",
                    "CONSUMER",
                )
            })
            .collect();
        fed.send(WAIT_S - 1, &callees);
    }
    for second in WAIT_S..60 {
        fed.advance(second);
        most = most.max(fed.core.gauges().pairing.bytes);
    }
    let kept = fed.core.gauges().pairing.bytes;
    assert!(kept <= most / 200, "{kept} of {most}");
}

/// A parent, what it calls, and what each of those that are called calls: more than is taken in at once.
fn fan(children: u64) -> (Vec<CaseSpan>, CaseSpan) {
    let parent = span(1, "p".to_owned(), None, "web", "CLIENT");
    let below = (0..children).flat_map(|at| {
        let (child, service) = (format!("x{at}"), format!("app{}", at % 3));
        let kind = ["SERVER", "INTERNAL", "CLIENT", "CONSUMER"][(at % 4) as usize];
        [
            span(1, child.clone(), Some("p".to_owned()), &service, kind),
            span(1, format!("y{at}"), Some(child), &service, "CLIENT"),
        ]
    });
    (below.collect(), parent)
}

/// Scenario: a parent comes before, among and after more children than are settled at once, and more than once; in the same
/// second as these, or later; with a hand-over before that second is closed.
/// Guarantees: the same slices, byte for byte.
#[test]
fn a_parent_that_comes_after_very_many_children_is_as_if_it_had_come_first() {
    let (below, parent) = fan(700);
    let ways: [(usize, bool); 5] = [
        (0, false),
        (600, false),
        (1_400, false),
        (1_400, true),
        (900, true),
    ];
    for second in [0, 2] {
        let mut first = None;
        for (before, hand_over) in ways {
            let mut fed = Fed::new(if hand_over { 4 } else { 1 });
            // Each way names the ids alike.
            cases::request(&below, &mut fed.ids, true);
            let (early, late) = if second == 0 {
                below.split_at(before)
            } else {
                (&below[..], &below[..0])
            };
            for spans in early.chunks(100) {
                fed.send(0, spans);
            }
            fed.send(second, &[parent.clone(), parent.clone()]);
            fed.send(second, std::slice::from_ref(&parent));
            if hand_over {
                fed.hand_over(second, 2);
            }
            for spans in late.chunks(100) {
                fed.send(0, spans);
            }
            let slices = fed.slices();
            let law = slices
                .iter()
                .map(|slice| Slice::decode(&**slice).unwrap().law.unwrap());
            let duplicates: u64 = law.map(|law| law.outcomes.unwrap().duplicate).sum();
            assert_eq!(duplicates, 2);
            assert_eq!(
                &slices,
                first.get_or_insert(slices.clone()),
                "{before} {hand_over}"
            );
        }
    }
}

/// Scenario: seconds are closed when they are over, or only much later, so that what comes meanwhile lies at the doors;
/// with a hand-over while it lies there.
/// Guarantees: the same slices, byte for byte.
#[test]
fn how_late_a_second_is_closed_does_not_show() {
    let calls = |second: u64| -> Vec<CaseSpan> {
        let halves = (0..40).map(|at| {
            let [client, server] = call(100 * (second + at % 7) + at);
            if (second + at).is_multiple_of(2) {
                client
            } else {
                server
            }
        });
        halves.collect()
    };
    let mut first = None;
    for (every, shards, hand_over) in [
        (1, 1, None),
        (1, 8, None),
        (7, 8, None),
        (40, 3, None),
        (9, 4, Some(15)),
    ] {
        let mut fed = Fed::new(shards);
        for second in 0..40 {
            cases::request(&calls(second), &mut fed.ids, true);
        }
        for second in 0..40 {
            if second % every == 0 {
                fed.advance(second);
            }
            for spans in calls(second).chunks(5) {
                fed.send(second, spans);
            }
            if hand_over == Some(second) {
                fed.hand_over(second, 5);
            }
        }
        let slices = fed.slices();
        assert_eq!(
            &slices,
            first.get_or_insert(slices.clone()),
            "{every} {shards}"
        );
    }
}
