//! The layouts of all that is retained: one of services, one of namespaces. Looked after when an answer needs them:
//! made anew, from everything retained, when a node appeared that they do not know, and now and then for nodes that
//! left. So nobody who asks costs a layout, only a change of who is there does; and while nobody asks none is made.
//!
//! Runs on the threads of builds, one at a time. Bound: places of as many nodes as the history holds; under a storm
//! of new nodes the history is read again only as often as its size allows, and meanwhile they are placed by the
//! answers that show them.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use parking_lot::Mutex;

use super::{Shared, Source};
use crate::slice::{MergeError, node_ids};
use crate::topology::layout::{Layout, layout};
use crate::topology::{BuildError, GroupBy, Topology, layout_graph};

/// Seconds after which nodes that left the history lose their places.
const REFRESH_S: u64 = 600;
/// Bytes of history that may be read for layouts in a second of time: some hundredths of a core.
const BYTES_PER_S: u64 = 16 << 20;

/// What was laid out last.
#[derive(Debug, Default)]
pub(super) struct Layouts {
    kept: Mutex<Kept>,
    /// Grows whenever a place changes.
    revision: AtomicU64,
    /// Up to which second the layouts are looked after.
    settled_s: AtomicU64,
    /// Requests wait here, not on threads, while one looks.
    turn: tokio::sync::Mutex<()>,
}

#[derive(Debug, Default)]
struct Kept {
    by_service: Option<Arc<Layout>>,
    by_namespace: Option<Arc<Layout>>,
    /// Ids in the history when it was read last, before folding.
    known: HashSet<String>,
    /// Up to which second new slices were searched for ids not known.
    searched_s: u64,
    /// When the history was read last, and when it may be again.
    read_s: u64,
    again_s: u64,
    /// Somebody is there who is not known.
    stale: bool,
}

/// Why there is no layout: a defect.
#[derive(Debug, thiserror::Error)]
pub(super) enum LayoutError {
    #[error(transparent)]
    Merge(#[from] MergeError),
    #[error(transparent)]
    Build(#[from] BuildError),
}

// === impl Layouts ===

impl Layouts {
    /// Part of the key of every answer that shows places: known without any work.
    pub(super) fn revision(&self) -> u64 {
        self.revision.load(Ordering::Acquire)
    }

    /// Looks after the layouts before a key is made, so that the key names what its body will show. Nothing to do but
    /// once for each new slice. An error is left to the build, which meets it too.
    pub(super) async fn settle(shared: &Arc<Shared>) {
        let newest_s = shared.state.source.newest_unix_s().unwrap_or(0);
        let settled = || shared.layouts.settled_s.load(Ordering::Acquire) >= newest_s;
        if settled() {
            return;
        }
        let _turn = shared.layouts.turn.lock().await;
        if !settled() {
            let looking = Arc::clone(shared);
            let look = move || drop(looking.layouts.catch_up(&*looking.state.source));
            let _ = tokio::task::spawn_blocking(look).await;
        }
    }

    /// Notes in `topology`, grouped by `group_by`, where each node stands. Blocks: for builds only.
    pub(super) fn place(
        &self,
        topology: &mut Topology,
        group_by: &GroupBy,
        source: &dyn Source,
    ) -> Result<(), LayoutError> {
        let [by_service, by_namespace] = self.catch_up(source)?;
        let layout = match group_by {
            GroupBy::Service => by_service,
            GroupBy::Namespace => by_namespace,
            GroupBy::Dimension(_) => None,
        };
        match layout {
            Some(layout) => topology.place(&layout),
            // Groups by a dimension are laid out by each answer that shows them, since any key may be asked for; without
            // one, only an answer without nodes can come from a history without slices.
            None => topology.place(&self::layout(None, &topology.layout_graph())),
        }
        Ok(())
    }

    fn catch_up(&self, source: &dyn Source) -> Result<[Option<Arc<Layout>>; 2], LayoutError> {
        let mut kept = self.kept.lock();
        if kept.catch_up(source)? {
            self.revision.fetch_add(1, Ordering::Release);
        }
        self.settled_s.store(kept.searched_s, Ordering::Release);
        Ok([kept.by_service.clone(), kept.by_namespace.clone()])
    }
}

// === impl Kept ===

impl Kept {
    /// Returns whether a place changed.
    fn catch_up(&mut self, source: &dyn Source) -> Result<bool, LayoutError> {
        let Some(newest_s) = source.newest_unix_s() else {
            return Ok(false);
        };
        if newest_s > self.searched_s {
            self.stale |= self.read_s == 0 || self.meets_strangers(source, newest_s)?;
            self.searched_s = newest_s;
        }
        let due = self.stale || newest_s >= self.read_s.saturating_add(REFRESH_S);
        if !due || newest_s < self.again_s {
            return Ok(false);
        }
        self.read(source, newest_s)
    }

    /// Whether a slice that was not searched yet names somebody unknown.
    fn meets_strangers(&self, source: &dyn Source, newest_s: u64) -> Result<bool, LayoutError> {
        let Ok(resolved) = source.resolve(newest_s - self.searched_s, None) else {
            return Ok(true);
        };
        for slot in &resolved.slots {
            if node_ids(slot)?.iter().any(|id| !self.known.contains(id)) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn read(&mut self, source: &dyn Source, newest_s: u64) -> Result<bool, LayoutError> {
        let Ok(resolved) = source.everything() else {
            return Ok(false);
        };
        let slice = source.merge(&resolved)?;
        let bytes: usize = resolved.slots.iter().map(Bytes::len).sum();
        self.known = slice
            .nodes
            .iter()
            .filter_map(|node| slice.strings.get(node.id_ref as usize).cloned())
            .collect();
        let services = layout_graph(slice.clone(), &GroupBy::Service)?;
        let namespaces = layout_graph(slice, &GroupBy::Namespace)?;
        let by_service = layout(self.by_service.as_deref(), &services);
        let by_namespace = layout(self.by_namespace.as_deref(), &namespaces);
        let changed = self.by_service.as_deref() != Some(&by_service)
            || self.by_namespace.as_deref() != Some(&by_namespace);
        self.by_service = Some(Arc::new(by_service));
        self.by_namespace = Some(Arc::new(by_namespace));
        self.read_s = newest_s;
        self.again_s = newest_s + u64::try_from(bytes).unwrap_or(u64::MAX) / BYTES_PER_S;
        self.stale = false;
        Ok(changed)
    }
}
