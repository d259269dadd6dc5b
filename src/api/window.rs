//! From `window` and `at` to slots: which slices answer, under which name they do, and for how long.
//!
//! Nothing is merged or built here; the name of an answer is known before there is one.

use bytes::Bytes;

use super::Shared;
use super::caching::CLOSED_MAX_AGE_S;
use super::problem::Problem;
use crate::history::{Resolved, WindowError};
use crate::topology::times::{At, rfc3339};
use crate::topology::{Frame, Query};

/// The slots that answer a window.
#[derive(Debug)]
pub(super) struct Slots {
    pub(super) resolved: Resolved,
    /// Seconds for which the answer stays good.
    pub(super) max_age_s: u64,
    /// Equal texts mean equal slices: the process, the range, and which slots of it are still held.
    pub(super) name: String,
}

/// How far in the future `at` may lie: the clocks of client and daemon may differ a little.
const FUTURE_S: u64 = 60;

// === impl Slots ===

impl Slots {
    /// Resolves the window of `query`.
    pub(super) fn resolve(shared: &Shared, query: &Query) -> Result<Self, Problem> {
        let state = &shared.state;
        let now_s = (state.now)().second();
        let newest = state.source.newest_unix_s();
        let resolved = state
            .source
            .resolve(query.window_s, end(query.at, now_s, newest)?)
            .map_err(|error| refuse(&error, query.window_s))?;
        Ok(Self {
            max_age_s: max_age_s(query.at, now_s, newest),
            name: name(&resolved, &state.epoch),
            resolved,
        })
    }
}

/// What a build is told besides the slice.
pub(super) fn frame<'a>(shared: &'a Shared, resolved: &Resolved, query: &'a Query) -> Frame<'a> {
    Frame {
        start_unix_s: resolved.start_unix_s,
        end_unix_s: resolved.end_unix_s,
        resolution_s: resolved.resolution_s,
        epoch: &shared.state.epoch,
        thresholds: shared.state.thresholds,
        query,
    }
}

/// The end of the window; `None` is the newest second.
fn end(at: At, now_s: u64, newest: Option<u64>) -> Result<Option<u64>, Problem> {
    let end = match at {
        At::Newest => return Ok(None),
        At::Ago(seconds) => now_s.saturating_sub(seconds),
        At::Unix(second) if second > now_s.saturating_add(FUTURE_S) => {
            return Err(Problem::parameter(
                "at",
                &rfc3339(second),
                "lies in the future",
            ));
        }
        At::Unix(second) => second,
    };
    Ok(newest.map_or(Some(end), |newest| (end <= newest).then_some(end)))
}

/// A window at an absolute time that is wholly sealed never changes; any other may with the next slice, which comes
/// within a second.
fn max_age_s(at: At, now_s: u64, newest: Option<u64>) -> u64 {
    match (at, newest) {
        (At::Unix(end), Some(newest)) if end <= newest => CLOSED_MAX_AGE_S,
        (_, Some(newest)) => newest.saturating_add(1).saturating_sub(now_s).clamp(1, 60),
        (_, None) => 1,
    }
}

fn refuse(error: &WindowError, window_s: u64) -> Problem {
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

/// The slots' number and size stand for which of the range are still held.
fn name(resolved: &Resolved, epoch: &str) -> String {
    let bytes: usize = resolved.slots.iter().map(Bytes::len).sum();
    format!(
        "{epoch} {}..{}/{} {}x{bytes}",
        resolved.start_unix_s,
        resolved.end_unix_s,
        resolved.resolution_s,
        resolved.slots.len(),
    )
}
