//! Two shapes that growth seldom hits: one message with all who take it, and calls wrapped in spans of their own service.
//! Both arrive within few seconds, so around the ends of waits.

use proptest::prelude::*;
use proptest::sample::{Index, select};
use spangraph::span::SpanKind;

use super::Sent;
use super::spans::{Rest, rest};

/// Where the message is sent, or the outermost wrap is.
const TRACE: (u64, u64) = (0, 1);
const SENDER: Option<&str> = Some("s0");

/// One more span of a shape.
#[derive(Debug, Clone)]
struct Part {
    kind: SpanKind,
    operation: Option<&'static str>,
    service: Option<&'static str>,
    /// Below one of the spans so far, or the root of another trace.
    below: Option<Index>,
    /// To one of the spans so far.
    link: Option<Index>,
    second: u64,
    rest: Rest,
}

fn part(
    kinds: Vec<(SpanKind, Option<&'static str>)>,
    services: Vec<Option<&'static str>>,
    (below, linking, messaging): (f64, f64, f64),
) -> impl Strategy<Value = Part> {
    (
        select(kinds),
        select(services),
        prop::option::weighted(below, any::<Index>()),
        prop::option::weighted(linking, any::<Index>()),
        prop_oneof![1 => Just(0_u64), 2 => 0..9_u64],
        rest(messaging),
    )
        .prop_map(
            |((kind, operation), service, below, link, second, rest)| Part {
                kind,
                operation,
                service,
                below,
                link,
                second,
                rest,
            },
        )
}

/// Adds a part to the spans so far; its links and its parent are among the first `reach` of them.
fn add(spans: &mut Vec<Sent>, part: &Part, reach: usize) {
    let id = spans.len() as u64 + 1;
    let among = reach.clamp(1, spans.len().max(1));
    let place = |at: &Index| spans.get(at.index(among)).map(|to| (to.trace, to.id));
    let (below, link) = (
        part.below.as_ref().and_then(place),
        part.link.as_ref().and_then(place),
    );
    let trace = match (&below, id) {
        (Some((trace, _)), _) => *trace,
        (None, 1) => TRACE,
        (None, id) => (0, 1 + id % 3),
    };
    let mut span = part.rest.sent(trace, id, part.service, part.kind);
    span.parent = below.map(|(_, parent)| parent);
    span.links = link.into_iter().collect();
    span.facts.operation = part.operation.or(span.facts.operation);
    span.second = part.second;
    spans.push(span);
}

/// A message, and those who pull it, process it, or stand below it otherwise: below its producer, below each other or in
/// other traces, by parent or by link.
pub(super) fn delivered() -> impl Strategy<Value = Vec<Sent>> {
    use SpanKind::{Client, Consumer, Internal, Producer};
    let sender = part(
        vec![
            (Producer, Some("create")),
            (Producer, Some("send")),
            (Client, Some("send")),
        ],
        vec![SENDER],
        (0.01, 0.01, 0.8),
    );
    let taker = part(
        vec![
            (Client, Some("receive")),
            (Client, Some("receive")),
            (Consumer, Some("receive")),
            (Consumer, Some("receive")),
            (Consumer, Some("process")),
            (Consumer, Some("process")),
            (Consumer, Some("process")),
            (Internal, None),
            (Producer, Some("create")),
        ],
        vec![Some("s1"), Some("s1"), Some("s1"), SENDER, Some("s2")],
        (0.75, 0.5, 0.5),
    );
    let takers = prop::collection::vec((taker, prop::bool::weighted(0.7)), 1..6);
    (sender, takers, prop::bool::weighted(0.1)).prop_map(|(sender, takers, unseen)| {
        let mut spans = Vec::new();
        add(&mut spans, &sender, 1);
        for (taker, at_sender) in &takers {
            let reach = if *at_sender { 1 } else { spans.len() };
            add(&mut spans, taker, reach);
        }
        if unseen {
            spans.remove(0);
        }
        spans
    })
}

/// Spans of one service below each other, and what they call.
pub(super) fn wrapped() -> impl Strategy<Value = Vec<Sent>> {
    use SpanKind::{Client, Consumer, Internal, Producer, Server};
    let plain = [
        Client, Client, Client, Producer, Producer, Internal, Internal, Consumer,
    ];
    let mut own = plain.map(|kind| (kind, None)).to_vec();
    own.push((Client, Some("receive")));
    let wrap = part(own, vec![SENDER], (0.99, 0.05, 0.1));
    let callee = part(
        vec![
            (Server, None),
            (Server, None),
            (Consumer, None),
            (Consumer, Some("process")),
            (Internal, None),
            (Client, Some("receive")),
            (Client, Some("settle")),
        ],
        vec![Some("s1"), Some("s1"), Some("s1"), SENDER, Some("s2")],
        (0.85, 0.3, 0.1),
    );
    let wraps = prop::collection::vec(wrap, 1..6);
    let callees = prop::collection::vec(callee, 1..5);
    (wraps, callees).prop_map(|(wraps, callees)| {
        let mut spans = Vec::new();
        for wrap in &wraps {
            let reach = spans.len();
            add(&mut spans, wrap, reach);
        }
        for callee in &callees {
            add(&mut spans, callee, wraps.len());
        }
        spans
    })
}
