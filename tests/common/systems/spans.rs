//! Single spans: what they may say of themselves, and the soup of them in which everything is common that is rare.

use proptest::prelude::*;
use proptest::sample::select;
use spangraph::span::SpanKind;

use super::{Facts, Sent};

pub(super) const KINDS: [SpanKind; 6] = [
    SpanKind::Unspecified,
    SpanKind::Internal,
    SpanKind::Server,
    SpanKind::Client,
    SpanKind::Producer,
    SpanKind::Consumer,
];

pub(super) const SERVICES: [Option<&str>; 5] =
    [Some("s0"), Some("s1"), Some("s2"), Some("s3"), None];

const OPERATIONS: [&str; 6] = ["receive", "send", "create", "settle", "process", "publish"];

pub(super) const PROBE: &str = "GET /healthz";

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

pub(super) fn messaging_kinds() -> Vec<SpanKind> {
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
pub(super) fn fitting(kind: SpanKind, operation: &'static str) -> &'static str {
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
    let peers = vec![("s1", None), ("ext", None), ("s1", Some("n"))];
    let peer = prop::option::weighted(0.15, select(peers));
    let topic = prop::option::weighted(0.15 + messaging / 3.0, select(vec!["orders", "mails"]));
    let operation = prop::option::weighted(messaging, select(OPERATIONS.to_vec()));
    let host = prop::option::weighted(0.15, select(vec!["localhost", "api.example"]));
    let db = prop::bool::weighted(0.12);
    let broker = prop::bool::weighted(0.1);
    let timer = prop::bool::weighted(0.05);
    (peer, db, topic, broker, operation, host, timer).prop_map(
        |(peer, db, topic, broker, operation, host, timer)| Facts {
            peer: peer.map(|(name, _)| name),
            peer_namespace: peer.and_then(|(_, namespace)| namespace),
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
pub(super) struct Rest {
    failed: bool,
    times: (u64, u64),
    flags: u32,
    sdk: bool,
    pub(super) facts: Facts,
    name: &'static str,
    tracestate: &'static str,
    ratio: Option<u32>,
}

pub(super) fn rest(messaging: f64) -> impl Strategy<Value = Rest> {
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
    pub(super) fn sent(
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
pub(super) fn chaotic() -> impl Strategy<Value = Sent> {
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
