//! One graph answer, whatever the transport: resolve the window, know the key, then look up or build the body.

use std::sync::Arc;

use bytes::Bytes;
use http::HeaderMap;

use super::Shared;
use super::caching;
use super::format;
use super::problem::Problem;
use super::window::{Slots, frame};
use crate::history::Resolved;
use crate::render::{Format, Picture, View, WriteError};
use crate::topology::{self, BuildError, Params, Query, Topology};

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

    /// Checks parameters and the formats they ask for.
    pub(super) fn take(
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
        let slots = Slots::resolve(shared, &self.query)?;
        let key = self.key(&slots.name);
        Ok(Prepared {
            etag: caching::etag(&key),
            max_age_s: slots.max_age_s,
            format: self.format,
            key,
            asked: self,
            resolved: slots.resolved,
        })
    }

    /// Equal texts mean equal questions.
    pub(super) fn canonical(&self) -> String {
        self.key("")
    }

    /// Equal keys mean equal bodies.
    fn key(&self, slots: &str) -> String {
        format!(
            "{slots} {:?} {} {} {}",
            self.view,
            self.format.name(),
            self.picture.canonical(),
            self.query.canonical(),
        )
    }
}

// === impl Prepared ===

impl Prepared {
    /// Names the state of the graph among all that a query has.
    pub(super) fn id(&self, epoch: &str) -> String {
        format!("{epoch}-{}", self.resolved.end_unix_s)
    }

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
    let topology = topology(shared, resolved, &asked.query)?;
    asked.write(&topology).map_err(|error| defect(&error))
}

/// Merges the slots and builds the graph.
pub(super) fn topology(
    shared: &Shared,
    resolved: &Resolved,
    query: &Query,
) -> Result<Topology, Problem> {
    let merged = shared
        .state
        .source
        .merge(resolved)
        .map_err(|error| defect(&error))?;
    let frame = frame(shared, resolved, query);
    topology::build(merged, &frame).map_err(|error| refused(&error))
}

/// Why a topology cannot be built, for the client.
pub(super) fn refused(error: &BuildError) -> Problem {
    match error {
        BuildError::UnknownNode(_) => Problem::NotFound(error.to_string()),
        BuildError::Malformed(_) => defect(error),
    }
}

pub(super) fn defect(error: &dyn std::error::Error) -> Problem {
    tracing::error!(%error, "an answer could not be built");
    Problem::Internal
}
