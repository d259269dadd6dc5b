//! Where the API gets its windows from.

use tokio::sync::watch;

use crate::history::{Ends, History, LevelInfo, Resolved, WindowError};
use crate::proto;
use crate::slice::{Accumulator, Join, MergeError};

/// Sealed slices, resolved by window and merged on demand. `resolve` or `resolve_pair` is called once per request and
/// must be cheap; `merge` runs on a blocking thread.
pub trait Source: Send + Sync {
    /// The slots of the window of `window_s` seconds that ends at `end_unix_s` (`None`: at the newest second held).
    fn resolve(&self, window_s: u64, end_unix_s: Option<u64>) -> Result<Resolved, WindowError>;
    /// The slots of two windows of equal length that are to be compared, base first.
    fn resolve_pair(&self, window_s: u64, ends: Ends) -> Result<[Resolved; 2], WindowError>;
    /// The slots joined in time, each element first seen when all that is held first has it.
    fn merge(&self, resolved: &Resolved) -> Result<proto::Slice, MergeError>;
    /// What is held, finest level first.
    fn levels(&self) -> Vec<LevelInfo>;
    /// First unix second after the newest slice.
    fn newest_unix_s(&self) -> Option<u64>;
    /// Changes whenever a new answer is possible.
    fn versions(&self) -> watch::Receiver<u64>;

    /// The slots of all that is held.
    fn everything(&self) -> Result<Resolved, WindowError> {
        let levels = self.levels();
        let oldest_s = levels.iter().filter_map(|level| level.oldest_unix_s).min();
        let (Some(oldest_s), Some(newest_s)) = (oldest_s, self.newest_unix_s()) else {
            return Err(WindowError::NotReady);
        };
        self.resolve(newest_s.saturating_sub(oldest_s).max(1), None)
    }
}

impl Source for History {
    fn resolve(&self, window_s: u64, end_unix_s: Option<u64>) -> Result<Resolved, WindowError> {
        Self::resolve(self, window_s, end_unix_s)
    }

    fn resolve_pair(&self, window_s: u64, ends: Ends) -> Result<[Resolved; 2], WindowError> {
        Self::resolve_pair(self, window_s, ends)
    }

    fn merge(&self, resolved: &Resolved) -> Result<proto::Slice, MergeError> {
        let mut joined = Accumulator::new(Join::Then);
        for slot in &resolved.slots {
            joined.add(slot)?;
        }
        let mut merged = joined.finish();
        self.date(&mut merged);
        Ok(merged)
    }

    fn levels(&self) -> Vec<LevelInfo> {
        Self::levels(self)
    }

    fn newest_unix_s(&self) -> Option<u64> {
        Self::newest_unix_s(self)
    }

    fn versions(&self) -> watch::Receiver<u64> {
        Self::versions(self)
    }
}
