//! The spans of one shard, grouped by trace: waiting records and tombstones, found by trace id and span id.
//!
//! A trace's records stand in chunks of four that never move, newest chunk first; small traces are searched by
//! walking them, large ones through an index of their own, so that one enormous trace costs no more per span than
//! many small ones. What lives how long is `sweep`'s business, not this file's.

mod find;
mod indexed;
mod leaving;

use std::cell::Cell;

use ahash::{HashMap, RandomState};

use super::chain::{Chain, Chains};
use super::index::{Parent, SpanIndex};
use super::record::{Flags, Place, Record, Seen};
use super::room;
use super::slab::Slab;
use super::table::Table;
use super::tomb::{Tomb, Waits};
use crate::span::{TraceId, Weight};
pub(super) use find::Near;

/// Records per chunk: a trace of eight spans fills two.
const RECORDS: usize = 4;
/// Tombstones per chunk.
const TOMBS: usize = 8;

/// One trace's spans, 32 bytes.
#[derive(Debug, Clone, Copy)]
struct Trace {
    id: TraceId,
    records: Chain,
    tombs: Chain,
    /// The last ticks asked for in the ring, so that a burst asks once; see [`short_tick`].
    asked: [u16; 2],
    asked_expiry: u16,
    /// Spans, waiting and remembered; kept up while they are few.
    spans: u8,
    state: State,
}

const _: () = assert!(size_of::<Trace>() == 32);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Searched by walking it.
    Small,
    /// Has an index.
    Large,
    /// No trace any more.
    Free,
}

/// A tick in 16 bits, never 0. Marks of ticks that are 18 hours apart may be equal, so none outlives its tick.
fn short_tick(tick: u32) -> u16 {
    u16::try_from(tick % u32::from(u16::MAX)).expect("the remainder is smaller") + 1
}

/// All spans of a shard.
#[derive(Debug)]
pub(super) struct Store {
    hasher: RandomState,
    waits: Waits,
    by_id: Table<u32>,
    traces: Slab<Trace>,
    records: Chains<Record, RECORDS>,
    tombs: Chains<Tomb, TOMBS>,
    /// Weights of the tombstones that stand for more than one call (R14) and may still be parents: not outbound.
    heavy: HashMap<u32, Weight>,
    /// Indexes of the large traces.
    large: HashMap<u32, Box<SpanIndex>>,
    /// Bytes of all of them: there may be thousands.
    large_bytes: u64,
    /// How many were made since the start.
    large_made: u64,
    /// Entries of indexes that were visited.
    visited: Cell<u64>,
}

// === impl Store ===

impl Store {
    pub(super) fn new(hasher: RandomState, waits: Waits) -> Self {
        Self {
            waits,
            by_id: Table::new(),
            traces: Slab::new(),
            records: Chains::new(),
            tombs: Chains::new(),
            heavy: HashMap::with_hasher(hasher.clone()),
            large: HashMap::with_hasher(hasher.clone()),
            large_bytes: 0,
            large_made: 0,
            visited: Cell::new(0),
            hasher,
        }
    }

    /// Spans arrive in `tick`, or the waits that end with it are swept.
    pub(super) fn begin(&mut self, tick: u32) {
        self.waits.now = tick;
    }

    /// The tick at hand.
    pub(super) fn now(&self) -> u32 {
        self.waits.now
    }

    /// See [`Waits::longest`].
    pub(super) fn longest_wait(&self) -> u32 {
        self.waits.longest()
    }

    /// The trace's slot, made when new. `hash` is the keyed hash of `id`.
    pub(super) fn trace(&mut self, hash: u64, id: TraceId) -> u32 {
        let traces = &self.traces;
        if let Some(found) = self.by_id.find(hash, |slot| traces.get(slot).id == id) {
            return found;
        }
        let slot = self.traces.insert(Trace {
            id,
            records: Chain::EMPTY,
            tombs: Chain::EMPTY,
            asked: [0; 2],
            asked_expiry: 0,
            spans: 0,
            state: State::Small,
        });
        let (traces, hasher) = (&self.traces, &self.hasher);
        let hash_of = |slot| hasher.hash_one(traces.get(slot).id);
        self.by_id.add(hash, slot, hash_of);
        slot
    }

    /// The trace's slot, if it has one.
    pub(super) fn lookup(&self, id: TraceId) -> Option<u32> {
        let hash = self.hasher.hash_one(id);
        let is_it = |slot| self.traces.get(slot).id == id;
        self.by_id.find(hash, is_it)
    }

    /// Reads where the trace's newest records stand, so that the machine fetches them while other traces are looked up.
    /// The answer means nothing.
    pub(super) fn fetch(&self, trace: u32) -> u64 {
        self.records
            .touch(self.traces.get(trace).records, |record| record.span)
    }

    pub(super) fn id(&self, trace: u32) -> TraceId {
        self.traces.get(trace).id
    }

    /// Whether the ring need be asked for `tick`; remembers that it was.
    pub(super) fn ask(&mut self, trace: u32, tick: u32) -> bool {
        let asked = &mut self.traces.get_mut(trace).asked;
        if asked.contains(&short_tick(tick)) {
            return false;
        }
        *asked = [asked[1], short_tick(tick)];
        true
    }

    /// Forgets what was asked: the trace is being looked at.
    pub(super) fn answered(&mut self, trace: u32) {
        self.traces.get_mut(trace).asked = [0; 2];
    }

    /// The same for the ring of tombstones.
    pub(super) fn ask_expiry(&mut self, trace: u32, tick: u32) -> bool {
        let asked = &mut self.traces.get_mut(trace).asked_expiry;
        std::mem::replace(asked, short_tick(tick)) != short_tick(tick)
    }

    pub(super) fn record(&self, at: u32) -> &Record {
        self.records.get(at)
    }

    pub(super) fn record_mut(&mut self, at: u32) -> &mut Record {
        self.records.get_mut(at)
    }

    /// How many calls a seen span stands for; 1 for a remembered one that is nobody's parent any more.
    pub(super) fn weight(&self, place: Place) -> Weight {
        match place {
            Place::Waiting(at) => self.records.get(at).weight,
            Place::Remembered(at) => self.heavy.get(&at).copied().unwrap_or_default(),
        }
    }

    /// Marks a seen span, waiting or remembered.
    pub(super) fn mark(&mut self, place: Place, flag: Flags) {
        match place {
            Place::Waiting(at) => self.records.get_mut(at).flags.set(flag),
            Place::Remembered(at) => self.tombs.get_mut(at).set(flag),
        }
    }

    /// Takes a mark off a seen span.
    pub(super) fn unmark(&mut self, place: Place, flag: Flags) {
        match place {
            Place::Waiting(at) => self.records.get_mut(at).flags.clear(flag),
            Place::Remembered(at) => self.tombs.get_mut(at).clear(flag),
        }
    }

    /// Adds a waiting span and returns its reference, valid until it is retired.
    pub(super) fn push(&mut self, trace: u32, record: Record) -> u32 {
        let head = self.traces.get_mut(trace);
        let at = self.records.push(&mut head.records, record);
        head.spans = head.spans.saturating_add(1);
        if head.state == State::Large {
            let parent = Parent::whole(record.parent);
            let place = Place::Waiting(at);
            self.change_index(trace, |index| {
                index.add(record.span, parent, record.service, place);
            });
        } else {
            self.index_if_large(trace);
        }
        at
    }

    /// When the oldest of the spans that wait in this trace arrived; `u32::MAX` when none does.
    pub(super) fn oldest_waiting(&self, trace: u32) -> u32 {
        let head = self.traces.get(trace);
        let mut oldest = u32::MAX;
        if head.state != State::Free {
            let older = |_, record: &Record| oldest = oldest.min(record.arrived);
            self.records.each(head.records, older);
        }
        oldest
    }

    /// Whether spans wait in this trace.
    pub(super) fn any_waiting(&self, id: TraceId) -> bool {
        let trace = self.lookup(id);
        trace.is_some_and(|trace| self.records.any(self.traces.get(trace).records))
    }

    /// References of all waiting spans of a trace, in no order that matters.
    pub(super) fn waiting(&self, trace: u32, out: &mut Vec<u32>) {
        out.clear();
        let head = self.traces.get(trace);
        if head.state != State::Free {
            self.records.each(head.records, |at, _| out.push(at));
        }
    }

    /// Slots of all traces, in no order that matters.
    pub(super) fn traces(&self) -> impl Iterator<Item = u32> {
        self.by_id.iter()
    }

    /// Visits all tombstones of a trace.
    pub(super) fn each_remembered(&self, trace: u32, mut visit: impl FnMut(Seen)) {
        let tombs = self.traces.get(trace).tombs;
        self.tombs
            .each(tombs, |at, tomb| visit(tomb.seen(at, &self.waits)));
    }

    /// Entries of the indexes of large traces that were visited since the start.
    pub(super) fn visited(&self) -> u64 {
        self.visited.get()
    }

    /// Traces that became large since the start.
    pub(super) fn large_made(&self) -> u64 {
        self.large_made
    }

    /// Waiting spans held whole.
    pub(super) fn held(&self) -> u64 {
        self.records.len()
    }

    /// Tombstones.
    pub(super) fn remembered(&self) -> u64 {
        self.tombs.len()
    }

    /// Bytes in use, indexes and free lists included.
    pub(super) fn bytes(&self) -> u64 {
        let maps = room::of_map(&self.heavy) + room::of_map(&self.large);
        let tables = self.traces.bytes_used() + self.by_id.bytes() + maps;
        tables + self.records.bytes() + self.tombs.bytes() + self.large_bytes
    }
}
