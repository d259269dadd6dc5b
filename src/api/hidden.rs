//! `Spangraph-Hidden`: what is not in an answer with a graph, in its head. Some formats have no room for it in the body,
//! and whoever checks for it need not know them all. A dictionary of RFC 9651.
//!
//! It stands beside whatever filters choose from a graph: the graph, its arrays, the names. Not beside an element, the
//! unpaired or a stream, which all have one format, and what they leave out in every body or event.

use http::{HeaderName, HeaderValue};

use super::memo::Field;
use crate::render::Undrawn;
use crate::topology::Hidden;
use crate::topology::diff::Diff;

/// The field's name.
pub(super) const NAME: &str = "spangraph-hidden";

/// What filters took away: `nodes=12, edges=40, calls=210`. What passed them but not the bounds of the format follows
/// as one more member, `undrawn;nodes=3;edges=100`; it is there only when something did.
pub(super) fn of_graph(hidden: Hidden, undrawn: Undrawn) -> Option<Field> {
    let Hidden {
        nodes,
        edges,
        calls,
    } = hidden;
    let members = format!("nodes={nodes}, edges={edges}, calls={calls}");
    field(members, undrawn)
}

/// The same of both windows: `base;nodes=12;edges=40;calls=210, head;nodes=0;edges=0;calls=0`.
pub(super) fn of_diff(diff: &Diff, undrawn: Undrawn) -> Option<Field> {
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
    field(format!("{base}, {head}"), undrawn)
}

fn field(members: String, undrawn: Undrawn) -> Option<Field> {
    let Undrawn { nodes, edges } = undrawn;
    let text = match (nodes, edges) {
        (0, 0) => members,
        _ => format!("{members}, undrawn;nodes={nodes};edges={edges}"),
    };
    // Digits, words and punctuation are always a value.
    let value = HeaderValue::try_from(text).ok()?;
    Some((HeaderName::from_static(NAME), value))
}
