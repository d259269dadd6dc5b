//! The entrance: what every request passes and every answer carries. The Host allow-list, the bound of a URI, the short
//! way of pollers, the fork between gRPC and HTTP; then the security headers and the request count.

use std::convert::Infallible;
use std::fmt;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use axum::routing::any;
use axum::{BoxError, Router};
use bytes::Bytes;
use futures_util::future::{BoxFuture, Either, Ready, ready};
use http::header::{self, Entry};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Uri};
use tower::{Service, ServiceExt as _};

use super::cors::Visit;
use super::problem::Problem;
use super::{Shared, coding, compat, graphs, grpc, route_of, tokens};

/// How far the listener can be reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bind {
    /// Only this machine: a page in a browser here could still be led to it by DNS rebinding.
    Loopback,
    /// The network.
    Public,
}

/// The whole API as one service; every clone of it is the same.
#[derive(Clone)]
pub struct Api(Arc<Entrance>);

/// What stands at the door, and what lies behind it.
pub(super) struct Entrance {
    pub(super) shared: Arc<Shared>,
    pub(super) http: Router,
    pub(super) grpc: Router,
}

/// What is known of a request at the door.
struct Caller {
    /// As the request count words it.
    route: &'static str,
    grpc: bool,
    visit: Visit,
    admitted: Result<(), Problem>,
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

// === impl Api ===

impl Api {
    pub(super) fn new(entrance: Entrance) -> Self {
        Self(Arc::new(entrance))
    }
}

impl<B> Service<Request<B>> for Api
where
    B: http_body::Body<Data = Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
{
    type Response = Response;
    type Error = Infallible;
    type Future = Either<
        Ready<Result<Response, Infallible>>,
        BoxFuture<'static, Result<Response, Infallible>>,
    >;

    fn poll_ready(&mut self, _cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let caller = self.0.receive(&request);
        if let Some(response) = self.0.unchanged(&caller, &request) {
            return Either::Left(ready(Ok(self.0.leave(&caller, response))));
        }
        let (entrance, request) = (Arc::clone(&self.0), request.map(Body::new));
        Either::Right(Box::pin(async move {
            let response = entrance.answer(&caller, request).await;
            Ok(entrance.leave(&caller, response))
        }))
    }
}

impl fmt::Debug for Api {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Api").field(&self.0.shared.state).finish()
    }
}

// === impl Entrance ===

impl Entrance {
    fn receive<B>(&self, request: &Request<B>) -> Caller {
        let grpc = is_grpc(request.headers());
        let route = route_of(request.uri().path());
        let visit = Visit::of(&self.shared.state.cors_origins, grpc, request);
        let admitted = self.admit(request).and_then(|()| match visit {
            Visit::Preflight(_) => Ok(()),
            _ => tokens::admit(&self.shared, route, grpc, request.headers()),
        });
        Caller {
            route: if grpc {
                "grpc"
            } else {
                route.unwrap_or("other")
            },
            grpc,
            visit,
            admitted,
        }
    }

    fn admit<B>(&self, request: &Request<B>) -> Result<(), Problem> {
        let hosts = &self.shared.hosts;
        hosts.admit(request.uri(), request.headers())?;
        let asked = request.uri().path_and_query();
        match asked.map_or(0, |asked| asked.as_str().len()) {
            0..=MAX_URI => Ok(()),
            _ => Err(Problem::UriTooLong(MAX_URI)),
        }
    }

    /// The short way of who polls: nothing of the request is taken apart for routes, bodies and codings that a 304 does
    /// not have. Whatever else the answer is, it takes the long way, where it would have been the same.
    fn unchanged<B>(&self, caller: &Caller, request: &Request<B>) -> Option<Response> {
        let method = request.method();
        if caller.grpc
            || caller.admitted.is_err()
            || (method != Method::GET && method != Method::HEAD)
        {
            return None;
        }
        graphs::unchanged(&self.shared, request.uri(), request.headers())
    }

    async fn answer(&self, caller: &Caller, mut request: Request<Body>) -> Response {
        match (&caller.admitted, caller.grpc) {
            (Ok(()), false) if matches!(caller.visit, Visit::Preflight(_)) => Visit::allowed(),
            (Ok(()), false) => {
                coding::relax(request.headers_mut());
                self.http.clone().oneshot(request).await.into_response()
            }
            (Ok(()), true) => self.grpc.clone().oneshot(request).await.into_response(),
            (Err(problem), true) => grpc::status(problem).into_http(),
            (Err(problem), false) => {
                let (at_root, problem) = (self.shared.state.compat_root, problem.clone());
                // As a route, since these know what HEAD gets.
                let refusal =
                    any(async move |uri: Uri| compat::refuse(at_root, uri.path(), problem));
                refusal.oneshot(request).await.into_response()
            }
        }
    }

    /// Gives every answer what all carry, and counts it.
    fn leave(&self, caller: &Caller, mut response: Response) -> Response {
        let headers = response.headers_mut();
        for (name, value) in SECURITY {
            // The page has a policy of its own.
            if let Entry::Vacant(missing) = headers.entry(name) {
                missing.insert(HeaderValue::from_static(value));
            }
        }
        caller.visit.mark(headers);
        let answered = (caller.route, response.status().as_u16());
        *self.shared.requests.lock().entry(answered).or_default() += 1;
        response
    }
}

fn is_grpc(headers: &HeaderMap) -> bool {
    let content_type = headers
        .get(header::CONTENT_TYPE)
        .and_then(|v| v.to_str().ok());
    let rest = content_type.and_then(|c| c.strip_prefix("application/grpc"));
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['+', ';']))
}
