//! Running totals of the graph, by what a Prometheus series can say: counters that only grow, fed with each sealed slice.
//!
//! What a slice counted never moves from one series to another, with one exception that no reader can mistake for going
//! backwards: when a service first shows itself, the series of an external node that turns out to be this service
//! becomes, whole, the series of the service (pairing.md R11). Calls that come later are named by what is known when
//! they are sealed. So the totals are those of `/topology` over all history, unless a second service of the same name
//! appears after the first was folded into: `/topology` then takes the fold back, which a counter cannot. Deliberately
//! absent: folding by address (`pairing.learn_aliases`). It needs every address of the window at once and may be undone
//! by the next; such calls stay with the external node here.
//!
//! A series ends when the retained history no longer holds a call of it, and begins anew from 0 if one comes.

mod classic;
mod counted;
mod labels;
mod places;
mod services;
mod state;
mod sums;

use std::sync::Arc;

use parking_lot::Mutex;
use prost::Message as _;

use crate::proto;
pub use classic::{BOUNDS, Classic, Sample};
pub use labels::Labels;
use places::Bounds;
use state::State;
pub use sums::{Series, Sums};

/// Totals of every series.
///
/// Taking a slice costs time in proportion to the slice. At most so many series have a name of their own, the rest is
/// in one called overflow; see [`Gauges`].
#[derive(Debug)]
pub struct Totals {
    state: Mutex<State>,
}

/// How full the totals are, and what did not fit.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Gauges {
    /// Series with a name of their own.
    pub series: u64,
    /// Bytes of all that is kept.
    pub bytes: u64,
    /// Calls counted in the overflow series because theirs had no place; only grows.
    pub overflow_calls: u64,
    /// Series that gave their place to one with more calls; only grows.
    pub displaced: u64,
    /// Slices that did not decode: anything but 0 is a defect.
    pub unreadable: u64,
}

// === impl Totals ===

impl Totals {
    /// At most `max_series` series in `max_bytes`.
    pub fn new(max_series: usize, max_bytes: usize) -> Self {
        Self {
            state: Mutex::new(State::new(Bounds::new(max_series, max_bytes))),
        }
    }

    /// Takes the next sealed slice, when the history has it: `oldest_unix_s` is the oldest second the history holds now.
    pub fn add(&self, sealed: &[u8], oldest_unix_s: u64) {
        // Decoded before the lock is taken: readers wait for sums, not for parsing.
        let slice = proto::Slice::decode(sealed).ok();
        let mut state = self.state.lock();
        state.version += 1;
        state.expire(oldest_unix_s);
        if slice.is_none_or(|slice| state.add(&slice).is_none()) {
            state.gauges.unreadable += 1;
        }
    }

    /// Every series, sorted by its labels. Costs a handle each; what is handed out never changes.
    pub fn snapshot(&self) -> Vec<Arc<Series>> {
        let mut series: Vec<_> = self.state.lock().series.values().map(Arc::clone).collect();
        series.sort_unstable_by(|a, b| a.labels.cmp(&b.labels));
        series
    }

    /// Slices taken so far: equal versions mean equal snapshots.
    pub fn version(&self) -> u64 {
        self.state.lock().version
    }

    /// How full it is.
    pub fn gauges(&self) -> Gauges {
        self.state.lock().gauges()
    }
}
