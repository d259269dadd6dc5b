//! Sums over counted data: totals, names and the merge operators of nodes, edges and text sets.

use crate::proto::{ConnectionType, Exemplar};

use super::histogram;
use super::model::{
    CallsFrom, EdgeCounts, Health, NodeCounts, NodeKind, Seen, TextSet, Thresholds,
};

/// Texts kept of a set.
const MAX_TEXTS: usize = 16;
/// One in the fixed point of weighted sums.
pub(super) const WEIGHT_ONE: u64 = 1 << 20;

// === impl NodeKind ===

impl NodeKind {
    /// The word of the API.
    pub fn name(self) -> &'static str {
        match self {
            Self::Service => "service",
            Self::Database => "database",
            Self::Messaging => "messaging",
            Self::External => "external",
            Self::User => "user",
            Self::Overflow => "overflow",
            Self::Namespace => "namespace",
            Self::Dimension => "dimension",
        }
    }

    /// No span of its own says it exists.
    pub fn inferred(self) -> bool {
        matches!(
            self,
            Self::Database | Self::Messaging | Self::External | Self::User
        )
    }
}

const CONNECTIONS: [ConnectionType; 4] = [
    ConnectionType::None,
    ConnectionType::VirtualNode,
    ConnectionType::MessagingSystem,
    ConnectionType::Database,
];

/// The connection type that a word names.
pub fn connection_named(word: &str) -> Option<ConnectionType> {
    let mut known = CONNECTIONS.into_iter();
    known.find(|c| connection_name(*c) == word)
}

/// The peers' word for a connection type.
pub fn connection_name(connection_type: ConnectionType) -> &'static str {
    match connection_type {
        ConnectionType::None => "",
        ConnectionType::VirtualNode => "virtual_node",
        ConnectionType::MessagingSystem => "messaging_system",
        ConnectionType::Database => "database",
    }
}

// === impl CallsFrom ===

impl CallsFrom {
    /// The node's calls.
    pub fn calls(self) -> u64 {
        self.edges
            .saturating_add(self.no_caller)
            .saturating_add(self.unpaired)
    }
}

// === impl Seen ===

impl Seen {
    /// The edge's calls, unweighted.
    pub fn calls(self) -> u64 {
        self.both
            .saturating_add(self.client)
            .saturating_add(self.server)
    }
}

// === impl NodeCounts ===

impl NodeCounts {
    /// Whether it is virtual and no span of its own was counted: then its callers alone know what it was called.
    pub fn silent(&self) -> bool {
        self.kind.inferred() && self.calls_from.calls() == 0
    }

    /// Adds another node's counts; identity stays.
    pub(super) fn absorb(&mut self, other: Self) {
        let from = &mut self.calls_from;
        add(&mut from.edges, other.calls_from.edges);
        add(&mut from.no_caller, other.calls_from.no_caller);
        add(&mut from.unpaired, other.calls_from.unpaired);
        add(&mut self.failed, other.failed);
        histogram::absorb(&mut self.latency, other.latency);
        self.versions.absorb(other.versions);
        self.instances.absorb(other.instances);
        self.idle &= other.idle;
        self.first_seen_s = earliest(self.first_seen_s, other.first_seen_s);
        self.last_seen_s = self.last_seen_s.max(other.last_seen_s);
    }
}

// === impl EdgeCounts ===

impl EdgeCounts {
    /// Calls as they are shown: weighted and rounded when sampling is adjusted.
    pub fn calls(&self) -> u64 {
        if self.weighted() {
            rounded(self.weighted_calls.into())
        } else {
            self.seen.calls()
        }
    }

    /// Failed calls as they are shown.
    pub fn failed_calls(&self) -> u64 {
        if self.weighted() {
            rounded(self.weighted_failed.into())
        } else {
            self.failed
        }
    }

    /// Whether sampling is adjusted.
    pub fn weighted(&self) -> bool {
        self.weighted_calls > 0
    }

    /// Adds another edge's counts; the connection type stays.
    pub(super) fn absorb(&mut self, other: Self) {
        self.weigh_together(&other);
        add(&mut self.seen.both, other.seen.both);
        add(&mut self.seen.client, other.seen.client);
        add(&mut self.seen.server, other.seen.server);
        add(&mut self.inferred, other.inferred);
        add(&mut self.failed, other.failed);
        add(&mut self.client_failed, other.client_failed);
        add(&mut self.server_failed, other.server_failed);
        histogram::absorb(&mut self.client_latency, other.client_latency);
        histogram::absorb(&mut self.server_latency, other.server_latency);
        histogram::absorb(&mut self.gap, other.gap);
        histogram::absorb(&mut self.queue, other.queue);
        for (name, count) in other.protocols {
            add(self.protocols.entry(name).or_default(), count);
        }
        for (name, count) in other.statuses {
            add(self.statuses.entry(name).or_default(), count);
        }
        self.destinations.absorb(other.destinations);
        self.slowest = greater(self.slowest.take(), other.slowest, |e| e.duration_ns);
        self.failed_exemplar = greater(self.failed_exemplar.take(), other.failed_exemplar, |e| {
            e.second
        });
        self.idle &= other.idle;
        self.first_seen_s = earliest(self.first_seen_s, other.first_seen_s);
        self.last_seen_s = self.last_seen_s.max(other.last_seen_s);
    }

    /// An unweighted edge that meets a weighted one counts each of its calls as one.
    fn weigh_together(&mut self, other: &Self) {
        let weight = |edge: &Self| {
            let one = |n: u64| n.saturating_mul(WEIGHT_ONE);
            if edge.weighted() {
                (edge.weighted_calls, edge.weighted_failed)
            } else {
                (one(edge.seen.calls()), one(edge.failed))
            }
        };
        if self.weighted() || other.weighted() {
            let (a, b) = (weight(self), weight(other));
            self.weighted_calls = a.0.saturating_add(b.0);
            self.weighted_failed = a.1.saturating_add(b.1);
        }
    }
}

// === impl TextSet ===

impl TextSet {
    fn absorb(&mut self, other: Self) {
        self.values.extend(other.values);
        self.more |= other.more;
        while self.values.len() > MAX_TEXTS {
            self.values.pop_last();
            self.more = true;
        }
    }
}

// === impl Thresholds ===

impl Default for Thresholds {
    fn default() -> Self {
        Self {
            degraded_failed_ratio: 0.01,
            failing_failed_ratio: 0.05,
        }
    }
}

impl Thresholds {
    /// Health at a failed ratio.
    pub fn judge(self, failed_ratio: f64) -> Health {
        if failed_ratio >= self.failing_failed_ratio {
            Health::Failing
        } else if failed_ratio >= self.degraded_failed_ratio {
            Health::Degraded
        } else {
            Health::Ok
        }
    }
}

// === impl Health ===

impl Health {
    /// The word of the API.
    pub fn name(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Degraded => "degraded",
            Self::Failing => "failing",
        }
    }

    /// Whether `health=problems` shows it.
    pub fn problem(self) -> bool {
        self > Self::Ok
    }
}

/// `part` of `whole`; `None` when there is no whole.
#[expect(clippy::cast_precision_loss, reason = "counts below 2^53 are exact")]
pub(super) fn ratio(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}

/// Per covered second; `None` when nothing was covered.
pub(super) fn rate(count: u64, covered_ns: u64) -> Option<f64> {
    ratio(count, covered_ns).map(|per_ns| per_ns * 1e9)
}

fn add(to: &mut u64, more: u64) {
    *to = to.saturating_add(more);
}

fn earliest(a: u64, b: u64) -> u64 {
    match (a, b) {
        (0, known) | (known, 0) => known,
        _ => a.min(b),
    }
}

/// Whole calls, halves up.
pub(super) fn rounded(weight: u128) -> u64 {
    let one = u128::from(WEIGHT_ONE);
    u64::try_from(weight.saturating_add(one / 2) / one).unwrap_or(u64::MAX)
}

fn greater(
    a: Option<Exemplar>,
    b: Option<Exemplar>,
    rank: impl Fn(&Exemplar) -> u64,
) -> Option<Exemplar> {
    [a, b]
        .into_iter()
        .flatten()
        .max_by(|x, y| (rank(x), &x.trace_id).cmp(&(rank(y), &y.trace_id)))
}
