//! From the turn of a second to its sealed slice.
//!
//! Whoever first comes with a later second, a chunk or [`Core::advance`], turns to it. What is over is closed, oldest
//! first, by [`Core::advance`], however long that takes; chunks go on meanwhile. Only when that is far behind, or pairing has no
//! room for more, does who brings a chunk wait for it, or do it.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::{Core, Open, SECOND_NS, Wait, second_start_mono_ns};
use crate::clock::Timestamp;
use crate::graph::{LiveSlice, SealInfo};
use crate::slice::{Sealed, add_counts};

/// How often idle nodes and edges are looked for, in ticks.
const RELEASE_EVERY: u32 = 60;

/// Most seconds that are over and not closed while chunks do not wait.
const MOST_OVER: usize = 16;

/// Seconds that are over and not closed yet, the oldest first.
pub(super) type Over = VecDeque<Second>;

/// A second that is over.
#[derive(Debug)]
pub(super) struct Second {
    live: Arc<LiveSlice>,
    tick: u32,
    /// The unix second of the next slice.
    next: u64,
    /// How long it was in monotonic time.
    monotonic_ns: u64,
}

/// What only the one who closes touches.
#[derive(Debug, Default)]
pub(super) struct Sealing {
    pub(super) sequence: u64,
    pub(super) pending: u64,
    /// Sealed and not yet fetched by [`Core::advance`].
    pub(super) outbox: Vec<Sealed>,
    /// The tick in which idle nodes and edges were last looked for.
    pub(super) looked: u32,
}

// === impl Core ===

impl Core {
    /// Turns second after second until the open slice is that of `to`, and closes all that are over.
    pub(super) fn close_before(&self, sealing: &mut Sealing, to: Timestamp) {
        loop {
            let turned = self.turn_once(to);
            self.close_over(sealing);
            if !turned {
                return;
            }
        }
    }

    /// Turns second after second until the open slice is that of `to`.
    pub(super) fn turn(&self, to: Timestamp) {
        while self.turn_once(to) {
            self.wait_for_room();
        }
    }

    /// After a chunk, and with no guard held: does nothing unless something is filling up.
    pub(super) fn wait_for_room(&self) {
        if self.pairing.is_filling() {
            self.make_room(false, self.wait);
        }
        if self.behind.load(Ordering::Relaxed) {
            self.wait_until_room_is_made();
        }
    }

    /// With no guard held: closes what is over, takes in what was left at the doors and makes room, all of it.
    pub(super) fn wait_until_room_is_made(&self) {
        self.waited.fetch_add(1, Ordering::Relaxed);
        (self.wait)(&mut || {
            self.close_over(&mut self.sealing.lock());
            self.pairing.clear_doors(&self.graph);
            self.make_room(true, |long| long());
        });
    }

    fn make_room(&self, patient: bool, long: Wait) {
        let open = self.open.read();
        let (tick, live) = (open.tick, Arc::clone(&open.live));
        drop(open);
        // One shard after the other, since what is let go may not be enough of the largest.
        for _ in 0..self.pairing.shards() {
            if self.pairing.is_filling() {
                self.pairing
                    .make_room(&self.graph, (tick, &live), patient, long);
            }
        }
    }

    /// Turns to the next second, unless the open slice is that of `to`. A wall clock that stepped forward by more than
    /// monotonic time has passed skips seconds; one that stepped back leaves the slice open for longer.
    fn turn_once(&self, to: Timestamp) -> bool {
        let mut open = self.open.write();
        let seconds = to.second().saturating_sub(open.second);
        if seconds == 0 {
            return false;
        }
        let reached = second_start_mono_ns(to);
        let passed = reached.saturating_sub(open.began_mono_ns);
        let ticks = (passed + SECOND_NS / 2) / SECOND_NS;
        let (next, began) = if ticks > 1 && seconds > 1 {
            (open.second + 1, open.began_mono_ns + SECOND_NS)
        } else {
            (to.second(), reached.max(open.began_mono_ns))
        };
        self.open_next(&mut open, next, began);
        true
    }

    /// Ends the open second now, at the monotonic time `at`.
    pub(super) fn end_open(&self, at_mono_ns: u64) {
        let mut open = self.open.write();
        let next = open.second + 1;
        self.open_next(&mut open, next, at_mono_ns);
    }

    /// The next slice is that of the unix second `next` and begins at `began_mono_ns`.
    fn open_next(&self, open: &mut Open, next: u64, began_mono_ns: u64) {
        let live = Arc::new(self.graph.open(next));
        let over = Second {
            live: std::mem::replace(&mut open.live, live),
            tick: open.tick,
            next,
            monotonic_ns: began_mono_ns.saturating_sub(open.began_mono_ns),
        };
        (open.second, open.tick, open.began_mono_ns) = (next, open.tick + 1, began_mono_ns);
        let mut waiting = self.over.lock();
        waiting.push_back(over);
        self.note_behind(&waiting);
    }

    /// Closes the seconds that are over by now.
    pub(super) fn close_over(&self, sealing: &mut Sealing) {
        let due = self.over.lock().len();
        for _ in 0..due {
            let mut over = self.over.lock();
            let second = over.pop_front();
            self.note_behind(&over);
            drop(over);
            if let Some(second) = second {
                self.close(sealing, second);
            }
        }
    }

    fn note_behind(&self, over: &Over) {
        let behind = over.len() > MOST_OVER;
        self.behind.store(behind, Ordering::Relaxed);
    }

    fn close(&self, sealing: &mut Sealing, second: Second) {
        let Second {
            live,
            tick,
            next,
            monotonic_ns,
        } = second;
        let pending = self.pairing.close(&self.graph, tick, &live);
        let info = SealInfo {
            pending_before: sealing.pending,
            pending_after: pending,
            end_unix_s: next,
            monotonic_ns,
            sequence: sealing.sequence,
        };
        let (bytes, law) = self.graph.seal(&live, &info);
        let mut totals = self.totals.lock();
        add_counts(&mut totals, &law);
        totals.pending_after = pending;
        drop(totals);
        sealing.pending = pending;
        sealing.sequence += 1;
        sealing.outbox.push(Sealed {
            start_unix_s: live.second(),
            end_unix_s: next,
            bytes,
        });
        drop(live);
        // A shard that had more than its part while there was room may now have too much.
        self.make_room(true, |long| long());
        self.release_idle(sealing, tick);
    }

    /// Looks for idle nodes and edges now and then, when nothing is behind: what waits was then in use lately.
    fn release_idle(&self, sealing: &mut Sealing, tick: u32) {
        if tick < sealing.looked.saturating_add(RELEASE_EVERY) {
            return;
        }
        let open = self.open.write();
        if self.over.lock().is_empty() {
            sealing.looked = tick;
            let now_s = u64::from(open.tick);
            // Who makes room names nodes and edges without a guard of the open slice.
            if self.pairing.undisturbed(|| self.graph.release_idle(now_s)) {
                self.resources.clear();
            }
        }
    }
}
