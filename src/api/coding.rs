//! `Accept-Encoding` before the compressor reads it. A client that forbids every coding there is, the absent one too,
//! is answered without one: RFC 9110, 12.5.3 leaves that to the server, and a refusal would help nobody.

use http::header::ACCEPT_ENCODING;
use http::{HeaderMap, HeaderValue};

/// Takes out what forbids sending a body as it is. What is left, and in which order, means what it meant.
pub(super) fn relax(headers: &mut HeaderMap) {
    let fields = headers.get_all(ACCEPT_ENCODING).iter();
    let fields = fields.filter_map(|value| value.to_str().ok());
    let members: Vec<&str> = fields.flat_map(|field| field.split(',')).collect();
    if !members.iter().any(|member| forbids_identity(member)) {
        return;
    }
    let kept = members.iter().filter(|member| !forbids_identity(member));
    let kept = kept.copied().collect::<Vec<_>>().join(",");
    headers.remove(ACCEPT_ENCODING);
    // Of what was a value, a part without line breaks is one.
    if let Ok(kept) = HeaderValue::from_str(&kept) {
        headers.insert(ACCEPT_ENCODING, kept);
    }
}

fn forbids_identity(member: &str) -> bool {
    let (coding, weight) = member.split_once(';').unwrap_or((member, ""));
    let coding = coding.trim();
    let weight = weight.trim();
    let weight = weight
        .strip_prefix("q=")
        .or_else(|| weight.strip_prefix("Q="));
    let zero = weight.is_some_and(|q| q.trim().parse().is_ok_and(|q: f64| q == 0.0));
    zero && (coding == "*" || coding.eq_ignore_ascii_case("identity"))
}
