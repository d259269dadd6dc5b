//! Routes that answer with a graph.

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
use super::format::Format;
use super::problem::Problem;
use super::snapshot::{Asked, View};

pub(super) fn routes() -> Router<Arc<Shared>> {
    Router::new()
        .route(
            "/api/v1/topology",
            get(|s, q, h| answer(View::Graph, None, s, q, h)),
        )
        .route(
            "/api/v1/topology.json",
            get(|s, q, h| answer(View::Graph, Some(Format::Json), s, q, h)),
        )
        .route(
            "/api/v1/topology.dot",
            get(|s, q, h| answer(View::Graph, Some(Format::Dot), s, q, h)),
        )
        .route(
            "/api/v1/nodes",
            get(|s, q, h| answer(View::Nodes, None, s, q, h)),
        )
        .route(
            "/api/v1/edges",
            get(|s, q, h| answer(View::Edges, None, s, q, h)),
        )
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
