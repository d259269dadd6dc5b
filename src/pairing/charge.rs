//! R8 and R14: which calls of an outbound span failed, kept up with each callee that settles.
//!
//! Per (span, edge) failed calls are the greater of the failing callees and the span's own failure; weighted, of the
//! weights of the calls that failing callees were in, and of the greatest weight of its calls so far if the span failed.

use ahash::{HashMap, RandomState};

use super::record::{Flags, Record};
use super::room;
use crate::graph::EdgeId;
use crate::span::Weight;

/// What does not fit in the records: spans with calls on more than one edge, and those with calls that weigh more than
/// they do themselves.
#[derive(Debug)]
pub(super) struct Charges {
    by_span: HashMap<u32, HashMap<EdgeId, Charged>>,
    /// Edges in all of them.
    edges: u64,
}

/// What one call adds to its edge for its parent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Charge {
    pub(super) failed: u32,
    /// Fixed point, 2^-20.
    pub(super) weighted_failed: u64,
    /// It is the parent's first call on this edge.
    pub(super) first: bool,
}

/// The calls of one span on one edge so far.
#[derive(Debug, Clone, Copy, Default)]
struct Charged {
    /// Failing callees.
    failing: u32,
    /// Weight of their calls, fixed point.
    weighted: u64,
    /// The greatest weight of its calls; `None` before the first.
    greatest: Option<Weight>,
}

/// The calls of one span on one edge so far, as told outside.
#[derive(Debug, Clone, Copy)]
pub(super) struct OnEdge {
    pub(super) edge: EdgeId,
    /// Failing callees.
    pub(super) failing: u32,
    /// Weight of their calls, fixed point.
    pub(super) weighted: u64,
    /// The greatest weight of its calls.
    pub(super) greatest: Weight,
}

// === impl Charges ===

impl Charges {
    /// Most bytes that a call takes, if it is one on a second edge.
    pub(super) const CALL: u64 = (2 * (size_of::<(u32, HashMap<EdgeId, Charged>)>() + 1)
        + 4 * size_of::<(EdgeId, Charged)>()) as u64;

    pub(super) fn new(hasher: RandomState) -> Self {
        Self {
            by_span: HashMap::with_hasher(hasher),
            edges: 0,
        }
    }

    /// One more call of the span `at`, on an edge.
    pub(super) fn charge(
        &mut self,
        at: u32,
        span: &mut Record,
        edge: EdgeId,
        callee_failed: bool,
        weight: Weight,
    ) -> Charge {
        let failed = span.flags.has(Flags::FAILED);
        let mut charged = Charged::default();
        if !span.flags.has(Flags::CHARGED) {
            span.flags.set(Flags::CHARGED);
            span.edge = edge;
        } else if span.edge == edge {
            charged = Charged::of(span);
        }
        let many = span.flags.has(Flags::MANY_EDGES);
        let known = many.then(|| self.find(at, edge)).flatten();
        if let Some(known) = known {
            return known.add(callee_failed, weight, failed);
        }
        let charge = charged.add(callee_failed, weight, failed);
        if span.edge == edge && weight == span.weight {
            span.failing = charged.failing;
        } else {
            span.flags.set(Flags::MANY_EDGES);
            self.edges += 1;
            self.by_span.entry(at).or_default().insert(edge, charged);
        }
        charge
    }

    /// The calls of the span `at` so far, wherever they are kept.
    pub(super) fn of(&self, at: u32, span: &Record) -> Vec<OnEdge> {
        let many = self.by_span.get(&at);
        let known = many.into_iter().flatten();
        let own = (span.edge, Charged::of(span));
        let own = (span.flags.has(Flags::CHARGED)
            && many.is_none_or(|edges| !edges.contains_key(&span.edge)))
        .then_some((&own.0, &own.1));
        let told = |(&edge, charged): (&EdgeId, &Charged)| {
            let greatest = charged.greatest?;
            Some(OnEdge {
                edge,
                failing: charged.failing,
                weighted: charged.weighted,
                greatest,
            })
        };
        known.chain(own).filter_map(told).collect()
    }

    /// Takes back what [`Charges::of`] told of a span: one edge into the record if it fits there, the others beside it.
    pub(super) fn take_back(&mut self, at: u32, span: &mut Record, calls: Vec<OnEdge>) {
        for OnEdge {
            edge,
            failing,
            weighted,
            greatest,
        } in calls
        {
            let charged = Charged {
                failing,
                weighted,
                greatest: Some(greatest),
            };
            let plain =
                greatest == span.weight && weighted == u64::from(failing) * greatest.fixed();
            let first = !span.flags.has(Flags::CHARGED);
            if first {
                span.flags.set(Flags::CHARGED);
                span.edge = edge;
            }
            if first && plain {
                span.failing = failing;
                continue;
            }
            span.flags.set(Flags::MANY_EDGES);
            let edges = self.by_span.entry(at).or_default();
            self.edges += u64::from(edges.insert(edge, charged).is_none());
        }
    }

    /// Forgets a span that is not waiting any more.
    pub(super) fn forget(&mut self, at: u32) {
        let edges = self.by_span.remove(&at).map_or(0, |edges| edges.len());
        self.edges -= edges as u64;
    }

    /// Bytes in use, near enough: a map holds twice its entries at most.
    pub(super) fn bytes(&self) -> u64 {
        let spans = room::of_map(&self.by_span);
        spans + self.edges * 2 * size_of::<(EdgeId, Charged)>() as u64
    }

    fn find(&mut self, at: u32, edge: EdgeId) -> Option<&mut Charged> {
        self.by_span.get_mut(&at)?.get_mut(&edge)
    }
}

// === impl Charged ===

impl Charged {
    /// The calls on a span's first edge while all of them weigh as much as the span.
    fn of(span: &Record) -> Self {
        Self {
            failing: span.failing,
            weighted: u64::from(span.failing) * span.weight.fixed(),
            greatest: Some(span.weight),
        }
    }

    fn add(&mut self, callee_failed: bool, weight: Weight, failed: bool) -> Charge {
        let before = self.failed(failed);
        let first = self.greatest.is_none();
        if callee_failed {
            self.failing += 1;
            self.weighted += weight.fixed();
        }
        self.greatest = self.greatest.max(Some(weight));
        let after = self.failed(failed);
        Charge {
            failed: after.0 - before.0,
            weighted_failed: after.1 - before.1,
            first,
        }
    }

    /// Failed calls, and their weight.
    fn failed(&self, failed: bool) -> (u32, u64) {
        match self.greatest.filter(|_| failed) {
            Some(greatest) => (self.failing.max(1), self.weighted.max(greatest.fixed())),
            None => (self.failing, self.weighted),
        }
    }
}
