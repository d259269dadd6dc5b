//! Edges by identity and by id, within their cap.

use std::sync::atomic::{AtomicU8, AtomicU32, AtomicU64, Ordering::Relaxed};

use ahash::RandomState;
use dashmap::{DashMap, Entry};

use super::ids::{Ids, touch};
use super::table::Table;
use super::{EdgeId, NodeId};
use crate::proto::ConnectionType;

/// What an edge is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct EdgeKey {
    /// The caller.
    pub(super) client: NodeId,
    /// The called.
    pub(super) server: NodeId,
    /// The peers' connection type.
    pub(super) kind: ConnectionType,
}

/// Edges by key and by id.
#[derive(Debug)]
pub(super) struct Edges {
    by_key: DashMap<EdgeKey, EdgeId, RandomState>,
    rows: Table<EdgeRow>,
    ids: Ids,
}

#[derive(Debug, Default)]
struct EdgeRow {
    used_s: AtomicU64,
    client: AtomicU32,
    server: AtomicU32,
    kind: AtomicU8,
}

// === impl Edges ===

impl Edges {
    pub(super) fn new(most: u32) -> Self {
        let edges = Self {
            by_key: DashMap::default(),
            rows: Table::default(),
            ids: Ids::new(most),
        };
        edges
            .by_key
            .insert(edges.key(EdgeId::OVERFLOW), EdgeId::OVERFLOW);
        edges
    }

    /// The edge's id; [`EdgeId::OVERFLOW`] when it is new and there is no room.
    #[inline]
    pub(super) fn intern(&self, key: EdgeKey, now_s: u64) -> EdgeId {
        let known = self.by_key.get(&key).map(|id| *id);
        let id = known.unwrap_or_else(|| self.add(key));
        self.touch(id, now_s);
        id
    }

    #[cold]
    fn add(&self, key: EdgeKey) -> EdgeId {
        if self.ids.full() {
            return EdgeId::OVERFLOW;
        }
        match self.by_key.entry(key) {
            Entry::Occupied(known) => *known.get(),
            Entry::Vacant(place) => {
                let Some(id) = self.ids.take() else {
                    return EdgeId::OVERFLOW;
                };
                let row = self.rows.row(id);
                row.client.store(key.client.0, Relaxed);
                row.server.store(key.server.0, Relaxed);
                row.kind.store(key.kind as u8, Relaxed);
                *place.insert(EdgeId(id))
            }
        }
    }

    #[inline]
    pub(super) fn touch(&self, edge: EdgeId, now_s: u64) {
        touch(&self.rows.row(edge.0).used_s, now_s);
    }

    /// What the edge is. Whoever holds its id learned it after the row was written.
    pub(super) fn key(&self, edge: EdgeId) -> EdgeKey {
        let row = self.rows.row(edge.0);
        EdgeKey {
            client: NodeId(row.client.load(Relaxed)),
            server: NodeId(row.server.load(Relaxed)),
            kind: ConnectionType::try_from(i32::from(row.kind.load(Relaxed))).unwrap_or_default(),
        }
    }

    pub(super) fn len(&self) -> u32 {
        self.ids.len()
    }

    /// Releases edges last used before `before_s`; `kept` sees every other. Returns how many were released.
    pub(super) fn release(&self, before_s: u64, mut kept: impl FnMut(EdgeKey)) -> usize {
        let mut released = Vec::new();
        self.by_key.retain(|key, id| {
            let row = self.rows.row(id.0);
            let keep = *id == EdgeId::OVERFLOW || row.used_s.load(Relaxed) >= before_s;
            if keep {
                kept(*key);
            } else {
                row.used_s.store(0, Relaxed);
                released.push(id.0);
            }
            keep
        });
        self.ids.give(&released)
    }
}
