//! Traces that grow span by span, and what their spans link to.

use proptest::prelude::*;
use proptest::sample::{Index, select};
use spangraph::span::SpanKind;

use super::Sent;
use super::spans::{Rest, SERVICES, fitting, rest};
use crate::oracle::Target;

/// How one more span joins what is there.
#[derive(Debug, Clone)]
pub(super) struct Step {
    kind: SpanKind,
    /// The trace, if it is a root.
    trace: u64,
    /// Its parent among the spans so far; a root without.
    parent: Option<Index>,
    /// How it relates to that parent.
    joint: Joint,
    service: Option<&'static str>,
    /// Seconds after its parent, from -6.
    delay: u64,
    links: Vec<LinkTo>,
    rest: Rest,
}

/// How a new span relates to the one it was grown from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Joint {
    /// Below it, in a service of its own.
    Child,
    /// Below it, in the same service.
    Nested,
    /// Beside it, with the same id and parent, in a service of its own.
    SharedId,
    /// Once more the same span.
    Copy,
    /// Below it, and it stands below the new one: a cycle.
    Cycle,
    /// Like a child, but of a span that is never sent.
    Orphan,
    /// No relation but where it runs: a root of its own in the same service.
    Beside,
}

/// What a new span links to.
#[derive(Debug, Clone)]
enum LinkTo {
    /// One of the spans so far.
    Sent(Index),
    /// One of the outbound spans so far that do not pull or acknowledge.
    Sender(Index),
    /// What one of the spans so far links to.
    Same(Index),
    /// One of the spans so far, which links to the new one instead.
    From(Index),
    /// A span that is never sent.
    Unseen(u64),
    /// Nothing.
    Zero,
    /// So many times nothing, around the number of links that count.
    Padding(usize),
    /// Itself.
    Itself,
}

fn link_to() -> impl Strategy<Value = LinkTo> {
    prop_oneof![
        6 => any::<Index>().prop_map(LinkTo::Sent),
        20 => any::<Index>().prop_map(LinkTo::Sender),
        12 => any::<Index>().prop_map(LinkTo::Same),
        8 => any::<Index>().prop_map(LinkTo::From),
        4 => (0..2_u64).prop_map(LinkTo::Unseen),
        1 => Just(LinkTo::Zero),
        1 => (126..129_usize).prop_map(LinkTo::Padding),
        1 => Just(LinkTo::Itself),
    ]
}

/// `messaging` is the share of spans that say what they do with a message, `linking` that of those with links.
pub(super) fn step(
    kinds: Vec<SpanKind>,
    messaging: f64,
    linking: f64,
) -> impl Strategy<Value = Step> {
    let joint = prop_oneof![
        8 => Just(Joint::Child), 6 => Just(Joint::Nested), 1 => Just(Joint::SharedId),
        2 => Just(Joint::Copy), 1 => Just(Joint::Cycle), 1 => Just(Joint::Orphan), 1 => Just(Joint::Beside),
    ];
    // Mostly none; else around the ends of what waits and of what is remembered.
    let delay = prop_oneof![
        6 => Just(6_u64),
        2 => 3..13_u64,
        2 => 6..22_u64,
        1 => 0..20_u64,
    ];
    let roots = messaging / 3.0;
    let place = (
        select(kinds),
        0..3_u64,
        prop::option::weighted(0.95 - roots, any::<Index>()),
        joint,
        select(SERVICES.to_vec()),
    );
    let links = prop::option::weighted(linking, prop::collection::vec(link_to(), 1..4));
    (place, delay, links, rest(messaging)).prop_map(
        |((kind, trace, parent, joint, service), delay, links, mut rest)| {
            let operation = &mut rest.facts.operation;
            *operation = operation.map(|operation| fitting(kind, operation));
            Step {
                kind,
                trace,
                parent,
                joint,
                service,
                delay,
                links: links.unwrap_or_default(),
                rest,
            }
        },
    )
}

/// Traces that grow span by span: mostly trees of calls, with everything that goes wrong in real ones.
pub(super) fn grown(step: impl Strategy<Value = Step>) -> impl Strategy<Value = Vec<Sent>> {
    (prop::collection::vec(step, 1..16), 0..8_u64).prop_map(|(steps, first)| {
        let mut spans: Vec<Sent> = Vec::new();
        for (id, step) in (1..).zip(&steps) {
            let base = step
                .parent
                .filter(|_| !spans.is_empty())
                .map(|at| at.index(spans.len()));
            let mut span = grow(&mut spans, base, id, step, first);
            if step.joint != Joint::Copy {
                span.links = links(&mut spans, &span, &step.links);
            }
            spans.push(span);
        }
        spans
    })
}

fn grow(spans: &mut [Sent], base: Option<usize>, id: u64, step: &Step, first: u64) -> Sent {
    let trace = (0, 1 + step.trace);
    let mut span = step.rest.sent(trace, id, step.service, step.kind);
    span.second = first + step.delay;
    let Some(base) = base.map(|at| &mut spans[at]) else {
        return span;
    };
    span.second = (base.second + step.delay).saturating_sub(6);
    if step.joint == Joint::Beside {
        span.service = base.service;
        return span;
    }
    span.trace = base.trace;
    span.parent = Some(base.id);
    match step.joint {
        Joint::Child | Joint::Beside => {}
        Joint::Nested => span.service = base.service,
        Joint::SharedId => (span.id, span.parent) = (base.id, base.parent),
        Joint::Copy => {
            return Sent {
                second: span.second,
                ..base.clone()
            };
        }
        Joint::Cycle => base.parent = Some(id),
        Joint::Orphan => span.parent = Some(id + 1_000),
    }
    span
}

fn links(spans: &mut [Sent], span: &Sent, links: &[LinkTo]) -> Vec<Target> {
    let own = (span.trace, span.id);
    let mut targets = Vec::new();
    for link in links {
        match link {
            LinkTo::Unseen(id) => targets.push(((0, 1), 2_000 + id)),
            LinkTo::Zero => targets.push(((0, 0), 0)),
            LinkTo::Padding(times) => targets.extend([((0, 0), 0)].repeat(*times)),
            LinkTo::Itself => targets.push(own),
            LinkTo::Sender(at) => {
                let senders: Vec<&Sent> = spans.iter().filter(|span| sends(span)).collect();
                if !senders.is_empty() {
                    let sent = at.get(&senders);
                    targets.push((sent.trace, sent.id));
                }
            }
            LinkTo::Sent(_) | LinkTo::Same(_) | LinkTo::From(_) if spans.is_empty() => {}
            LinkTo::Sent(at) => {
                let sent = at.get(spans);
                targets.push((sent.trace, sent.id));
            }
            LinkTo::Same(at) => targets.extend(at.get(spans).links.clone()),
            LinkTo::From(at) => {
                let at = at.index(spans.len());
                spans[at].links.push(own);
            }
        }
    }
    targets
}

fn sends(span: &Sent) -> bool {
    let pulls = matches!(span.facts.operation, Some("receive" | "settle"));
    matches!(span.kind, SpanKind::Client | SpanKind::Producer) && !pulls
}
