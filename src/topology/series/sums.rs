//! What one series counts: sums since it began, which only grow.

use std::sync::Arc;

use super::classic::{Classic, Sample};
use super::counted::{Ends, Kinds};
use super::labels::{Borrowed, Labels};
use crate::proto;
use crate::topology::counts::{WEIGHT_ONE, rounded};
use crate::topology::fold::Named;

/// One series and its sums.
#[derive(Debug, Clone)]
pub struct Series {
    /// What it is called.
    pub labels: Arc<Labels>,
    /// Unix second from which on it counts.
    pub created_s: u64,
    /// First unix second after its newest call.
    pub(super) seen_until_s: u64,
    ends: EndTypes,
    /// What it counts.
    pub sums: Sums,
}

/// Sums of calls.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sums {
    calls: Weight,
    failed: Weight,
    /// The newest failed call known by name.
    pub failed_exemplar: Option<Sample>,
    /// Durations by the called; by the caller where the called is virtual.
    pub server: Option<Box<Classic>>,
    /// Durations by the caller.
    pub client: Option<Box<Classic>>,
    /// From the end of the producer to the start of the consumer.
    pub queue: Option<Box<Classic>>,
}

/// The node types of a series' ends, which its labels do not say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum EndTypes {
    /// No edge so far.
    None,
    /// All its edges agree.
    All(Kinds),
    /// They do not.
    Mixed,
}

/// A number of calls that may each stand for several, in units of 2^-20 call.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Weight(u128);

// === impl Series ===

impl Series {
    /// A series without calls.
    pub(super) fn new(labels: Arc<Labels>, created_s: u64) -> Self {
        Self {
            labels,
            created_s,
            seen_until_s: 0,
            ends: EndTypes::None,
            sums: Sums::default(),
        }
    }

    /// Whether it is the one of everything that has none of its own.
    pub(super) fn is_overflow(&self) -> bool {
        self.labels.borrow() == Borrowed::OVERFLOW
    }

    /// Whether it has been begun and nothing was counted yet.
    pub(super) fn is_new(&self) -> bool {
        self.seen_until_s == 0
    }

    /// What it connects, if its labels say all there is to say of its edges.
    pub(super) fn ends(&self) -> Option<Ends<'_>> {
        let EndTypes::All((client, server)) = self.ends else {
            return None;
        };
        let labels = &self.labels;
        let named = |kind, name, namespace| Named {
            kind,
            name,
            namespace,
        };
        Some(Ends {
            client: named(client, &labels.client, labels.client_namespace.as_deref()),
            server: named(server, &labels.server, labels.server_namespace.as_deref()),
            connection_type: labels.connection_type,
        })
    }

    /// Adds calls between ends of these types, the newest before `seen_until_s`.
    pub(super) fn add(&mut self, sums: &Sums, kinds: Kinds, seen_until_s: u64) {
        self.ends = match self.ends {
            EndTypes::None => EndTypes::All(kinds),
            EndTypes::All(same) if same == kinds => EndTypes::All(kinds),
            _ => EndTypes::Mixed,
        };
        self.seen_until_s = self.seen_until_s.max(seen_until_s);
        self.sums.absorb(sums);
    }
}

// === impl Sums ===

impl Sums {
    /// Of one edge of a slice.
    pub(super) fn of(edge: &proto::Edge) -> Self {
        let raw = edge
            .seen_both
            .saturating_add(edge.seen_client)
            .saturating_add(edge.seen_server);
        let weighted = edge.weighted_calls > 0;
        let slowest = edge.slowest.as_ref().and_then(Sample::read);
        let classic = |histogram: &Option<proto::Histogram>| {
            let histogram = histogram.as_ref().filter(|h| h.count > 0)?;
            let mut classic = Box::<Classic>::default();
            classic.add(histogram, slowest.as_ref());
            Some(classic)
        };
        Self {
            calls: Weight::of(raw, weighted.then_some(edge.weighted_calls)),
            failed: Weight::of(edge.failed, weighted.then_some(edge.weighted_failed)),
            failed_exemplar: edge.failed_exemplar.as_ref().and_then(Sample::read),
            server: classic(&edge.server_latency),
            client: classic(&edge.client_latency),
            queue: classic(&edge.queue),
        }
    }

    /// Calls, as a topology shows them: weighted and rounded where sampling is adjusted.
    pub fn calls(&self) -> u64 {
        self.calls.rounded()
    }

    /// Failed calls, likewise.
    pub fn failed(&self) -> u64 {
        self.failed.rounded()
    }

    /// What remains when external ends turn out to be services: the durations of a virtual server were the client's, a
    /// real server's are only what it reported itself.
    pub(super) fn fold(&mut self, was: Kinds, is: Kinds) {
        if was.1 != is.1 {
            self.server = None;
        }
    }

    fn absorb(&mut self, other: &Self) {
        self.calls.0 = self.calls.0.saturating_add(other.calls.0);
        self.failed.0 = self.failed.0.saturating_add(other.failed.0);
        self.failed_exemplar = self.failed_exemplar.max(other.failed_exemplar);
        for (into, from) in [
            (&mut self.server, &other.server),
            (&mut self.client, &other.client),
            (&mut self.queue, &other.queue),
        ] {
            if let Some(from) = from {
                into.get_or_insert_default().absorb(from);
            }
        }
    }
}

// === impl Weight ===

impl Weight {
    fn of(calls: u64, weighted: Option<u64>) -> Self {
        let exact = u128::from(calls) * u128::from(WEIGHT_ONE);
        Self(weighted.map_or(exact, u128::from))
    }

    fn rounded(self) -> u64 {
        rounded(self.0)
    }
}
