//! What the core does when the pairing share is full: it stays within it, gives up what is oldest first, counts what it gave
//! up, and says how long things still wait.

#![allow(unreachable_pub, clippy::unwrap_used, reason = "test code")]
#![allow(dead_code, reason = "the case reader offers more than is needed here")]

#[path = "common/cases.rs"]
mod cases;
#[path = "common/drive.rs"]
mod drive;

use cases::{CaseLink, CaseSpan, Ids};
use prost::Message as _;
use spangraph::core::{Core, CoreConfig, Scratch};
use spangraph::otlp::{Encoding, ResourceKeys};
use spangraph::pairing::{Rules, ShortBy};
use spangraph::proto::{Law, Origin, Slice, UnpairedRow};

fn flood_span(index: u64) -> CaseSpan {
    CaseSpan {
        trace: format!("{:032x}", u128::from(index) + 1),
        span: format!("{index}x"),
        parent: Some("nobody".to_owned()),
        service: Some("flood".to_owned()),
        kind: "SERVER".to_owned(),
        name: "op".to_owned(),
        start_ms: 0,
        end_ms: 1,
        status: "UNSET".to_owned(),
        ..CaseSpan::default()
    }
}

/// A core whose pairing share is [`BUDGET`], fed by the second.
struct Small {
    core: Core,
    scratch: Scratch,
    ids: Ids,
    sent: u64,
}

/// Bytes of the pairing share.
const BUDGET: u64 = 2 << 20;
const WAIT_S: u32 = 10;
const MESSAGING_WAIT_S: u32 = 60;

// === impl Small ===

impl Small {
    fn new(retain: u32, shards: usize) -> Self {
        let config = CoreConfig {
            resource_keys: ResourceKeys::default(),
            idle_s: 15 * 60,
            rules: Rules {
                wait: WAIT_S,
                messaging_wait: MESSAGING_WAIT_S,
                retain,
                ..Rules::default()
            },
            pairing_bytes: BUDGET,
            shards,
            max_nodes: 100,
            max_edges: 100,
            digest: String::new(),
        };
        Self {
            core: Core::new(config, Origin::default(), drive::at_ms(0)),
            scratch: Scratch::default(),
            ids: Ids::default(),
            sent: 0,
        }
    }

    fn send(&mut self, second: u64, spans: &[CaseSpan]) {
        let request = cases::request(spans, &mut self.ids, false).encode_to_vec();
        let at = drive::at_ms(1_000 * second);
        let (core, scratch) = (&self.core, &mut self.scratch);
        core.apply(&request, Encoding::Protobuf, scratch, at)
            .unwrap();
        self.sent += spans.len() as u64;
        self.stays_within();
    }

    fn stays_within(&self) {
        let used = self.core.gauges().pairing.bytes;
        assert!(used <= BUDGET, "{used} bytes");
    }

    /// Lets every wait end; the law and the slices since.
    fn end(&self, from: u64) -> (Law, Vec<Slice>) {
        let mut slices = Vec::new();
        for second in from..from + 180 {
            let sealed = self.core.advance(drive::at_ms(1_000 * second));
            slices.extend(sealed.iter().map(|s| Slice::decode(&*s.bytes).unwrap()));
            self.stays_within();
        }
        let law = self.core.totals();
        assert_eq!((law.accepted, law.pending_after), (self.sent, 0));
        assert!(law.evicted > 0);
        (law, slices)
    }
}

/// Takes `per_second` such spans in each of twenty seconds, far more than the pairing share can hold; the law at the end.
fn flood(per_second: u64, retain: u32, make: impl Fn(u64) -> CaseSpan) -> (Law, Vec<Slice>) {
    let mut small = Small::new(retain, 4);
    for second in 0..20 {
        for _ in 0..10 {
            let next = small.sent..small.sent + per_second / 10;
            small.send(second, &next.map(&make).collect::<Vec<_>>());
        }
    }
    small.end(20)
}

/// Scenario: spans that never find a partner.
/// Guarantees: bytes stay at the share, what was cut short is counted, every span gets its outcome.
#[test]
fn a_flood_of_unpaired_spans_stays_within_the_pairing_share_and_is_counted() {
    let (law, slices) = flood(5_000, 60, flood_span);
    assert_eq!(law.outcomes.unwrap().unpaired_server, law.accepted);
    let rows = |word: &str| -> u64 {
        let rows = slices.iter().flat_map(|slice| {
            let of = |row: &&UnpairedRow| slice.strings[row.reason_ref as usize] == word;
            slice.unpaired.iter().filter(of)
        });
        rows.map(|row| row.count).sum()
    };
    assert_eq!(rows("evicted"), law.evicted);
    assert_eq!(rows("parent_not_seen"), law.accepted - law.evicted);
}

/// Scenario: consumers of fifty messages each that were never seen.
/// Guarantees: links stay within the share too, and each of them is counted.
#[test]
fn a_flood_of_links_stays_within_the_pairing_share_and_is_counted() {
    let (law, _) = flood(500, 60, |index| {
        let link = |message: u64| CaseLink {
            trace: format!("{:032x}", u128::from(index * 50 + message) << 64 | 1),
            span: "m".to_owned(),
            times: 1,
        };
        CaseSpan {
            kind: "CONSUMER".to_owned(),
            parent: None,
            links: (0..50).map(link).collect(),
            ..flood_span(index)
        }
    });
    assert_eq!(law.outcomes.unwrap().r#virtual, law.accepted);
    assert_eq!(law.unresolved_links, law.accepted * 50);
}

/// Scenario: jobs that are forgotten long before the consumers below them settle, and are kept for these.
/// Guarantees: what is kept stays within the share too, and is given up for it.
#[test]
fn parents_that_are_kept_for_their_children_stay_within_the_pairing_share() {
    let (law, _) = flood(1_000, 1, |index| {
        let job = index % 2 == 0;
        CaseSpan {
            trace: format!("{:032x}", u128::from(index / 2) + 1),
            span: if job { "job" } else { "consumer" }.to_owned(),
            parent: (!job).then(|| "job".to_owned()),
            service: Some(if job { "job" } else { "sub" }.to_owned()),
            kind: if job { "INTERNAL" } else { "CONSUMER" }.to_owned(),
            ..flood_span(index)
        }
    });
    let outcomes = law.outcomes.unwrap();
    assert_eq!(outcomes.root, law.accepted / 2);
    // How many keep their parent depends on how the hash seed spreads the traces over the shards.
    assert_eq!(outcomes.paired + outcomes.unpaired_server, law.accepted / 2);
}

/// One half of a call, in a trace of its own.
fn half(index: u64, kind: &str) -> CaseSpan {
    let caller = kind != "SERVER";
    CaseSpan {
        span: if caller { "caller" } else { "callee" }.to_owned(),
        parent: (!caller).then(|| "caller".to_owned()),
        service: Some(if caller { "web" } else { "app" }.to_owned()),
        kind: kind.to_owned(),
        ..flood_span(index)
    }
}

fn halves(spans: std::ops::Range<u64>, kind: &str) -> Vec<CaseSpan> {
    spans.map(|index| half(index, kind)).collect()
}

/// Scenario: producers, which wait six times as long, and one large trace fill the share; then come callers, each followed
/// by what it called.
/// Guarantees: the oldest wait is cut short first, whatever it waits for, so that every call is paired; and what the waits
/// are cut to is told by kind.
#[test]
fn fresh_halves_meet_however_much_older_spans_wait_longer() {
    for shards in [1, 2, 7] {
        let mut small = Small::new(60, shards);
        let long = |index| half(index, "PRODUCER");
        for batch in 0..12 {
            let batch = batch * 1_000..(batch + 1) * 1_000;
            small.send(0, &batch.map(long).collect::<Vec<_>>());
        }
        let large: Vec<CaseSpan> = (0..12_000)
            .map(|index| CaseSpan {
                trace: half(900_000, "SERVER").trace,
                kind: "INTERNAL".to_owned(),
                ..flood_span(index)
            })
            .collect();
        large.chunks(1_000).for_each(|spans| small.send(1, spans));
        for round in 0..8 {
            let calls = 100_000 + round * 200..100_000 + (round + 1) * 200;
            small.send(3, &halves(calls.clone(), "CLIENT"));
            small.send(3, &halves(calls, "SERVER"));
        }
        let ShortBy {
            wait_s,
            messaging_wait_s,
            ..
        } = small.core.gauges().pairing.short_by;
        assert!(messaging_wait_s > WAIT_S, "{messaging_wait_s} of 60 s");
        assert!(wait_s < WAIT_S, "{wait_s} of 10 s");
        let (law, _) = small.end(4);
        assert_eq!(law.calls.unwrap().paired, 1_600, "{shards} shards");
    }
}

/// Scenario: callers whose callees never come fill the share for good; among them come producers and, with them, those who
/// link to them.
/// Guarantees: a link is not given up before older spans are, so that each is a call.
#[test]
fn fresh_links_are_answered_however_much_older_spans_wait() {
    for shards in [1, 4] {
        let mut small = Small::new(60, shards);
        let consumer = |index| CaseSpan {
            service: Some("app".to_owned()),
            parent: None,
            links: vec![CaseLink {
                trace: half(index, "PRODUCER").trace,
                span: "caller".to_owned(),
                times: 1,
            }],
            ..half(index + 100_000, "CONSUMER")
        };
        for batch in 0..12 * 20 {
            let second = batch / 20;
            small.send(second, &halves(batch * 200..(batch + 1) * 200, "CLIENT"));
            if second >= 8 {
                let messages = 500_000 + batch * 5..500_000 + (batch + 1) * 5;
                small.send(second, &halves(messages.clone(), "PRODUCER"));
                small.send(second, &messages.map(consumer).collect::<Vec<_>>());
            }
        }
        let (law, _) = small.end(12);
        assert_eq!(law.calls.unwrap().linked, 400, "{shards} shards");
        assert_eq!(law.unresolved_links, 0);
    }
}

/// Scenario: more spans in one second than the share can hold whole.
/// Guarantees: where waits are cut short, nothing is remembered, and that is what is told.
#[test]
fn what_is_remembered_goes_before_any_wait_is_cut() {
    let mut small = Small::new(60, 1);
    for batch in 0..40 {
        let batch = batch * 1_000..(batch + 1) * 1_000;
        small.send(1, &halves(batch, "CLIENT"));
        let gauges = small.core.gauges().pairing;
        if gauges.short_by.wait_s > 0 {
            assert!(gauges.short_by.retain_s >= 60, "{gauges:?}");
            assert_eq!(gauges.tombstones, 0);
        }
    }
    assert!(small.core.gauges().pairing.short_by.wait_s >= 9);
    small.end(2);
}

/// Guarantees: links beyond the first 128 of a span are counted, where a rule would have read them.
#[test]
fn links_that_are_not_read_are_counted() {
    let mut small = Small::new(60, 1);
    let spans = ["CONSUMER", "SERVER"].map(|kind| CaseSpan {
        links: vec![CaseLink {
            trace: format!("{:032x}", 7),
            span: "m".to_owned(),
            times: 131,
        }],
        ..half(7, kind)
    });
    small.send(1, &spans);
    assert_eq!(small.core.gauges().pairing.unread_links, 3);
}

/// Scenario: one trace, so one shard of many, that needs four fifths of the share.
/// Guarantees: it may have them, since nobody else does.
#[test]
fn one_trace_may_have_the_whole_share() {
    let mut small = Small::new(60, 16);
    let trace = half(900_000, "SERVER").trace;
    while small.core.gauges().pairing.bytes < BUDGET * 4 / 5 {
        let spans: Vec<CaseSpan> = (small.sent..small.sent + 200)
            .map(|index| CaseSpan {
                trace: trace.clone(),
                ..flood_span(index)
            })
            .collect();
        small.send(0, &spans);
    }
    small.core.advance(drive::at_ms(200_000));
    let law = small.core.totals();
    assert_eq!((law.evicted, law.pending_after), (0, 0));
    assert_eq!(law.outcomes.unwrap().unpaired_server, small.sent);
}

/// Scenario: a producer, and more consumers of its message than the share can hold, by link, each in a trace of its own.
/// Guarantees: each consumer is called once, by the producer or, if its wait was cut short, by nobody known.
#[test]
fn a_message_is_drawn_once_however_early_its_consumer_is_decided() {
    let mut small = Small::new(60, 4);
    small.send(0, &[half(1, "PRODUCER")]);
    let consumer = |index| CaseSpan {
        service: Some("app".to_owned()),
        parent: None,
        links: vec![CaseLink {
            trace: half(1, "PRODUCER").trace,
            span: "caller".to_owned(),
            times: 1,
        }],
        ..half(index, "CONSUMER")
    };
    for batch in 0..40 {
        let spans = 1_000 + batch * 500..1_000 + (batch + 1) * 500;
        small.send(batch / 8, &spans.map(consumer).collect::<Vec<_>>());
    }
    let (law, slices) = small.end(5);
    let calls = slices.iter().flat_map(|slice| &slice.edges);
    let calls: u64 = calls
        .map(|edge| edge.seen_both + edge.seen_client + edge.seen_server)
        .sum();
    let outcomes = law.outcomes.unwrap();
    let root = outcomes.root + outcomes.unpaired_server;
    assert_eq!(calls + root, 40 * 500);
    assert!(law.calls.unwrap().linked > 0, "{law:?}");
}
