//! The live graph: interned nodes and edges with caps, and the open slice in concurrent maps.
//! Fed by `pairing` through [`call::Effects`]; sealed into `slice`. Knows nothing about spans' ids or windows.

pub mod bucket;
pub mod call;
mod carry;
mod counters;
mod edges;
pub mod histogram;
mod ids;
mod live;
mod names;
mod nodes;
mod peers;
mod pool;
mod seal;
mod shared;
mod stats;
mod status;
mod table;
mod texts;
mod unpaired;

use std::cmp::Ordering;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use bytes::Bytes;

use crate::proto::{ConnectionType, Law, NodeType, Origin};
use crate::slice::MergeError;
use edges::EdgeKey;
pub use live::LiveSlice;
pub use names::MAX_NAME_BYTES;
pub use nodes::NodeInfo;
pub use peers::{is_plain_peer, join_peer};
pub use pool::BlockPool;
use shared::Shared;
pub use texts::MAX_TEXTS;

/// An interned node; small, and valid only inside this process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeId(pub u32);

/// An interned edge; small, and valid only inside this process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EdgeId(pub u32);

/// An interned text (span name, topic, peer, address); small, and valid only inside this process. 0 is "none". There are at most
/// four times [`MAX_TEXTS`] and a few.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct TextId(pub u16);

/// Bounds of the graph.
#[derive(Debug, Clone, Copy)]
pub struct GraphConfig {
    /// Most nodes at once; beyond, a new node is [`NodeId::OVERFLOW`].
    pub max_nodes: u32,
    /// Most edges at once; beyond, a new edge is [`EdgeId::OVERFLOW`] and its calls count `overflow_calls`.
    pub max_edges: u32,
    /// Seconds without use after which a node or edge is released. At least the longest time a span is remembered.
    pub idle_s: u64,
}

/// What is known of a slice when it is sealed, besides what was absorbed.
#[derive(Debug, Clone, Default)]
pub struct SealInfo {
    /// Spans waiting when the slice began.
    pub pending_before: u64,
    /// Spans waiting when it was complete.
    pub pending_after: u64,
    /// First unix second after the slice.
    pub end_unix_s: u64,
    /// Its length by the monotonic clock.
    pub monotonic_ns: u64,
    /// Position in this process's sequence of slices.
    pub sequence: u64,
}

/// How full the graph is, for `/metrics` and `/api/v1/status`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct GraphGauges {
    /// Nodes held, of at most `max_nodes`.
    pub nodes: u32,
    /// Edges held, of at most `max_edges`.
    pub edges: u32,
    /// Distinct span names held, of at most [`MAX_TEXTS`].
    pub span_names: u32,
    /// Distinct topics held, likewise.
    pub topics: u32,
    /// Distinct names of peers held, likewise.
    pub peers: u32,
    /// Distinct addresses of peers held, likewise; none unless aliases are learned.
    pub addresses: u32,
    /// Nodes and edges released so far for being idle.
    pub released: u64,
    /// Violations of the law that seals have found so far; anything but 0 is a bug.
    pub law_violations: u64,
}

/// Registries of nodes, edges and texts. Shared by all workers.
///
/// `now_s` is in seconds of any clock that does not run backwards, the same for every call. Seconds of monotonic time
/// are best: a wall clock that leaps forward makes everything look idle at once.
#[derive(Debug)]
pub struct Graph {
    shared: Arc<Shared>,
}

// === impl NodeId ===

impl NodeId {
    /// The node that stands for everything beyond `max_nodes`.
    pub const OVERFLOW: Self = Self(0);
}

// === impl TextId ===

impl TextId {
    /// A peer for whose name there was no room.
    pub const NO_ROOM: Self = Self(2);
}

// === impl EdgeId ===

impl EdgeId {
    /// The edge overflow→overflow, which stands for every edge beyond `max_edges`.
    pub const OVERFLOW: Self = Self(0);
}

// === impl Graph ===

impl Graph {
    /// An empty graph that seals slices in the name of `origin`.
    pub fn new(config: GraphConfig, origin: Origin, config_digest: String) -> Self {
        Self {
            shared: Arc::new(Shared::new(config, origin, config_digest)),
        }
    }

    /// The node of a service, interned. `now_s` marks it as used.
    pub fn service(&self, namespace: Option<&str>, name: &str, now_s: u64) -> NodeId {
        self.split_service(namespace, name, &[], now_s)
    }

    /// The same, told apart from services of the same name by `dimensions` too: keys without `=`, each once, with values.
    pub fn split_service(
        &self,
        namespace: Option<&str>,
        name: &str,
        dimensions: &[(&str, &str)],
        now_s: u64,
    ) -> NodeId {
        self.node_of(NodeType::Service, namespace, name, dimensions, now_s)
    }

    /// A virtual node, interned. A user node is named `user` whatever `name` is, which then only tells it apart.
    pub fn virtual_node(
        &self,
        kind: NodeType,
        namespace: Option<&str>,
        name: &str,
        now_s: u64,
    ) -> NodeId {
        self.node_of(kind, namespace, name, &[], now_s)
    }

    fn node_of(
        &self,
        kind: NodeType,
        namespace: Option<&str>,
        name: &str,
        dimensions: &[(&str, &str)],
        now_s: u64,
    ) -> NodeId {
        self.shared.hear(now_s);
        let nodes = &self.shared.nodes;
        nodes.intern(kind, namespace, name, dimensions, now_s)
    }

    /// The edge between two nodes, interned. Keeps both ends from being released.
    #[inline]
    pub fn edge(&self, client: NodeId, server: NodeId, kind: ConnectionType, now_s: u64) -> EdgeId {
        self.shared.hear(now_s);
        self.shared.edges.intern(
            EdgeKey {
                client,
                server,
                kind,
            },
            now_s,
        )
    }

    /// What an edge is: its ends, and what connects them.
    pub fn edge_ends(&self, edge: EdgeId) -> (NodeId, NodeId, ConnectionType) {
        let EdgeKey {
            client,
            server,
            kind,
        } = self.shared.edges.key(edge);
        (client, server, kind)
    }

    /// Digest of the configuration, as its slices carry it.
    pub fn config_digest(&self) -> &str {
        &self.shared.config_digest
    }

    /// A span name, interned: at most 10,000 distinct ones, the rest is `other`. Invalid UTF-8 is replaced.
    pub fn span_name(&self, name: &[u8]) -> TextId {
        self.shared.texts.span_name(name)
    }

    /// A topic, interned likewise (its own 10,000).
    pub fn topic(&self, name: &str) -> TextId {
        self.shared.texts.topic(name)
    }

    /// A peer, as [`join_peer`] writes it, interned likewise (its own 10,000); beyond, its virtual node is
    /// [`NodeId::OVERFLOW`].
    pub fn peer(&self, text: &str) -> TextId {
        self.shared.texts.peer(text)
    }

    /// The address at which a peer was called, interned likewise (its own 10,000); beyond, it is none.
    pub fn address(&self, address: &str) -> TextId {
        self.shared.texts.address(address)
    }

    /// The virtual node of an interned peer.
    pub fn virtual_peer(&self, kind: NodeType, peer: TextId, now_s: u64) -> NodeId {
        if peer == TextId::NO_ROOM {
            return NodeId::OVERFLOW;
        }
        let (namespace, name) = peers::split_peer(self.text(peer));
        self.virtual_node(kind, Some(namespace), name, now_s)
    }

    /// The node of callers that nothing names: one for all, or one for each called `service`.
    pub fn user(&self, service: Option<NodeId>, now_s: u64) -> NodeId {
        let info = service.and_then(|service| self.node(service));
        let Some(info) = info else {
            return self.virtual_node(NodeType::User, None, "user", now_s);
        };
        let namespace = Some(&*info.namespace).filter(|namespace| !namespace.is_empty());
        let pairs = info
            .dimensions
            .iter()
            .filter_map(|pair| pair.split_once('='));
        let dimensions: Vec<_> = pairs.collect();
        self.node_of(NodeType::User, namespace, &info.name, &dimensions, now_s)
    }

    /// The text of an interned span name or topic; empty for "none".
    pub fn text(&self, id: TextId) -> &str {
        self.shared.texts.text(id)
    }

    /// What a node is; `None` when its id is not given out.
    pub fn node(&self, node: NodeId) -> Option<Arc<NodeInfo>> {
        self.shared.nodes.info(node)
    }

    /// Orders two nodes by id text: pairing's "smallest name".
    pub fn compare_names(&self, a: NodeId, b: NodeId) -> Ordering {
        self.shared.nodes.compare(a, b)
    }

    /// Marks a node as used.
    #[inline]
    pub fn touch(&self, node: NodeId, now_s: u64) {
        self.shared.hear(now_s);
        self.shared.nodes.touch(node, now_s);
    }

    /// Releases nodes and edges unused since `now_s - idle_s`. Returns whether any node was released: ids held
    /// elsewhere (the resource cache) must then be forgotten. Called while no worker holds an id of its own.
    ///
    /// Whatever an open [`LiveSlice`] may name stays, and so do both ends of every edge that stays. Looks only when
    /// 1/64 of `idle_s` has passed since it last looked, since looking costs time in proportion to the edges.
    pub fn release_idle(&self, now_s: u64) -> bool {
        self.shared.hear(now_s);
        self.shared.release_idle(now_s)
    }

    /// A new open slice for the unix second `second`.
    pub fn open(&self, second: u64) -> LiveSlice {
        LiveSlice::new(Arc::clone(&self.shared), second)
    }

    /// Encodes a complete slice (`slice.proto`), and gives its law once more: sorted, with its own string table. Returns its blocks to the pool and
    /// leaves `live` empty. Checks the law, wholly in debug builds and its totals in release; violations are logged
    /// and counted in [`GraphGauges::law_violations`].
    pub fn seal(&self, live: &LiveSlice, info: &SealInfo) -> (Bytes, Law) {
        seal::seal(&self.shared, live, info)
    }

    /// What an open slice holds: an encoded slice without time and origin, for [`Graph::reopen`]. Leaves `live` as it is.
    pub fn carry(&self, live: &LiveSlice) -> Vec<u8> {
        carry::carry(&self.shared, live)
    }

    /// An open slice for the unix second `second` that goes on from what another one held.
    pub fn reopen(&self, second: u64, carried: &[u8]) -> Result<LiveSlice, MergeError> {
        let carried = carry::check(carried)?;
        Ok(self.open(second).with_carried(carried))
    }

    /// How full it is now.
    pub fn gauges(&self) -> GraphGauges {
        let [span_names, topics, peers, addresses] = self.shared.texts.counts();
        GraphGauges {
            nodes: self.shared.nodes.len(),
            edges: self.shared.edges.len(),
            span_names,
            topics,
            peers,
            addresses,
            released: self.shared.released.load(Relaxed),
            law_violations: self.shared.law_violations.load(Relaxed),
        }
    }
}
