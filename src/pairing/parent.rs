//! R3: which seen span is a span's parent.

use std::cmp::Ordering;

use super::record::{Flags, Place, Record, Seen};
use super::store::Near;
use crate::graph::{Graph, NodeId};
use crate::span::SpanKind;

/// What R3 finds.
#[derive(Debug, Clone, Copy)]
pub(super) enum Parent {
    /// This one.
    Is(Seen),
    /// Only spans that had stopped accepting children when this one arrived; the best of them.
    Closed(Seen),
    /// It names a parent that was never seen.
    NotSeen,
    /// It names none.
    None,
}

/// The parent of `x` among the spans near it.
pub(super) fn choose(graph: &Graph, x: &Seen, near: &Near) -> Parent {
    let own = || {
        near.same
            .iter()
            .filter(|p| x.flags.inbound() && p.flags.outbound() && is_other(x, p))
    };
    let by_id = || near.parents.iter().filter(|p| is_other(x, p));
    if let Some(parent) = best(own(), x, |a, b| own_id_order(graph, x.service, a, b)) {
        return Parent::Is(parent);
    }
    if let Some(parent) = best(by_id(), x, |a, b| parent_id_order(graph, x.service, a, b)) {
        return Parent::Is(parent);
    }
    let closed = by_id()
        .copied()
        .min_by(|a, b| parent_id_order(graph, x.service, a, b));
    match closed.or_else(|| {
        own()
            .copied()
            .min_by(|a, b| own_id_order(graph, x.service, a, b))
    }) {
        Some(closed) => Parent::Closed(closed),
        None if x.parent32 != 0 => Parent::NotSeen,
        None => Parent::None,
    }
}

/// Whether R3 gives `x`, which is not inbound, the parent at `place`, of those `named`, the spans with its parent's id,
/// that had arrived by tick `by`.
pub(super) fn is_below(graph: &Graph, x: &Seen, named: &[Seen], place: Place, by: u32) -> bool {
    let order = |a: &Seen, b: &Seen| parent_id_order(graph, x.service, a, b);
    let by_id = || named.iter().filter(|p| is_other(x, p) && p.arrived <= by);
    let nearest = best(by_id(), x, order).or_else(|| by_id().copied().min_by(order));
    nearest.is_some_and(|parent| parent.at == place)
}

/// Whether R3 certainly gives a span that is not inbound a parent of its own service: one that accepts it is there, and
/// those come first.
pub(super) fn is_inside(x: &Record, parents: &[Seen]) -> bool {
    let open = |p: &Seen| x.arrived <= p.deadline || p.flags.has(Flags::IGNORED);
    let own = |p: &Seen| p.service == x.service && open(p);
    !x.flags.inbound() && parents.iter().any(own)
}

/// Whether `parent` takes `child` although its own wait may be over: it accepts what arrived by its deadline, and a
/// parent that is not outbound accepts inbound children for as long as it is remembered; an ignored one, any.
pub(super) fn accepts(parent: &Seen, child: &Seen) -> bool {
    child.arrived <= parent.deadline
        || (child.flags.inbound() && !parent.flags.outbound())
        || parent.flags.has(Flags::IGNORED)
}

/// Not `x` itself.
fn is_other(x: &Seen, p: &Seen) -> bool {
    p.at != x.at
}

fn best<'a>(
    candidates: impl Iterator<Item = &'a Seen>,
    x: &Seen,
    order: impl Fn(&Seen, &Seen) -> Ordering,
) -> Option<Seen> {
    candidates.filter(|p| accepts(p, x)).copied().min_by(order)
}

/// Another service first, then the smallest name.
fn own_id_order(graph: &Graph, service: NodeId, a: &Seen, b: &Seen) -> Ordering {
    let rank = |p: &Seen| p.service == service;
    rank(a).cmp(&rank(b)).then_with(|| tie(graph, a, b))
}

/// Same service and inbound, then same service, then inbound, then any; ties: outbound first, then the smallest name.
fn parent_id_order(graph: &Graph, service: NodeId, a: &Seen, b: &Seen) -> Ordering {
    let rank = |p: &Seen| {
        (
            p.service != service,
            !p.flags.inbound(),
            !p.flags.outbound(),
        )
    };
    rank(a).cmp(&rank(b)).then_with(|| tie(graph, a, b))
}

/// Of several creation contexts with one id: another service's first, then a PRODUCER, then the smallest name.
pub(super) fn producer_order(graph: &Graph, service: NodeId, a: &Seen, b: &Seen) -> Ordering {
    let rank = |p: &Seen| (p.service == service, p.flags.kind() != SpanKind::Producer);
    rank(a).cmp(&rank(b)).then_with(|| tie(graph, a, b))
}

/// The smallest name; between copies of one span, of which one came when the other was forgotten by all but those it was
/// kept for, the first; between unequal ones, what is left to tell them apart.
fn tie(graph: &Graph, a: &Seen, b: &Seen) -> Ordering {
    if a.service != b.service {
        return graph.compare_names(a.service, b.service);
    }
    let rest = |p: &Seen| (p.flags.kind(), p.arrived, p.start32, p.parent32);
    rest(a).cmp(&rest(b))
}
