//! Routes that answer with a graph.

use std::iter;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{RawQuery, State};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderValue, StatusCode};

use super::Shared;
use super::caching;
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
    let asked = Asked::read(view, suffix, raw.as_deref().unwrap_or_default(), &headers)?;
    let prepared = asked.prepare(&shared)?;
    let (etag, max_age_s, format) = (prepared.etag.clone(), prepared.max_age_s, prepared.format);
    let mut response = if caching::holds(&headers, &etag) {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        let mut response = Body::from(prepared.body(&shared).await?).into_response();
        let content_type = HeaderValue::from_static(format.content_type());
        response.headers_mut().insert(CONTENT_TYPE, content_type);
        response
    };
    caching::set(response.headers_mut(), &etag, max_age_s);
    Ok(response)
}
