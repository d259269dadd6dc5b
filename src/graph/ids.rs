//! Which small ids are given out, how many, and when they were last used.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering::Relaxed};

use parking_lot::Mutex;

use super::texts::reserve;

/// Which ids are given out. 0 is the overflow entry and never is.
#[derive(Debug)]
pub(super) struct Ids {
    most: u32,
    count: AtomicU32,
    next: AtomicU32,
    free: Mutex<Vec<u32>>,
}

// === impl Ids ===

impl Ids {
    pub(super) fn new(most: u32) -> Self {
        Self {
            most: most.min(u32::MAX / 2),
            count: AtomicU32::new(0),
            next: AtomicU32::new(1),
            free: Mutex::default(),
        }
    }

    pub(super) fn len(&self) -> u32 {
        self.count.load(Relaxed)
    }

    pub(super) fn full(&self) -> bool {
        self.count.load(Relaxed) >= self.most
    }

    pub(super) fn take(&self) -> Option<u32> {
        if !reserve(&self.count, self.most) {
            return None;
        }
        let reused = self.free.lock().pop();
        Some(reused.unwrap_or_else(|| self.next.fetch_add(1, Relaxed)))
    }

    pub(super) fn give(&self, ids: &[u32]) -> usize {
        self.free.lock().extend_from_slice(ids);
        self.count
            .fetch_sub(u32::try_from(ids.len()).unwrap_or(u32::MAX), Relaxed);
        ids.len()
    }
}

/// Moves a time of last use forward; writes only when it changes, so that hot rows stay shared between cores.
#[inline]
pub(super) fn touch(used_s: &AtomicU64, now_s: u64) {
    if used_s.load(Relaxed) < now_s {
        used_s.fetch_max(now_s, Relaxed);
    }
}
