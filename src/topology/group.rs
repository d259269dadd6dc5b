//! Roll-up of a graph: many nodes to one, counts added and histograms merged, so that quantiles stay right.

use std::collections::{BTreeMap, HashMap};

use super::ident::encode_component;
use super::model::{NodeCounts, NodeKind, TextSet};
use super::query::GroupBy;
use super::working::Working;

/// Rolls the services of each namespace up into one node `namespace:<name>`, or those with one value of a dimension into
/// `<key>:<value>`. Services without one and virtual nodes stay what they are.
pub(super) fn roll_up(graph: &mut Working, by: &GroupBy) {
    let mut groups: HashMap<String, usize> = HashMap::new();
    let mut nodes: Vec<NodeCounts> = Vec::new();
    let mut positions = Vec::with_capacity(graph.nodes.len());
    for node in std::mem::take(&mut graph.nodes) {
        let grouped = grouped(node, by);
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

/// The id a node has in a graph rolled up so.
pub(super) fn group_id(node: &NodeCounts, by: &GroupBy) -> String {
    match group(node, by) {
        Some((key, value)) => format!("{}:{}", encode_component(key), encode_component(value)),
        None => node.id.clone(),
    }
}

/// What the group of a node has in common: a key and its value.
fn group<'a>(node: &'a NodeCounts, by: &'a GroupBy) -> Option<(&'a str, &'a str)> {
    if node.kind != NodeKind::Service {
        return None;
    }
    match by {
        GroupBy::Service => None,
        GroupBy::Namespace => Some(("namespace", node.namespace.as_deref()?)),
        GroupBy::Dimension(key) => Some((key, node.dimensions.get(key)?)),
    }
}

/// The node under the identity of its group. Versions and instances of different services say nothing together.
fn grouped(node: NodeCounts, by: &GroupBy) -> NodeCounts {
    let Some((_, value)) = group(&node, by) else {
        return node;
    };
    let (id, name) = (group_id(&node, by), value.to_owned());
    let (kind, namespace, dimensions) = match by {
        GroupBy::Dimension(key) => (
            NodeKind::Dimension,
            None,
            BTreeMap::from([(key.clone(), name.clone())]),
        ),
        _ => (NodeKind::Namespace, node.namespace.clone(), BTreeMap::new()),
    };
    NodeCounts {
        id,
        name,
        namespace,
        kind,
        dimensions,
        versions: TextSet::default(),
        instances: TextSet::default(),
        ..node
    }
}
