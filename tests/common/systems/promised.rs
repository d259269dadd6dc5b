//! What order-independence is promised for.

use std::collections::{BTreeMap, BTreeSet};

use spangraph::span::{Side, SpanKind};

use super::Sent;

/// Where a span stands: its trace, as traces compare, and its id.
type Place = ((u64, u64), u64);

/// What two copies of a span have in common (R1).
type Key = (Place, Side, Option<&'static str>, u64);

// === impl Sent ===

impl Sent {
    /// Its kind after R0.
    fn normal_kind(&self) -> SpanKind {
        match self.kind {
            SpanKind::Unspecified if self.facts.peer.is_some() => SpanKind::Client,
            SpanKind::Unspecified => SpanKind::Internal,
            kind => kind,
        }
    }

    /// Which way it faces after R0.
    fn side(&self) -> Side {
        self.normal_kind().side()
    }

    fn place(&self, low64: bool) -> Place {
        (trace_key(self.trace, low64), self.id)
    }

    fn key(&self, low64: bool) -> Key {
        (self.place(low64), self.side(), self.service, self.start_ms)
    }

    fn parent_place(&self, low64: bool) -> Option<Place> {
        Some((trace_key(self.trace, low64), self.parent?))
    }
}

/// A trace, as trace ids compare.
fn trace_key((high, low): (u64, u64), low64: bool) -> (u64, u64) {
    (if low64 { 0 } else { high }, low)
}

/// Leaves only what order-independence is promised for: copies are equal, and where several spans share an id, nobody
/// says that ids are not shared.
pub(super) fn promised(mut spans: Vec<Sent>, low64: bool) -> Vec<Sent> {
    one_caller_per_service(&mut spans, low64);
    for span in &mut spans {
        operation_of_kind(span);
    }
    one_parent_per_side(&mut spans, low64);
    equal_copies(&mut spans, low64);
    shared_ids_wait(&mut spans, low64);
    spans
}

/// Of the outbound spans of one service with one id, all but copies of the first become INTERNAL: R3 and R12 do not tell
/// them apart.
fn one_caller_per_service(spans: &mut [Sent], low64: bool) {
    let mut callers = BTreeMap::new();
    for span in spans {
        if span.side() != Side::Out {
            continue;
        }
        let caller = (span.normal_kind(), span.start_ms);
        let key = (span.place(low64), span.service);
        if *callers.entry(key).or_insert(caller) != caller {
            span.kind = SpanKind::Internal;
        }
    }
}

/// Only CLIENT and CONSUMER pull and acknowledge messages, only they and PRODUCER create and send them.
fn operation_of_kind(span: &mut Sent) {
    let known = match span.normal_kind() {
        SpanKind::Client | SpanKind::Consumer => true,
        SpanKind::Producer => !matches!(span.facts.operation, Some("receive" | "settle")),
        _ => false,
    };
    if !known {
        span.facts.operation = None;
    }
}

/// R3 does not tell apart spans of one id, service and side: those that are somebody's parent become copies.
fn one_parent_per_side(spans: &mut [Sent], low64: bool) {
    let parents: BTreeSet<Place> = spans
        .iter()
        .filter_map(|span| span.parent_place(low64))
        .collect();
    let mut firsts = BTreeMap::new();
    for span in spans {
        let place = span.place(low64);
        if parents.contains(&place) {
            let first = (span.kind, span.start_ms, span.facts.peer);
            let key = (place, span.service, span.side());
            (span.kind, span.start_ms, span.facts.peer) = *firsts.entry(key).or_insert(first);
        }
    }
}

fn equal_copies(spans: &mut [Sent], low64: bool) {
    let mut firsts: BTreeMap<Key, Sent> = BTreeMap::new();
    for span in spans {
        let first = firsts
            .entry(span.key(low64))
            .or_insert_with(|| span.clone());
        *span = Sent {
            second: span.second,
            ..first.clone()
        };
    }
}

/// A SERVER beside or below a shared id may not say that ids are not shared.
fn shared_ids_wait(spans: &mut [Sent], low64: bool) {
    let shared = shared(spans, low64);
    for span in spans {
        if span.kind == SpanKind::Server && !is_alone(span, &shared, low64) {
            (span.sdk, span.flags) = (false, 0);
        }
    }
}

/// Whether no SERVER stands beside or below a shared id.
pub(super) fn ids_are_unshared(spans: &[Sent], low64: bool) -> bool {
    let shared = shared(spans, low64);
    let mut servers = spans.iter().filter(|span| span.kind == SpanKind::Server);
    servers.all(|span| is_alone(span, &shared, low64))
}

/// Where several spans that are not copies stand.
fn shared(spans: &[Sent], low64: bool) -> BTreeSet<Place> {
    let mut users: BTreeMap<Place, BTreeSet<Key>> = BTreeMap::new();
    for span in spans {
        let users = users.entry(span.place(low64)).or_default();
        users.insert(span.key(low64));
    }
    let shared = users.into_iter().filter(|(_, users)| users.len() > 1);
    shared.map(|(place, _)| place).collect()
}

fn is_alone(span: &Sent, shared: &BTreeSet<Place>, low64: bool) -> bool {
    let below = span.parent_place(low64);
    !shared.contains(&span.place(low64)) && below.is_none_or(|place| !shared.contains(&place))
}
