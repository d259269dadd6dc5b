//! Validators and lifetimes of graph answers.

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, IF_NONE_MATCH, VARY};
use http::{HeaderMap, HeaderValue, StatusCode};
use parking_lot::Mutex;
use sha2::{Digest as _, Sha256};

use super::memo::Outcome;
use super::problem::Problem;
use super::window::Moment;
use crate::history::Resolved;
use crate::topology::ident::hex;

/// What is known of an answer before there is a body.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) etag: String,
    pub(super) max_age_s: u64,
    pub(super) content_type: &'static str,
}

/// What a question was answered with last: who polls asks it again and again.
#[derive(Debug, Default)]
pub(super) struct Last(Mutex<Option<Known>>);

#[derive(Debug)]
struct Known {
    moment: Moment,
    key: String,
    etag: String,
    steady_until_unix_s: u64,
}

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
        if let Some(response) = self.unchanged(headers) {
            return Ok(response);
        }
        let made = body().await?;
        let mut response = Body::from(made.bytes).into_response();
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(self.content_type));
        headers.extend(made.field);
        set(headers, &self.etag, self.max_age_s);
        Ok(response)
    }

    /// 304 when the client holds the body.
    pub(super) fn unchanged(&self, headers: &HeaderMap) -> Option<Response> {
        holds(headers, &self.etag).then(|| {
            let mut response = StatusCode::NOT_MODIFIED.into_response();
            set(response.headers_mut(), &self.etag, self.max_age_s);
            response
        })
    }
}

// === impl Last ===

impl Last {
    /// The validator of `key`, which answers the question as of `moment`.
    pub(super) fn note(&self, moment: Moment, key: &str, resolved: &Resolved) -> String {
        let mut last = self.0.lock();
        let etag = match last.take() {
            Some(known) if known.key == key => known.etag,
            _ => etag(key),
        };
        *last = Some(Known {
            moment,
            key: key.to_owned(),
            etag: etag.clone(),
            steady_until_unix_s: resolved.steady_until_unix_s,
        });
        etag
    }

    /// The validator as of `moment`, where it is known, and until when it holds.
    pub(super) fn at(&self, moment: Moment) -> Option<(String, u64)> {
        let last = self.0.lock();
        let known = last.as_ref().filter(|known| known.moment.is(moment))?;
        Some((known.etag.clone(), known.steady_until_unix_s))
    }
}

/// The weak validator of a key: known before any body is built.
pub(super) fn etag(key: &str) -> String {
    format!("W/\"{}\"", hex(&Sha256::digest(key)[..12]))
}

/// Whether the client holds the body of `etag` already, by weak comparison (RFC 9110, 13.1.2).
pub(super) fn holds(headers: &HeaderMap, etag: &str) -> bool {
    let wanted = opaque(etag);
    let lists = |value: &str| {
        let mut tags = value.split(',');
        tags.any(|tag| tag.trim() == "*" || opaque(tag) == wanted)
    };
    // Most send back what they were given, and nothing else.
    let holds = |value: &HeaderValue| value == etag || value.to_str().is_ok_and(lists);
    headers.get_all(IF_NONE_MATCH).iter().any(holds)
}

/// What of a validator the weak comparison looks at.
fn opaque(tag: &str) -> &str {
    tag.trim().trim_start_matches("W/")
}

/// Sets what both a 200 and a 304 carry.
fn set(headers: &mut HeaderMap, etag: &str, max_age_s: u64) {
    // With room for what every answer carries: a map that grows is made twice.
    headers.reserve(8);
    headers.insert(VARY, HeaderValue::from_static("Accept, Accept-Encoding"));
    // Both texts are plain ASCII by construction.
    if let Ok(etag) = HeaderValue::from_str(etag) {
        headers.insert(ETAG, etag);
    }
    if let Ok(lifetime) = HeaderValue::from_str(&format!("private, max-age={max_age_s}")) {
        headers.insert(CACHE_CONTROL, lifetime);
    }
}
