//! Two windows, one after the other.

use spangraph::proto::{ConnectionType, Edge, Slice};
use spangraph::topology::diff::{self, Change, Diff, Settings, Windowed};
use spangraph::topology::{BuildError, Frame, Params, Query, Thresholds};

use super::{END, START, World, histogram, shop};

/// Compares what `query` asks of two slices; `base` is the five minutes before `head`.
pub fn differ(base: &Slice, head: &Slice, query: &str) -> Result<Diff, BuildError> {
    let mut params = Params::decode(query);
    let settings = Settings::take(&mut params);
    let query = Query::take(&mut params);
    params.finish().unwrap();
    let windowed = |slice: &Slice, start: u64, end: u64| Windowed {
        merged: Slice {
            start_unix_s: start,
            end_unix_s: end,
            ..slice.clone()
        },
        frame: Frame {
            start_unix_s: start,
            end_unix_s: end,
            resolution_s: 10,
            epoch: "9f2c61",
            thresholds: Thresholds::default(),
            query: &query,
        },
    };
    let base = windowed(base, START - 300, START);
    diff::build(base, windowed(head, START, END), settings)
}

/// The small shop before and after a release: checkout fails and is slow, stripe is called five times as often, the
/// user's edge is gone, the queue has a new consumer, and the database has a new, rare caller.
pub fn release() -> (Slice, Slice) {
    let spread = |ms: u64| {
        let samples: Vec<u64> = (0..600).map(|i| ms * 1_000_000 + i * 10_000).collect();
        histogram(&samples, 4)
    };
    let (mut base, mut head) = (shop(), shop());
    base.edges[0].client_latency = spread(9);
    let checkout = &mut head.edges[0];
    checkout.client_latency = spread(31);
    (checkout.failed, checkout.client_failed) = (90, 90);
    head.edges[3].seen_client = 300;
    let queued = head.edges[4].clone();
    let user = head.edges.remove(5);
    head.edges.push(Edge {
        server: user.server,
        ..queued
    });
    let stored = head.edges[2].clone();
    head.edges.push(Edge {
        client: user.server,
        seen_client: 2,
        client_latency: None,
        ..stored
    });
    (base, head)
}

/// A web that calls a shop, so many times, with so many failures, at about this duration.
pub fn calls(calls: u64, failed: u64, ms: u64) -> Slice {
    let mut w = World::new();
    let (web, checkout) = (w.service("web"), w.service("shop/checkout"));
    let samples: Vec<u64> = (0..calls).map(|i| (ms * 1_000 + i % 97) * 1_000).collect();
    let edge = w.call((web, checkout), ConnectionType::None, (calls, 0), failed);
    edge.client_latency = histogram(&samples, 4);
    w.done()
}

pub fn the_edge(diff: &Diff) -> &Change {
    &diff.edges.first().expect("the edge differs").change
}
