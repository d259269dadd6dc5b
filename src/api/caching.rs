//! Validators and lifetimes of graph answers.

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, IF_NONE_MATCH, VARY};
use http::{HeaderMap, HeaderValue, StatusCode};
use parking_lot::Mutex;
use sha2::{Digest as _, Sha256};

use super::memo::Outcome;
use super::problem::Problem;
use crate::topology::ident::hex;

/// What is known of an answer before there is a body.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) etag: String,
    pub(super) max_age_s: u64,
    pub(super) content_type: &'static str,
}

/// The validator of the key asked for last: who polls asks for one again and again.
#[derive(Debug, Default)]
pub(super) struct Validator(Mutex<(String, String)>);

/// Most seconds for which the answer about a closed window at an absolute time stays good.
pub(super) const CLOSED_MAX_AGE_S: u64 = 3_600;

// === impl Answer ===

impl Answer {
    /// 304 when the client holds the body, else 200 with what `body` gets.
    pub(super) async fn respond<F>(
        self,
        headers: &HeaderMap,
        body: impl FnOnce() -> F,
    ) -> Result<Response, Problem>
    where
        F: Future<Output = Outcome>,
    {
        let mut response = if holds(headers, &self.etag) {
            StatusCode::NOT_MODIFIED.into_response()
        } else {
            let made = body().await?;
            let mut response = Body::from(made.bytes).into_response();
            let headers = response.headers_mut();
            headers.insert(CONTENT_TYPE, HeaderValue::from_static(self.content_type));
            headers.extend(made.field);
            response
        };
        set(response.headers_mut(), &self.etag, self.max_age_s);
        Ok(response)
    }
}

// === impl Validator ===

impl Validator {
    /// [`etag`].
    pub(super) fn of(&self, key: &str) -> String {
        let mut last = self.0.lock();
        if last.0 != key {
            *last = (key.to_owned(), etag(key));
        }
        last.1.clone()
    }
}

/// The weak validator of a key: known before any body is built.
pub(super) fn etag(key: &str) -> String {
    format!("W/\"{}\"", hex(&Sha256::digest(key)[..12]))
}

/// Whether the client holds the body of `etag` already, by weak comparison (RFC 9110, 13.1.2).
pub(super) fn holds(headers: &HeaderMap, etag: &str) -> bool {
    let wanted = opaque(etag);
    headers
        .get_all(IF_NONE_MATCH)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .any(|tag| tag.trim() == "*" || opaque(tag) == wanted)
}

/// What of a validator the weak comparison looks at.
fn opaque(tag: &str) -> &str {
    tag.trim().trim_start_matches("W/")
}

/// Sets what both a 200 and a 304 carry.
fn set(headers: &mut HeaderMap, etag: &str, max_age_s: u64) {
    headers.insert(VARY, HeaderValue::from_static("Accept, Accept-Encoding"));
    // Both texts are plain ASCII by construction.
    if let Ok(etag) = HeaderValue::from_str(etag) {
        headers.insert(ETAG, etag);
    }
    if let Ok(lifetime) = HeaderValue::from_str(&format!("private, max-age={max_age_s}")) {
        headers.insert(CACHE_CONTROL, lifetime);
    }
}
