//! The way into a shard, so that no chunk ever waits for more than another chunk.
//!
//! A chunk is taken in under the lock. Whoever has more to do than that takes the shard out, works on it while holding no
//! lock that a chunk needs, and puts it back. What comes for a shard that is out, or not swept yet of the ticks before, is left
//! at the door, and taken in by the one who put the shard back or by those who come next.

use std::collections::VecDeque;
use std::ops::{Deref, DerefMut};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::Gauges;
use super::batch::{Kept, Run};
use super::shard::{Context, Shard};
use super::share::Share;
use super::shed::Cut;
use crate::graph::LiveSlice;
use crate::graph::call::Effects;
use crate::sync::{Mutex, MutexGuard};

/// A shard, or the place where it will be again.
#[derive(Debug)]
pub(super) struct Door {
    inside: Mutex<Inside>,
    /// Bytes of the shard when it was last counted, which are among those of all.
    bytes: AtomicU64,
    share: Arc<Share>,
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
#[derive(Debug)]
struct Pile {
    chunks: VecDeque<Left>,
    spans: u64,
    share: Arc<Share>,
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
    pub(super) fn new(inside: Shard, share: &Arc<Share>) -> Self {
        let pile = Pile {
            chunks: VecDeque::new(),
            spans: 0,
            share: Arc::clone(share),
        };
        let bytes = inside.bytes();
        share.count(bytes);
        Self {
            inside: Mutex::new(Inside {
                shard: Some(Box::new(inside)),
                pile,
                was: Default::default(),
            }),
            bytes: AtomicU64::new(bytes),
            share: Arc::clone(share),
            taken: Mutex::new(()),
        }
    }

    /// Counts the shard's bytes anew, and `more` beside it, modulo 2^64, so that what went into the shard is taken off where
    /// it was counted before. By who has it, inside or out.
    fn count(&self, bytes: u64, more: u64) {
        let before = self.bytes.swap(bytes, Ordering::Relaxed);
        self.share
            .count(bytes.wrapping_sub(before).wrapping_add(more));
    }

    /// Bytes of the shard when it was last counted.
    pub(super) fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }

    /// Takes spans in that arrive in the tick at hand, or leaves them at the door.
    pub(super) fn take_in(&self, cx: &Context<'_>, spans: Run<'_>, fx: &mut Effects) {
        let mut inside = self.open();
        let Some((shard, pile)) = inside.shard_in(cx.tick()) else {
            return inside.pile.push(Left::new(spans, cx.tick(), cx.live));
        };
        let taken = shard.insert_all(cx, spans, fx);
        self.count(shard.bytes(), 0);
        pile.push_rest(cx, spans, taken);
        if pile.chunks.is_empty() {
            return;
        }
        drop(inside);
        // Takes a chunk along that was left, if there is room for what it grows by: so there are soon none.
        let mut inside = self.open();
        if let Some((shard, pile)) = inside.shard_in(cx.tick())
            && let Some((spans, _room)) = self.share.reserve(pile.links())
            && spans == pile.links().count()
            && let Some(left) = pile.pop(cx.tick())
        {
            let taken = shard.insert_all(cx, left.run(), fx);
            self.count(shard.bytes(), left.bytes().wrapping_neg());
            pile.push_rest(cx, left.run(), taken);
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
    fn shard_in(&mut self, tick: u32) -> Option<(&mut Shard, &mut Pile)> {
        let shard = self.shard.as_deref_mut();
        let shard = shard.filter(|shard| shard.swept + 1 == tick)?;
        Some((shard, &mut self.pile))
    }

    /// Whether anything lies at the door.
    pub(super) fn has_left(&self) -> bool {
        !self.pile.chunks.is_empty()
    }

    /// How full the shard is, or was when it was taken out, with what lies at the door, in the open `tick`.
    pub(super) fn gauges(&self, tick: u32) -> Gauges {
        let (mut gauges, cut) = self.now();
        gauges.pending += self.pile.spans;
        gauges.held += self.pile.spans;
        gauges.at_doors = self.pile.spans;
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
    fn push(&mut self, left: Left) {
        self.spans += left.spans();
        self.share.count(left.bytes());
        self.chunks.push_back(left);
    }

    /// Leaves what was not taken in of a run.
    fn push_rest(&mut self, cx: &Context<'_>, spans: Run<'_>, taken: usize) {
        if taken < spans.len() {
            self.push(Left::new(spans.split_at(taken).1, cx.tick(), cx.live));
        }
    }

    /// The spans of what was left longest ago, as [`Share::reserve`] is told them; their links are counted.
    fn links(&self) -> impl Iterator<Item = u32> {
        let spans = self.chunks.front().map_or(0, |left| left.spans.len());
        std::iter::repeat_n(0, spans)
    }

    /// Takes what was left longest ago, if it arrived by the close of `tick`; its bytes stay counted.
    fn pop(&mut self, tick: u32) -> Option<Left> {
        self.chunks.front().filter(|left| left.tick <= tick)?;
        let left = self.chunks.pop_front()?;
        self.spans -= left.spans();
        if self.chunks.is_empty() {
            self.chunks = VecDeque::new();
        }
        Some(left)
    }
}

// === impl Left ===

impl Left {
    /// Bytes besides those of its spans, in a list that may just have grown.
    const ITSELF: u64 = 2 * size_of::<Self>() as u64;

    /// A copy of the run, which arrived in `tick`, whose slice is `live`.
    fn new(run: Run<'_>, tick: u32, live: &Arc<LiveSlice>) -> Self {
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

    /// Bytes that are counted for it.
    fn bytes(&self) -> u64 {
        Self::ITSELF + self.run().bytes()
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
        self.door.open().pile.chunks.len()
    }

    /// Takes in what was left at its door, as much at once as the share has room for when `make_room` has made some.
    pub(super) fn take_in(
        &mut self,
        cx: &Context<'_>,
        left: &Left,
        fx: &mut Effects,
        mut make_room: impl FnMut(&mut Self, &mut Effects),
    ) {
        let (mut rest, most) = (left.run(), self.door.share.spans_at_once());
        while rest.len() > 0 {
            let taken = self.insert_all(cx, rest.split_at(most).0, fx);
            let (run, later) = rest.split_at(taken);
            self.count_without(run.bytes());
            make_room(self, fx);
            cx.relieve(fx);
            rest = later;
        }
        self.count_without(Left::ITSELF);
    }

    /// Counts its bytes anew, and returns them.
    pub(super) fn count(&self) -> u64 {
        let bytes = self.bytes();
        self.door.count(bytes, 0);
        bytes
    }

    /// The same, when it took `less` that was counted elsewhere.
    pub(super) fn count_without(&self, less: u64) {
        self.door.count(self.bytes(), less.wrapping_neg());
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
        self.count();
        self.door.open().shard = self.shard.take();
    }
}
