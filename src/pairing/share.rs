//! The share of memory that pairing may have: what is in use, what is about to be, and what that may come to.
//!
//! Whoever brings spans reserves what they may take before they are taken in. Room is made down to [`Share::mark`]; what is
//! brought may go as far as [`Share::ceiling`]; what is left to the budget is for those who decide spans, each of whose
//! steps takes less than that, and who make room after each.

use std::sync::atomic::{AtomicU64, Ordering};

use super::arrival::{BELOW_EACH, LARGE_EACH, MORE};
use super::probes::LINK;

/// Most bytes that a trace takes when it becomes a large one, whose spans then get an index.
const LARGE: u64 = 7 << 10;

/// Most bytes that a span takes which is settled since one above it comes: it may be called on an edge of its own.
const BELOW: u64 = 80;

/// Most bytes that a span may take when it comes, its links apart; and those that are taken for it.
const SPAN: u64 = 512 + BELOW * BELOW_EACH as u64 + LARGE / LARGE_EACH as u64;

/// Most bytes that what comes in one piece may take besides.
const PIECE: u64 = LARGE + BELOW * (BELOW_EACH * MORE) as u64;

/// Least bytes between what room is made down to and the budget: three quarters of it hold a span with as many links as are
/// read.
const LEAST_SLACK: u64 = 128 << 10;

/// Bytes in use, and how many may be.
#[derive(Debug)]
pub(super) struct Share {
    budget: u64,
    /// In use by all shards, by what lies at their doors, and on the way between them.
    used: AtomicU64,
    /// What is being taken in may take so many more.
    reserved: AtomicU64,
    /// Most that were ever in use.
    most: AtomicU64,
}

/// Bytes that are reserved until this is dropped.
#[derive(Debug)]
pub struct Reserved<'a> {
    share: &'a Share,
    bytes: u64,
}

// === impl Share ===

impl Share {
    pub(super) fn new(budget: u64) -> Self {
        Self {
            budget,
            used: AtomicU64::new(0),
            reserved: AtomicU64::new(0),
            most: AtomicU64::new(0),
        }
    }

    /// Counts so many more bytes, modulo 2^64, so that fewer are counted as well.
    pub(super) fn count(&self, more: u64) {
        let before = self.used.fetch_add(more, Ordering::Relaxed);
        self.most
            .fetch_max(before.wrapping_add(more), Ordering::Relaxed);
    }

    pub(super) fn used(&self) -> u64 {
        self.used.load(Ordering::Relaxed)
    }

    pub(super) fn most(&self) -> u64 {
        self.most.load(Ordering::Relaxed)
    }

    /// How much room is to be made: beyond fifteen sixteenths, so that one can do that while the others go on.
    pub(super) fn excess(&self) -> u64 {
        self.beyond(self.mark())
    }

    /// What is in use beyond what those may have who bring spans.
    pub(super) fn beyond_ceiling(&self) -> u64 {
        self.beyond(self.ceiling())
    }

    fn beyond(&self, bytes: u64) -> u64 {
        self.used().saturating_sub(bytes)
    }

    /// Down to where room is made.
    pub(super) fn mark(&self) -> u64 {
        self.budget - self.slack()
    }

    fn ceiling(&self) -> u64 {
        self.budget - self.slack() / 4
    }

    fn slack(&self) -> u64 {
        (self.budget / 16).max(LEAST_SLACK).min(self.budget / 2)
    }

    /// Most spans that are taken in before room is made for them, of those that lie at a door.
    pub(super) fn spans_at_once(&self) -> usize {
        let spans = (self.slack() / 4).saturating_sub(PIECE) / SPAN;
        usize::try_from(spans).map_or(usize::MAX, |spans| spans.max(1))
    }

    /// Reserves room for all spans if there is, else for some of the first, so that others find room too; each is said by
    /// how many links of it are read. Returns how many spans that is for, at least one.
    pub(super) fn reserve(
        &self,
        links: impl Iterator<Item = u32>,
    ) -> Option<(usize, Reserved<'_>)> {
        let free = self.free();
        let (spans, bytes) = fitting(links, free, free / 2);
        let before = self.reserved.fetch_add(bytes, Ordering::Relaxed);
        let reserved = Reserved { share: self, bytes };
        let used = self.used();
        let fits = used.saturating_add(before).saturating_add(bytes) <= self.ceiling();
        (spans > 0 && fits).then_some((spans, reserved))
    }

    /// How many of the first spans there is room for, as seen by who is alone.
    pub(super) fn fitting(&self, links: impl Iterator<Item = u32>) -> usize {
        let free = self.free();
        fitting(links, free, free).0
    }

    fn free(&self) -> u64 {
        let used = self.used();
        let reserved = self.reserved.load(Ordering::Relaxed);
        self.ceiling().saturating_sub(used.saturating_add(reserved))
    }
}

/// All spans if they take at most `of_all` bytes, else as many of the first as take at most `of_some`; and what they take.
fn fitting(links: impl Iterator<Item = u32>, of_all: u64, of_some: u64) -> (usize, u64) {
    let (mut all, mut some) = ((0, PIECE), (0, 0));
    for links in links {
        all = (all.0 + 1, all.1 + SPAN + u64::from(links) * LINK);
        if all.1 <= of_some {
            some = all;
        } else if all.1 > of_all {
            return some;
        }
    }
    all
}

// === impl Reserved ===

impl Drop for Reserved<'_> {
    fn drop(&mut self) {
        self.share.reserved.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}
