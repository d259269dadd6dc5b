//! What one window says of one element, ready to be tested.

use std::collections::HashMap;

use crate::proto::Histogram;
use crate::topology::{Edge, Latency, Node, Topology};

use super::model::{Counts, Viewpoint};
use super::stats::{Exposed, Share};

/// One element in one window.
#[derive(Debug)]
pub(super) struct Sample<'a> {
    /// As shown.
    pub(super) counts: Counts,
    pub(super) rate_per_s: Option<f64>,
    pub(super) failed_ratio: Option<f64>,
    /// As tested.
    pub(super) calls: Exposed,
    pub(super) failed: Share,
    /// Calls that say it is there: a node without calls of its own is there by those of its edges.
    pub(super) presence: Exposed,
    pub(super) latencies: Vec<View<'a>>,
}

/// One view of the latency.
#[derive(Debug, Clone, Copy)]
pub(super) struct View<'a> {
    pub(super) of: Viewpoint,
    pub(super) figures: Option<&'a Latency>,
    pub(super) histogram: Option<&'a Histogram>,
}

/// One window, and which calls its nodes have on their edges.
#[derive(Debug)]
pub(super) struct Sampler<'a> {
    time: f64,
    touching: HashMap<&'a str, Touching>,
}

#[derive(Debug, Default, Clone, Copy)]
struct Touching {
    incoming: u64,
    outgoing: u64,
}

// === impl Sampler ===

impl<'a> Sampler<'a> {
    #[expect(
        clippy::cast_precision_loss,
        reason = "covered times below 2^53 ns, about 104 days, are exact"
    )]
    pub(super) fn of(topology: &'a Topology) -> Self {
        let mut touching: HashMap<&str, Touching> = HashMap::new();
        let add = |sum: &mut u64, calls| *sum = sum.saturating_add(calls);
        for edge in &topology.edges {
            let calls = edge.counted.seen.calls();
            let client = touching.entry(&edge.client).or_default();
            add(&mut client.outgoing, calls);
            let server = touching.entry(&edge.server).or_default();
            add(&mut server.incoming, calls);
        }
        Self {
            time: topology.window.covered_ns as f64,
            touching,
        }
    }

    /// What the window says of an element that it does not have.
    pub(super) fn nothing(&self) -> Exposed {
        self.exposed(0)
    }

    pub(super) fn node(&self, node: &'a Node) -> Sample<'a> {
        let c = &node.counted;
        let calls = c.calls_from.calls();
        let touching = self.touching.get(c.id.as_str());
        let Touching { incoming, outgoing } = touching.copied().unwrap_or_default();
        let failed = c.failed;
        Sample {
            counts: Counts { calls, failed },
            rate_per_s: node.rate_per_s,
            failed_ratio: node.failed_ratio,
            calls: self.exposed(calls),
            failed: Share {
                hits: failed,
                of: calls,
            },
            // Not their sum: a request that comes in and the one it sends out are no two witnesses.
            presence: self.exposed(calls.max(incoming).max(outgoing)),
            latencies: vec![View {
                of: Viewpoint::Server,
                figures: node.latency.as_ref(),
                histogram: c.latency.as_ref(),
            }],
        }
    }

    pub(super) fn edge(&self, edge: &'a Edge) -> Sample<'a> {
        let c = &edge.counted;
        let counts = Counts {
            calls: c.calls(),
            failed: c.failed_calls(),
        };
        let seen = c.seen.calls();
        let calls = Exposed {
            calls: seen,
            time: self.time * per(seen, counts.calls),
        };
        let view = |of, figures: &'a Option<Latency>, histogram: &'a Option<Histogram>| View {
            of,
            figures: figures.as_ref(),
            histogram: histogram.as_ref(),
        };
        Sample {
            counts,
            rate_per_s: edge.rate_per_s,
            failed_ratio: edge.failed_ratio,
            calls,
            failed: Share {
                hits: scaled(counts.failed, per(seen, counts.calls)),
                of: seen,
            },
            presence: calls,
            latencies: vec![
                view(Viewpoint::Client, &edge.client_latency, &c.client_latency),
                view(Viewpoint::Server, &edge.server_latency, &c.server_latency),
                view(Viewpoint::Gap, &edge.gap, &c.gap),
                view(Viewpoint::Queue, &edge.queue, &c.queue),
            ],
        }
    }

    fn exposed(&self, calls: u64) -> Exposed {
        Exposed {
            calls,
            time: self.time,
        }
    }
}

/// Calls seen per call shown: below 1 where sampling is adjusted, since a weighted call is no more evidence than one.
/// So rates are tested as if the time had been shorter by the mean weight, and shares on as many calls as were seen.
#[expect(clippy::cast_precision_loss, reason = "counts below 2^53 are exact")]
fn per(seen: u64, shown: u64) -> f64 {
    if shown == 0 {
        1.0
    } else {
        seen as f64 / shown as f64
    }
}

#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "counts below 2^53 are exact, and the cast saturates"
)]
fn scaled(count: u64, by: f64) -> u64 {
    (count as f64 * by).round() as u64
}
