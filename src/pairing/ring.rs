//! When to look at which trace again: one bucket of trace slots per tick.

use std::collections::VecDeque;

/// Buckets of trace slots by tick. A trace may stand in a bucket more than once, or after it is gone; looking at it
/// then finds nothing due.
#[derive(Debug, Default)]
pub(super) struct Ring {
    /// Tick of the front bucket.
    first: u32,
    buckets: VecDeque<Vec<u32>>,
    /// Emptied buckets, kept so that a steady stream allocates nothing.
    spare: Vec<Vec<u32>>,
}

// === impl Ring ===

impl Ring {
    /// Asks for `trace` to be looked at when `tick` closes (at the next chance, if that is past).
    pub(super) fn push(&mut self, tick: u32, trace: u32) {
        if self.buckets.is_empty() {
            self.first = tick;
        }
        while tick < self.first {
            self.buckets
                .push_front(self.spare.pop().unwrap_or_default());
            self.first -= 1;
        }
        let at = (tick - self.first) as usize;
        while self.buckets.len() <= at {
            self.buckets.push_back(self.spare.pop().unwrap_or_default());
        }
        self.buckets[at].push(trace);
    }

    /// Takes the oldest bucket with anything in it if its tick is at most `upto`; give it back with [`Ring::recycle`].
    pub(super) fn pop(&mut self, upto: u32) -> Option<(u32, Vec<u32>)> {
        while self.first <= upto {
            let bucket = self.buckets.pop_front()?;
            let tick = self.first;
            self.first += 1;
            if !bucket.is_empty() {
                return Some((tick, bucket));
            }
            self.spare.push(bucket);
        }
        None
    }

    /// Visits every trace that is asked for, tick by tick.
    pub(super) fn each(&self, mut visit: impl FnMut(u32, u32)) {
        for (tick, bucket) in (self.first..).zip(&self.buckets) {
            for &trace in bucket {
                visit(tick, trace);
            }
        }
    }

    /// Takes back an emptied bucket's room.
    pub(super) fn recycle(&mut self, mut bucket: Vec<u32>) {
        bucket.clear();
        self.spare.push(bucket);
    }

    /// Bytes of all buckets.
    pub(super) fn bytes(&self) -> u64 {
        let room = |v: &Vec<u32>| (v.capacity() * size_of::<u32>()) as u64;
        self.buckets.iter().map(room).sum::<u64>() + self.spare.iter().map(room).sum::<u64>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn traces_come_out_in_order_of_their_tick_and_never_early() {
        let mut ring = Ring::default();
        ring.push(7, 70);
        ring.push(5, 50);
        ring.push(9, 90);
        assert_eq!(ring.pop(4), None);
        assert_eq!(ring.pop(7), Some((5, vec![50])));
        assert_eq!(ring.pop(7), Some((7, vec![70])));
        assert_eq!(ring.pop(8), None);
        assert_eq!(ring.pop(u32::MAX), Some((9, vec![90])));
        assert_eq!(ring.pop(u32::MAX), None);
        ring.push(3, 30);
        assert_eq!(ring.pop(3), Some((3, vec![30])));
    }
}
