//! Validators and lifetimes of graph answers.

use http::header::{CACHE_CONTROL, ETAG, IF_NONE_MATCH, VARY};
use http::{HeaderMap, HeaderValue};
use sha2::{Digest as _, Sha256};

use crate::topology::ident::hex;

/// Seconds for which the answer about a closed window at an absolute time stays good.
pub(super) const CLOSED_MAX_AGE_S: u64 = 3_600;

/// The weak validator of a key: known before any body is built.
pub(super) fn etag(key: &str) -> String {
    format!("W/\"{}\"", hex(&Sha256::digest(key)[..12]))
}

/// Whether the client holds the body of `etag` already, by weak comparison (RFC 9110, 13.1.2).
pub(super) fn holds(headers: &HeaderMap, etag: &str) -> bool {
    let opaque = |tag: &str| tag.trim().trim_start_matches("W/").to_owned();
    let wanted = opaque(etag);
    headers
        .get_all(IF_NONE_MATCH)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .any(|tag| tag.trim() == "*" || opaque(tag) == wanted)
}

/// Sets what both a 200 and a 304 carry.
pub(super) fn set(headers: &mut HeaderMap, etag: &str, max_age_s: u64) {
    headers.insert(VARY, HeaderValue::from_static("Accept, Accept-Encoding"));
    // Both texts are plain ASCII by construction.
    if let Ok(etag) = HeaderValue::from_str(etag) {
        headers.insert(ETAG, etag);
    }
    if let Ok(lifetime) = HeaderValue::from_str(&format!("private, max-age={max_age_s}")) {
        headers.insert(CACHE_CONTROL, lifetime);
    }
}
