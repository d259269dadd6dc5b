//! All that is known of an element, in lines for tooltips. Names go through the caller's escaping; the rest is inert.

use super::look::figures;
use crate::topology::{Edge, Node, Topology, connection_name};

/// How a drawing writes a name.
pub(super) type Escape = fn(&str) -> String;

/// Of a node.
pub(super) fn node_facts(topology: &Topology, node: &Node, name: Escape) -> Vec<String> {
    let c = &node.counted;
    let mut lines = vec![name(&c.id), c.kind.name().to_owned()];
    // A virtual node reports nothing itself; its edges tell its calls.
    let reported = (!c.kind.inferred())
        .then(|| format!("{} calls, {} failed", c.calls_from.calls(), c.failed));
    lines.extend(reported);
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
