//! Traces nobody should send: twenty thousand spans of one trace in the shapes that invite the square of their number.
//! Nothing is timed: counted is how many entries of the trace's index were visited.

#![allow(unreachable_pub, clippy::unwrap_used, reason = "test code")]
#![allow(dead_code, reason = "the case reader offers more than is needed here")]

#[path = "common/cases.rs"]
mod cases;
#[path = "common/drive.rs"]
mod drive;

use std::collections::BTreeMap;

use cases::{CaseLink, CaseSpan, Ids};
use prost::Message as _;
use spangraph::core::{Core, Scratch};
use spangraph::otlp::Encoding;
use spangraph::pairing::Rules;
use spangraph::proto::Outcomes;

const SPANS: u64 = 20_000;

fn span(kind: &str, id: u64, parent: Option<u64>) -> CaseSpan {
    CaseSpan {
        trace: "t".to_owned(),
        span: format!("x{id}"),
        parent: parent.map(|parent| format!("x{parent}")),
        service: Some("app".to_owned()),
        kind: kind.to_owned(),
        name: "op".to_owned(),
        start_ms: id,
        end_ms: id + 5,
        status: "UNSET".to_owned(),
        ..CaseSpan::default()
    }
}

/// Messages wait for four seconds longer than other spans; both are remembered for four.
fn rules() -> Rules {
    Rules {
        wait: 2,
        messaging_wait: 6,
        retain: 4,
        ..Rules::default()
    }
}

/// The outcomes of one trace, after every wait has elapsed; each span is looked at a few times.
fn outcomes(spans: &[CaseSpan]) -> Outcomes {
    outcomes_within(spans, 32)
}

/// The same, with so many entries of the trace's index visited for each span at most.
fn outcomes_within(spans: &[CaseSpan], visits_per_span: u64) -> Outcomes {
    outcomes_under(rules(), spans, visits_per_span)
}

/// The same under these rules; spans come in order of their arrival.
fn outcomes_under(rules: Rules, spans: &[CaseSpan], visits_per_span: u64) -> Outcomes {
    let core = drive::core(rules, 1);
    let (mut ids, mut scratch) = (Ids::default(), Scratch::default());
    for second in spans.chunk_by(|a, b| a.at_ms == b.at_ms) {
        for spans in second.chunks(1_000) {
            let request = cases::request(spans, &mut ids, false).encode_to_vec();
            let at = drive::at_ms(spans[0].at_ms);
            core.apply(&request, Encoding::Protobuf, &mut scratch, at)
                .unwrap();
        }
    }
    decided(&core, spans.len() as u64 * visits_per_span)
}

/// The outcomes after every wait has elapsed, for so many visits at most.
fn decided(core: &Core, most_visits: u64) -> Outcomes {
    core.advance(drive::at_ms(200_000));
    let gauges = core.gauges().pairing;
    assert_eq!((gauges.held, gauges.tombstones), (0, 0));
    assert_eq!(core.totals().pending_after, 0);
    assert!(gauges.visited <= most_visits, "{} visits", gauges.visited);
    core.totals().outcomes.unwrap()
}

/// Guarantees: a chain of outbound spans costs its length; none of them names a peer, so none has a call.
#[test]
fn a_chain_of_outbound_spans_is_decided_span_by_span() {
    let chain = (1..=SPANS).map(|id| span("CLIENT", id, (id > 1).then_some(id - 1)));
    let decided = outcomes(&chain.collect::<Vec<_>>());
    assert_eq!(decided.unpaired_client, SPANS);
}

/// Guarantees: a parent of twenty thousand children costs no more per child than a small one.
#[test]
fn a_parent_of_very_many_children_pairs_with_each() {
    let caller = CaseSpan {
        service: Some("web".to_owned()),
        ..span("CLIENT", 1, None)
    };
    let children = (2..=SPANS).map(|id| span("SERVER", id, Some(1)));
    let spans: Vec<_> = [caller].into_iter().chain(children).collect();
    assert_eq!(outcomes(&spans).paired, SPANS);
}

/// Guarantees: a parent that is kept for twenty thousand consumers, all of which came after its deadline and settle after
/// its time, is found by each, and the copies of it that come meanwhile are bounded.
#[test]
fn a_parent_kept_for_very_many_children_pairs_with_each() {
    let rules = Rules {
        wait: 1,
        messaging_wait: 10,
        retain: 2,
        ..Rules::default()
    };
    let consumers = (2..=SPANS).map(|id| CaseSpan {
        service: Some("sub".to_owned()),
        at_ms: 2_000,
        ..span("CONSUMER", id, Some(1))
    });
    let copies = (1..=SPANS / 2).map(|start_ms| CaseSpan {
        start_ms,
        end_ms: start_ms + 1,
        at_ms: 5_000,
        ..span("INTERNAL", 1, None)
    });
    let parent = span("INTERNAL", 1, None);
    let spans: Vec<_> = [parent]
        .into_iter()
        .chain(consumers)
        .chain(copies)
        .collect();
    // As many copies as may share an id look at all children, as they come and when they are decided, and these at them.
    let decided = outcomes_under(rules, &spans, 3 * 32 + 32);
    assert_eq!(decided.paired, SPANS - 1);
    assert_eq!(decided.root, 32);
    assert_eq!(decided.duplicate, SPANS / 2 - 31);
}

/// Guarantees: twenty thousand INTERNAL spans that come one after another when their parent accepts nobody any more are `late`
/// for a bounded number of visits each (at most one a second of those for which the group may wait), and `paired` while a PRODUCER keeps their group waiting.
#[test]
fn very_many_late_members_of_a_group_are_decided_span_by_span() {
    let parent = || CaseSpan {
        service: Some("web".to_owned()),
        ..span("INTERNAL", 1, None)
    };
    let first = || span("PRODUCER", 2, Some(1));
    let late = || {
        (3..=SPANS).map(|id| CaseSpan {
            at_ms: 11_000 + id * 1_000 / (SPANS / 48) / 1_000 * 1_000,
            ..span("INTERNAL", id, Some(1))
        })
    };
    let rules = || Rules {
        wait: 10,
        messaging_wait: 60,
        retain: 60,
        ..Rules::default()
    };
    let alone: Vec<_> = [parent()].into_iter().chain(late()).collect();
    assert_eq!(outcomes_under(rules(), &alone, 50).late, SPANS - 2);
    let grouped: Vec<_> = [parent(), first()].into_iter().chain(late()).collect();
    assert_eq!(outcomes_under(rules(), &grouped, 50).paired, SPANS - 2);
}

/// Guarantees: parents that go round in one large circle are decided, once each.
#[test]
fn a_circle_of_parents_is_decided_once_for_each_span() {
    let next = |id: u64| if id == SPANS { 1 } else { id + 1 };
    let circle = (1..=SPANS).map(|id| span("CLIENT", id, Some(next(id))));
    let decided = outcomes(&circle.collect::<Vec<_>>());
    assert_eq!(decided.unpaired_client, SPANS);
}

/// Guarantees: an id that everybody uses is bounded: beyond 32 spans under one id the rest count as duplicates.
#[test]
fn an_id_used_by_everybody_is_bounded_and_counted() {
    let same = (1..=SPANS).map(|start_ms| CaseSpan {
        start_ms,
        end_ms: start_ms + 1,
        ..span("CLIENT", 1, None)
    });
    // Each repeat is compared with all that are kept.
    let decided = outcomes_within(&same.collect::<Vec<_>>(), 50);
    assert_eq!(decided.unpaired_client, 32);
    assert_eq!(decided.duplicate, SPANS - 32);
}

/// A span in a trace of its own that links to `targets` spans of the trace `t`.
fn linking(kind: &str, id: u64, targets: std::ops::RangeInclusive<u64>) -> CaseSpan {
    let operation = ("messaging.operation.type".to_owned(), "receive".into());
    CaseSpan {
        trace: format!("t{id}"),
        service: Some("sub".to_owned()),
        attrs: BTreeMap::from_iter((kind == "CLIENT").then_some(operation)),
        links: targets
            .map(|target| CaseLink {
                trace: "t".to_owned(),
                span: format!("x{target}"),
                times: 1,
            })
            .collect(),
        ..span(kind, id, None)
    }
}

/// Guarantees: a message that twenty thousand spans take costs no more for each than one that a few take, whether they
/// are consumers, receives, or receives that give way to one consumer.
#[test]
fn a_message_taken_very_many_times_is_a_call_each_time() {
    let producer = || span("PRODUCER", 1, None);
    let takers = |kind| (2..=SPANS).map(move |id| linking(kind, id, 1..=1));
    let consumed: Vec<_> = [producer()].into_iter().chain(takers("CONSUMER")).collect();
    assert_eq!(outcomes(&consumed).paired, SPANS);
    let received: Vec<_> = [producer()].into_iter().chain(takers("CLIENT")).collect();
    let decided = outcomes(&received);
    assert_eq!((decided.paired, decided.internal), (1, SPANS - 1));
    let taker = linking("CONSUMER", 0, 1..=1);
    let both: Vec<_> = received.into_iter().chain([taker]).collect();
    let decided = outcomes(&both);
    assert_eq!((decided.paired, decided.internal), (2, SPANS - 1));
}

/// Guarantees: links to spans that never come cost a bounded time each, and are counted.
#[test]
fn very_many_links_to_nothing_are_decided_by_name() {
    let many = (1..=SPANS / 100).map(|id| linking("CONSUMER", id, id * 200..=id * 200 + 127));
    let decided = outcomes(&many.collect::<Vec<_>>());
    assert_eq!(decided.r#virtual, SPANS / 100);
}

/// Span ids that fall together in the 32 bits which are remembered of a parent id: these times 2^64 / golden ratio begin
/// alike.
fn colliding(id: u64) -> String {
    const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;
    // Newton's iteration: each step doubles the bits that are right.
    let inverse = (0..6).fold(GOLDEN, |x, _| {
        x.wrapping_mul(2_u64.wrapping_sub(GOLDEN.wrapping_mul(x)))
    });
    assert_eq!(GOLDEN.wrapping_mul(inverse), 1);
    format!("{:016x}", (0xabcd << 32 | id).wrapping_mul(inverse))
}

/// Guarantees: ids that were chosen to fall together cost no more than others, as ids and as parents; nor do remembered
/// spans whose parents come later.
#[test]
fn ids_that_were_chosen_to_collide_cost_no_more_than_others() {
    let outbound = |at_ms| {
        (1..=SPANS).map(move |id| CaseSpan {
            span: colliding(id),
            at_ms,
            ..span("CLIENT", id, None)
        })
    };
    let inbound = (1..=SPANS).map(|id| CaseSpan {
        service: Some("web".to_owned()),
        parent: Some(colliding(id)),
        ..span("SERVER", id, None)
    });
    let inbound: Vec<_> = inbound.collect();
    let both: Vec<_> = outbound(0).chain(inbound.clone()).collect();
    assert_eq!(outcomes(&both).paired, 2 * SPANS);
    let late: Vec<_> = inbound.into_iter().chain(outbound(3_000)).collect();
    let decided = outcomes(&late);
    assert_eq!((decided.unpaired_server, decided.late), (SPANS, SPANS));
}

/// Guarantees: members of a service entry that wait for one that waits longer are looked at together.
#[test]
fn an_entry_of_very_many_members_is_decided_once() {
    let caller = CaseSpan {
        service: Some("web".to_owned()),
        ..span("CLIENT", 1, None)
    };
    let first = span("PRODUCER", 2, Some(1));
    let members = (3..=SPANS).map(|id| CaseSpan {
        at_ms: if id < SPANS / 2 { 1_000 } else { 2_000 },
        ..span("INTERNAL", id, Some(1))
    });
    let spans: Vec<_> = [caller, first].into_iter().chain(members).collect();
    // In each of the sweeps until then: the list of all, and each one's parent.
    let decided = outcomes_within(&spans, 64);
    assert_eq!((decided.paired, decided.unpaired_client), (SPANS - 1, 1));
}

/// Guarantees: what comes below a span through which many services were entered does not ask after each of them.
#[test]
fn entries_of_very_many_services_are_decided_once_each() {
    let caller = span("PRODUCER", 1, None);
    let entered = |ids: std::ops::RangeInclusive<u64>, at_ms| {
        ids.map(move |id| CaseSpan {
            service: Some(format!("s{}", id % 900)),
            at_ms,
            ..span("INTERNAL", id, Some(1))
        })
    };
    let first = entered(2..=SPANS / 2, 0);
    let later = entered(SPANS / 2 + 1..=SPANS, 3_000);
    let spans: Vec<_> = [caller].into_iter().chain(first).chain(later).collect();
    assert_eq!(outcomes(&spans).paired, SPANS);
}

/// Guarantees: a chain whose spans wait for different times is looked through once for each of these times.
#[test]
fn a_chain_that_waits_for_its_last_callee_is_looked_through_a_few_times() {
    let kind = |id: u64| ["CLIENT", "PRODUCER"][usize::from(id % 2 == 1)];
    let chain = (1..SPANS).map(|id| span(kind(id), id, (id > 1).then_some(id - 1)));
    let callee = CaseSpan {
        service: Some("sub".to_owned()),
        at_ms: 2_000,
        ..span("CONSUMER", SPANS, Some(SPANS - 1))
    };
    let decided = outcomes(&chain.chain([callee]).collect::<Vec<_>>());
    assert_eq!((decided.paired, decided.internal), (2, SPANS - 2));
}

/// Guarantees: what may be transport of a message with very many callees, all of which another turns out to call, does not
/// ask after each of them anew.
#[test]
fn transport_of_a_message_with_very_many_callees_asks_after_them_once() {
    let third = SPANS / 3;
    let sent = span("PRODUCER", 1, None);
    let inner = (2..=third).map(|id| CaseSpan {
        attrs: BTreeMap::from([("server.address".to_owned(), "h".into())]),
        ..span("CLIENT", id, Some(1))
    });
    let sharing = |kind: &'static str, service: &'static str, parent| {
        (third + 1..=2 * third).map(move |id| CaseSpan {
            service: Some(service.to_owned()),
            ..span(kind, id, parent)
        })
    };
    let proxies = sharing("CLIENT", "proxy", None);
    let callees = sharing("SERVER", "web", Some(1));
    let spans: Vec<_> = [sent].into_iter().chain(inner).collect();
    let spans: Vec<_> = spans.into_iter().chain(proxies).chain(callees).collect();
    let decided = outcomes(&spans);
    assert_eq!((decided.paired, decided.r#virtual), (2 * third, third - 1));
    assert_eq!(decided.internal, 1);
}
