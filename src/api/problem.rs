//! Errors as RFC 9457 problem details. None of them tells anything about the inside.

use axum::response::{IntoResponse, Response};
use http::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderMap, HeaderValue, StatusCode};
use serde_json::{Value, json};

use super::status::Check;
use crate::render::text::echoed;
use crate::topology::InvalidParam;
use crate::topology::times::rfc3339;

/// Methods every route has.
pub(super) const ALLOWED: &str = "GET, HEAD";

/// Why a request is not answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Problem {
    /// Parameters are unknown or have unusable values.
    InvalidParameters(Vec<InvalidParam>),
    /// No such route, or no such element in the window.
    NotFound(String),
    /// The route has other methods.
    MethodNotAllowed,
    /// None of the formats served is accepted; these are.
    NotAcceptable(Vec<&'static str>),
    /// No slot held ends by the end of the window.
    WindowExpired {
        /// Oldest unix second held.
        oldest_unix_s: u64,
    },
    /// Tokens are asked for, and the request shows none that counts.
    Unauthorized,
    /// The request was meant for another host.
    Misdirected,
    /// The Host header, or the authority of the URI, is no host, or there are several.
    NoHost,
    /// The path and the query are longer than these bytes.
    UriTooLong(usize),
    /// Nothing can be answered yet; the checks that fail, where there are any.
    NotReady(Vec<Check>),
    /// Too many different bodies are being built.
    Busy,
    /// Too many streams, or too many different ones.
    TooManyStreams(String),
    /// A defect; counted, and logged where it happens.
    Internal,
}

// === impl Problem ===

impl Problem {
    /// One unusable parameter.
    pub(super) fn parameter(name: &str, value: &str, reason: &str) -> Self {
        Self::InvalidParameters(vec![InvalidParam {
            name: name.to_owned(),
            value: value.to_owned(),
            reason: reason.to_owned(),
        }])
    }

    /// No such route.
    pub(super) fn no_route() -> Self {
        Self::NotFound("no such route; / lists them".to_owned())
    }

    /// No such element.
    pub(super) fn unknown(what: &str, id: &str) -> Self {
        Self::NotFound(format!("{what} `{}` is not in the window", echoed(id)))
    }

    /// The HTTP status.
    pub fn status(&self) -> StatusCode {
        match self {
            Self::InvalidParameters(_) | Self::NoHost => StatusCode::BAD_REQUEST,
            Self::Unauthorized => StatusCode::UNAUTHORIZED,
            Self::NotFound(_) => StatusCode::NOT_FOUND,
            Self::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Self::NotAcceptable(_) => StatusCode::NOT_ACCEPTABLE,
            Self::WindowExpired { .. } => StatusCode::GONE,
            Self::Misdirected => StatusCode::MISDIRECTED_REQUEST,
            Self::UriTooLong(_) => StatusCode::URI_TOO_LONG,
            Self::NotReady(_) | Self::Busy | Self::TooManyStreams(_) => {
                StatusCode::SERVICE_UNAVAILABLE
            }
            Self::Internal => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// What this very request met, in one sentence.
    pub fn detail(&self) -> String {
        match self {
            Self::InvalidParameters(params) => params.first().map_or_else(String::new, |p| {
                let (name, value) = (echoed(&p.name), echoed(&p.value));
                format!("parameter `{name}` = `{value}`: {}", p.reason)
            }),
            Self::NotFound(what) | Self::TooManyStreams(what) => what.clone(),
            Self::MethodNotAllowed => format!("this route has {ALLOWED} only"),
            Self::NotAcceptable(served) => format!("served here: {}", served.join(", ")),
            Self::WindowExpired { oldest_unix_s } => {
                format!(
                    "the window ends before the oldest slot held does, which begins at {}",
                    rfc3339(*oldest_unix_s)
                )
            }
            Self::Unauthorized => {
                "this asks for a token that counts, as `Authorization: Bearer …`".to_owned()
            }
            Self::Misdirected => {
                "the Host header names a host this listener does not serve".to_owned()
            }
            Self::NoHost => "the request does not name one host, as in `localhost:7317`".to_owned(),
            Self::UriTooLong(most) => format!("path and query are longer than {most} bytes"),
            Self::NotReady(checks) if checks.is_empty() => {
                "no slice has been sealed yet".to_owned()
            }
            Self::NotReady(checks) => {
                let names: Vec<_> = checks.iter().filter(|c| !c.ready).map(|c| c.name).collect();
                format!("not ready: {}", names.join(", "))
            }
            Self::Busy => "too many different answers are being built".to_owned(),
            Self::Internal => "the request could not be answered".to_owned(),
        }
    }

    fn words(&self) -> (&'static str, &'static str) {
        match self {
            Self::InvalidParameters(_) => ("invalid-parameter", "Invalid parameter"),
            Self::NotFound(_) => ("not-found", "Not found"),
            Self::MethodNotAllowed => ("method-not-allowed", "Method not allowed"),
            Self::NotAcceptable(_) => ("not-acceptable", "Not acceptable"),
            Self::WindowExpired { .. } => ("window-expired", "Window expired"),
            Self::Unauthorized => ("unauthorized", "Unauthorized"),
            Self::Misdirected => ("misdirected-request", "Misdirected request"),
            Self::NoHost => ("invalid-host", "Invalid host"),
            Self::UriTooLong(_) => ("uri-too-long", "URI too long"),
            Self::NotReady(_) => ("not-ready", "Not ready"),
            Self::Busy => ("busy", "Busy"),
            Self::TooManyStreams(_) => ("too-many-streams", "Too many streams"),
            Self::Internal => ("internal", "Internal error"),
        }
    }

    /// The body.
    pub fn body(&self) -> Value {
        let (kind, title) = self.words();
        let mut body = json!({
            "type": kind, "title": title, "status": self.status().as_u16(), "detail": self.detail(),
        });
        match self {
            Self::InvalidParameters(params) => {
                let list = params.iter().map(|p| {
                    json!({"name": echoed(&p.name), "value": echoed(&p.value), "reason": p.reason})
                });
                body["invalid_params"] = list.collect();
            }
            Self::WindowExpired { oldest_unix_s } => {
                body["oldest"] = rfc3339(*oldest_unix_s).into();
            }
            Self::NotReady(checks) if !checks.is_empty() => {
                let list = checks
                    .iter()
                    .map(|c| json!({"name": c.name, "ready": c.ready}));
                body["checks"] = list.collect();
            }
            _ => {}
        }
        body
    }
}

impl Problem {
    /// The fields that a refusal has whatever its shape: when to come again, what else may be asked, and
    /// how to show who asks.
    pub(super) fn set_fields(&self, headers: &mut HeaderMap) {
        match self {
            Self::NotReady(_) | Self::Busy => {
                headers.insert(RETRY_AFTER, HeaderValue::from_static("1"));
            }
            Self::TooManyStreams(_) => {
                headers.insert(RETRY_AFTER, HeaderValue::from_static("5"));
            }
            Self::Unauthorized => {
                let scheme = HeaderValue::from_static("Bearer realm=\"spangraph\"");
                headers.insert(WWW_AUTHENTICATE, scheme);
            }
            Self::MethodNotAllowed => {
                headers.insert(ALLOW, HeaderValue::from_static(ALLOWED));
            }
            _ => {}
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = (self.status(), self.body().to_string()).into_response();
        let headers = response.headers_mut();
        headers.insert(
            CONTENT_TYPE,
            HeaderValue::from_static("application/problem+json"),
        );
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        self.set_fields(headers);
        response
    }
}
