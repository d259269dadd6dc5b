//! What live slices and the graph share: the registries, the block pool, and which slices are open.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use ahash::RandomState;
use hashbrown::HashSet;
use parking_lot::Mutex;

use super::edges::Edges;
use super::nodes::Nodes;
use super::pool::BlockPool;
use super::texts::Texts;
use super::{EdgeId, GraphConfig, NodeId};
use crate::proto::{Origin, Slice};

/// What live slices need of the graph.
#[derive(Debug)]
pub(super) struct Shared {
    idle_s: u64,
    pub(super) origin: Origin,
    pub(super) config_digest: String,
    pub(super) nodes: Nodes,
    pub(super) edges: Edges,
    pub(super) texts: Texts,
    pub(super) pool: BlockPool,
    /// The latest `now_s` heard.
    now_s: AtomicU64,
    /// `now_s` when each open slice was opened.
    open: Mutex<Vec<u64>>,
    /// `now_s` of the last search for idle entries.
    searched_s: AtomicU64,
    pub(super) released: AtomicU64,
    pub(super) law_violations: AtomicU64,
}

// === impl Shared ===

impl Shared {
    pub(super) fn new(config: GraphConfig, origin: Origin, config_digest: String) -> Self {
        Self {
            idle_s: config.idle_s,
            origin,
            config_digest,
            nodes: Nodes::new(config.max_nodes),
            edges: Edges::new(config.max_edges),
            texts: Texts::new(),
            pool: BlockPool::default(),
            now_s: AtomicU64::new(0),
            open: Mutex::default(),
            searched_s: AtomicU64::new(0),
            released: AtomicU64::new(0),
            law_violations: AtomicU64::new(0),
        }
    }

    /// Remembers the time; writes only when it changes.
    #[inline]
    pub(super) fn hear(&self, now_s: u64) {
        if self.now_s.load(Relaxed) < now_s {
            self.now_s.fetch_max(now_s, Relaxed);
        }
    }

    pub(super) fn touch_node(&self, node: NodeId) {
        self.nodes.touch(node, self.now_s.load(Relaxed));
    }

    pub(super) fn touch_edge(&self, edge: EdgeId) {
        self.edges.touch(edge, self.now_s.load(Relaxed));
    }

    pub(super) fn slice_opened(&self) -> u64 {
        let now_s = self.now_s.load(Relaxed);
        self.open.lock().push(now_s);
        now_s
    }

    pub(super) fn slice_closed(&self, opened_s: u64) {
        let mut open = self.open.lock();
        if let Some(at) = open.iter().position(|&s| s == opened_s) {
            open.swap_remove(at);
        }
    }

    pub(super) fn release_idle(&self, now_s: u64) -> bool {
        let due_s = self
            .searched_s
            .load(Relaxed)
            .saturating_add(self.idle_s / 64);
        if now_s < due_s {
            return false;
        }
        self.searched_s.store(now_s, Relaxed);
        // An entry that an open slice names was touched at or after the opening.
        let opened_s = self.open.lock().iter().copied().min().unwrap_or(u64::MAX);
        let before_s = now_s.saturating_sub(self.idle_s).min(opened_s);
        let mut ends = HashSet::<NodeId, RandomState>::default();
        let edges = self
            .edges
            .release(before_s, |kept| ends.extend([kept.client, kept.server]));
        let nodes = self.nodes.release(before_s, |node| ends.contains(&node));
        self.released.fetch_add((edges + nodes) as u64, Relaxed);
        nodes > 0
    }

    pub(super) fn note_violations(&self, slice: &Slice, violations: &[String]) {
        for violation in violations {
            tracing::error!(
                second = slice.start_unix_s,
                violation,
                "a slice breaks the conservation law"
            );
        }
        self.law_violations
            .fetch_add(violations.len() as u64, Relaxed);
    }
}
