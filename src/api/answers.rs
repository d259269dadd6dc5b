//! Plain answers that are never stored.

use axum::body::Body;
use axum::response::Response;
use http::HeaderValue;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use serde_json::Value;

/// A JSON body.
pub(super) fn json(body: &Value) -> Response {
    typed(body.to_string(), "application/json")
}

/// A text body.
pub(super) fn text(body: String) -> Response {
    typed(body, "text/plain; charset=utf-8")
}

/// A body of any type.
pub(super) fn typed(body: impl Into<Body>, content_type: &'static str) -> Response {
    let mut response = Response::new(body.into());
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
