//! Nodes by identity and by id, within their cap.

use std::cmp::Ordering as Order;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use ahash::RandomState;
use dashmap::{DashMap, Entry};
use parking_lot::RwLock;

use super::NodeId;
use super::ids::{Ids, touch};
use super::names::{self, clip};
use super::table::Table;
use crate::proto::NodeType;

/// What a node is; never changes while its id is given out.
#[derive(Debug, PartialEq, Eq)]
pub struct NodeInfo {
    /// The id text (design.md section 7): equal on every replica.
    pub id: Box<str>,
    /// The plain name, at most 256 bytes.
    pub name: Box<str>,
    /// Empty without a namespace.
    pub namespace: Box<str>,
    /// Service, or what kind of virtual node.
    pub kind: NodeType,
    /// What else tells it apart: `key=value`, sorted by key; no key holds a `=`, a value at most 256 bytes.
    pub dimensions: Box<[Box<str>]>,
}

/// Nodes by id text and by id.
#[derive(Debug)]
pub(super) struct Nodes {
    by_text: DashMap<Box<str>, NodeId, RandomState>,
    rows: Table<NodeRow>,
    ids: Ids,
}

#[derive(Debug, Default)]
struct NodeRow {
    used_s: AtomicU64,
    info: RwLock<Option<Arc<NodeInfo>>>,
}

// === impl Nodes ===

impl Nodes {
    pub(super) fn new(most: u32) -> Self {
        let nodes = Self {
            by_text: DashMap::default(),
            rows: Table::default(),
            ids: Ids::new(most),
        };
        *nodes.rows.row(NodeId::OVERFLOW.0).info.write() = Some(Arc::new(NodeInfo {
            id: "overflow:overflow".into(),
            name: "overflow".into(),
            namespace: Box::default(),
            kind: NodeType::Overflow,
            dimensions: Box::default(),
        }));
        nodes
    }

    /// The node's id; [`NodeId::OVERFLOW`] when it is new and there is no room.
    pub(super) fn intern(
        &self,
        kind: NodeType,
        namespace: Option<&str>,
        name: &str,
        dimensions: &[(&str, &str)],
        now_s: u64,
    ) -> NodeId {
        if kind == NodeType::Overflow {
            return NodeId::OVERFLOW;
        }
        with_text(|text| {
            names::write_id(text, kind, namespace, name);
            let dimensions = names::write_dimensions(text, dimensions);
            let known = self.by_text.get(text.as_str()).map(|id| *id);
            let id = known.unwrap_or_else(|| self.add(text, kind, namespace, name, &dimensions));
            self.touch(id, now_s);
            id
        })
    }

    #[cold]
    fn add(
        &self,
        text: &str,
        kind: NodeType,
        namespace: Option<&str>,
        name: &str,
        dimensions: &[(&str, &str)],
    ) -> NodeId {
        if self.ids.full() {
            return NodeId::OVERFLOW;
        }
        match self.by_text.entry(text.into()) {
            Entry::Occupied(known) => *known.get(),
            Entry::Vacant(place) => {
                let Some(id) = self.ids.take() else {
                    return NodeId::OVERFLOW;
                };
                // `user:<service>` is one user node per service; all are named `user`.
                let name = if kind == NodeType::User {
                    "user"
                } else {
                    clip(name)
                };
                *self.rows.row(id).info.write() = Some(Arc::new(NodeInfo {
                    id: text.into(),
                    name: name.into(),
                    namespace: clip(namespace.unwrap_or_default()).into(),
                    kind,
                    dimensions: dimensions
                        .iter()
                        .map(|(k, v)| format!("{k}={v}").into())
                        .collect(),
                }));
                *place.insert(NodeId(id))
            }
        }
    }

    #[inline]
    pub(super) fn touch(&self, node: NodeId, now_s: u64) {
        touch(&self.rows.row(node.0).used_s, now_s);
    }

    pub(super) fn info(&self, node: NodeId) -> Option<Arc<NodeInfo>> {
        self.rows.row(node.0).info.read().clone()
    }

    /// By id text; nodes that are not given out come first.
    pub(super) fn compare(&self, a: NodeId, b: NodeId) -> Order {
        if a == b {
            return Order::Equal;
        }
        let (a, b) = (self.info(a), self.info(b));
        let a = a.as_deref().map(|info| &*info.id);
        a.cmp(&b.as_deref().map(|info| &*info.id))
    }

    pub(super) fn len(&self) -> u32 {
        self.ids.len()
    }

    /// Releases nodes last used before `before_s` that are no end of an edge. Returns how many.
    pub(super) fn release(&self, before_s: u64, is_end: impl Fn(NodeId) -> bool) -> usize {
        let mut released = Vec::new();
        self.by_text.retain(|_, id| {
            let row = self.rows.row(id.0);
            let keep = row.used_s.load(Relaxed) >= before_s || is_end(*id);
            if !keep {
                *row.info.write() = None;
                row.used_s.store(0, Relaxed);
                released.push(id.0);
            }
            keep
        });
        self.ids.give(&released)
    }
}

/// Runs `act` with an empty text whose room is used again by the next call on this thread.
fn with_text<R>(act: impl FnOnce(&mut String) -> R) -> R {
    thread_local! {
        static TEXT: std::cell::RefCell<String> = const { std::cell::RefCell::new(String::new()) };
    }
    TEXT.with_borrow_mut(|text| {
        text.clear();
        act(text)
    })
}
