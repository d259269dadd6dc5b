//! One graph answer, whatever the transport: resolve the window, know the key, then look up or build the body.

use std::sync::Arc;

use bytes::Bytes;
use http::HeaderMap;

use super::Shared;
use super::caching::{self, CLOSED_MAX_AGE_S};
use super::format;
use super::problem::Problem;
use crate::history::{Resolved, WindowError};
use crate::render::{Format, Picture, View, WriteError};
use crate::topology::times::At;
use crate::topology::{self, BuildError, Frame, Params, Query, Topology};

/// A checked request for a graph.
#[derive(Debug, Clone)]
pub struct Asked {
    view: View,
    pub(super) format: Format,
    picture: Picture,
    query: Query,
}

/// An answer whose body may not exist yet.
#[derive(Debug)]
pub(super) struct Prepared {
    pub(super) etag: String,
    pub(super) max_age_s: u64,
    pub(super) format: Format,
    key: String,
    asked: Asked,
    resolved: Resolved,
}

/// How far in the future `at` may lie: the clocks of client and daemon may differ a little.
const FUTURE_S: u64 = 60;

// === impl Asked ===

impl Asked {
    /// Checks the parameters of `view`'s route where the graph has only one window, the whole of what there is.
    pub fn of_all(view: View, mut params: Params) -> Result<Self, Problem> {
        for name in ["window", "at"] {
            for value in params.all(name) {
                params.reject(name, &value, "the whole input is the window");
            }
        }
        Self::take(view, None, params, &HeaderMap::new())
    }

    /// What of the graph is asked.
    pub fn query(&self) -> &Query {
        &self.query
    }

    /// Writes a graph in the format asked for. Fails only by a defect.
    pub fn write(&self, topology: &Topology) -> Result<Bytes, WriteError> {
        let body = self.format.write(self.view, topology, &self.picture)?;
        Ok(body.into())
    }

    /// Checks a URL query and the formats it asks for.
    pub(super) fn read(
        view: View,
        suffix: Option<Format>,
        raw: &str,
        headers: &HeaderMap,
    ) -> Result<Self, Problem> {
        Self::take(view, suffix, Params::decode(raw), headers)
    }

    fn take(
        view: View,
        suffix: Option<Format>,
        mut params: Params,
        headers: &HeaderMap,
    ) -> Result<Self, Problem> {
        let format = format::choose(&view.formats(), suffix, &mut params, headers);
        let query = Query::take(&mut params);
        let picture = match format {
            Ok(format) if !format.is_drawn(view) => plain(&mut params),
            _ => Picture::take(&mut params),
        };
        params.finish().map_err(Problem::InvalidParameters)?;
        Ok(Self {
            view,
            format: format?,
            picture,
            query,
        })
    }

    /// Resolves the window; nothing is merged or built.
    pub(super) fn prepare(self, shared: &Shared) -> Result<Prepared, Problem> {
        let state = &shared.state;
        let now_s = (state.now)().second();
        let newest = state.source.newest_unix_s();
        let end = self.end(now_s, newest)?;
        let resolved = state
            .source
            .resolve(self.query.window_s, end)
            .map_err(|error| self.refuse(&error))?;
        let key = self.key(&resolved, &state.epoch);
        Ok(Prepared {
            etag: caching::etag(&key),
            max_age_s: self.max_age_s(now_s, newest),
            format: self.format,
            key,
            asked: self,
            resolved,
        })
    }

    /// The end of the window; `None` is the newest second.
    fn end(&self, now_s: u64, newest: Option<u64>) -> Result<Option<u64>, Problem> {
        let end = match self.query.at {
            At::Newest => return Ok(None),
            At::Ago(seconds) => now_s.saturating_sub(seconds),
            At::Unix(second) if second > now_s.saturating_add(FUTURE_S) => {
                let value = topology::times::rfc3339(second);
                return Err(Problem::parameter("at", &value, "lies in the future"));
            }
            At::Unix(second) => second,
        };
        Ok(newest.map_or(Some(end), |newest| (end <= newest).then_some(end)))
    }

    /// A window at an absolute time that is wholly sealed never changes; any other may with the next slice, which
    /// comes within a second.
    fn max_age_s(&self, now_s: u64, newest: Option<u64>) -> u64 {
        match (self.query.at, newest) {
            (At::Unix(end), Some(newest)) if end <= newest => CLOSED_MAX_AGE_S,
            (_, Some(newest)) => newest.saturating_add(1).saturating_sub(now_s).clamp(1, 60),
            (_, None) => 1,
        }
    }

    fn refuse(&self, error: &WindowError) -> Problem {
        match error {
            WindowError::NotReady => Problem::NotReady(Vec::new()),
            WindowError::TooLong { longest_s, .. } => Problem::parameter(
                "window",
                &format!("{}s", self.query.window_s),
                &format!("longer than the {longest_s} s that are ever held"),
            ),
            WindowError::Expired { oldest_unix_s } => Problem::WindowExpired {
                oldest_unix_s: *oldest_unix_s,
            },
        }
    }

    /// Equal keys mean equal bodies. The slots' number and size stand for which of the range are still held.
    fn key(&self, resolved: &Resolved, epoch: &str) -> String {
        let bytes: usize = resolved.slots.iter().map(Bytes::len).sum();
        format!(
            "{epoch} {}..{}/{} {}x{bytes} {:?} {} {} {}",
            resolved.start_unix_s,
            resolved.end_unix_s,
            resolved.resolution_s,
            resolved.slots.len(),
            self.view,
            self.format.name(),
            self.picture.canonical(),
            self.query.canonical(),
        )
    }
}

// === impl Prepared ===

impl Prepared {
    /// The body, remembered or built.
    pub(super) async fn body(self, shared: &Arc<Shared>) -> Result<Bytes, Problem> {
        let Self {
            key,
            asked,
            resolved,
            ..
        } = self;
        let building = Arc::clone(shared);
        shared
            .memo
            .get(&key, move || build(&building, &asked, &resolved))
            .await
    }
}

fn plain(params: &mut Params) -> Picture {
    let mut drawn = View::Graph.formats();
    drawn.retain(|format| format.is_drawn(View::Graph));
    for name in Picture::NAMES {
        for value in params.all(name) {
            params.reject(name, &value, &format!("only for {}", format::words(&drawn)));
        }
    }
    Picture::default()
}

fn build(shared: &Shared, asked: &Asked, resolved: &Resolved) -> Result<Bytes, Problem> {
    let state = &shared.state;
    let merged = state
        .source
        .merge(resolved)
        .map_err(|error| defect(&error))?;
    let frame = Frame {
        start_unix_s: resolved.start_unix_s,
        end_unix_s: resolved.end_unix_s,
        resolution_s: resolved.resolution_s,
        epoch: &state.epoch,
        thresholds: state.thresholds,
        query: &asked.query,
    };
    let topology = topology::build(merged, &frame).map_err(|error| match error {
        BuildError::UnknownNode(_) => Problem::NotFound(error.to_string()),
        BuildError::Malformed(_) => defect(&error),
    })?;
    asked.write(&topology).map_err(|error| defect(&error))
}

fn defect(error: &dyn std::error::Error) -> Problem {
    tracing::error!(%error, "a topology could not be built");
    Problem::Internal
}
