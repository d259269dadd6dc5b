//! Two windows compared: what the comparison promises, whatever the windows.
#![allow(clippy::unwrap_used, reason = "a failed step is a failed test")]

mod read_support;

use std::collections::BTreeSet;

use proptest::prelude::*;
use read_support::{World, calls, differ, histogram, shop, the_edge};
use spangraph::proto::{ConnectionType, Slice};
use spangraph::topology::NodeKind;
use spangraph::topology::diff::{Change, Diff, Reason, Status, Viewpoint, Way};

/// One call of `a`..`f` on another, drawn or not.
#[derive(Debug, Clone)]
struct Drawn {
    ends: (usize, usize),
    calls: (u64, u64),
    failed: u64,
    samples: Vec<u64>,
}

fn drawn() -> impl Strategy<Value = Drawn> {
    let samples = prop::collection::vec(1_000_u64..1_000_000_000, 0..40);
    (
        (0_usize..6, 0_usize..6),
        (0_u64..3_000, 0_u64..50),
        0_u64..3_000,
        samples,
    )
        .prop_map(|(ends, calls, failed, samples)| Drawn {
            ends,
            calls,
            failed: failed % (calls.0 + calls.1 + 1),
            samples,
        })
}

fn world(drawn: &[Drawn], covered_s: u64) -> Slice {
    let mut w = World::new();
    let nodes = ["a", "b", "shop/c", "shop/d", "e", "f"].map(|id| w.service(id));
    let mut seen = BTreeSet::new();
    for d in drawn {
        if !seen.insert(d.ends) || d.calls.0 + d.calls.1 == 0 {
            continue;
        }
        let ends = (nodes[d.ends.0], nodes[d.ends.1]);
        let edge = w.call(ends, ConnectionType::None, d.calls, d.failed);
        edge.client_latency = histogram(&d.samples, 4);
        edge.server_latency = histogram(&d.samples, 3);
    }
    w.slice.covered_ns = covered_s * 1_000_000_000;
    w.done()
}

fn changes(diff: &Diff) -> impl Iterator<Item = (&str, &Change)> {
    let nodes = diff.nodes.iter().map(|n| (n.id.as_str(), &n.change));
    nodes.chain(diff.edges.iter().map(|e| (e.id.as_str(), &e.change)))
}

fn mirrored(status: Status) -> Status {
    match status {
        Status::Added => Status::Removed,
        Status::Removed => Status::Added,
        both => both,
    }
}

fn turned(reason: Reason) -> Reason {
    let turn = |way| match way {
        Way::Up => Way::Down,
        Way::Down => Way::Up,
    };
    match reason {
        Reason::Added => Reason::Removed,
        Reason::Removed => Reason::Added,
        Reason::Rate(way) => Reason::Rate(turn(way)),
        Reason::Failed(way) => Reason::Failed(turn(way)),
        Reason::Latency(of, way) => Reason::Latency(of, turn(way)),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(192))]

    #[test]
    fn a_window_does_not_differ_from_itself(edges in prop::collection::vec(drawn(), 0..12)) {
        let slice = world(&edges, 300);
        let strictest = "alpha=0.999&min_rate_change=0&min_failed_change=0&min_latency_change=0";
        let diff = differ(&slice, &slice, strictest).unwrap();
        prop_assert!(diff.nodes.is_empty() && diff.edges.is_empty(), "{diff:?}");
        prop_assert_eq!(diff.edge_tally.same, slice.edges.len() as u64);
        prop_assert_eq!(diff.edge_tally.added + diff.edge_tally.removed + diff.edge_tally.changed, 0);
    }

    /// Guarantees: base and head swapped is the same comparison, seen from the other side: what came went, what rose
    /// fell, and every p-value is as it was.
    #[test]
    fn swapped_windows_mirror_everything(
        a in prop::collection::vec(drawn(), 0..12),
        b in prop::collection::vec(drawn(), 0..12),
        covered in (1_u64..300, 1_u64..300),
    ) {
        let (a, b) = (world(&a, covered.0), world(&b, covered.1));
        let there = differ(&a, &b, "include=same").unwrap();
        let back = differ(&b, &a, "include=same").unwrap();
        prop_assert_eq!(there.tests, back.tests);
        prop_assert_eq!(there.edge_tally.added, back.edge_tally.removed);
        for ((id, x), (other, y)) in changes(&there).zip(changes(&back)) {
            prop_assert_eq!(id, other);
            prop_assert_eq!(x.status, mirrored(y.status));
            prop_assert_eq!(x.significant, y.significant);
            let reasons: Vec<Reason> = y.reasons().into_iter().map(turned).collect();
            prop_assert_eq!(x.reasons(), reasons);
            prop_assert_eq!((x.base, x.head), (y.head, y.base));
            let p = |c: &Change| {
                let tests = [c.rate_per_s.test, c.failed_ratio.test];
                tests.map(|t| t.map(|t| t.p))
            };
            for (p, q) in p(x).into_iter().zip(p(y)) {
                let near = |(p, q): (f64, f64)| (p - q).abs() <= 1e-9;
                prop_assert!(p.zip(q).is_none_or(near) && p.is_some() == q.is_some(), "{:?} {:?}", p, q);
            }
        }
    }

    /// Guarantees: the list is what differs and the ends of edges, the tally is of everything, and a status is what the
    /// counts say.
    #[test]
    fn the_list_holds_what_differs(
        a in prop::collection::vec(drawn(), 0..12),
        b in prop::collection::vec(drawn(), 0..12),
    ) {
        let (a, b) = (world(&a, 300), world(&b, 300));
        let (short, all) = (differ(&a, &b, "").unwrap(), differ(&a, &b, "include=same").unwrap());
        prop_assert_eq!((short.node_tally, short.edge_tally), (all.node_tally, all.edge_tally));
        let t = all.edge_tally;
        prop_assert_eq!(t.added + t.removed + t.changed + t.same, all.edges.len() as u64);
        prop_assert!(short.edges.iter().all(|e| e.change.status != Status::Same));
        prop_assert_eq!(short.edges.len() as u64, t.added + t.removed + t.changed);
        let ids: BTreeSet<&str> = short.nodes.iter().map(|n| n.id.as_str()).collect();
        prop_assert!(short.edges.iter().all(|e| ids.contains(e.client.as_str()) && ids.contains(e.server.as_str())));
        for edge in &all.edges {
            let (base, head) = (edge.change.base.is_some(), edge.change.head.is_some());
            let alone = match edge.change.status {
                Status::Added => (false, true),
                Status::Removed => (true, false),
                Status::Changed | Status::Same => (true, true),
            };
            prop_assert_eq!((base, head), alone);
            let certain = edge.change.status == Status::Changed;
            prop_assert!(edge.change.significant || !certain);
            prop_assert_eq!(edge.change.reasons().is_empty(), !edge.change.significant);
        }
    }
}

#[test]
fn more_failures_than_chance_has_are_a_change() {
    let diff = differ(&calls(3_000, 3, 10), &calls(3_000, 180, 10), "").unwrap();
    let change = the_edge(&diff);
    assert_eq!(change.status, Status::Changed);
    assert_eq!(change.reasons(), [Reason::Failed(Way::Up)]);
    let failed = &change.failed_ratio;
    assert_eq!((failed.base, failed.head), (Some(0.001), Some(0.06)));
    assert!((failed.ratio().unwrap() - 60.0).abs() < 1e-9);
    assert!(failed.test.unwrap().p < 1e-30);
    assert_eq!(change.rate_per_s.ratio(), Some(1.0));
}

#[test]
fn slower_calls_are_a_change_of_latency_alone() {
    let diff = differ(&calls(3_000, 0, 10), &calls(3_000, 0, 25), "").unwrap();
    assert_eq!(
        the_edge(&diff).reasons(),
        [Reason::Latency(Viewpoint::Client, Way::Up)]
    );
    assert!(the_edge(&diff).latencies[0].shape.unwrap().ks > 0.999_999);
}

/// Guarantees: when one call in sixteen becomes ten times slower, which moves no median and hardly the distribution,
/// a thousand calls tell.
#[test]
fn a_slow_tail_is_a_change_of_latency() {
    let tailed = |slow: u64| {
        let mut slice = calls(1_000, 0, 10);
        let ms = |i: u64| if i < slow { 100 } else { 10 };
        let samples: Vec<u64> = (0..1_000).map(|i| (ms(i) * 1_000 + i) * 1_000).collect();
        slice.edges[0].client_latency = histogram(&samples, 4);
        slice
    };
    let diff = differ(&tailed(10), &tailed(62), "").unwrap();
    let latency = &the_edge(&diff).latencies[0];
    assert!(latency.shape.unwrap().ks_p > 0.05, "{latency:?}");
    assert!(latency.shape.unwrap().slow_p < 1e-9, "{latency:?}");
    assert_eq!(
        the_edge(&diff).reasons(),
        [Reason::Latency(Viewpoint::Client, Way::Up)]
    );
    assert!(
        latency.quantile(2).ratio().unwrap() > 9.0,
        "p95: {latency:?}"
    );
}

/// Guarantees: the slowest of a few calls are nobody's 99th percentile.
#[test]
fn a_quantile_of_a_handful_of_calls_is_not_judged() {
    let judged = |n: u64| {
        let diff = differ(&calls(n, 0, 10), &calls(n, 0, 10), "include=same").unwrap();
        the_edge(&diff).latencies[0].judged
    };
    assert_eq!([5, 60, 120, 250, 1_100].map(judged), [1, 1, 2, 3, 4]);
}

/// Guarantees: a difference far beyond chance that nobody would care for is none; and asked for, it is one.
#[test]
fn a_certain_trifle_is_no_change() {
    let (base, head) = (calls(1_000_000, 50_000, 10), calls(1_010_000, 51_500, 10));
    assert!(differ(&base, &head, "").unwrap().edges.is_empty());
    let asked = differ(
        &base,
        &head,
        "min_rate_change=0.001&min_failed_change=0.0001",
    )
    .unwrap();
    assert_eq!(
        the_edge(&asked).reasons(),
        [Reason::Rate(Way::Up), Reason::Failed(Way::Up)]
    );
}

/// Guarantees: an edge that is called twice in five minutes may well be missing from the next five.
#[test]
fn a_rare_edge_comes_and_goes_without_being_significant() {
    let (rare, none) = (calls(2, 0, 10), World::new().done());
    let diff = differ(&rare, &none, "").unwrap();
    assert_eq!(the_edge(&diff).status, Status::Removed);
    assert!(!the_edge(&diff).significant && the_edge(&diff).reasons().is_empty());
    let diff = differ(&none, &calls(200, 0, 10), "").unwrap();
    assert_eq!(the_edge(&diff).reasons(), [Reason::Added]);
    assert_eq!(the_edge(&diff).rate_per_s.base, None, "absent is not zero");
}

/// Guarantees: rates are per covered second, so a window held for a third of its length shows a third of the calls at
/// the same rate; and where nothing was covered nothing is claimed.
#[test]
fn a_window_held_in_part_is_compared_by_rate() {
    let mut part = calls(1_000, 0, 10);
    part.covered_ns /= 3;
    assert!(
        differ(&calls(3_000, 0, 10), &part, "")
            .unwrap()
            .edges
            .is_empty()
    );
    let mut nothing = World::new().done();
    nothing.covered_ns = 0;
    let diff = differ(&nothing, &calls(3_000, 0, 10), "").unwrap();
    assert_eq!(the_edge(&diff).status, Status::Added);
    assert!(!the_edge(&diff).significant);
}

/// Guarantees: a sampled call that stands for a hundred is one witness, not a hundred.
#[test]
fn a_weight_is_no_evidence() {
    let weighted = |calls_seen: u64, weight: u64| {
        let mut slice = calls(calls_seen, 0, 10);
        slice.edges[0].weighted_calls = (calls_seen * weight) << 20;
        slice
    };
    let diff = differ(&weighted(6, 100), &weighted(12, 100), "include=same").unwrap();
    let rate = &the_edge(&diff).rate_per_s;
    assert_eq!(rate.ratio(), Some(2.0));
    let raw = differ(&calls(6, 0, 10), &calls(12, 0, 10), "include=same").unwrap();
    let (p, expected) = (
        rate.test.unwrap().p,
        the_edge(&raw).rate_per_s.test.unwrap().p,
    );
    assert!((p - expected).abs() < 1e-9, "{p} {expected}");
    // Half as many at twice the weight is the same rate.
    let diff = differ(&weighted(2_000, 100), &weighted(1_000, 200), "include=same").unwrap();
    assert!((the_edge(&diff).rate_per_s.test.unwrap().p - 1.0).abs() < 0.05);
}

#[test]
fn everything_of_the_shop_is_compared() {
    let diff = differ(&shop(), &shop(), "include=same&group_by=namespace").unwrap();
    assert!(diff.latency_compared && diff.tests > 0);
    assert!(diff.nodes.iter().any(|n| n.kind == NodeKind::Namespace));
    assert_eq!(diff.overlap_s(), 0);
    assert!(diff.edge_tally.same > 0);
}
