//! The live histogram: base-2 exponential buckets of seconds, filled with nanoseconds.
//!
//! Starts at scale 4 (relative error of a quantile at most 2.2 %) and keeps the finest scale whose 320 buckets still
//! hold every value. That scale follows from the smallest and greatest value alone, so the order of recording never
//! shows. Quantiles are read from merged histograms and live in [`crate::slice::quantile`].

#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    reason = "a block has at most 320 buckets"
)]

use super::bucket::{self, SCALE};
use super::pool::{Block, BlockPool};
use crate::proto;
use crate::slice::MAX_BUCKETS;
pub use crate::slice::quantile::{max_relative_error, quantile};

/// Durations of one edge or node in one slice.
#[derive(Debug, Clone)]
pub struct Histogram {
    count: u64,
    /// Saturates.
    sum_ns: u64,
    min_ns: u64,
    max_ns: u64,
    /// Samples of exactly 0 ns.
    zero_count: u64,
    /// Scale 4 minus this is the scale.
    coarser: u32,
    /// Bucket index of `block[0]`; the block covers `lo..=hi`.
    base: i32,
    /// Smallest and greatest filled bucket; meaningless while the block is empty.
    lo: i32,
    hi: i32,
    /// Empty until the first value above 0.
    block: Block,
}

// === impl Histogram ===

impl Default for Histogram {
    fn default() -> Self {
        Self {
            count: 0,
            sum_ns: 0,
            min_ns: u64::MAX,
            max_ns: 0,
            zero_count: 0,
            coarser: 0,
            base: 0,
            lo: 0,
            hi: 0,
            block: Box::default(),
        }
    }
}

impl Histogram {
    /// Adds one duration.
    #[inline]
    pub fn record(&mut self, ns: u64, pool: &BlockPool) {
        self.count += 1;
        self.sum_ns = self.sum_ns.saturating_add(ns);
        self.min_ns = self.min_ns.min(ns);
        self.max_ns = self.max_ns.max(ns);
        if ns == 0 {
            self.zero_count += 1;
            return;
        }
        let index = bucket::index(ns) >> self.coarser;
        let index = if self.holds(index) {
            index
        } else {
            self.make_room(index, pool)
        };
        self.block[at(index - self.base)] += 1;
    }

    /// Samples so far.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// As slices carry it, without empty buckets at either end; `None` without samples.
    pub fn to_proto(&self) -> Option<proto::Histogram> {
        if self.count == 0 {
            return None;
        }
        let filled = !self.block.is_empty();
        let counts = if filled {
            self.block[at(self.lo - self.base)..=at(self.hi - self.base)].to_vec()
        } else {
            Vec::new()
        };
        Some(proto::Histogram {
            scale: SCALE - self.coarser.cast_signed(),
            count: self.count,
            sum_ns: self.sum_ns,
            min_ns: self.min_ns,
            max_ns: self.max_ns,
            zero_count: self.zero_count,
            offset: if filled { self.lo } else { 0 },
            counts,
        })
    }

    /// Empties it and gives its block back.
    pub fn release(&mut self, pool: &BlockPool) {
        let block = std::mem::take(self).block;
        if !block.is_empty() {
            pool.give(block);
        }
    }

    /// Whether the block covers `index`; then widens the filled range to it.
    #[inline]
    fn holds(&mut self, index: i32) -> bool {
        let held =
            self.base <= index && i64::from(index) < i64::from(self.base) + self.block.len() as i64;
        if held {
            (self.lo, self.hi) = (self.lo.min(index), self.hi.max(index));
        }
        held
    }

    /// Makes the block cover `index`, downscaling where 320 buckets are not enough. Returns the index at the new scale.
    #[cold]
    fn make_room(&mut self, mut index: i32, pool: &BlockPool) -> i32 {
        if self.block.is_empty() {
            self.block = pool.take(1);
            self.base = index - (self.block.len() / 2) as i32;
            (self.lo, self.hi) = (index, index);
            return index;
        }
        let (mut lo, mut hi) = (self.lo.min(index), self.hi.max(index));
        let mut halvings = 0;
        while at(hi - lo) >= MAX_BUCKETS {
            (lo, hi, index) = (lo >> 1, hi >> 1, index >> 1);
            halvings += 1;
        }
        self.move_to(lo, hi, halvings, pool);
        index
    }

    /// Moves the counts into a block that covers `lo..=hi`, folding `2^halvings` buckets into one. The room to spare
    /// is split between both ends.
    fn move_to(&mut self, lo: i32, hi: i32, halvings: u32, pool: &BlockPool) {
        let mut block = pool.take(at(hi - lo) + 1);
        let spare = block.len() - at(hi - lo) - 1;
        let base = lo - (spare / 2) as i32;
        for index in self.lo..=self.hi {
            block[at((index >> halvings) - base)] += self.block[at(index - self.base)];
        }
        pool.give(std::mem::replace(&mut self.block, block));
        (self.base, self.lo, self.hi) = (base, lo, hi);
        self.coarser += halvings;
    }
}

/// A distance between buckets, never negative where this is called.
#[inline]
fn at(distance: i32) -> usize {
    distance.unsigned_abs() as usize
}
