//! Answers about a window that are no graph: one element, names, unpaired spans. Checked, cached and validated as
//! graphs are.

use std::sync::Arc;

use axum::response::Response;
use bytes::Bytes;
use http::HeaderMap;

use super::Shared;
use super::caching::{self, Answer};
use super::format;
use super::memo::Outcome;
use super::problem::Problem;
use super::snapshot::range;
use super::window::{self, Moment};
use crate::history::Resolved;
use crate::render::Format;
use crate::topology::{Params, Query};

/// A checked request.
#[derive(Debug)]
pub(super) struct Windowed {
    pub(super) query: Query,
    /// Equal texts mean equal questions.
    what: String,
}

// === impl Windowed ===

impl Windowed {
    /// Takes those parameters of a graph that are in `names`, and makes sure that nothing else was asked and JSON is
    /// welcome. `what` tells the question from others of the same query.
    pub(super) fn take(
        what: String,
        names: &[&str],
        mut params: Params,
        headers: &HeaderMap,
        dimensions: &[String],
    ) -> Result<Self, Problem> {
        let format = format::choose(&[Format::Json], None, &mut params, headers);
        let mut own = Params::default();
        for name in names {
            for value in params.all(name) {
                own.add(name, &value);
            }
        }
        let query = Query::take_with(&mut own, dimensions);
        for error in own.finish().err().unwrap_or_default() {
            params.reject(&error.name, &error.value, &error.reason);
        }
        params.finish().map_err(Problem::InvalidParameters)?;
        format?;
        Ok(Self { query, what })
    }

    /// Answers with what `build` makes of the window, unless the client holds it already.
    pub(super) async fn answer(
        self,
        shared: Arc<Shared>,
        headers: &HeaderMap,
        build: impl FnOnce(&Shared, &Query, &Resolved) -> Outcome + Send + 'static,
    ) -> Result<Response, Problem> {
        let Self { query, what } = self;
        let state = &shared.state;
        let moment = Moment::of(query.at, &shared)?;
        let resolved = state.source.resolve(query.window_s, moment.end);
        let resolved = resolved.map_err(|error| window::refuse(&error, query.window_s))?;
        let (epoch, range, query_text) = (&state.epoch, range(&resolved), query.canonical());
        // A history shows the slots one by one.
        let (slots, bytes) = (
            resolved.slots.len(),
            resolved.slots.iter().map(Bytes::len).sum::<usize>(),
        );
        let key = format!("{epoch} {range} {slots}x{bytes} {what} {query_text}");
        let answer = Answer {
            etag: caching::etag(&key),
            max_age_s: moment.max_age_s(query.at, resolved.steady_until_unix_s),
            content_type: Format::Json.content_type(),
        };
        let building = Arc::clone(&shared);
        answer
            .respond(headers, || async move {
                let build = move || build(&building, &query, &resolved);
                shared.memo.get(&key, build).await
            })
            .await
    }
}
