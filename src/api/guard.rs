//! What every request passes and every answer carries: the Host allow-list, the bound of a URI, security headers, the request count, and
//! the fork between gRPC and HTTP.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::header;
use http::{HeaderMap, HeaderName, HeaderValue};
use tower::ServiceExt as _;

use super::cors::Visit;
use super::problem::Problem;
use super::{Shared, coding, compat, grpc, route_of, tokens};

/// How far the listener can be reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bind {
    /// Only this machine: a page in a browser here could still be led to it by DNS rebinding.
    Loopback,
    /// The network.
    Public,
}

/// What the outermost layer holds.
#[derive(Clone)]
pub(super) struct Entrance {
    pub(super) shared: Arc<Shared>,
    pub(super) grpc: axum::Router,
}

/// Most bytes of a path with its query: 256 parameters of 128 bytes. No `http::Uri` is longer than 65,534 bytes: what is,
/// hyper refuses by itself, with a bare 414, and a head beyond `net`'s bounds with a bare 431.
pub(super) const MAX_URI: usize = 32 << 10;

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

/// The outermost layer.
pub(super) async fn guard(
    State(entrance): State<Entrance>,
    mut request: Request,
    next: Next,
) -> Response {
    let Entrance {
        shared,
        grpc: grpc_routes,
    } = entrance;
    let route = route_of(request.uri().path());
    let grpc = is_grpc(request.headers());
    let visit = Visit::of(&shared.state.cors_origins, grpc, &request);
    let preflight = matches!(visit, Visit::Preflight(_));
    let admitted = admit(&shared, &request).and_then(|()| {
        if preflight {
            return Ok(());
        }
        tokens::admit(&shared, route, grpc, request.headers())
    });
    let mut response = match (admitted, grpc) {
        (Ok(()), false) if preflight => Visit::allowed(),
        (Ok(()), false) => {
            coding::relax(request.headers_mut());
            next.run(request).await
        }
        (Ok(()), true) => grpc_routes.oneshot(request).await.into_response(),
        (Err(problem), true) => grpc::status(&problem).into_http(),
        (Err(problem), false) => {
            compat::refuse(shared.state.compat_root, request.uri().path(), problem)
        }
    };
    for (name, value) in SECURITY {
        // The page has a policy of its own.
        if !response.headers().contains_key(&name) {
            let value = HeaderValue::from_static(value);
            response.headers_mut().insert(name, value);
        }
    }
    visit.mark(response.headers_mut());
    let route = if grpc {
        "grpc"
    } else {
        route.unwrap_or("other")
    };
    let mut requests = shared.requests.lock();
    *requests
        .entry((route, response.status().as_u16()))
        .or_default() += 1;
    drop(requests);
    response
}

fn admit(shared: &Shared, request: &Request) -> Result<(), Problem> {
    shared.hosts.admit(request.uri(), request.headers())?;
    let asked = request.uri().path_and_query();
    match asked.map_or(0, |asked| asked.as_str().len()) {
        0..=MAX_URI => Ok(()),
        _ => Err(Problem::UriTooLong(MAX_URI)),
    }
}

fn is_grpc(headers: &HeaderMap) -> bool {
    let content_type = headers
        .get(header::CONTENT_TYPE)
        .and_then(|v| v.to_str().ok());
    let rest = content_type.and_then(|c| c.strip_prefix("application/grpc"));
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['+', ';']))
}
