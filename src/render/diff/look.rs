//! How a difference looks, the same in every drawing. Colour never tells alone: each status has a dash of its own, and
//! words.

use super::words::{lines, summary};
use crate::render::look::{Frames, framed};
use crate::render::text::hidden_counts;
use crate::topology::diff::{Change, Diff, EdgeDiff, NodeDiff, Side, Status};
use crate::topology::times::rfc3339;

/// How a status looks.
pub(in crate::render) struct Look {
    /// Place in the palette: green came, red went, orange changed, grey is the same.
    pub(in crate::render) colour: usize,
    /// `solid`, `dashed` or `dotted`.
    pub(in crate::render) dash: &'static str,
    /// Width of a line.
    pub(in crate::render) pen: f64,
}

// === impl Look ===

impl Look {
    pub(in crate::render) fn of(change: &Change) -> Self {
        let (colour, dash) = Self::of_status(change.status);
        let pen = match change.status {
            Status::Same => 0.5,
            // What may be chance is there, and does not shout.
            _ if !change.significant => 1.0,
            Status::Removed => 1.5,
            Status::Added | Status::Changed => 2.5,
        };
        Self { colour, dash, pen }
    }

    /// Colour and dash.
    pub(in crate::render) fn of_status(status: Status) -> (usize, &'static str) {
        match status {
            Status::Added => (1, "solid"),
            Status::Removed => (3, "dashed"),
            Status::Changed => (2, "dotted"),
            Status::Same => (0, "solid"),
        }
    }
}

/// The two windows, then how many of what there are, then what filters took away of each.
pub(in crate::render) fn titles(diff: &Diff) -> Vec<String> {
    let range = |side: &Side| {
        let window = &side.window;
        let (start, end) = (rfc3339(window.start_unix_s), rfc3339(window.end_unix_s));
        format!("{start} to {end}")
    };
    let mut titles = vec![
        format!("base {}", range(&diff.base)),
        format!("head {}", range(&diff.head)),
        format!("nodes: {}", summary(diff.node_tally)),
        format!("edges: {}", summary(diff.edge_tally)),
    ];
    let hidden = [&diff.base, &diff.head].map(|side| {
        let hidden = side.hidden;
        [hidden.nodes, hidden.edges, hidden.calls]
    });
    if hidden.as_flattened().iter().any(|count| *count > 0) {
        let [base, head] = hidden.map(hidden_counts);
        titles.push(format!("hidden by filters: {base} of base, {head} of head"));
    }
    titles
}

/// The nodes by the namespace that frames them.
pub(in crate::render) fn frames(diff: &Diff) -> Frames<'_, &NodeDiff> {
    let nodes = diff.nodes.iter();
    framed(nodes.map(|n| (n.kind, n.namespace.as_deref(), n)))
}

/// The edges by the ids of their ends: neighbours stay together when one comes or goes.
pub(in crate::render) fn edges_by_ends(diff: &Diff) -> Vec<&EdgeDiff> {
    let mut edges: Vec<&EdgeDiff> = diff.edges.iter().collect();
    edges.sort_by_key(|e| (&e.client, &e.server, e.connection_type));
    edges
}

/// A node's label: its name, which `name` has made inert, then what is said of it.
pub(in crate::render) fn node_lines(name: String, node: &NodeDiff, diff: &Diff) -> Vec<String> {
    let mut label = vec![name];
    label.extend(lines(&node.change, diff));
    label
}
