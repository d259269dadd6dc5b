//! One graph answer, whatever the transport: resolve the window, know the key, then look up or build the body.

use std::fmt::Write as _;
use std::sync::Arc;

use http::HeaderMap;

use super::Shared;
use super::caching::{Answer, Last};
use super::format;
use super::hidden;
use super::layouts::Layouts;
use super::memo::{Made, Outcome};
use super::problem::Problem;
use super::window::{self, Moment};
use crate::history::Resolved;
use crate::proto;
use crate::render::{Format, Picture, View, WriteError, Written};
use crate::topology::times::At;
use crate::topology::{self, BuildError, Frame, Params, Query, Topology};

/// A checked request for a graph.
#[derive(Debug)]
pub struct Asked {
    view: View,
    pub(super) format: Format,
    picture: Picture,
    query: Query,
    /// Equal texts mean equal questions.
    canonical: String,
    last: Last,
}

/// An answer whose body may not exist yet.
pub(super) struct Prepared {
    pub(super) etag: String,
    pub(super) max_age_s: u64,
    pub(super) format: Format,
    /// Equal keys mean equal bodies.
    pub(super) key: String,
    pub(super) build: Build,
}

/// Makes a body, on a blocking thread.
pub(super) type Build = Box<dyn FnOnce(&Shared) -> Outcome + Send>;

// === impl Asked ===

impl Asked {
    /// Checks the parameters of `view`'s route where the graph has only one window, the whole of what there is.
    pub fn of_all(view: View, mut params: Params, dimensions: &[String]) -> Result<Self, Problem> {
        for name in ["window", "at"] {
            for value in params.all(name) {
                params.reject(name, &value, "the whole input is the window");
            }
        }
        Self::take(view, None, params, &HeaderMap::new(), dimensions)
    }

    /// What of the graph is asked.
    pub fn query(&self) -> &Query {
        &self.query
    }

    /// Whether the answer shows where nodes stand.
    pub fn is_placed(&self) -> bool {
        self.query.layout || self.format.is_placed()
    }

    /// Writes a graph in the format asked for. Fails only by a defect.
    pub fn write(&self, topology: &Topology) -> Result<Written, WriteError> {
        self.format.write(self.view, topology, &self.picture)
    }

    /// Checks a URL query and the formats it asks for.
    pub(super) fn read(
        view: View,
        suffix: Option<Format>,
        raw: &str,
        headers: &HeaderMap,
        dimensions: &[String],
    ) -> Result<Self, Problem> {
        Self::take(view, suffix, Params::decode(raw), headers, dimensions)
    }

    /// Checks parameters and the formats they ask for.
    pub(super) fn take(
        view: View,
        suffix: Option<Format>,
        mut params: Params,
        headers: &HeaderMap,
        dimensions: &[String],
    ) -> Result<Self, Problem> {
        let format = format::choose(&view.formats(), suffix, &mut params, headers);
        let query = Query::take_with(&mut params, dimensions);
        let picture = match format {
            Ok(format) if !format.is_drawn(view) => plain(&mut params, &drawn()),
            _ => Picture::take(&mut params),
        };
        params.finish().map_err(Problem::InvalidParameters)?;
        let format = format?;
        let canonical = format!(
            "{view:?} {} {} {}",
            format.name(),
            picture.canonical(),
            query.canonical(),
        );
        Ok(Self {
            view,
            format,
            picture,
            query,
            canonical,
            last: Last::default(),
        })
    }

    /// Makes sure that what [`Asked::prepare`] says of places is what the body will show.
    pub(super) async fn settle(&self, shared: &Arc<Shared>) {
        if self.is_placed() {
            Layouts::settle(shared).await;
        }
    }

    /// Resolves the window; nothing is merged or built.
    pub(super) fn prepare(self: Arc<Self>, shared: &Shared) -> Result<Prepared, Problem> {
        let state = &shared.state;
        let moment = Moment::of(self.query.at, shared)?;
        let resolved = state
            .source
            .resolve(self.query.window_s, moment.end)
            .map_err(|error| window::refuse(&error, self.query.window_s))?;
        let mut key = self.key(&resolved, &state.epoch);
        if self.is_placed() {
            write!(key, " layout {}", shared.layouts.revision())
                .expect("writing to a string cannot fail");
        }
        if self.query.idle {
            let retained = self.everything(shared)?;
            write!(key, " idle {}", range(&retained)).expect("writing to a string cannot fail");
        }
        Ok(Prepared {
            etag: self.last.note(moment, &key, &resolved),
            max_age_s: moment.max_age_s(self.end_as_cached(), resolved.steady_until_unix_s),
            format: self.format,
            key,
            build: Box::new(move |shared| build(shared, &self, &resolved)),
        })
    }

    /// What [`Asked::prepare`] said last, while that holds: nothing was sealed since, and the window ends where it did.
    /// Never of places, which are settled first.
    pub(super) fn known(&self, shared: &Shared) -> Option<Answer> {
        if self.is_placed() {
            return None;
        }
        let moment = Moment::of(self.query.at, shared).ok()?;
        let (etag, steady_until_unix_s) = self.last.at(moment)?;
        Some(Answer {
            etag,
            max_age_s: moment.max_age_s(self.end_as_cached(), steady_until_unix_s),
            content_type: self.format.content_type(),
        })
    }

    /// All that is held, to find in it what is idle.
    fn everything(&self, shared: &Shared) -> Result<Resolved, Problem> {
        let everything = shared.state.source.everything();
        everything.map_err(|error| window::refuse(&error, self.query.window_s))
    }

    /// Places and what is idle may change with the next slice, however long ago the window ended.
    fn end_as_cached(&self) -> At {
        if self.is_placed() || self.query.idle {
            At::Newest
        } else {
            self.query.at
        }
    }

    fn key(&self, resolved: &Resolved, epoch: &str) -> String {
        format!("{epoch} {} {}", range(resolved), self.canonical)
    }

    /// Equal texts mean equal questions.
    pub(super) fn canonical(&self) -> &str {
        &self.canonical
    }
}

// === impl Prepared ===

impl Prepared {
    pub(super) fn answer(&self) -> Answer {
        Answer {
            etag: self.etag.clone(),
            max_age_s: self.max_age_s,
            content_type: self.format.content_type(),
        }
    }

    /// The body, remembered or built.
    pub(super) async fn body(self, shared: &Arc<Shared>) -> Outcome {
        let Self { key, build, .. } = self;
        let building = Arc::clone(shared);
        shared.memo.get(&key, move || build(&building)).await
    }
}

/// The formats that follow the parameters of a picture.
fn drawn() -> Vec<Format> {
    let mut drawn = View::Graph.formats();
    drawn.retain(|format| format.is_drawn(View::Graph));
    drawn
}

/// One text for all that merges to the same. Not the slots: while slots of a range roll up, what they hold stays.
pub(super) fn range(resolved: &Resolved) -> String {
    format!(
        "{}..{}/{} r{}",
        resolved.start_unix_s, resolved.end_unix_s, resolved.resolution_s, resolved.revision,
    )
}

/// Refuses the parameters of pictures, which are those of the formats `drawn`.
pub(super) fn plain(params: &mut Params, drawn: &[Format]) -> Picture {
    for name in Picture::NAMES {
        for value in params.all(name) {
            params.reject(name, &value, &format!("only for {}", format::words(drawn)));
        }
    }
    Picture::default()
}

fn build(shared: &Shared, asked: &Asked, resolved: &Resolved) -> Outcome {
    let merged = shared.merge(resolved)?;
    let retained = asked
        .query
        .idle
        .then(|| shared.merge(&asked.everything(shared)?));
    let frame = shared.frame(resolved, &asked.query);
    let built = topology::build_with_idle(merged, retained.transpose()?, &frame);
    let mut topology = built.map_err(|error| unbuilt(&error))?;
    if asked.is_placed() {
        shared
            .layouts
            .place(&mut topology, &asked.query.group_by, &*shared.state.source)
            .map_err(|error| defect(&error))?;
    }
    let written = asked.write(&topology).map_err(|error| defect(&error))?;
    Ok(Made {
        bytes: written.body.into(),
        field: hidden::of_graph(topology.hidden, written.undrawn),
    })
}

// === impl Shared ===

impl Shared {
    /// The slots of a window, joined.
    pub(super) fn merge(&self, resolved: &Resolved) -> Result<proto::Slice, Problem> {
        let merged = self.state.source.merge(resolved);
        merged.map_err(|error| defect(&error))
    }

    pub(super) fn frame<'a>(&'a self, resolved: &Resolved, query: &'a Query) -> Frame<'a> {
        Frame {
            start_unix_s: resolved.start_unix_s,
            end_unix_s: resolved.end_unix_s,
            resolution_s: resolved.resolution_s,
            epoch: &self.state.epoch,
            thresholds: self.state.thresholds,
            query,
        }
    }
}

/// What a client is told of a graph that cannot be built.
pub(super) fn unbuilt(error: &BuildError) -> Problem {
    match error {
        BuildError::UnknownNode(id) => Problem::unknown("node", id),
        BuildError::Malformed(_) => defect(error),
    }
}

pub(super) fn defect(error: &dyn std::error::Error) -> Problem {
    tracing::error!(%error, "a topology could not be built");
    Problem::Internal
}
