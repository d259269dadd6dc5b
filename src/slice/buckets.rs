//! One histogram being merged: encoded histograms are added to dense counts without being decoded first.

#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    reason = "indexes are checked to lie within 2^27"
)]

use super::MAX_BUCKETS;
use super::wire::{Field, Malformed, Reader, signed};
use crate::proto;

/// Free buckets added at both ends when the counts must grow, so that a few slots suffice to settle the room.
const SLACK: i32 = 8;

/// Counts up to this many in one bucket are added without looking for overflow: fewer than 2^31 slots are ever merged.
const NARROW: u64 = 1 << 32;

/// A merged histogram.
#[derive(Debug, Default)]
pub(super) struct Buckets {
    /// Meaningless while `count` is 0.
    scale: i32,
    count: u64,
    sum_ns: u64,
    min_ns: u64,
    max_ns: u64,
    zero_count: u64,
    /// Bucket index of `counts[0]`.
    base: i32,
    /// Smallest and greatest filled bucket, of which `counts` holds all; meaningless unless `filled`.
    lo: i32,
    hi: i32,
    filled: bool,
    /// Some count was above [`NARROW`]: from now on every sum saturates.
    wide: bool,
    counts: Vec<u64>,
}

/// An encoded histogram, its counts still packed.
#[derive(Debug)]
struct Encoded<'a> {
    scale: i32,
    count: u64,
    sum_ns: u64,
    min_ns: u64,
    max_ns: u64,
    zero_count: u64,
    offset: i32,
    packed: &'a [u8],
    /// First bucket index that is impossible at this scale.
    limit: i32,
}

const OUTSIDE: Malformed = Malformed("a bucket lies outside every possible duration");

// === impl Encoded ===

impl<'a> Encoded<'a> {
    #[inline]
    fn read(message: &'a [u8]) -> Result<Self, Malformed> {
        let mut reader = Reader::new(message);
        let mut read = Self {
            scale: signed(reader.number_if_next(1)?)?,
            count: reader.number_if_next(2)?,
            sum_ns: reader.number_if_next(3)?,
            min_ns: reader.number_if_next(4)?,
            max_ns: reader.number_if_next(5)?,
            zero_count: reader.number_if_next(6)?,
            offset: signed(reader.number_if_next(7)?)?,
            packed: reader.bytes_if_next(8)?.unwrap_or_default(),
            limit: 0,
        };
        while let Some(field) = reader.field()? {
            match field {
                Field::Number(1, v) => read.scale = signed(v)?,
                Field::Number(2, v) => read.count = v,
                Field::Number(3, v) => read.sum_ns = v,
                Field::Number(4, v) => read.min_ns = v,
                Field::Number(5, v) => read.max_ns = v,
                Field::Number(6, v) => read.zero_count = v,
                Field::Number(7, v) => read.offset = signed(v)?,
                Field::Bytes(8, packed) if read.packed.is_empty() => read.packed = packed,
                Field::Number(8, _) | Field::Bytes(8, _) => {
                    return Err(Malformed("bucket counts are not packed into one field"));
                }
                Field::Number(..) | Field::Bytes(..) => {}
            }
        }
        read.check()?;
        Ok(read)
    }

    /// Checks the scale and the first bucket, and notes how far the last may reach: no duration lies outside 2^±64
    /// seconds. So no arithmetic on indexes overflows.
    fn check(&mut self) -> Result<(), Malformed> {
        self.limit = match self.scale {
            scale @ 0..=20 => 64 << scale,
            scale @ -4..=-1 => (64 >> -scale) + 1,
            _ => return Err(Malformed("a histogram's scale is impossible")),
        };
        if self.offset < -self.limit || self.offset > self.limit {
            return Err(OUTSIDE);
        }
        Ok(())
    }
}

// === impl Buckets ===

impl Buckets {
    /// Adds an encoded histogram. `scratch` lends its room.
    #[inline]
    pub(super) fn add(&mut self, message: &[u8], scratch: &mut Vec<u64>) -> Result<(), Malformed> {
        let read = Encoded::read(message)?;
        if read.count == 0 {
            return Ok(());
        }
        self.add_totals(&read);
        if self.add_narrow(&read) {
            return Ok(());
        }
        scratch.clear();
        let mut packed = Reader::new(read.packed);
        while !packed.is_empty() {
            if scratch.len() == MAX_BUCKETS {
                return Err(Malformed("a histogram has more than 320 buckets"));
            }
            scratch.push(packed.varint()?);
        }
        if read.offset + scratch.len() as i32 > read.limit {
            return Err(OUTSIDE);
        }
        self.add_counts(&read, scratch);
        Ok(())
    }

    /// The merged histogram, without empty buckets at either end; `None` without samples.
    pub(super) fn into_proto(mut self) -> Option<proto::Histogram> {
        if self.count == 0 {
            return None;
        }
        let mut offset = 0;
        if self.filled {
            self.counts.truncate(width(self.base, self.hi));
            self.counts.drain(..place(self.base, self.lo));
            offset = self.lo;
        }
        Some(proto::Histogram {
            scale: self.scale,
            count: self.count,
            sum_ns: self.sum_ns,
            min_ns: self.min_ns,
            max_ns: self.max_ns,
            zero_count: self.zero_count,
            offset,
            counts: if self.filled { self.counts } else { Vec::new() },
        })
    }

    #[inline]
    fn add_totals(&mut self, read: &Encoded<'_>) {
        if self.count == 0 {
            self.scale = read.scale;
            self.min_ns = read.min_ns;
        }
        self.count = self.count.saturating_add(read.count);
        self.sum_ns = self.sum_ns.saturating_add(read.sum_ns);
        self.min_ns = self.min_ns.min(read.min_ns);
        self.max_ns = self.max_ns.max(read.max_ns);
        self.zero_count = self.zero_count.saturating_add(read.zero_count);
        if read.scale < self.scale {
            self.downscale((self.scale - read.scale).unsigned_abs());
        }
    }

    /// The common case: same scale, every count one byte long, all buckets within those already there.
    #[inline]
    fn add_narrow(&mut self, read: &Encoded<'_>) -> bool {
        let packed = read.packed;
        let (Some(first), Some(last)) = (packed.first(), packed.last()) else {
            return true;
        };
        let end = i64::from(read.offset) + packed.len() as i64;
        if *first == 0
            || *last == 0
            || self.wide
            || !self.filled
            || read.scale != self.scale
            || read.offset < self.base
            || end > i64::from(read.limit)
            || end > i64::from(self.base) + self.counts.len() as i64
            || packed.iter().fold(0, |all, byte| all | byte) >= 0x80
        {
            return false;
        }
        let hi = read.offset + packed.len() as i32 - 1;
        let (lo, hi) = (self.lo.min(read.offset), self.hi.max(hi));
        if width(lo, hi) > MAX_BUCKETS {
            return false;
        }
        (self.lo, self.hi) = (lo, hi);
        let at = place(self.base, read.offset);
        for (count, byte) in self.counts[at..at + packed.len()].iter_mut().zip(packed) {
            *count = count.wrapping_add(u64::from(*byte));
        }
        true
    }

    fn add_counts(&mut self, read: &Encoded<'_>, counts: &[u64]) {
        let Some(first) = counts.iter().position(|count| *count > 0) else {
            return;
        };
        let last = counts.iter().rposition(|count| *count > 0).unwrap_or(first);
        let index = |at: usize| read.offset + at as i32;
        let mut shift = (read.scale - self.scale).unsigned_abs();
        shift += self.make_room(index(first) >> shift, index(last) >> shift);
        for (at, added) in counts.iter().enumerate().take(last + 1).skip(first) {
            let place = place(self.base, index(at) >> shift);
            let count = &mut self.counts[place];
            *count = count.saturating_add(*added);
            self.wide |= *added > NARROW;
        }
    }

    /// Makes the counts hold buckets `lo..=hi`. Returns by how many halvings all had to be downscaled for it.
    fn make_room(&mut self, mut lo: i32, mut hi: i32) -> u32 {
        if self.filled {
            (lo, hi) = (lo.min(self.lo), hi.max(self.hi));
        }
        let mut halvings = 0;
        while width(lo, hi) > MAX_BUCKETS {
            (lo, hi, halvings) = (lo >> 1, hi >> 1, halvings + 1);
        }
        self.downscale(halvings);
        if !self.filled
            || lo < self.base
            || i64::from(hi) >= i64::from(self.base) + self.counts.len() as i64
        {
            let base = lo - SLACK;
            let mut counts = vec![0; width(base, hi + SLACK)];
            if self.filled {
                let old = &self.counts[place(self.base, self.lo)..width(self.base, self.hi)];
                let at = place(base, self.lo);
                counts[at..at + old.len()].copy_from_slice(old);
            }
            (self.base, self.counts) = (base, counts);
        }
        (self.lo, self.hi, self.filled) = (lo, hi, true);
        halvings
    }

    /// Folds `2^halvings` buckets into one.
    fn downscale(&mut self, halvings: u32) {
        if halvings == 0 {
            return;
        }
        self.scale -= halvings.cast_signed();
        if !self.filled {
            return;
        }
        let (lo, hi, base) = (
            self.lo >> halvings,
            self.hi >> halvings,
            (self.lo >> halvings) - SLACK,
        );
        let mut counts = vec![0_u64; width(base, hi + SLACK)];
        for index in self.lo..=self.hi {
            let count = &mut counts[place(base, index >> halvings)];
            *count = count.saturating_add(self.counts[place(self.base, index)]);
        }
        (self.base, self.lo, self.hi, self.counts) = (base, lo, hi, counts);
    }
}

/// Place of a bucket in counts that start at `base`, at or below it.
#[inline]
fn place(base: i32, index: i32) -> usize {
    (index - base).unsigned_abs() as usize
}

/// Number of buckets in `lo..=hi`, where `lo <= hi`.
#[inline]
fn width(lo: i32, hi: i32) -> usize {
    (hi - lo).unsigned_abs() as usize + 1
}
