//! Which pages elsewhere may read answers (CORS, <https://fetch.spec.whatwg.org/#http-cors-protocol>): those of listed
//! origins. Others find no word of it, so their browsers keep answers from them.
//!
//! A page shows its token itself, so credentials of the browser are never allowed. `Cross-Origin-Resource-Policy` stays
//! `same-origin`: it only keeps pages from embedding answers without asking in this way.

use axum::body::Body;
use axum::response::Response;
use http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ACCESS_CONTROL_REQUEST_METHOD,
    CACHE_CONTROL, ORIGIN, VARY,
};
use http::{HeaderMap, HeaderValue, Method, Request, StatusCode};

use super::problem::ALLOWED;

/// Where a request comes from, as far as that matters.
#[derive(Debug)]
pub(super) enum Visit {
    /// Nobody is listed.
    Closed,
    /// Not from a page of a listed origin.
    Unlisted,
    /// From a page of this one.
    Listed(HeaderValue),
    /// A browser asks whether such a page may ask.
    Preflight(HeaderValue),
}

/// What a page may send besides what every page may.
const SENT: HeaderValue =
    HeaderValue::from_static("Authorization, Content-Type, If-None-Match, Accept, Last-Event-ID");

/// What a page may read besides what every page may.
const READ: HeaderValue = HeaderValue::from_static("ETag, Spangraph-Hidden, Retry-After");

/// Seconds for which a browser need not ask again.
const MAX_AGE_S: HeaderValue = HeaderValue::from_static("600");

// === impl Visit ===

impl Visit {
    /// `listed` are origins as browsers write them. gRPC is not for browsers.
    pub(super) fn of<B>(listed: &[String], grpc: bool, request: &Request<B>) -> Self {
        if listed.is_empty() || grpc {
            return Self::Closed;
        }
        let headers = request.headers();
        let mut origins = headers.get_all(ORIGIN).iter();
        let (Some(origin), None) = (origins.next(), origins.next()) else {
            return Self::Unlisted;
        };
        if !listed
            .iter()
            .any(|listed| listed.as_bytes() == origin.as_bytes())
        {
            return Self::Unlisted;
        }
        let asks = headers.contains_key(ACCESS_CONTROL_REQUEST_METHOD);
        if asks && request.method() == Method::OPTIONS {
            Self::Preflight(origin.clone())
        } else {
            Self::Listed(origin.clone())
        }
    }

    /// The answer to a preflight, which needs no token: browsers show none there. [`Visit::mark`] completes it.
    pub(super) fn allowed() -> Response {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::NO_CONTENT;
        let headers = response.headers_mut();
        let methods = HeaderValue::from_static(ALLOWED);
        headers.insert(ACCESS_CONTROL_ALLOW_METHODS, methods);
        headers.insert(ACCESS_CONTROL_ALLOW_HEADERS, SENT);
        headers.insert(ACCESS_CONTROL_MAX_AGE, MAX_AGE_S);
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        response
    }

    /// Says on an answer who may read it.
    pub(super) fn mark(&self, headers: &mut HeaderMap) {
        if matches!(self, Self::Closed) {
            return;
        }
        headers.append(VARY, HeaderValue::from_static("Origin"));
        if let Self::Listed(origin) | Self::Preflight(origin) = self {
            headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
            headers.insert(ACCESS_CONTROL_EXPOSE_HEADERS, READ);
        }
    }
}
