//! The open slice: one second's learning in concurrent maps, open to many workers at once.

use std::sync::Arc;

use ahash::RandomState;
use bytes::Bytes;
use dashmap::DashMap;
use parking_lot::Mutex;

use super::call::{Call, Effects, NodeCall};
use super::counters::{LawCounters, add};
use super::shared::Shared;
use super::stats::{EdgeStats, Negatives, NodeStats};
use super::unpaired::{Unpaired, UnpairedKey};
use super::{EdgeId, Graph, NodeId};
use crate::proto;
use crate::slice::Listed;

/// One second's learning, open for writing by many workers at once.
#[derive(Debug)]
pub struct LiveSlice {
    shared: Arc<Shared>,
    second: u64,
    /// The graph's time when it was opened: what it names was used no earlier, and is not released while it is open.
    pub(super) opened_s: u64,
    edges: DashMap<EdgeId, Box<EdgeStats>, RandomState>,
    nodes: DashMap<NodeId, Box<NodeStats>, RandomState>,
    unpaired: Mutex<Unpaired>,
    law: LawCounters,
    /// What the second held before this slice was opened in its midst, encoded.
    carried: Mutex<Option<Bytes>>,
}

/// What a slice is made from once it is complete.
#[derive(Debug)]
pub(super) struct Drained {
    pub(super) edges: Vec<(EdgeId, Box<EdgeStats>)>,
    pub(super) nodes: Vec<(NodeId, Box<NodeStats>)>,
    pub(super) unpaired: Listed<UnpairedKey>,
    pub(super) law: proto::Law,
}

// === impl LiveSlice ===

impl LiveSlice {
    pub(super) fn new(shared: Arc<Shared>, second: u64) -> Self {
        let opened_s = shared.slice_opened();
        Self {
            shared,
            second,
            opened_s,
            edges: DashMap::default(),
            nodes: DashMap::default(),
            unpaired: Mutex::default(),
            law: LawCounters::default(),
            carried: Mutex::default(),
        }
    }

    pub(super) fn with_carried(self, carried: Bytes) -> Self {
        *self.carried.lock() = Some(carried);
        self
    }

    pub(super) fn take_carried(&self) -> Option<Bytes> {
        self.carried.lock().take()
    }

    /// What it was opened with, encoded.
    pub(super) fn carried(&self) -> Option<Bytes> {
        self.carried.lock().clone()
    }

    /// The unix second it was opened for.
    pub fn second(&self) -> u64 {
        self.second
    }

    /// Adds one chunk's effects, each touched edge once. Leaves `effects` cleared.
    ///
    /// `graph` must be the one that opened this slice: ids mean nothing elsewhere.
    pub fn absorb(&self, graph: &Graph, effects: &mut Effects) {
        debug_assert!(
            Arc::ptr_eq(&graph.shared, &self.shared),
            "a slice of another graph"
        );
        let mut negatives = Negatives::default();
        effects.calls.sort_unstable_by_key(|call| call.edge);
        for calls in effects.calls.chunk_by(|a, b| a.edge == b.edge) {
            self.add_to_edge(calls, &mut negatives);
        }
        effects.node_calls.sort_unstable_by_key(|call| call.node);
        for calls in effects.node_calls.chunk_by(|a, b| a.node == b.node) {
            self.add_to_node(calls, &mut negatives);
        }
        self.add_unpaired(effects);
        self.law.add(effects, &negatives);
        effects.clear();
    }

    /// Counts decoded spans, of which `rejected` by (trace id, span id, parent span id).
    pub fn decoded(&self, decoded: u64, rejected: [u64; 3]) {
        add(&self.law.decoded, decoded);
        for (counter, n) in self.law.rejected.iter().zip(rejected) {
            add(counter, n);
        }
    }

    /// Notes that `node` sent spans, from this instance of this version.
    pub fn saw_service(&self, node: NodeId, instance: Option<&str>, version: Option<&str>) {
        self.shared.touch_node(node);
        let mut stats = self.nodes.entry(node).or_default();
        if let Some(instance) = instance {
            stats.instances.insert(instance);
        }
        if let Some(version) = version {
            stats.versions.insert(version);
        }
    }

    /// A copy of everything but what was carried.
    pub(super) fn copy(&self) -> Drained {
        let edges = self.edges.iter();
        let nodes = self.nodes.iter();
        Drained {
            edges: edges.map(|e| (*e.key(), e.value().clone())).collect(),
            nodes: nodes.map(|n| (*n.key(), n.value().clone())).collect(),
            unpaired: self.unpaired.lock().clone().listed(&self.shared),
            law: self.law.copy(),
        }
    }

    /// Takes everything out but what was carried.
    pub(super) fn drain(&self) -> Drained {
        let mut edges = Vec::with_capacity(self.edges.len());
        self.edges.retain(|id, stats| {
            edges.push((*id, std::mem::take(stats)));
            false
        });
        let mut nodes = Vec::with_capacity(self.nodes.len());
        self.nodes.retain(|id, stats| {
            nodes.push((*id, std::mem::take(stats)));
            false
        });
        Drained {
            edges,
            nodes,
            unpaired: std::mem::take(&mut *self.unpaired.lock()).listed(&self.shared),
            law: self.law.take(),
        }
    }

    /// All of one edge: its guard is taken once.
    fn add_to_edge(&self, calls: &[Call], negatives: &mut Negatives) {
        let edge = calls[0].edge;
        self.shared.touch_edge(edge);
        let mut stats = self.edges.entry(edge).or_default();
        for call in calls {
            stats.record(call, &self.shared.texts, &self.shared.pool, negatives);
        }
    }

    /// All of one node, likewise.
    fn add_to_node(&self, calls: &[NodeCall], negatives: &mut Negatives) {
        let node = calls[0].node;
        self.shared.touch_node(node);
        let mut stats = self.nodes.entry(node).or_default();
        for call in calls {
            stats.record(call, &self.shared.texts, &self.shared.pool, negatives);
        }
    }

    fn add_unpaired(&self, effects: &Effects) {
        if effects.unpaired.is_empty() {
            return;
        }
        let mut unpaired = self.unpaired.lock();
        for span in &effects.unpaired {
            self.shared.touch_node(span.node);
            let key = UnpairedKey {
                node: span.node,
                kind: span.kind,
                name: Some(span.name),
                reason: span.reason,
            };
            unpaired.add(key, *span.trace.bytes(), &self.shared);
        }
    }
}

impl Drop for LiveSlice {
    fn drop(&mut self) {
        self.shared.slice_closed(self.opened_s);
    }
}
