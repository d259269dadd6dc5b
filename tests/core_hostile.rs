//! Traces nobody should send: twenty thousand spans of one trace in the shapes that invite the square of their number.
//! Nothing is timed; a square would show as a test that does not end.

#![allow(unreachable_pub, clippy::unwrap_used, reason = "test code")]
#![allow(dead_code, reason = "the case reader offers more than is needed here")]

#[path = "common/cases.rs"]
mod cases;
#[path = "common/drive.rs"]
mod drive;

use std::collections::BTreeMap;

use cases::{CaseLink, CaseSpan, Ids};
use prost::Message as _;
use spangraph::core::Scratch;
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
        attrs: BTreeMap::new(),
        links: Vec::new(),
        at_ms: 0,
        flags: 0,
        tracestate: String::new(),
    }
}

/// The outcomes of one trace, after every wait has elapsed.
fn outcomes(spans: &[CaseSpan]) -> Outcomes {
    let rules = Rules {
        wait: 2,
        messaging_wait: 2,
        retain: 2,
        ..Rules::default()
    };
    let core = drive::core(rules, 1);
    let (mut ids, mut scratch) = (Ids::default(), Scratch::default());
    for spans in spans.chunks(1_000) {
        let request = cases::request(spans, &mut ids, false).encode_to_vec();
        core.apply(&request, Encoding::Protobuf, &mut scratch, drive::at_ms(0))
            .unwrap();
    }
    core.advance(drive::at_ms(20_000));
    assert_eq!(core.totals().pending_after, 0);
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

/// Guarantees: parents that go round in one large circle are decided, once each.
#[test]
fn a_circle_of_parents_is_decided_once_for_each_span() {
    let next = |id: u64| if id == SPANS { 1 } else { id + 1 };
    let circle = (1..=SPANS).map(|id| span("CLIENT", id, Some(next(id))));
    let decided = outcomes(&circle.collect::<Vec<_>>());
    assert_eq!(decided.unpaired_client, SPANS);
}

/// Guarantees: an id that everybody uses is bounded: beyond 128 spans under one id the rest count as duplicates.
#[test]
fn an_id_used_by_everybody_is_bounded_and_counted() {
    let same = (1..=SPANS).map(|start_ms| CaseSpan {
        start_ms,
        end_ms: start_ms + 1,
        ..span("CLIENT", 1, None)
    });
    let decided = outcomes(&same.collect::<Vec<_>>());
    assert_eq!(decided.unpaired_client, 128);
    assert_eq!(decided.duplicate, SPANS - 128);
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
