//! All that is known of an element, in lines for tooltips. Names go through the caller's escaping; the rest is inert.

use super::callers::Callers;
use super::look::figures;
use crate::topology::{Edge, Node, Topology, connection_name};

/// How a drawing writes a name.
pub(super) type Escape = fn(&str) -> String;

/// Of a node.
pub(super) fn node_facts(
    topology: &Topology,
    callers: &Callers<'_>,
    node: &Node,
    name: Escape,
) -> Vec<String> {
    let c = &node.counted;
    let mut lines = vec![name(&c.id), c.kind.name().to_owned()];
    let told = callers.told(node);
    let (calls, failed) = (told.calls, told.failed);
    // Of a node that nobody calls and that says nothing there is nothing to say.
    if told.by_callers {
        lines.push(format!("{calls} calls, {failed} failed, by its callers"));
    } else if !c.silent() {
        lines.push(format!("{calls} calls, {failed} failed"));
    }
    let latency = node.latency.as_ref();
    lines.extend(latency.map(|l| format!("latency {}", figures(topology, l))));
    lines.extend(node.health.map(|h| format!("health {}", h.name())));
    lines
}

/// Of an edge.
pub(super) fn edge_facts(topology: &Topology, edge: &Edge, name: Escape) -> Vec<String> {
    let c = &edge.counted;
    let mut lines = vec![
        format!("{} to {}", name(&edge.client), name(&edge.server)),
        format!("{} calls, {} failed", c.calls(), c.failed_calls()),
    ];
    let connection = connection_name(c.connection_type);
    lines.extend((!connection.is_empty()).then(|| connection.to_owned()));
    let sides = [
        ("client", &edge.client_latency),
        ("server", &edge.server_latency),
        ("gap", &edge.gap),
        ("queue", &edge.queue),
    ];
    lines.extend(
        sides
            .iter()
            .filter_map(|(side, l)| Some(format!("{side} {}", figures(topology, l.as_ref()?)))),
    );
    lines.extend(edge.health.map(|h| format!("health {}", h.name())));
    lines
}
