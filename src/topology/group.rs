//! Roll-up of a graph: many nodes to one, counts added and histograms merged, so that quantiles stay right.

use std::collections::HashMap;

use super::ident::encode_component;
use super::model::{NodeCounts, NodeKind};
use super::working::Working;

/// Rolls the services of each namespace up into one node `namespace:<name>`. Services without a namespace and virtual
/// nodes stay what they are.
pub(super) fn by_namespace(graph: &mut Working) {
    let mut groups: HashMap<String, usize> = HashMap::new();
    let mut nodes: Vec<NodeCounts> = Vec::new();
    let mut positions = Vec::with_capacity(graph.nodes.len());
    for node in std::mem::take(&mut graph.nodes) {
        let grouped = grouped(node);
        let position = *groups.entry(grouped.id.clone()).or_insert(nodes.len());
        positions.push(position);
        match nodes.get_mut(position) {
            Some(group) => group.absorb(grouped),
            None => nodes.push(grouped),
        }
    }
    graph.nodes = nodes;
    for edge in &mut graph.edges {
        edge.client = positions[edge.client];
        edge.server = positions[edge.server];
    }
    graph.join_edges();
}

/// The id a node has in a graph rolled up by namespace.
pub(super) fn group_id(node: &NodeCounts) -> String {
    match (node.kind, &node.namespace) {
        (NodeKind::Service, Some(namespace)) => {
            format!("namespace:{}", encode_component(namespace))
        }
        _ => node.id.clone(),
    }
}

/// The node under the identity of its group. Versions and instances of different services say nothing together.
fn grouped(node: NodeCounts) -> NodeCounts {
    match (node.kind, node.namespace.clone()) {
        (NodeKind::Service, Some(namespace)) => NodeCounts {
            id: group_id(&node),
            name: namespace,
            kind: NodeKind::Namespace,
            versions: super::model::TextSet::default(),
            instances: super::model::TextSet::default(),
            ..node
        },
        _ => node,
    }
}
