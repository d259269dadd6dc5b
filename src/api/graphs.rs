//! Routes that answer with a graph.

use std::iter;
use std::sync::Arc;

use axum::Router;
use axum::extract::{RawQuery, State};
use axum::response::Response;
use axum::routing::get;
use http::HeaderMap;

use super::Shared;
use super::caching::Answer;
use super::problem::Problem;
use super::snapshot::Asked;
use crate::render::{Format, View};

/// A view, the path it is served at, and the format that a suffix there means.
struct Route {
    view: View,
    path: String,
    suffix: Option<Format>,
}

/// The paths of all graph routes: each view's own, then one for each suffix of each of its formats.
pub(super) fn paths() -> impl Iterator<Item = String> {
    all().map(|route| route.path)
}

pub(super) fn routes() -> Router<Arc<Shared>> {
    all().fold(Router::new(), |router, Route { view, path, suffix }| {
        router.route(&path, get(move |s, q, h| answer(view, suffix, s, q, h)))
    })
}

fn all() -> impl Iterator<Item = Route> {
    View::ALL.into_iter().flat_map(|view| {
        let base = format!("/api/v1/{}", view.name());
        let plain = Route {
            view,
            path: base.clone(),
            suffix: None,
        };
        let suffixed = view.formats().into_iter().flat_map(move |format| {
            let base = base.clone();
            format.suffixes().map(move |suffix| Route {
                view,
                path: format!("{base}.{suffix}"),
                suffix: Some(format),
            })
        });
        iter::once(plain).chain(suffixed)
    })
}

async fn answer(
    view: View,
    suffix: Option<Format>,
    State(shared): State<Arc<Shared>>,
    RawQuery(raw): RawQuery,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let raw = raw.as_deref().unwrap_or_default();
    let asked = Asked::read(view, suffix, raw, &headers, &shared.state.dimensions)?;
    asked.settle(&shared).await;
    let prepared = asked.prepare(&shared)?;
    let answer = Answer {
        etag: prepared.etag.clone(),
        max_age_s: prepared.max_age_s,
        content_type: prepared.format.content_type(),
    };
    answer.respond(&headers, || prepared.body(&shared)).await
}
