//! What every request passes and every answer carries: the Host allow-list, security headers, the request count, and
//! the fork between gRPC and HTTP.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::header::{self, HOST};
use http::uri::Authority;
use http::{HeaderMap, HeaderName, HeaderValue};
use tower::ServiceExt as _;

use super::problem::Problem;
use super::{ROUTES, Shared};

/// How far the listener can be reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bind {
    /// Only this machine: a page in a browser here could still be led to it by DNS rebinding.
    Loopback,
    /// The network.
    Public,
}

/// Which hosts a request may name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Hosts {
    Any,
    /// Lower case, without port.
    Only(Vec<String>),
}

/// What the outermost layer holds.
#[derive(Clone)]
pub(super) struct Entrance {
    pub(super) shared: Arc<Shared>,
    pub(super) grpc: axum::Router,
}

const LOCAL: [&str; 3] = ["localhost", "127.0.0.1", "[::1]"];

/// Headers of every answer, errors too.
const SECURITY: [(HeaderName, &str); 4] = [
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::REFERRER_POLICY, "no-referrer"),
    (
        HeaderName::from_static("cross-origin-resource-policy"),
        "same-origin",
    ),
    (
        header::CONTENT_SECURITY_POLICY,
        "default-src 'none'; frame-ancestors 'none'",
    ),
];

// === impl Hosts ===

impl Hosts {
    /// On a loopback bind the local names and `extra`; else `extra` and the local names, or any when there are none.
    pub(super) fn new(bind: Bind, extra: &[String]) -> Self {
        if bind == Bind::Public && extra.is_empty() {
            return Self::Any;
        }
        let extra = extra.iter().map(|host| host.to_ascii_lowercase());
        Self::Only(
            LOCAL
                .iter()
                .map(|host| (*host).to_owned())
                .chain(extra)
                .collect(),
        )
    }

    /// Every name the request gives itself (`Host`, and the authority of its URI) is allowed, and there is one.
    fn admit(&self, uri: &http::Uri, headers: &HeaderMap) -> bool {
        let Self::Only(hosts) = self else {
            return true;
        };
        let in_head = headers.get_all(HOST).iter().map(|value| {
            let authority: Option<Authority> = value.to_str().ok()?.parse().ok();
            authority
        });
        let mut asked = in_head.chain(uri.authority().cloned().map(Some)).peekable();
        let any = asked.peek().is_some();
        any && asked.all(|authority| {
            authority.is_some_and(|a| hosts.contains(&a.host().to_ascii_lowercase()))
        })
    }
}

/// The outermost layer.
pub(super) async fn guard(
    State(entrance): State<Entrance>,
    request: Request,
    next: Next,
) -> Response {
    let Entrance {
        shared,
        grpc: grpc_routes,
    } = entrance;
    let route = ROUTES.iter().find(|route| *route == request.uri().path());
    let grpc = is_grpc(request.headers());
    let allowed = shared.hosts.admit(request.uri(), request.headers());
    let mut response = match (allowed, grpc) {
        (true, false) => next.run(request).await,
        (true, true) => grpc_routes.oneshot(request).await.into_response(),
        (false, true) => {
            tonic::Status::permission_denied(Problem::Misdirected.detail()).into_http()
        }
        (false, false) => Problem::Misdirected.into_response(),
    };
    for (name, value) in SECURITY {
        response
            .headers_mut()
            .insert(name, HeaderValue::from_static(value));
    }
    let route = if grpc {
        "grpc"
    } else {
        route.map_or("other", String::as_str)
    };
    let mut requests = shared.requests.lock();
    *requests
        .entry((route, response.status().as_u16()))
        .or_default() += 1;
    drop(requests);
    response
}

fn is_grpc(headers: &HeaderMap) -> bool {
    let content_type = headers
        .get(header::CONTENT_TYPE)
        .and_then(|v| v.to_str().ok());
    let rest = content_type.and_then(|c| c.strip_prefix("application/grpc"));
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['+', ';']))
}
