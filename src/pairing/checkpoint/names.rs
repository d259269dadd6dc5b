//! Small ids by their names and back: small ids never leave the process.

use std::cmp::Ordering;
use std::hash::Hash;

use ahash::HashMap;

use super::Unreadable;
use crate::graph::{EdgeId, Graph, NodeId, TextId};
use crate::proto::{self, ConnectionType, NodeType};

/// Places in the tables of a checkpoint. Writing goes over everything twice: first to learn what is named, when every
/// place is 0, then with the places that [`Names::tables`] gave out.
#[derive(Debug, Default)]
pub(super) struct Names {
    nodes: HashMap<NodeId, u32>,
    edges: HashMap<EdgeId, u32>,
    spans: HashMap<TextId, u32>,
    topics: HashMap<TextId, u32>,
    peers: HashMap<TextId, u32>,
    addresses: HashMap<TextId, u32>,
}

/// The ids that the tables of a checkpoint have in this process.
#[derive(Debug)]
pub(super) struct Ids {
    nodes: Vec<NodeId>,
    edges: Vec<EdgeId>,
    span_names: Vec<TextId>,
    topics: Vec<TextId>,
    peers: Vec<TextId>,
    addresses: Vec<TextId>,
}

// === impl Names ===

impl Names {
    pub(super) fn node(&mut self, node: NodeId) -> u32 {
        *self.nodes.entry(node).or_default()
    }

    pub(super) fn edge(&mut self, edge: EdgeId) -> u32 {
        *self.edges.entry(edge).or_default()
    }

    pub(super) fn span_name(&mut self, text: TextId) -> u32 {
        reference(&mut self.spans, text)
    }

    pub(super) fn topic(&mut self, text: TextId) -> u32 {
        reference(&mut self.topics, text)
    }

    pub(super) fn peer(&mut self, text: TextId) -> u32 {
        reference(&mut self.peers, text)
    }

    pub(super) fn address(&mut self, text: TextId) -> u32 {
        reference(&mut self.addresses, text)
    }

    /// Gives every name its place, and writes the tables.
    pub(super) fn tables(&mut self, graph: &Graph) -> proto::Waiting {
        let edges: Vec<EdgeId> = self.edges.keys().copied().collect();
        for edge in edges {
            let (client, server, _) = graph.edge_ends(edge);
            self.node(client);
            self.node(server);
        }
        let nodes = number(&mut self.nodes, 0, |a, b| graph.compare_names(*a, *b));
        let places = &self.nodes;
        let ends = |edge: &EdgeId| {
            let (client, server, kind) = graph.edge_ends(*edge);
            proto::WaitingEdge {
                client: places[&client],
                server: places[&server],
                connection_type: kind.into(),
            }
        };
        let key = |edge: &EdgeId| {
            let of = ends(edge);
            (of.client, of.server, of.connection_type)
        };
        let edges = number(&mut self.edges, 0, |a, b| key(a).cmp(&key(b)));
        let texts = |known: &mut HashMap<TextId, u32>| -> Vec<String> {
            let ids = number(known, 1, |a, b| graph.text(*a).cmp(graph.text(*b)));
            ids.iter().map(|id| graph.text(*id).to_owned()).collect()
        };
        proto::Waiting {
            nodes: nodes.iter().map(|id| node(graph, *id)).collect(),
            edges: edges.iter().map(ends).collect(),
            span_names: texts(&mut self.spans),
            topics: texts(&mut self.topics),
            peers: texts(&mut self.peers),
            addresses: texts(&mut self.addresses),
            ..proto::Waiting::default()
        }
    }
}

fn reference(known: &mut HashMap<TextId, u32>, text: TextId) -> u32 {
    if text == TextId::default() {
        return 0;
    }
    *known.entry(text).or_default()
}

/// Numbers what is known in this order, from `first`.
fn number<T: Copy + Eq + Hash>(
    known: &mut HashMap<T, u32>,
    first: u32,
    order: impl Fn(&T, &T) -> Ordering,
) -> Vec<T> {
    let mut sorted: Vec<T> = known.keys().copied().collect();
    sorted.sort_unstable_by(order);
    known.extend(sorted.iter().copied().zip(first..));
    sorted
}

/// A node by its names. Waiting spans name services and what stands for those beyond the cap; never a user node, whose
/// names do not tell it apart.
fn node(graph: &Graph, id: NodeId) -> proto::WaitingNode {
    let info = graph.node(id);
    let info = info.or_else(|| graph.node(NodeId::OVERFLOW));
    let info = info.expect("the overflow node is always there");
    proto::WaitingNode {
        r#type: info.kind.into(),
        namespace: info.namespace.to_string(),
        name: info.name.to_string(),
        dimensions: info.dimensions.iter().map(ToString::to_string).collect(),
    }
}

// === impl Ids ===

impl Ids {
    /// Interns everything that the tables name.
    pub(super) fn intern(
        graph: &Graph,
        waiting: &proto::Waiting,
        now_s: u64,
    ) -> Result<Self, Unreadable> {
        let node = |node: &proto::WaitingNode| {
            let kind = NodeType::try_from(node.r#type);
            let kind = kind.map_err(|_| Unreadable("a node of no known type"))?;
            let namespace = Some(&*node.namespace).filter(|namespace| !namespace.is_empty());
            if kind != NodeType::Service {
                return Ok(graph.virtual_node(kind, namespace, &node.name, now_s));
            }
            let pairs = node.dimensions.iter().map(|pair| pair.split_once('='));
            let pairs = pairs.collect::<Option<Vec<_>>>();
            let pairs = pairs.ok_or(Unreadable("a dimension without a value"))?;
            Ok(graph.split_service(namespace, &node.name, &pairs, now_s))
        };
        let nodes = waiting.nodes.iter().map(node);
        let nodes = nodes.collect::<Result<Vec<NodeId>, Unreadable>>()?;
        let edge = |edge: &proto::WaitingEdge| {
            let kind = ConnectionType::try_from(edge.connection_type);
            let kind = kind.map_err(|_| Unreadable("an edge of no known type"))?;
            let (client, server) = (at(&nodes, edge.client)?, at(&nodes, edge.server)?);
            Ok(graph.edge(client, server, kind, now_s))
        };
        let edges = waiting.edges.iter().map(edge);
        let edges = edges.collect::<Result<_, Unreadable>>()?;
        let peer = |name: &String| match name.as_str() {
            "" => TextId::NO_ROOM,
            name => graph.peer(name),
        };
        let span_name = |name: &String| graph.span_name(name.as_bytes());
        Ok(Self {
            nodes,
            edges,
            span_names: waiting.span_names.iter().map(span_name).collect(),
            topics: waiting.topics.iter().map(|t| graph.topic(t)).collect(),
            peers: waiting.peers.iter().map(peer).collect(),
            addresses: waiting.addresses.iter().map(|a| graph.address(a)).collect(),
        })
    }

    pub(super) fn node(&self, place: u32) -> Result<NodeId, Unreadable> {
        at(&self.nodes, place)
    }

    pub(super) fn edge(&self, place: u32) -> Result<EdgeId, Unreadable> {
        at(&self.edges, place)
    }

    pub(super) fn span_name(&self, reference: u32) -> Result<TextId, Unreadable> {
        text(&self.span_names, reference)
    }

    pub(super) fn topic(&self, reference: u32) -> Result<TextId, Unreadable> {
        text(&self.topics, reference)
    }

    pub(super) fn peer(&self, reference: u32) -> Result<TextId, Unreadable> {
        text(&self.peers, reference)
    }

    pub(super) fn address(&self, reference: u32) -> Result<TextId, Unreadable> {
        text(&self.addresses, reference)
    }
}

fn at<T: Copy>(table: &[T], place: u32) -> Result<T, Unreadable> {
    let found = table.get(place as usize).copied();
    found.ok_or(Unreadable("a reference leads outside its table"))
}

fn text(table: &[TextId], reference: u32) -> Result<TextId, Unreadable> {
    match reference {
        0 => Ok(TextId::default()),
        reference => at(table, reference - 1),
    }
}
