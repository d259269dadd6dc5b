//! Random systems and ways: any soup of spans, traces that grow like real ones, and messages on their way.

use proptest::prelude::*;
use proptest::sample::{Index, select};
use spangraph::span::SpanKind;

use super::promised::promised;
use super::{Facts, Sent, System, Way};
use crate::oracle::{Ignore, Target, Waits};

/// Which rules systems exercise beyond the plain ones.
#[derive(Debug, Clone, Copy)]
pub struct Rules {
    /// Links (R12).
    pub links: bool,
    /// Weights (R14).
    pub sampling: bool,
    /// Ignore rules.
    pub ignore: bool,
}

const KINDS: [SpanKind; 6] = [
    SpanKind::Unspecified,
    SpanKind::Internal,
    SpanKind::Server,
    SpanKind::Client,
    SpanKind::Producer,
    SpanKind::Consumer,
];

const SERVICES: [Option<&str>; 5] = [Some("s0"), Some("s1"), Some("s2"), Some("s3"), None];

const OPERATIONS: [&str; 6] = ["receive", "send", "create", "settle", "process", "publish"];

const PROBE: &str = "GET /healthz";

/// Short ones, so that twenty seconds hold everything that can happen around them: retained for a little less than a
/// message waits, as by default, and for longer.
const WAITS: [Waits; 3] = [
    Waits {
        wait: 3,
        messaging_wait: 5,
        retain: 4,
    },
    Waits {
        wait: 3,
        messaging_wait: 5,
        retain: 9,
    },
    Waits {
        wait: 2,
        messaging_wait: 2,
        retain: 2,
    },
];

/// As samplers write them, and not.
const TRACESTATES: [&str; 9] = [
    "ot=th:8",
    "ot=th:c",
    "vendor=x:1,ot=rv:0123456789abcd;th:e",
    "ot=th:4;rv:0123456789abcd",
    "ot=th:ffc",
    "ot=th:0",
    "ot=th:xyz",
    "ot=rv:0123456789abcd",
    "vendor=th:c",
];

/// Any system.
pub fn system(rules: Rules) -> impl Strategy<Value = System> {
    let spans = prop_oneof![
        2 => prop::collection::vec(chaotic(), 1..25).boxed(),
        2 => grown(step(KINDS.to_vec(), 0.1, 0.15)).boxed(),
        3 => grown(step(messaging_kinds(), 0.8, 0.6)).boxed(),
    ];
    let flags = (
        prop::bool::weighted(0.2),
        prop::bool::weighted(0.5),
        ignore(),
    );
    let waits = select(WAITS.to_vec());
    (spans, waits, flags).prop_map(move |(mut spans, waits, (match_low64, sampling, ignore))| {
        if !rules.links {
            spans.iter_mut().for_each(without_links);
        }
        System {
            spans: promised(spans, match_low64),
            waits,
            match_low64,
            sampling: rules.sampling && sampling,
            ignore: if rules.ignore { ignore } else { Vec::new() },
        }
    })
}

fn without_links(span: &mut Sent) {
    span.links.clear();
    let known = |operation: &&str| matches!(*operation, "receive" | "settle");
    span.facts.operation = span.facts.operation.filter(known);
}

/// Any way.
pub fn way() -> impl Strategy<Value = Way> {
    (
        any::<u64>(),
        1..9_usize,
        1..9_usize,
        prop::bool::weighted(0.2),
    )
        .prop_map(|(order, shards, spans_per_request, json)| Way {
            order,
            shards,
            spans_per_request,
            json,
        })
}

/// Mostly no rule; else one or two.
fn ignore() -> impl Strategy<Value = Vec<Ignore>> {
    let rule = |service: Option<&str>, span_name: Option<&str>, kind: Option<&str>| Ignore {
        service: service.map(str::to_owned),
        span_name: span_name.map(str::to_owned),
        kind: kind.map(str::to_owned),
    };
    let rules = vec![
        rule(None, Some("*healthz"), None),
        rule(None, Some("GET *"), Some("SERVER")),
        rule(Some("s*"), Some(PROBE), Some("C*")),
        rule(Some("s2"), None, None),
        rule(Some("unknown_*"), None, None),
        rule(None, None, Some("PRODUCER")),
        rule(Some("s1"), None, Some("INTERNAL")),
    ];
    prop_oneof![
        2 => Just(Vec::new()).boxed(),
        1 => prop::collection::vec(select(rules), 1..3).boxed(),
    ]
}

fn messaging_kinds() -> Vec<SpanKind> {
    use SpanKind::{Client, Consumer, Internal, Producer, Server, Unspecified};
    vec![
        Producer,
        Producer,
        Producer,
        Consumer,
        Consumer,
        Consumer,
        Client,
        Client,
        Client,
        Internal,
        Server,
        Unspecified,
    ]
}

/// What fits a kind, at a place that is the same whatever the kind.
fn fitting(kind: SpanKind, operation: &'static str) -> &'static str {
    let at = OPERATIONS.iter().position(|known| *known == operation);
    let fitting: &[&str] = match kind {
        SpanKind::Producer => &["create", "send"],
        SpanKind::Consumer => &["process", "process", "receive"],
        SpanKind::Client | SpanKind::Unspecified => {
            &["receive", "send", "receive", "settle", "publish", "create"]
        }
        SpanKind::Internal | SpanKind::Server => return operation,
    };
    fitting[at.unwrap_or_default() % fitting.len()]
}

/// `messaging` is the share of spans that say what they do with a message.
fn facts(messaging: f64) -> impl Strategy<Value = Facts> {
    let peer = prop::option::weighted(0.15, select(vec!["s1", "ext"]));
    let topic = prop::option::weighted(0.15 + messaging / 3.0, select(vec!["orders", "mails"]));
    let operation = prop::option::weighted(messaging, select(OPERATIONS.to_vec()));
    let host = prop::option::weighted(0.15, select(vec!["localhost", "api.example"]));
    let db = prop::bool::weighted(0.12);
    let broker = prop::bool::weighted(0.1);
    let timer = prop::bool::weighted(0.05);
    (peer, db, topic, broker, operation, host, timer).prop_map(
        |(peer, db, topic, broker, operation, host, timer)| Facts {
            peer,
            db,
            topic,
            broker,
            operation,
            host,
            timer,
        },
    )
}

fn flags() -> impl Strategy<Value = u32> {
    prop_oneof![6 => Just(0_u32), 1 => Just(0x100), 1 => Just(0x300), 1 => Just(0x201)]
}

/// Start and end: mostly a few milliseconds, sometimes none at all, sometimes backwards, sometimes by a skewed clock.
fn times() -> impl Strategy<Value = (u64, u64)> {
    (select(vec![1_000_u64, 1_010, 1_020, 5]), 0..60_u64)
        .prop_map(|(start, end)| (start, (start + end).saturating_sub(10)))
}

/// Everything about a span that does not say where it stands.
#[derive(Debug, Clone)]
struct Rest {
    failed: bool,
    times: (u64, u64),
    flags: u32,
    sdk: bool,
    facts: Facts,
    name: &'static str,
    tracestate: &'static str,
    ratio: Option<u32>,
}

fn rest(messaging: f64) -> impl Strategy<Value = Rest> {
    let name = prop_oneof![5 => Just("op"), 1 => Just(PROBE)];
    let tracestate = prop_oneof![2 => Just(""), 1 => select(TRACESTATES.to_vec())];
    let ratio = prop::option::weighted(0.2, select(vec![100_u32, 50, 25, 30, 0, 400]));
    let said = (
        prop::bool::weighted(0.3),
        times(),
        flags(),
        prop::bool::weighted(0.3),
    );
    (said, facts(messaging), name, tracestate, ratio).prop_map(
        |((failed, times, flags, sdk), facts, name, tracestate, ratio)| Rest {
            failed,
            times,
            flags,
            sdk,
            facts,
            name,
            tracestate,
            ratio,
        },
    )
}

// === impl Rest ===

impl Rest {
    fn sent(
        &self,
        trace: (u64, u64),
        id: u64,
        service: Option<&'static str>,
        kind: SpanKind,
    ) -> Sent {
        Sent {
            trace,
            id,
            parent: None,
            service,
            kind,
            name: self.name,
            failed: self.failed,
            start_ms: self.times.0,
            end_ms: self.times.1,
            flags: self.flags,
            sdk: self.sdk,
            facts: self.facts,
            links: Vec::new(),
            tracestate: self.tracestate,
            ratio: self.ratio,
            second: 0,
        }
    }
}

/// A span of few traces, ids and services, so that shared ids, cycles, copies and missing parents are common.
fn chaotic() -> impl Strategy<Value = Sent> {
    let link = ((0..2_u64, 0..2_u64), 0..7_u64);
    let links = prop_oneof![
        2 => Just(Vec::new()).boxed(),
        1 => prop::collection::vec(link, 1..4).boxed(),
    ];
    let place = (
        (0..2_u64, 0..2_u64),
        1..7_u64,
        prop::option::weighted(0.8, 1..7_u64),
        select(SERVICES.to_vec()),
        select(KINDS.to_vec()),
    );
    (place, rest(0.2), links, 0..20_u64).prop_map(
        |((trace, id, parent, service, kind), rest, links, second)| Sent {
            parent,
            links,
            second,
            ..rest.sent(trace, id, service, kind)
        },
    )
}

/// How one more span joins what is there.
#[derive(Debug, Clone)]
struct Step {
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
fn step(kinds: Vec<SpanKind>, messaging: f64, linking: f64) -> impl Strategy<Value = Step> {
    let joint = prop_oneof![
        8 => Just(Joint::Child), 6 => Just(Joint::Nested), 1 => Just(Joint::SharedId),
        2 => Just(Joint::Copy), 1 => Just(Joint::Cycle), 1 => Just(Joint::Orphan), 1 => Just(Joint::Beside),
    ];
    let delay = prop_oneof![
        6 => Just(6_u64),
        2 => 3..13_u64,
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
fn grown(step: impl Strategy<Value = Step>) -> impl Strategy<Value = Vec<Sent>> {
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
