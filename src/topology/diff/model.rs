//! The difference of two windows as plain owned data, sorted by id.

use crate::proto::{ConnectionType, Law};
use crate::topology::{Echo, Hidden, Latency, NodeKind, Quantile, Window};

use super::settings::Settings;

/// What differs between two windows of one service graph.
#[derive(Debug, Clone, PartialEq)]
pub struct Diff {
    /// The window compared against.
    pub base: Side,
    /// The window in question.
    pub head: Side,
    /// What was asked, normalised; defaults are left out.
    pub query: Vec<(&'static str, Echo)>,
    /// From when on a difference is a change.
    pub settings: Settings,
    /// How many tests were made and corrected for.
    pub tests: u64,
    /// Every latency that both windows have was tested, which takes the histograms of both.
    pub latency_compared: bool,
    /// Which quantiles each latency carries, ascending.
    pub quantiles: Vec<Quantile>,
    /// Nodes by status, before those that are the same are left out.
    pub node_tally: Tally,
    /// Edges likewise.
    pub edge_tally: Tally,
    /// Sorted by id. Both ends of every edge are here, the same or not.
    pub nodes: Vec<NodeDiff>,
    /// Sorted by id.
    pub edges: Vec<EdgeDiff>,
}

/// One of the two windows.
#[derive(Debug, Clone, PartialEq)]
pub struct Side {
    /// Seal time of the newest slot used, unix seconds.
    pub generated_unix_s: u64,
    /// Process epoch of the daemon that built it.
    pub epoch: String,
    /// As it was answered; `covered_ns` tells a window that was held only in part.
    pub window: Window,
    /// The law's terms, before filters.
    pub law: Law,
    /// Some edge's calls are weighted by sampling.
    pub sampling_adjusted: bool,
    /// What the filters took away of it. What passes them in one window is shown of both.
    pub hidden: Hidden,
}

/// Elements by status.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// Only in `head`.
    pub added: u64,
    /// Only in `base`.
    pub removed: u64,
    /// In both, with a figure that changed.
    pub changed: u64,
    /// In both, nothing found.
    pub same: u64,
    /// Added, removed or changed beyond chance.
    pub significant: u64,
}

/// How an element differs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Status {
    /// Had calls in `head` only.
    Added,
    /// Had calls in `base` only.
    Removed,
    /// A figure changed beyond chance and by enough to matter.
    Changed,
    /// No such change was found.
    Same,
}

/// One node in both windows.
#[derive(Debug, Clone, PartialEq)]
pub struct NodeDiff {
    /// Identity.
    pub id: String,
    /// Plain name.
    pub name: String,
    /// `None` without one.
    pub namespace: Option<String>,
    /// What it is; in `head` if it is there.
    pub kind: NodeKind,
    /// How it differs.
    pub change: Change,
}

/// One edge in both windows.
#[derive(Debug, Clone, PartialEq)]
pub struct EdgeDiff {
    /// Identity.
    pub id: String,
    /// Node id of the caller.
    pub client: String,
    /// Node id of the called.
    pub server: String,
    /// How the two are connected.
    pub connection_type: ConnectionType,
    /// How it differs.
    pub change: Change,
}

/// How one element differs.
#[derive(Debug, Clone, PartialEq)]
pub struct Change {
    /// In one word.
    pub status: Status,
    /// The difference is beyond chance. An element that is called rarely comes and goes without anything being new.
    pub significant: bool,
    /// Counts in `base`; `None` when it was not there.
    pub base: Option<Counts>,
    /// Counts in `head`.
    pub head: Option<Counts>,
    /// Calls per covered second.
    pub rate_per_s: Measure,
    /// Failed calls per call.
    pub failed_ratio: Measure,
    /// One per view that either window has.
    pub latencies: Vec<LatencyChange>,
}

/// What was counted of an element, as it is shown (weighted when sampling is adjusted).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Counts {
    /// Calls.
    pub calls: u64,
    /// Failed calls.
    pub failed: u64,
}

/// One figure in both windows.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Measure {
    /// `None` when the window has no such figure.
    pub base: Option<f64>,
    /// Likewise.
    pub head: Option<f64>,
    /// `None` when nothing could be tested.
    pub test: Option<Test>,
}

/// What a test said.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Test {
    /// How likely so large a difference is by chance.
    pub p: f64,
    /// Likewise, corrected for the number of tests.
    pub p_adjusted: f64,
    /// Beyond chance, and by enough to matter.
    pub changed: bool,
}

/// How the shapes of two distributions differ.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Shape {
    /// The Kolmogorov-Smirnov distance at the bounds of buckets, at most the true one.
    pub ks: f64,
    /// Its p-value, not adjusted.
    pub ks_p: f64,
    /// Of the shares of the slowest twentieth of both windows' calls, not adjusted.
    pub slow_p: f64,
}

/// Who measured a latency.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Viewpoint {
    /// The caller.
    Client,
    /// The called.
    Server,
    /// Client minus server of the same call.
    Gap,
    /// Consumer start minus producer end.
    Queue,
}

/// One view of the latency in both windows.
#[derive(Debug, Clone, PartialEq)]
pub struct LatencyChange {
    /// Who measured it.
    pub of: Viewpoint,
    /// `None` without samples.
    pub base: Option<Latency>,
    /// Likewise.
    pub head: Option<Latency>,
    /// How many quantiles, from the lowest, stand on enough calls in both windows to be judged.
    pub judged: usize,
    /// What was tested; `None` without histograms of both.
    pub shape: Option<Shape>,
    /// Whether that can be chance; `changed` when a judged quantile moved by enough as well.
    pub test: Option<Test>,
}

// === impl Status ===

impl Status {
    /// The word of the API.
    pub fn name(self) -> &'static str {
        match self {
            Self::Added => "added",
            Self::Removed => "removed",
            Self::Changed => "changed",
            Self::Same => "same",
        }
    }
}

// === impl Viewpoint ===

impl Viewpoint {
    /// The word of the API.
    pub fn name(self) -> &'static str {
        match self {
            Self::Client => "client",
            Self::Server => "server",
            Self::Gap => "gap",
            Self::Queue => "queue",
        }
    }
}

// === impl Tally ===

impl Tally {
    pub(super) fn count(&mut self, change: &Change) {
        let slot = match change.status {
            Status::Added => &mut self.added,
            Status::Removed => &mut self.removed,
            Status::Changed => &mut self.changed,
            Status::Same => &mut self.same,
        };
        *slot += 1;
        self.significant += u64::from(change.significant);
    }
}

// === impl Diff ===

impl Diff {
    /// Seconds by which one window is longer than the other: a longer one has met more of what is rare. The API compares
    /// equal ones.
    pub fn unequal_s(&self) -> u64 {
        let [base, head] = [&self.base, &self.head].map(|side| {
            let window = &side.window;
            window.end_unix_s.saturating_sub(window.start_unix_s)
        });
        base.abs_diff(head)
    }

    /// Seconds that both windows have: a diff of overlapping windows sees less than there is.
    pub fn overlap_s(&self) -> u64 {
        let (a, b) = (&self.base.window, &self.head.window);
        let end = a.end_unix_s.min(b.end_unix_s);
        end.saturating_sub(a.start_unix_s.max(b.start_unix_s))
    }
}
