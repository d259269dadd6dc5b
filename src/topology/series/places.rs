//! Who has a series of its own, when there are more edges than places: whoever came first, until another shows more
//! than twice the calls of the smallest. A series that is displaced ends, as if it had gone idle, before the slice is
//! counted; the new one begins with that slice. So no counter ever goes back, and no call is counted twice.

use std::sync::Arc;

use ahash::RandomState;
use hashbrown::HashMap;

use super::labels::{Borrowed, Labels};

/// The most there may be.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bounds {
    /// Series besides the overflow series.
    pub(super) series: usize,
    /// Bytes of these series.
    pub(super) series_bytes: usize,
    /// Bytes of the services known.
    pub(super) service_bytes: usize,
    /// Bytes of the labels waiting for a place.
    waiting_bytes: usize,
}

/// Labels without a series, and the calls they had.
#[derive(Debug, Default)]
pub(super) struct Waiting {
    calls: HashMap<Arc<Labels>, u64, RandomState>,
    bytes: usize,
}

/// Bytes of a series besides its texts: sums, three histograms, an exemplar for every bucket, and its place in the table.
const SERIES_BYTES: usize = 4096;

/// Bytes of a waiting entry besides its texts.
const WAITING_BYTES: usize = 160;

/// How many times the calls of the smallest series another needs to take its place: enough that two of one size do not
/// change places all the time.
const MORE_BY: u64 = 2;

// === impl Bounds ===

impl Bounds {
    /// A quarter of the bytes each for services and for what waits, the rest for the series.
    pub(super) fn new(max_series: usize, max_bytes: usize) -> Self {
        Self {
            series: max_series,
            series_bytes: max_bytes / 2,
            service_bytes: max_bytes / 4,
            waiting_bytes: max_bytes / 4,
        }
    }
}

/// Bytes a series of these labels takes.
pub(super) fn cost(labels: Borrowed<'_>) -> usize {
    SERIES_BYTES + labels.bytes()
}

/// Bytes of labels that wait.
fn waiting_cost(labels: Borrowed<'_>) -> usize {
    WAITING_BYTES + labels.bytes()
}

/// Whether `calls` are enough to take the place of a series with `least`.
pub(super) fn displaces(calls: u64, least: u64) -> bool {
    calls > least.saturating_mul(MORE_BY)
}

// === impl Waiting ===

impl Waiting {
    /// Counts calls of labels without a series, and returns how many there were so far. When there are too many labels,
    /// those with the fewest calls are forgotten, down to half: what is busy stays and goes on counting.
    pub(super) fn count(&mut self, labels: Borrowed<'_>, calls: u64, bounds: &Bounds) -> u64 {
        if let Some(known) = self.calls.get_mut(&labels) {
            *known = known.saturating_add(calls);
            return *known;
        }
        let bytes = waiting_cost(labels);
        if self.bytes + bytes > bounds.waiting_bytes {
            self.halve(bounds.waiting_bytes / 2);
        }
        self.bytes += bytes;
        self.calls.insert(Arc::new(labels.to_owned()), calls);
        calls
    }

    fn halve(&mut self, most_bytes: usize) {
        let mut all: Vec<_> = self.calls.drain().collect();
        all.sort_unstable_by(|(a, more), (b, less)| (less, a).cmp(&(more, b)));
        self.bytes = 0;
        for (labels, calls) in all {
            let bytes = waiting_cost(labels.borrow());
            if self.bytes + bytes > most_bytes {
                return;
            }
            self.bytes += bytes;
            self.calls.insert(labels, calls);
        }
    }

    /// Takes out what gets a place.
    pub(super) fn remove(&mut self, labels: Borrowed<'_>) {
        if self.calls.remove(&labels).is_some() {
            self.bytes -= waiting_cost(labels);
        }
    }

    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }
}
