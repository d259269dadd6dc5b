//! What is told of a node's calls in pictures: by its own spans, or by its callers where it has none. A database reports
//! nothing, so in data its own calls are none and its rate is unknown; whoever looks at a picture of one that is called
//! a thousand times a second wants to see that. Sums of the edges shown: filters take from them.

use std::collections::HashMap;

use super::text::rate;
use crate::topology::{Node, Topology};

/// Calls of a node as somebody counted them.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Told {
    pub(super) calls: u64,
    pub(super) failed: u64,
    /// `None` without calls, or when nothing was covered.
    pub(super) rate_per_s: Option<f64>,
    /// The node itself said nothing.
    pub(super) by_callers: bool,
}

/// What callers say of each node that says nothing itself.
pub(super) struct Callers<'a>(HashMap<&'a str, Told>);

// === impl Callers ===

impl<'a> Callers<'a> {
    pub(super) fn of(topology: &'a Topology) -> Self {
        let silent = topology.nodes.iter().filter(|node| node.counted.silent());
        let silent = silent.map(|node| (node.counted.id.as_str(), Told::default()));
        let mut told: HashMap<&str, Told> = silent.collect();
        for edge in &topology.edges {
            if let Some(told) = told.get_mut(edge.server.as_str()) {
                told.calls = told.calls.saturating_add(edge.counted.calls());
                told.failed = told.failed.saturating_add(edge.counted.failed_calls());
                let rates = [told.rate_per_s, edge.rate_per_s].into_iter().flatten();
                told.rate_per_s = rates.reduce(|a, b| a + b);
                told.by_callers = true;
            }
        }
        Self(told)
    }

    /// Of one of the topology's nodes.
    pub(super) fn told(&self, node: &Node) -> Told {
        let c = &node.counted;
        let own = || Told {
            calls: c.calls_from.calls(),
            failed: c.failed,
            rate_per_s: node.rate_per_s,
            by_callers: false,
        };
        let told = self.0.get(c.id.as_str()).copied();
        let mut told = told.unwrap_or_else(own);
        told.rate_per_s = told.rate_per_s.filter(|_| told.calls > 0);
        told
    }

    /// A node's rate, below its name; none without calls.
    pub(super) fn rate(&self, node: &Node) -> Option<String> {
        self.told(node).rate_per_s.map(rate)
    }
}
