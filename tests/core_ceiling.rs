//! The pairing share is a ceiling: whatever comes, and at every step of taking it in and deciding it, no more is in use.

#![allow(unreachable_pub, clippy::unwrap_used, reason = "test code")]
#![allow(dead_code, reason = "the case reader offers more than is needed here")]

#[path = "common/cases.rs"]
mod cases;
#[path = "common/drive.rs"]
mod drive;

use cases::{CaseLink, CaseSpan, Ids};
use prost::Message as _;
use spangraph::core::{Core, Scratch};
use spangraph::otlp::Encoding;
use spangraph::pairing::Rules;
use spangraph::proto::{Law, Slice};
use spangraph::slice::{Sealed, law};

const MIB: u64 = 1 << 20;

/// Shares, and how many shards they are for.
const SHARES: [(u64, usize); 4] = [(MIB, 1), (MIB, 8), (4 * MIB, 1), (4 * MIB, 8)];

/// Seconds in which spans come.
const SECONDS: u64 = 4;

fn rules() -> Rules {
    Rules {
        wait: 2,
        messaging_wait: 4,
        retain: 4,
        ..Rules::default()
    }
}

fn span(index: u64, kind: &str) -> CaseSpan {
    CaseSpan {
        trace: format!("{:032x}", u128::from(index) + 1),
        span: format!("{index}x"),
        service: Some(format!("s{}", index % 40)),
        kind: kind.to_owned(),
        name: "op".to_owned(),
        start_ms: index,
        end_ms: index + 1,
        status: "UNSET".to_owned(),
        ..CaseSpan::default()
    }
}

/// A consumer of so many messages that nobody sent.
fn consumer(index: u64, messages: u64) -> CaseSpan {
    let link = |message: u64| CaseLink {
        trace: format!("{:032x}", u128::from(index * 128 + message) << 64 | 1),
        span: "m".to_owned(),
        times: 1,
    };
    CaseSpan {
        links: (0..messages).map(link).collect(),
        ..span(index, "CONSUMER")
    }
}

/// Sends `requests` requests of `each` such spans in each of some seconds to a core with this share, and lets every wait end.
/// After every request and every second, no more is in use than the share, nor was in between; the law at the end.
fn fill(
    (share, shards): (u64, usize),
    requests: u64,
    each: u64,
    make: impl Fn(u64) -> CaseSpan,
) -> Law {
    let core = drive::core_of(rules(), shards, share);
    let (mut ids, mut scratch) = (Ids::default(), Scratch::default());
    let mut sent = 0;
    for second in 0..SECONDS {
        // What is over is closed in time, and now and then late, so that spans lie at the doors.
        if second % 2 == 0 {
            check(&core.advance(drive::at_ms(1_000 * second)));
        }
        for _ in 0..requests {
            let spans: Vec<_> = (sent..sent + each).map(&make).collect();
            let request = cases::request(&spans, &mut ids, false).encode_to_vec();
            let at = drive::at_ms(1_000 * second);
            core.apply(&request, Encoding::Protobuf, &mut scratch, at)
                .unwrap();
            stays_within(&core, share);
            sent += each;
        }
    }
    let law = end(&core, share, sent);
    assert!(law.evicted > 0, "{share} bytes were enough");
    law
}

/// Lets every wait of so many spans end; the law then.
fn end(core: &Core, share: u64, sent: u64) -> Law {
    for second in SECONDS..SECONDS + 20 {
        check(&core.advance(drive::at_ms(1_000 * second)));
        stays_within(core, share);
    }
    let law = core.totals();
    assert_eq!((law.accepted, law.pending_after), (sent, 0));
    law
}

fn stays_within(core: &Core, share: u64) {
    let pairing = core.gauges().pairing;
    let most = pairing.most_bytes.max(pairing.bytes);
    assert!(most <= share, "{most} of {share} bytes");
}

/// Each slice keeps the law.
fn check(sealed: &[Sealed]) {
    for sealed in sealed {
        let slice = Slice::decode(&*sealed.bytes).unwrap();
        assert_eq!(law::check(&slice), Vec::<String>::new());
    }
}

/// Scenario: consumers with nearly as many links as are read, thousands in one request.
/// Guarantees: the share holds them, on their way too; each link is counted.
#[test]
fn links_stay_below_the_ceiling_wherever_they_are() {
    for share in SHARES {
        let law = fill(share, 1, 300, |index| consumer(index, 120));
        assert_eq!(law.unresolved_links, law.accepted * 120);
    }
}

/// Scenario: consumers of messages that were sent, thousands in one request, with the producers.
/// Guarantees: the share holds their answers too.
#[test]
fn answers_stay_below_the_ceiling() {
    for share in SHARES {
        fill(share, 1, 1_000, |index| {
            let message = |index: u64| format!("{:032x}", u128::from(index) << 64 | 1);
            if index % 50 < 40 {
                return CaseSpan {
                    trace: message(index),
                    span: "m".to_owned(),
                    ..span(index, "PRODUCER")
                };
            }
            let link = |nth: u64| CaseLink {
                trace: message(index / 50 * 50 + nth),
                span: "m".to_owned(),
                times: 1,
            };
            CaseSpan {
                links: (0..40).map(link).collect(),
                ..span(index, "CONSUMER")
            }
        });
    }
}

/// Scenario: producers without links, and other spans without a partner, of many traces.
#[test]
fn spans_of_small_traces_stay_below_the_ceiling() {
    for share in SHARES {
        let each = 2_000 * share.0 / MIB;
        fill(share, 2, each, |index| span(index, "PRODUCER"));
        fill(share, 2, each, |index| {
            let kind = ["CLIENT", "SERVER", "PRODUCER", "INTERNAL"][(index % 4) as usize];
            CaseSpan {
                trace: format!("{:032x}", index / 3 + 1),
                ..span(index, kind)
            }
        });
    }
}

/// Scenario: spans and links of all sorts in the same requests.
#[test]
fn all_sorts_together_stay_below_the_ceiling() {
    for share in SHARES {
        let each = 1_000 * share.0 / MIB;
        fill(share, 2, each, |index| match index % 10 {
            0 => consumer(index, 30),
            1..4 => span(index, "PRODUCER"),
            nth => CaseSpan {
                trace: format!("{:032x}", index / 30 + 1),
                parent: Some(format!("{}x", index - 3)),
                ..span(index, ["CLIENT", "SERVER", "INTERNAL"][(nth % 3) as usize])
            },
        });
    }
}

/// Scenario: one trace, larger than the share.
#[test]
fn one_enormous_trace_stays_below_the_ceiling() {
    for share in SHARES {
        let each = 2_000 * share.0 / MIB;
        fill(share, 2, each, |index| CaseSpan {
            trace: "t".to_owned(),
            parent: (index > 0).then(|| format!("{}x", index / 3)),
            ..span(
                index,
                ["CLIENT", "SERVER", "INTERNAL"][(index % 3) as usize],
            )
        });
    }
}

/// Scenario: traces that grow to just below the size at which they get an index, all of them, and then beyond it at once.
#[test]
fn traces_that_become_large_at_once_stay_below_the_ceiling() {
    for share in SHARES {
        let traces = 200 * share.0 / MIB;
        fill(share, 6, traces * 10, |index| CaseSpan {
            trace: format!("{:032x}", index % traces + 1),
            ..span(index, "INTERNAL")
        });
    }
}

/// Scenario: four threads bring links and other spans at once, while a fifth closes the seconds.
#[test]
fn however_many_bring_spans_at_once_they_stay_below_the_ceiling() {
    for (share, shards) in SHARES {
        let core = drive::core_of(rules(), shards, share);
        let (core, each, mut ids) = (&core, 400, Ids::default());
        let mut requests = |from: u64| -> Vec<Vec<u8>> {
            let request = |nth: u64| {
                let spans =
                    (from + nth * each..from + (nth + 1) * each).map(|index| match index % 4 {
                        0 => consumer(index, 100),
                        _ => span(index, "PRODUCER"),
                    });
                cases::request(&spans.collect::<Vec<_>>(), &mut ids, false).encode_to_vec()
            };
            (0..SECONDS).map(request).collect()
        };
        let threads: Vec<_> = (0..4).map(|thread| requests(thread * 100_000)).collect();
        std::thread::scope(|scope| {
            for requests in &threads {
                scope.spawn(move || {
                    let mut scratch = Scratch::default();
                    for (second, request) in (0..).zip(requests) {
                        let at = drive::at_ms(1_000 * second);
                        core.apply(request, Encoding::Protobuf, &mut scratch, at)
                            .unwrap();
                        stays_within(core, share);
                    }
                });
            }
            scope.spawn(|| {
                (0..SECONDS).for_each(|second| {
                    check(&core.advance(drive::at_ms(1_000 * second)));
                    stays_within(core, share);
                });
            });
        });
        let law = end(core, share, 4 * SECONDS * each);
        assert_eq!(law.unresolved_links, law.accepted / 4 * 100);
    }
}
