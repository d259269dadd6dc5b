//! Routes that answer with a graph.

use std::collections::HashMap;
use std::iter;
use std::sync::{Arc, LazyLock};

use axum::Router;
use axum::extract::{RawQuery, State};
use axum::response::Response;
use axum::routing::get;
use http::header::IF_NONE_MATCH;
use http::{HeaderMap, Uri};

use super::Shared;
use super::diff::AskedDiff;
use super::problem::Problem;
use super::snapshot::Prepared;
use crate::render::{self, Format, View};

/// What a route shows, the path it is served at, and the format that a suffix there means.
struct Route {
    shown: Shown,
    path: String,
    suffix: Option<Format>,
}

/// What a route shows.
#[derive(Debug, Clone, Copy)]
enum Shown {
    /// One window.
    Window(View),
    /// The difference of two.
    Diff,
}

/// What is asked of one window, by path.
static WINDOWS: LazyLock<HashMap<String, (View, Option<Format>)>> = LazyLock::new(|| {
    let windows = all().filter_map(|route| match route.shown {
        Shown::Window(view) => Some((route.path, (view, route.suffix))),
        Shown::Diff => None,
    });
    windows.collect()
});

/// The paths of all graph routes: each one's own, then one for each suffix of each of its formats.
pub(super) fn paths() -> impl Iterator<Item = String> {
    all().map(|route| route.path)
}

pub(super) fn routes() -> Router<Arc<Shared>> {
    all().fold(Router::new(), |router, route| {
        let (shown, suffix) = (route.shown, route.suffix);
        let handler = get(move |s, q, h| answer(shown, suffix, s, q, h));
        router.route(&route.path, handler)
    })
}

fn all() -> impl Iterator<Item = Route> {
    let views = View::ALL.into_iter().map(Shown::Window);
    views.chain([Shown::Diff]).flat_map(|shown| {
        let base = format!("/api/v1/{}", shown.name());
        let plain = Route {
            shown,
            path: base.clone(),
            suffix: None,
        };
        let suffixed = shown.formats().into_iter().flat_map(move |format| {
            let base = base.clone();
            format.suffixes().map(move |suffix| Route {
                shown,
                path: format!("{base}.{suffix}"),
                suffix: Some(format),
            })
        });
        iter::once(plain).chain(suffixed)
    })
}

/// The answer 304, where one window is asked for whose validator is known as of now.
pub(super) fn unchanged(shared: &Shared, uri: &Uri, headers: &HeaderMap) -> Option<Response> {
    if !headers.contains_key(IF_NONE_MATCH) {
        return None;
    }
    let (view, suffix) = *WINDOWS.get(uri.path())?;
    let (raw, dimensions) = (uri.query().unwrap_or_default(), &shared.state.dimensions);
    let asked = shared
        .questions
        .read(view, suffix, raw, headers, dimensions);
    asked.ok()?.known(shared)?.unchanged(headers)
}

async fn answer(
    shown: Shown,
    suffix: Option<Format>,
    State(shared): State<Arc<Shared>>,
    RawQuery(raw): RawQuery,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let raw = raw.as_deref().unwrap_or_default();
    let prepared = shown.prepare(suffix, raw, &headers, &shared).await?;
    let answer = prepared.answer();
    answer.respond(&headers, || prepared.body(&shared)).await
}

// === impl Shown ===

impl Shown {
    /// The end of its path.
    fn name(self) -> &'static str {
        match self {
            Self::Window(view) => view.name(),
            Self::Diff => "diff",
        }
    }

    fn formats(self) -> Vec<Format> {
        match self {
            Self::Window(view) => view.formats(),
            Self::Diff => render::diff::formats(),
        }
    }

    async fn prepare(
        self,
        suffix: Option<Format>,
        raw: &str,
        headers: &HeaderMap,
        shared: &Arc<Shared>,
    ) -> Result<Prepared, Problem> {
        let dimensions = &shared.state.dimensions;
        match self {
            Self::Window(view) => {
                let questions = &shared.questions;
                let asked = questions.read(view, suffix, raw, headers, dimensions)?;
                asked.settle(shared).await;
                asked.prepare(shared)
            }
            Self::Diff => AskedDiff::read(suffix, raw, headers, dimensions)?.prepare(shared),
        }
    }
}
