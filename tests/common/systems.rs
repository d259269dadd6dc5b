//! Random systems: spans of a small world, the seconds in which they arrive, and the ways in which the same spans may
//! reach a core. Printed one span a line in the notation of the pairing rules, so that a shrunk case can be read.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use proptest::prelude::*;
use proptest::sample::{Index, select};
use spangraph::semconv;
use spangraph::span::{Attrs, Operation, Side, SpanKind};

/// What a span's attributes say; each spelled in one way only, since spellings are tested elsewhere.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Facts {
    /// `peer.service`.
    pub peer: Option<&'static str>,
    /// `db.system`.
    pub db: bool,
    /// `messaging.destination.name`.
    pub topic: Option<&'static str>,
    /// `messaging.system`.
    pub broker: bool,
    /// `messaging.operation.type`: `receive` or `settle`.
    pub operation: Option<&'static str>,
    /// `server.address`.
    pub host: Option<&'static str>,
    /// `faas.trigger` is `timer`.
    pub timer: bool,
}

/// One span as sent, and when it arrives.
#[derive(Clone, PartialEq, Eq)]
pub struct Sent {
    /// High and low 64 bits of the trace id.
    pub trace: (u64, u64),
    pub id: u64,
    pub parent: Option<u64>,
    pub service: Option<&'static str>,
    pub kind: SpanKind,
    pub failed: bool,
    /// Milliseconds; the end may be before the start.
    pub start_ms: u64,
    pub end_ms: u64,
    pub flags: u32,
    /// Its resource names `telemetry.sdk.name`.
    pub sdk: bool,
    pub facts: Facts,
    /// Second of arrival, from 0.
    pub second: u64,
}

/// A case: which spans, and how trace ids compare.
#[derive(Clone)]
pub struct System {
    pub spans: Vec<Sent>,
    pub match_low64: bool,
}

/// How the same spans may come without the answer being allowed to differ.
#[derive(Debug, Clone)]
pub struct Way {
    /// Sorts the spans of a second.
    pub order: u64,
    pub shards: usize,
    pub spans_per_request: usize,
}

/// What two copies of a span have in common (R1).
type Key = ((u64, u64), u64, Side, Option<&'static str>, u64);

const KINDS: [SpanKind; 6] = [
    SpanKind::Unspecified,
    SpanKind::Internal,
    SpanKind::Server,
    SpanKind::Client,
    SpanKind::Producer,
    SpanKind::Consumer,
];

const SERVICES: [Option<&str>; 5] = [Some("s0"), Some("s1"), Some("s2"), Some("s3"), None];

// === impl Facts ===

impl Facts {
    /// As the naming rules read them.
    pub fn attrs(&self) -> Attrs<'static> {
        Attrs {
            logical_peer: self.peer,
            db_system: self.db.then_some("redis"),
            destination: self.topic,
            messaging_system: self.broker.then_some("kafka"),
            operation: match self.operation {
                Some("receive") => Operation::Receive,
                Some("settle") => Operation::Settle,
                _ => Operation::None,
            },
            host: self.host,
            timer_triggered: self.timer,
            ..Attrs::default()
        }
    }

    /// Key and value, as sent.
    pub fn attributes(&self) -> Vec<(&'static str, &'static str)> {
        let pairs = [
            ("peer.service", self.peer),
            ("db.system", self.db.then_some("redis")),
            ("messaging.destination.name", self.topic),
            ("messaging.system", self.broker.then_some("kafka")),
            ("messaging.operation.type", self.operation),
            ("server.address", self.host),
            ("faas.trigger", self.timer.then_some("timer")),
        ];
        let present = |(key, value): (_, Option<_>)| Some((key, value?));
        pairs.into_iter().filter_map(present).collect()
    }
}

// === impl Sent ===

impl Sent {
    /// Its kind after R0.
    pub fn normal_kind(&self) -> SpanKind {
        match self.kind {
            SpanKind::Unspecified if self.facts.peer.is_some() => SpanKind::Client,
            SpanKind::Unspecified => SpanKind::Internal,
            kind => kind,
        }
    }

    /// Which way it faces after R0.
    pub fn side(&self) -> Side {
        self.normal_kind().side()
    }

    fn key(&self, low64: bool) -> Key {
        (
            self.trace_key(low64),
            self.id,
            self.side(),
            self.service,
            self.start_ms,
        )
    }

    /// Its trace, as trace ids compare.
    pub fn trace_key(&self, low64: bool) -> (u64, u64) {
        (if low64 { 0 } else { self.trace.0 }, self.trace.1)
    }
}

impl fmt::Debug for Sent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let service = self.service.unwrap_or("(no name)");
        write!(f, "second {:2}: {service} ", self.second)?;
        write!(f, "{} {}", self.kind.name(), self.id)?;
        if let Some(parent) = self.parent {
            write!(f, "^{parent}")?;
        }
        if self.failed {
            f.write_str(" !")?;
        }
        write!(f, "   [{}..{} ms]", self.start_ms, self.end_ms)?;
        for (key, value) in self.facts.attributes() {
            write!(f, " {key}={value}")?;
        }
        if self.flags != 0 {
            write!(f, " flags={:#x}", self.flags)?;
        }
        if self.sdk {
            f.write_str(" sdk")?;
        }
        write!(f, " trace={:x}:{}", self.trace.0, self.trace.1)
    }
}

// === impl System ===

impl fmt::Debug for System {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.match_low64 {
            f.write_str("match_low64")?;
        }
        let mut spans: Vec<_> = self.spans.iter().collect();
        spans.sort_by_key(|span| span.second);
        spans
            .into_iter()
            .try_for_each(|span| write!(f, "\n    {span:?}"))
    }
}

// === impl System ===

impl System {
    /// Systems that are a little simpler: one span less, or one span plainer.
    pub fn simpler(&self) -> impl Iterator<Item = Self> + '_ {
        let without = (0..self.spans.len()).map(|at| {
            let mut less = self.clone();
            less.spans.remove(at);
            less
        });
        let plainer = (0..self.spans.len()).flat_map(move |at| {
            let plain = |span: &mut Sent, what| match what {
                0 => span.facts = Facts::default(),
                1 => (span.sdk, span.flags) = (false, 0),
                2 => span.failed = false,
                3 => (span.start_ms, span.end_ms) = (1_000, 1_010),
                _ => span.service = Some("s0"),
            };
            (0..5).map(move |what| {
                let mut plainer = self.clone();
                plain(&mut plainer.spans[at], what);
                plainer
            })
        });
        let promised_still = |system: Self| Self {
            spans: promised(system.spans, system.match_low64),
            ..system
        };
        without
            .chain(plainer)
            .map(promised_still)
            .filter(|system| system.spans != self.spans)
    }
}

/// Any system.
pub fn system() -> impl Strategy<Value = System> {
    let spans = prop_oneof![
        1 => prop::collection::vec(chaotic(), 1..25),
        2 => grown(),
    ];
    (spans, prop::bool::weighted(0.2)).prop_map(|(spans, match_low64)| {
        let spans = promised(spans, match_low64);
        System { spans, match_low64 }
    })
}

/// Any way.
pub fn way() -> impl Strategy<Value = Way> {
    (any::<u64>(), 1..9_usize, 1..9_usize).prop_map(|(order, shards, spans_per_request)| Way {
        order,
        shards,
        spans_per_request,
    })
}

fn facts() -> impl Strategy<Value = Facts> {
    let peer = prop::option::weighted(0.15, select(vec!["s1", "ext"]));
    let topic = prop::option::weighted(0.15, Just("orders"));
    let operation = prop::option::weighted(0.1, select(vec!["receive", "settle"]));
    let host = prop::option::weighted(0.15, select(vec!["localhost", "api.example"]));
    let db = prop::bool::weighted(0.15);
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

/// A span of few traces, ids and services, so that shared ids, cycles, copies and missing parents are common.
fn chaotic() -> impl Strategy<Value = Sent> {
    let place = (
        (0..2_u64, 0..2_u64),
        1..7_u64,
        prop::option::weighted(0.8, 1..7_u64),
        select(SERVICES.to_vec()),
        select(KINDS.to_vec()),
    );
    let rest = (
        any::<bool>(),
        times(),
        flags(),
        any::<bool>(),
        facts(),
        0..20_u64,
    );
    (place, rest).prop_map(
        |(
            (trace, id, parent, service, kind),
            (failed, (start_ms, end_ms), flags, sdk, facts, second),
        )| Sent {
            trace,
            id,
            parent,
            service,
            kind,
            failed,
            start_ms,
            end_ms,
            flags,
            sdk,
            facts,
            second,
        },
    )
}

/// How one more span joins a trace.
#[derive(Debug, Clone)]
struct Step {
    kind: SpanKind,
    /// Its parent among the spans so far; a root without.
    parent: Option<Index>,
    /// How it relates to that parent.
    joint: Joint,
    service: Option<&'static str>,
    facts: Facts,
    /// Seconds after its parent, from -6.
    delay: u64,
    times: (u64, u64),
    failed: bool,
    flags: u32,
    sdk: bool,
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
}

fn step() -> impl Strategy<Value = Step> {
    let joint = prop_oneof![
        8 => Just(Joint::Child), 6 => Just(Joint::Nested), 1 => Just(Joint::SharedId),
        2 => Just(Joint::Copy), 1 => Just(Joint::Cycle), 1 => Just(Joint::Orphan),
    ];
    let delay = prop_oneof![
        6 => Just(6_u64),
        2 => 3..10_u64,
        1 => 0..20_u64,
    ];
    let place = (
        select(KINDS.to_vec()),
        prop::option::weighted(0.93, any::<Index>()),
        joint,
        select(SERVICES.to_vec()),
        facts(),
    );
    let rest = (
        delay,
        times(),
        prop::bool::weighted(0.3),
        flags(),
        prop::bool::weighted(0.3),
    );
    (place, rest).prop_map(
        |((kind, parent, joint, service, facts), (delay, times, failed, flags, sdk))| Step {
            kind,
            parent,
            joint,
            service,
            facts,
            delay,
            times,
            failed,
            flags,
            sdk,
        },
    )
}

/// Traces that grow span by span: mostly trees of calls, with everything that goes wrong in real ones.
fn grown() -> impl Strategy<Value = Vec<Sent>> {
    (prop::collection::vec(step(), 1..16), 0..8_u64).prop_map(|(steps, first)| {
        let mut spans: Vec<Sent> = Vec::new();
        for (id, step) in (1..).zip(&steps) {
            let base = step
                .parent
                .filter(|_| !spans.is_empty())
                .map(|at| at.index(spans.len()));
            let span = grow(&mut spans, base, id, step, first);
            spans.push(span);
        }
        spans
    })
}

fn grow(spans: &mut [Sent], base: Option<usize>, id: u64, step: &Step, first: u64) -> Sent {
    let mut span = Sent {
        trace: (0, 1),
        id,
        parent: None,
        service: step.service,
        kind: step.kind,
        failed: step.failed,
        start_ms: step.times.0,
        end_ms: step.times.1,
        flags: step.flags,
        sdk: step.sdk,
        facts: step.facts,
        second: first + step.delay,
    };
    let Some(base) = base.map(|at| &mut spans[at]) else {
        return span;
    };
    span.second = (base.second + step.delay).saturating_sub(6);
    span.parent = Some(base.id);
    match step.joint {
        Joint::Child => {}
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

/// Leaves only what order-independence is promised for: copies are equal, and where several spans share an id, no
/// SERVER settles early on one of them.
fn promised(mut spans: Vec<Sent>, low64: bool) -> Vec<Sent> {
    let place = |span: &Sent| (span.trace_key(low64), span.id);
    let inbound: BTreeSet<_> = spans
        .iter()
        .filter(|span| span.side() == Side::In)
        .map(place)
        .collect();
    let mut callers: BTreeMap<_, BTreeMap<_, _>> = BTreeMap::new();
    for span in &mut spans {
        if span.side() != Side::Out {
            continue;
        }
        let callers = callers.entry(place(span)).or_default();
        let shared = inbound.contains(&place(span));
        let caller = (span.normal_kind(), span.start_ms);
        let others = callers.keys().any(|service| *service != span.service);
        if *callers.entry(span.service).or_insert(caller) != caller || (shared && others) {
            span.kind = SpanKind::Internal;
        }
    }
    for span in &mut spans {
        // Only these kinds pull and acknowledge messages.
        if ![SpanKind::Client, SpanKind::Consumer].contains(&span.normal_kind()) {
            span.facts.operation = None;
        }
    }
    one_parent_per_side(&mut spans, low64);
    let mut firsts: BTreeMap<Key, Sent> = BTreeMap::new();
    for span in &mut spans {
        let first = firsts
            .entry(span.key(low64))
            .or_insert_with(|| span.clone());
        *span = Sent {
            second: span.second,
            ..first.clone()
        };
    }
    let mut users: BTreeMap<_, BTreeSet<Key>> = BTreeMap::new();
    for span in &spans {
        users
            .entry(place(span))
            .or_default()
            .insert(span.key(low64));
    }
    let unshared = |trace, id| users.get(&(trace, id)).is_none_or(|users| users.len() < 2);
    for span in &mut spans {
        let trace = span.trace_key(low64);
        let alone =
            unshared(trace, span.id) && span.parent.is_none_or(|parent| unshared(trace, parent));
        if span.kind == SpanKind::Server && !alone {
            (span.sdk, span.flags) = (false, 0);
        }
    }
    spans
}

/// R3 does not tell apart spans of one id, service and side: those that are somebody's parent become copies.
fn one_parent_per_side(spans: &mut [Sent], low64: bool) {
    let parents: BTreeSet<_> = spans
        .iter()
        .filter_map(|span| Some((span.trace_key(low64), span.parent?)))
        .collect();
    let mut firsts = BTreeMap::new();
    for span in spans {
        let place = (span.trace_key(low64), span.id);
        if parents.contains(&place) {
            let first = (span.kind, span.start_ms, span.facts.peer);
            let key = (place, span.service, span.side());
            (span.kind, span.start_ms, span.facts.peer) = *firsts.entry(key).or_insert(first);
        }
    }
}

/// Whether a span is about a message: a PRODUCER always is.
pub fn is_messaging(span: &Sent) -> bool {
    span.normal_kind() == SpanKind::Producer || semconv::is_messaging(&span.facts.attrs())
}
