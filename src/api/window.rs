//! Windows as requests name them: where they end, why they cannot be had, how long an answer about them stays good.

use super::Shared;
use super::caching::CLOSED_MAX_AGE_S;
use super::problem::Problem;
use crate::history::WindowError;
use crate::topology::times::{At, rfc3339};

/// How far in the future an end may lie: the clocks of client and daemon may differ a little.
const FUTURE_S: u64 = 60;

/// When one window is asked for, as far as the answer depends on it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Moment {
    /// As long as it stays, so does what is held.
    version: u64,
    pub(super) now_s: u64,
    pub(super) newest: Option<u64>,
    /// `None` is the newest second.
    pub(super) end: Option<u64>,
}

// === impl Moment ===

impl Moment {
    /// Now, for a window that ends at `at`.
    pub(super) fn of(at: At, shared: &Shared) -> Result<Self, Problem> {
        // Before anything is read that it stands for, so that this is never older than it says.
        let version = *shared.versions.borrow();
        let now_s = (shared.state.now)().second();
        let newest = shared.state.source.newest_unix_s();
        Ok(Self {
            version,
            now_s,
            newest,
            end: end(at, "at", now_s, newest)?,
        })
    }

    /// Whether the same window is the same range of the same slots at both.
    pub(super) fn is(self, other: Self) -> bool {
        (self.version, self.end) == (other.version, other.end)
    }

    /// [`max_age_s`] of a window that ends at `at`.
    pub(super) fn max_age_s(self, at: At, steady_until_unix_s: u64) -> u64 {
        max_age_s(at, self.now_s, self.newest, steady_until_unix_s)
    }
}

/// The end of the window that parameter `name` asks for; `None` is the newest second.
pub(super) fn end(
    at: At,
    name: &str,
    now_s: u64,
    newest: Option<u64>,
) -> Result<Option<u64>, Problem> {
    let end = match at {
        At::Newest => return Ok(None),
        At::Ago(seconds) => now_s.saturating_sub(seconds),
        At::Unix(second) if second > now_s.saturating_add(FUTURE_S) => {
            let value = rfc3339(second);
            return Err(Problem::parameter(name, &value, "lies in the future"));
        }
        At::Unix(second) => second,
    };
    Ok(newest.map_or(Some(end), |newest| (end <= newest).then_some(end)))
}

/// The answer about a window at an absolute time that is wholly sealed stays as it is until its slots roll up; any
/// other may change with the next slice, which comes within a second.
pub(super) fn max_age_s(at: At, now_s: u64, newest: Option<u64>, steady_until_unix_s: u64) -> u64 {
    match (at, newest) {
        (At::Unix(end), Some(newest)) if end <= newest => {
            // Of the second that `now` lies in, some has passed.
            let steady_s = steady_until_unix_s.saturating_sub(now_s + 1);
            steady_s.min(CLOSED_MAX_AGE_S)
        }
        (_, Some(newest)) => newest.saturating_add(1).saturating_sub(now_s).clamp(1, 60),
        (_, None) => 1,
    }
}

/// Why a window of `window_s` seconds cannot be had.
pub(super) fn refuse(error: &WindowError, window_s: u64) -> Problem {
    match error {
        WindowError::NotReady => Problem::NotReady(Vec::new()),
        WindowError::TooLong { longest_s, .. } => Problem::parameter(
            "window",
            &format!("{window_s}s"),
            &format!("longer than the {longest_s} s that are ever held"),
        ),
        WindowError::Expired { oldest_unix_s } => Problem::WindowExpired {
            oldest_unix_s: *oldest_unix_s,
        },
    }
}
