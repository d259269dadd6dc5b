//! The conservation law (design.md section 3), checked on a slice or on any merge of slices.

use crate::proto::{CallClasses, Edge, Histogram, Law, Node, NodeType, Slice};

/// One identity that should hold: its name and its two sides.
struct Identity {
    name: &'static str,
    left: u64,
    right: u64,
}

/// Every identity of the law. Returns what does not hold, in words; empty when all does. With sampling adjustment the
/// identities hold for raw calls, which is what they are checked on.
pub fn check(slice: &Slice) -> Vec<String> {
    let mut violations = check_totals(slice);
    for edge in &slice.edges {
        check_edge(slice, edge, &mut violations);
    }
    let incoming = incoming(slice);
    for (node, incoming) in slice.nodes.iter().zip(&incoming) {
        check_node(slice, node, *incoming, &mut violations);
    }
    check_classes(slice, &mut violations);
    violations
}

/// The identities of the whole slice alone: cheap enough for every seal.
pub fn check_totals(slice: &Slice) -> Vec<String> {
    let law = slice.law.unwrap_or_default();
    let rejected = law.rejected.unwrap_or_default();
    let calls = slice
        .edges
        .iter()
        .fold(0_u64, |all, edge| all.saturating_add(calls_of(edge)));
    let inbound = slice.edges.iter().fold(0_u64, |all, edge| {
        sum(&[all, edge.seen_both, edge.seen_server])
    });
    let from_edges = slice
        .nodes
        .iter()
        .fold(0_u64, |all, node| all.saturating_add(node.calls_edges));
    let identities = [
        Identity {
            name: "decoded = accepted + rejected",
            left: law.decoded,
            right: sum(&[
                law.accepted,
                rejected.trace_id,
                rejected.span_id,
                rejected.parent_span_id,
            ]),
        },
        Identity {
            name: "pending before + accepted = outcomes + pending after",
            left: sum(&[law.pending_before, law.accepted]),
            right: sum(&[outcomes(&law), law.pending_after]),
        },
        Identity {
            name: "calls of all edges = calls of all classes",
            left: calls,
            right: sum(&class_list(law.calls.as_ref())),
        },
        Identity {
            name: "calls that nodes saw from edges = calls that edges saw from servers",
            left: from_edges,
            right: inbound,
        },
    ];
    identities
        .into_iter()
        .filter_map(|identity| identity.violation("the slice"))
        .collect()
}

fn check_edge(slice: &Slice, edge: &Edge, violations: &mut Vec<String>) {
    let calls = calls_of(edge);
    let [paired, entry, linked, virtual_server, virtual_client] = class_list(edge.classes.as_ref());
    let client = edge.client_latency.as_ref();
    let server = edge.server_latency.as_ref();
    let identities = [
        Identity {
            name: "calls seen from both sides = paired + entry + linked",
            left: edge.seen_both,
            right: sum(&[paired, entry, linked]),
        },
        Identity {
            name: "calls seen by the client = virtual_server",
            left: edge.seen_client,
            right: virtual_server,
        },
        Identity {
            name: "calls seen by the server = virtual_client",
            left: edge.seen_server,
            right: virtual_client,
        },
        Identity {
            name: "client samples + calls without one = calls",
            left: sum(&[samples(client), edge.calls_without_client_sample]),
            right: calls,
        },
        Identity {
            name: "server samples + calls without one = calls",
            left: sum(&[samples(server), edge.calls_without_server_sample]),
            right: calls,
        },
        counted("client histogram", client),
        counted("server histogram", server),
        counted("gap histogram", edge.gap.as_ref()),
        counted("queue histogram", edge.queue.as_ref()),
    ];
    let found = identities
        .into_iter()
        .filter(|identity| identity.left != identity.right);
    violations.extend(found.filter_map(|identity| {
        let name = format!(
            "edge {} -> {}",
            node_id(slice, edge.client),
            node_id(slice, edge.server)
        );
        identity.violation(&name)
    }));
}

/// Calls beyond the edge cap lie on overflow -> overflow while their nodes stay true, so with any such call a node may
/// have seen more than its own edges tell.
fn check_node(slice: &Slice, node: &Node, incoming: u64, violations: &mut Vec<String>) {
    let overflowed = slice.law.is_some_and(|law| law.overflow_calls > 0);
    let is_overflow = node.r#type == i32::from(NodeType::Overflow);
    let allowed = match (overflowed, is_overflow) {
        (false, _) => node.calls_edges == incoming,
        (true, false) => node.calls_edges >= incoming,
        (true, true) => node.calls_edges <= incoming,
    };
    let calls = sum(&[node.calls_edges, node.calls_no_caller, node.calls_unpaired]);
    let latency = node.latency.as_ref();
    let identities = [
        Identity {
            name: "calls from edges = incoming calls seen by the server",
            left: node.calls_edges,
            right: if allowed { node.calls_edges } else { incoming },
        },
        Identity {
            name: "samples + calls without one = calls",
            left: sum(&[samples(latency), node.calls_without_sample]),
            right: calls,
        },
        counted("histogram", latency),
    ];
    let found = identities
        .into_iter()
        .filter(|identity| identity.left != identity.right);
    violations.extend(found.filter_map(|identity| {
        let id = slice.strings.get(node.id_ref as usize).map_or("?", |id| id);
        identity.violation(&format!("node {id}"))
    }));
}

/// Each class of calls summed over the edges is the law's term; so is the overflow edge.
fn check_classes(slice: &Slice, violations: &mut Vec<String>) {
    let law = slice.law.unwrap_or_default();
    let mut edges = [0_u64; 5];
    let mut overflow = 0_u64;
    for edge in &slice.edges {
        for (sum, calls) in edges.iter_mut().zip(class_list(edge.classes.as_ref())) {
            *sum = sum.saturating_add(calls);
        }
        if is_reserved(slice, edge) {
            overflow = overflow.saturating_add(calls_of(edge));
        }
    }
    let names = [
        "paired calls of edges = law's",
        "entry calls of edges = law's",
        "linked calls of edges = law's",
        "virtual_server calls of edges = law's",
        "virtual_client calls of edges = law's",
    ];
    for ((name, left), right) in names
        .into_iter()
        .zip(edges)
        .zip(class_list(law.calls.as_ref()))
    {
        violations.extend(Identity { name, left, right }.violation("the slice"));
    }
    let name = "calls of the overflow edge = overflow_calls";
    violations.extend(
        Identity {
            name,
            left: overflow,
            right: law.overflow_calls,
        }
        .violation("the slice"),
    );
}

// === impl Identity ===

impl Identity {
    fn violation(&self, of: &str) -> Option<String> {
        let Self { name, left, right } = self;
        (left != right).then(|| format!("{of}: {name} does not hold: {left} against {right}"))
    }
}

fn is_reserved(slice: &Slice, edge: &Edge) -> bool {
    let overflow = |at: u32| {
        let node = slice.nodes.get(at as usize);
        node.is_some_and(|node| node.r#type == i32::from(NodeType::Overflow))
    };
    overflow(edge.client) && overflow(edge.server) && edge.connection_type == 0
}

/// For each node, the calls its incoming edges saw from the server's side.
fn incoming(slice: &Slice) -> Vec<u64> {
    let mut incoming = vec![0_u64; slice.nodes.len()];
    for edge in &slice.edges {
        if let Some(sum) = incoming.get_mut(edge.server as usize) {
            *sum = self::sum(&[*sum, edge.seen_both, edge.seen_server]);
        }
    }
    incoming
}

fn calls_of(edge: &Edge) -> u64 {
    sum(&[edge.seen_both, edge.seen_client, edge.seen_server])
}

pub(crate) fn outcomes(law: &Law) -> u64 {
    let o = law.outcomes.unwrap_or_default();
    sum(&[
        o.paired,
        o.r#virtual,
        o.internal,
        o.root,
        o.unpaired_client,
        o.unpaired_server,
        o.filtered,
        o.duplicate,
        o.late,
    ])
}

fn class_list(classes: Option<&CallClasses>) -> [u64; 5] {
    let c = classes.copied().unwrap_or_default();
    [
        c.paired,
        c.entry,
        c.linked,
        c.virtual_server,
        c.virtual_client,
    ]
}

/// Samples that a histogram's buckets hold, zeros included.
fn samples(histogram: Option<&Histogram>) -> u64 {
    histogram.map_or(0, |h| sum(&[h.zero_count, sum(&h.counts)]))
}

fn counted(what: &'static str, histogram: Option<&Histogram>) -> Identity {
    Identity {
        name: what,
        left: samples(histogram),
        right: histogram.map_or(0, |h| h.count),
    }
}

fn sum(terms: &[u64]) -> u64 {
    terms.iter().fold(0, |sum, term| sum.saturating_add(*term))
}

fn node_id(slice: &Slice, at: u32) -> &str {
    let node = slice.nodes.get(at as usize);
    node.and_then(|node| slice.strings.get(node.id_ref as usize))
        .map_or("?", |id| id)
}
