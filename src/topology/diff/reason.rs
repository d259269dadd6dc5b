//! Why an element counts as different.

use super::model::{Change, LatencyChange, Status, Viewpoint};

/// One thing about an element that is beyond chance and large enough to matter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// It came.
    Added,
    /// It went.
    Removed,
    /// Its rate moved.
    Rate(Way),
    /// Its failed ratio moved.
    Failed(Way),
    /// A view of its latency moved, judged by the quantile that moved furthest.
    Latency(Viewpoint, Way),
}

/// Which way a figure moved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// `head` is greater.
    Up,
    /// `head` is smaller.
    Down,
}

// === impl Change ===

impl Change {
    /// Everything about it that is beyond chance and large enough to matter; empty when nothing is.
    pub fn reasons(&self) -> Vec<Reason> {
        let way = |difference: Option<f64>| {
            if difference.is_some_and(|d| d < 0.0) {
                Way::Down
            } else {
                Way::Up
            }
        };
        let (rate, failed) = (&self.rate_per_s, &self.failed_ratio);
        let mut reasons = Vec::new();
        if rate.changed() {
            reasons.push(match self.status {
                Status::Added => Reason::Added,
                Status::Removed => Reason::Removed,
                Status::Changed | Status::Same => Reason::Rate(way(rate.difference())),
            });
        }
        if failed.changed() {
            reasons.push(Reason::Failed(way(failed.difference())));
        }
        let moved = |l: &LatencyChange| l.quantile(l.furthest()?).difference();
        let latencies = self.latencies.iter().filter(|l| l.changed());
        reasons.extend(latencies.map(|l| Reason::Latency(l.of, way(moved(l)))));
        reasons
    }
}

// === impl Reason ===

impl Reason {
    /// The word of the API: `added`, `rate_up`, `client_latency_down`.
    pub fn name(self) -> String {
        match self {
            Self::Added => "added".to_owned(),
            Self::Removed => "removed".to_owned(),
            Self::Rate(way) => format!("rate_{}", way.name()),
            Self::Failed(way) => format!("failed_{}", way.name()),
            Self::Latency(of, way) => format!("{}_latency_{}", of.name(), way.name()),
        }
    }
}

// === impl Way ===

impl Way {
    fn name(self) -> &'static str {
        match self {
            Self::Up => "up",
            Self::Down => "down",
        }
    }
}
