//! `Spangraph-Hidden`: what filters took away of a graph, in the head of the answer. Some formats have no room for it in
//! the body, and whoever checks for it need not know them all. A dictionary of RFC 9651.

use http::HeaderValue;

use crate::topology::Hidden;
use crate::topology::diff::Diff;

/// The field's name.
pub(super) const NAME: &str = "spangraph-hidden";

/// `nodes=12, edges=40, calls=210`.
pub(super) fn of_graph(hidden: Hidden) -> String {
    let Hidden {
        nodes,
        edges,
        calls,
    } = hidden;
    format!("nodes={nodes}, edges={edges}, calls={calls}")
}

/// The same of both windows: `base;nodes=12;edges=40;calls=210, head;nodes=0;edges=0;calls=0`.
pub(super) fn of_diff(diff: &Diff) -> String {
    let side = |name, hidden: Hidden| {
        let Hidden {
            nodes,
            edges,
            calls,
        } = hidden;
        format!("{name};nodes={nodes};edges={edges};calls={calls}")
    };
    let (base, head) = (
        side("base", diff.base.hidden),
        side("head", diff.head.hidden),
    );
    format!("{base}, {head}")
}

/// As the value of a header: digits, words and punctuation are always one.
pub(super) fn value(text: &str) -> Option<HeaderValue> {
    HeaderValue::from_str(text).ok()
}
