//! Sealed slices in a ring of four levels: 1 s x 120, 10 s x 90, 60 s x 120, 600 s x 144. Each level holds only what is
//! older than the finer one holds; every slot is the merge of the finer. Slots stay encoded. Knows nothing about spans.

mod firsts;
mod level;
mod pair;
mod ring;
mod window;

use std::sync::Arc;

use bytes::Bytes;
use parking_lot::{Mutex, RwLock};
use tokio::sync::watch;

use crate::proto;
use crate::slice::Sealed;
use firsts::Firsts;
pub use ring::LONGEST_S;
use ring::Ring;

/// Sealed slices, newest 24 hours, within a memory share.
///
/// A push costs a look at who is in the slice, and every tenth one the merge of ten slots; readers never wait for a
/// merge, since they see the ring as it was before or after.
#[derive(Debug)]
pub struct History {
    max_bytes: u64,
    /// One push at a time.
    pushing: Mutex<()>,
    ring: RwLock<Arc<Ring>>,
    firsts: RwLock<Firsts>,
    version: watch::Sender<u64>,
}

/// The slots that answer a window.
#[derive(Debug, Clone)]
pub struct Resolved {
    /// Encoded slices, oldest first, without overlap. How many there are of a range says nothing about it: complete
    /// groups of slots are joined at times.
    pub slots: Vec<Bytes>,
    /// First unix second, moved back out of the slot it lies in.
    pub start_unix_s: u64,
    /// First unix second after, moved back likewise: never after the end asked for.
    pub end_unix_s: u64,
    /// Nominal length of the coarsest slot used, seconds.
    pub resolution_s: u64,
    /// Equal for equal ranges and resolutions that hold the same: it changes when a slot is dropped.
    pub revision: u64,
    /// Until the newest second held reaches this one, the same question has this same answer: no slot of it rolls up
    /// and none of the history is dropped. Short of memory nothing beyond the next slice is foreseen.
    pub steady_until_unix_s: u64,
}

/// Where two windows end that are to be compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ends {
    /// `None`: the window just before `head`.
    pub base: Option<u64>,
    /// `None`: at the newest second held.
    pub head: Option<u64>,
}

/// Why a window cannot be answered.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum WindowError {
    /// Nothing was sealed yet.
    #[error("no slice has been sealed yet")]
    NotReady,
    /// The window is longer than the ring can ever hold.
    #[error("window of {asked_s} s is longer than the {longest_s} s that are ever held")]
    TooLong {
        /// Asked for.
        asked_s: u64,
        /// The most there can be.
        longest_s: u64,
    },
    /// No slot held ends by the end of the window.
    #[error("the oldest second held is {oldest_unix_s}")]
    Expired {
        /// Oldest unix second still held.
        oldest_unix_s: u64,
    },
}

/// One level of the ring, for `/api/v1/windows`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LevelInfo {
    /// Nominal slot length, seconds.
    pub resolution_s: u64,
    /// Slots held now.
    pub slots: usize,
    /// Most slots.
    pub capacity: usize,
    /// Oldest unix second held in this level; `None` when empty.
    pub oldest_unix_s: Option<u64>,
    /// First unix second after the newest held in this level.
    pub newest_unix_s: Option<u64>,
    /// Bytes of its slots.
    pub bytes: u64,
}

// === impl History ===

impl History {
    /// An empty ring that keeps slots and index within `max_bytes` (never below the floors 1 s x 60, 10 s x 60, 60 s x 30).
    pub fn new(max_bytes: u64) -> Self {
        Self {
            max_bytes,
            pushing: Mutex::default(),
            ring: RwLock::default(),
            firsts: RwLock::default(),
            version: watch::Sender::new(0),
        }
    }

    /// Takes the next sealed slice.
    pub fn push(&self, sealed: &Sealed) {
        let pushing = self.pushing.lock();
        let mut ring = Ring::clone(&self.snapshot());
        let index_bytes = self.firsts.read().bytes();
        ring.push(sealed, self.max_bytes.saturating_sub(index_bytes));
        let mut firsts = self.firsts.write();
        firsts.add(&sealed.bytes);
        firsts.forget(ring.oldest_unix_s().unwrap_or(0));
        drop(firsts);
        *self.ring.write() = Arc::new(ring);
        drop(pushing);
        self.version.send_modify(|version| *version += 1);
    }

    /// The slots of the window of `window_s` seconds that ends at `end_unix_s` (`None`: at the newest second held).
    ///
    /// No slot is cut: where the end lies inside one it moves back to where that begins, then the start does, a whole
    /// window before it. So the answer is at least as long as asked and holds nothing from after the end. A window
    /// held only in part is answered as asked; one that lies after all that is held is answered without slots.
    pub fn resolve(&self, window_s: u64, end_unix_s: Option<u64>) -> Result<Resolved, WindowError> {
        self.snapshot().resolve(window_s, end_unix_s)
    }

    /// The slots of two windows that are to be compared, base first, as of one moment.
    ///
    /// Each ends by the end asked for. Both are of one length: that asked for, rounded up to the coarsest slot in
    /// either, so an end may move back further than that of a window by itself. They have no second in common unless
    /// those asked for have one.
    pub fn resolve_pair(&self, window_s: u64, ends: Ends) -> Result<[Resolved; 2], WindowError> {
        self.snapshot().resolve_pair(window_s, ends)
    }

    /// Sets in a merged window when each node and edge was first seen in all that is held, not in the window alone.
    pub fn date(&self, merged: &mut proto::Slice) {
        self.firsts.read().date(merged);
    }

    /// Bytes, besides the slots, that tell since when each node and edge has been there.
    pub fn index_bytes(&self) -> u64 {
        self.firsts.read().bytes()
    }

    /// What is held, finest level first.
    pub fn levels(&self) -> Vec<LevelInfo> {
        self.snapshot().levels()
    }

    /// Slots left out of a roll-up because they did not decode; anything but 0 is a bug.
    pub fn unreadable(&self) -> u64 {
        self.snapshot().unreadable
    }

    /// Number of slices pushed so far; changes whenever a new answer is possible.
    pub fn version(&self) -> u64 {
        *self.version.borrow()
    }

    /// The same, to wait on.
    pub fn versions(&self) -> watch::Receiver<u64> {
        self.version.subscribe()
    }

    /// First unix second after the newest slice.
    pub fn newest_unix_s(&self) -> Option<u64> {
        self.snapshot().newest_unix_s()
    }

    /// Oldest second held.
    pub fn oldest_unix_s(&self) -> Option<u64> {
        self.snapshot().oldest_unix_s()
    }

    /// Waits until `version()` exceeds `seen`.
    pub async fn changed(&self, seen: u64) {
        let mut version = self.version.subscribe();
        // An error would mean that the sender is gone, and it is part of `self`.
        let _ = version.wait_for(|version| *version > seen).await;
    }

    fn snapshot(&self) -> Arc<Ring> {
        Arc::clone(&self.ring.read())
    }
}
