//! The way into a shard, so that no chunk ever waits for more than another chunk.
//!
//! A chunk is taken in under the lock. Whoever has more to do than that takes the shard out, works on it while holding no
//! lock that a chunk needs, and puts it back. What comes for a shard that is out, or not swept yet of the ticks before, is left
//! at the door, and taken in by the one who put the shard back or by those who come next.

use std::collections::VecDeque;
use std::ops::{Deref, DerefMut};
use std::sync::Arc;

use super::Gauges;
use super::intake::{Kept, Run};
use super::shard::Shard;
use super::shed::Cut;
use crate::graph::LiveSlice;
use crate::sync::{Mutex, MutexGuard};

/// A shard, or the place where it will be again.
#[derive(Debug)]
pub(super) struct Door {
    inside: Mutex<Inside>,
    /// Held by who has the shard out. Nobody who brings a chunk waits for it.
    taken: Mutex<()>,
}

/// What is seen with the door open.
#[derive(Debug)]
pub(super) struct Inside {
    /// `None` while it is out.
    shard: Option<Box<Shard>>,
    pile: Pile,
    /// How full the shard was when it was taken out, and what was cut short by then.
    was: (Gauges, Cut),
}

/// Chunks that were left at the door, the oldest first.
#[derive(Debug, Default)]
pub(super) struct Pile {
    chunks: VecDeque<Left>,
    spans: u64,
    bytes: u64,
}

/// The spans of one chunk that were left.
#[derive(Debug)]
pub(super) struct Left {
    /// The tick in which they arrived.
    tick: u32,
    /// Its slice.
    live: Arc<LiveSlice>,
    spans: Kept,
}

/// A shard that was taken out. It goes back when this is dropped.
#[derive(Debug)]
pub(super) struct Out<'a> {
    door: &'a Door,
    /// `Some` until then.
    shard: Option<Box<Shard>>,
    _taken: MutexGuard<'a, ()>,
}

// === impl Door ===

impl Door {
    pub(super) fn new(shard: Shard) -> Self {
        Self {
            inside: Mutex::new(Inside {
                shard: Some(Box::new(shard)),
                pile: Pile::default(),
                was: Default::default(),
            }),
            taken: Mutex::new(()),
        }
    }

    /// Opens the door, for no longer than a chunk takes.
    pub(super) fn open(&self) -> MutexGuard<'_, Inside> {
        self.inside.lock()
    }

    /// Takes the shard out, once whoever has it out has put it back.
    pub(super) fn take(&self) -> Out<'_> {
        self.take_out(self.taken.lock())
    }

    /// Takes the shard out unless it is out.
    pub(super) fn try_take(&self) -> Option<Out<'_>> {
        Some(self.take_out(self.taken.try_lock()?))
    }

    fn take_out<'a>(&'a self, taken: MutexGuard<'a, ()>) -> Out<'a> {
        let mut inside = self.inside.lock();
        inside.was = inside.now();
        let shard = inside.shard.take();
        drop(inside);
        Out {
            door: self,
            shard,
            _taken: taken,
        }
    }
}

// === impl Inside ===

impl Inside {
    /// The shard, if it takes in what arrives in `tick`: it is here, and swept of the ticks before.
    pub(super) fn shard_in(&mut self, tick: u32) -> Option<(&mut Shard, &mut Pile)> {
        let shard = self.shard.as_deref_mut();
        let shard = shard.filter(|shard| shard.swept + 1 == tick)?;
        Some((shard, &mut self.pile))
    }

    /// Whether anything lies at the door.
    pub(super) fn has_left(&self) -> bool {
        self.pile.len() > 0
    }

    /// Leaves spans at the door.
    pub(super) fn leave(&mut self, left: Left) {
        self.pile.spans += left.spans();
        self.pile.bytes += left.bytes();
        self.pile.chunks.push_back(left);
    }

    /// How full the shard is, or was when it was taken out, with what lies at the door, in the open `tick`.
    pub(super) fn gauges(&self, tick: u32) -> Gauges {
        let (mut gauges, cut) = self.now();
        gauges.pending += self.pile.spans;
        gauges.held += self.pile.spans;
        gauges.at_doors = self.pile.spans;
        gauges.bytes += self.pile.bytes;
        gauges.short_by = cut.short_by(tick);
        gauges
    }

    fn now(&self) -> (Gauges, Cut) {
        let shard = self.shard.as_deref();
        shard.map_or(self.was, |shard| (shard.gauges(), shard.cut))
    }
}

// === impl Pile ===

impl Pile {
    /// Takes what was left longest ago, if it arrived by the close of `tick`.
    pub(super) fn pop(&mut self, tick: u32) -> Option<Left> {
        self.chunks.front().filter(|left| left.tick <= tick)?;
        let left = self.chunks.pop_front()?;
        self.spans -= left.spans();
        self.bytes -= left.bytes();
        if self.chunks.is_empty() {
            self.chunks = VecDeque::new();
        }
        Some(left)
    }

    /// Number of chunks.
    pub(super) fn len(&self) -> usize {
        self.chunks.len()
    }

    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }
}

// === impl Left ===

impl Left {
    /// A copy of the run, which arrived in `tick`, whose slice is `live`.
    pub(super) fn new(run: Run<'_>, tick: u32, live: &Arc<LiveSlice>) -> Self {
        Self {
            tick,
            live: Arc::clone(live),
            spans: run.into(),
        }
    }

    pub(super) fn run(&self) -> Run<'_> {
        self.spans.run()
    }

    pub(super) fn live(&self) -> &Arc<LiveSlice> {
        &self.live
    }

    fn spans(&self) -> u64 {
        self.spans.len() as u64
    }

    fn bytes(&self) -> u64 {
        size_of::<Self>() as u64 + self.spans.bytes()
    }
}

// === impl Out ===

impl Out<'_> {
    /// Takes from the door what was left there longest ago, if it arrived by the close of `tick`.
    pub(super) fn pop_left(&self, tick: u32) -> Option<Left> {
        self.door.open().pile.pop(tick)
    }

    /// How many chunks lie at the door.
    pub(super) fn left(&self) -> usize {
        self.door.open().pile.len()
    }

    /// Bytes of what lies at the door.
    pub(super) fn left_bytes(&self) -> u64 {
        self.door.open().pile.bytes()
    }
}

impl Deref for Out<'_> {
    type Target = Shard;

    fn deref(&self) -> &Shard {
        self.shard
            .as_ref()
            .expect("it is out until this is dropped")
    }
}

impl DerefMut for Out<'_> {
    fn deref_mut(&mut self) -> &mut Shard {
        self.shard
            .as_mut()
            .expect("it is out until this is dropped")
    }
}

impl Drop for Out<'_> {
    fn drop(&mut self) {
        self.door.open().shard = self.shard.take();
    }
}
