//! A merged slice to a working graph: string references resolved, histograms moved, nothing judged yet.

use std::collections::BTreeMap;

use super::BuildError;
use super::alias;
use super::model::{CallsFrom, EdgeCounts, NodeCounts, NodeKind, Seen, TextSet};
use super::working::{Working, WorkingEdge};
use crate::proto;

/// Reads the nodes and edges; leaves the rest of the slice as it is.
pub(super) fn graph(slice: &mut proto::Slice) -> Result<Working, BuildError> {
    let aliases = alias::of_edges(slice);
    let strings = Strings(std::mem::take(&mut slice.strings));
    let nodes = std::mem::take(&mut slice.nodes);
    let edges = std::mem::take(&mut slice.edges);
    let nodes: Vec<NodeCounts> = nodes
        .into_iter()
        .map(|n| strings.node(n))
        .collect::<Result<_, _>>()?;
    let edges = edges
        .into_iter()
        .zip(aliases.into_iter().chain(std::iter::repeat(None)))
        .map(|(e, alias)| strings.edge(e, alias, nodes.len()))
        .collect::<Result<_, _>>()?;
    Ok(Working { nodes, edges })
}

struct Strings(Vec<String>);

// === impl Strings ===

impl Strings {
    fn get(&self, reference: u32) -> Result<String, BuildError> {
        let index = usize::try_from(reference).unwrap_or(usize::MAX);
        let text = self.0.get(index).cloned();
        text.ok_or(BuildError::Malformed("string reference out of range"))
    }

    fn node(&self, node: proto::Node) -> Result<NodeCounts, BuildError> {
        let kind = kind(node.r#type());
        let namespace = self.get(node.namespace_ref)?;
        Ok(NodeCounts {
            id: self.get(node.id_ref)?,
            name: self.get(node.name_ref)?,
            namespace: (!namespace.is_empty()).then_some(namespace),
            kind,
            dimensions: self.dimensions(&node.dimensions)?,
            calls_from: CallsFrom {
                edges: node.calls_edges,
                no_caller: node.calls_no_caller,
                unpaired: node.calls_unpaired,
            },
            failed: node.failed,
            latency: node.latency.filter(|h| h.count > 0),
            versions: self.set(node.versions)?,
            instances: self.set(node.instances)?,
            first_seen_s: node.first_seen_s,
            last_seen_s: node.last_seen_s,
            idle: false,
        })
    }

    fn edge(
        &self,
        edge: proto::Edge,
        alias: Option<usize>,
        nodes: usize,
    ) -> Result<WorkingEdge, BuildError> {
        let end = |index: u32| {
            let index = usize::try_from(index).ok().filter(|i| *i < nodes);
            index.ok_or(BuildError::Malformed("node reference out of range"))
        };
        let (client, server) = (end(edge.client)?, end(edge.server)?);
        let counted = EdgeCounts {
            connection_type: edge.connection_type(),
            seen: Seen {
                both: edge.seen_both,
                client: edge.seen_client,
                server: edge.seen_server,
            },
            inferred: 0,
            failed: edge.failed,
            client_failed: edge.client_failed,
            server_failed: edge.server_failed,
            client_latency: edge.client_latency.filter(|h| h.count > 0),
            server_latency: edge.server_latency.filter(|h| h.count > 0),
            gap: edge.gap.filter(|h| h.count > 0),
            queue: edge.queue.filter(|h| h.count > 0),
            protocols: self.counts(&edge.protocols)?,
            statuses: self.counts(&edge.statuses)?,
            destinations: self.set(edge.destinations)?,
            slowest: edge.slowest,
            failed_exemplar: edge.failed_exemplar,
            first_seen_s: edge.first_seen_s,
            last_seen_s: edge.last_seen_s,
            weighted_calls: edge.weighted_calls,
            weighted_failed: edge.weighted_failed,
            idle: false,
        };
        Ok(WorkingEdge {
            client,
            server,
            alias,
            counted,
        })
    }

    fn set(&self, set: Option<proto::StringSet>) -> Result<TextSet, BuildError> {
        let set = set.unwrap_or_default();
        Ok(TextSet {
            values: set
                .string_refs
                .iter()
                .map(|r| self.get(*r))
                .collect::<Result<_, _>>()?,
            more: set.more,
        })
    }

    fn dimensions(
        &self,
        pairs: &[proto::StringCount],
    ) -> Result<BTreeMap<String, String>, BuildError> {
        let mut dimensions = BTreeMap::new();
        for pair in pairs {
            let pair = self.get(pair.string_ref)?;
            let parts = pair.split_once('=');
            let (key, value) = parts.ok_or(BuildError::Malformed("dimension without a value"))?;
            dimensions.insert(key.to_owned(), value.to_owned());
        }
        Ok(dimensions)
    }

    fn counts(&self, counts: &[proto::StringCount]) -> Result<BTreeMap<String, u64>, BuildError> {
        counts
            .iter()
            .map(|c| Ok((self.get(c.string_ref)?, c.count)))
            .collect()
    }
}

pub(super) fn kind(kind: proto::NodeType) -> NodeKind {
    match kind {
        proto::NodeType::Service => NodeKind::Service,
        proto::NodeType::Database => NodeKind::Database,
        proto::NodeType::Messaging => NodeKind::Messaging,
        proto::NodeType::External => NodeKind::External,
        proto::NodeType::User => NodeKind::User,
        proto::NodeType::Overflow => NodeKind::Overflow,
    }
}
