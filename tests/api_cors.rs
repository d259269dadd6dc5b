//! Which pages of other origins may read the API, header by header as browsers look at them.
#![allow(clippy::unwrap_used, reason = "a failed step is a failed test")]

mod read_support;

use axum::body::Body;
use http::{Request, Response, StatusCode};
use read_support::http::{bytes, get, header, send, shop_state, with};
use spangraph::api::{ApiState, Bind};
use spangraph::bearer::{Gate, parse};

const GRAFANA: &str = "https://grafana.example";
const TOKEN: &str = "token-0123456789abcdef";

fn listing() -> ApiState {
    ApiState {
        cors_origins: vec![GRAFANA.to_owned(), "http://[::1]:3000".to_owned()],
        compat_root: true,
        ..shop_state()
    }
}

fn guarded() -> ApiState {
    ApiState {
        tokens: Some(Gate::new(&parse(TOKEN.as_bytes()).unwrap())),
        ..listing()
    }
}

fn preflight(path: &str, origin: &str) -> Request<Body> {
    Request::options(path)
        .header("origin", origin)
        .header("access-control-request-method", "GET")
        .header("access-control-request-headers", "authorization")
        .body(Body::empty())
        .unwrap()
}

/// Names and values of CORS, in order.
fn cors(response: &Response<Body>) -> Vec<String> {
    let headers = response.headers().iter();
    let cors = headers.filter(|(name, _)| name.as_str().starts_with("access-control-"));
    let mut lines: Vec<_> = cors
        .map(|(name, value)| format!("{name}: {}", value.to_str().unwrap()))
        .collect();
    lines.sort();
    lines
}

fn varies_by_origin(response: &Response<Body>) -> bool {
    let fields = response.headers().get_all("vary").iter();
    let mut members = fields.flat_map(|field| field.to_str().unwrap().split(", "));
    members.any(|member| member.eq_ignore_ascii_case("origin"))
}

const READABLE: [&str; 2] = [
    "access-control-allow-origin: https://grafana.example",
    "access-control-expose-headers: ETag, Spangraph-Hidden, Retry-After",
];

/// Guarantees: a page of a listed origin may read every answer: graphs, 304s, refusals of every kind, facades; and its
/// answers are no different otherwise.
#[tokio::test]
async fn a_listed_origin_may_read_every_answer() {
    let known = send(listing(), get("/api/v1/topology")).await;
    let etag = header(&known, "etag").to_owned();
    for (path, extra, status) in [
        ("/api/v1/topology", ("x", ""), 200),
        ("/api/v1/topology", ("if-none-match", &*etag), 304),
        ("/api/v1/topology?widnow=5m", ("x", ""), 400),
        ("/nowhere", ("x", ""), 404),
        ("/api/v1/topology", ("accept", "video/*"), 406),
        ("/api/v1/topology?at=1", ("x", ""), 410),
        ("/compat/jaeger/api/services", ("x", ""), 200),
        ("/api/v2/dependencies", ("x", ""), 400),
        ("/ui/", ("x", ""), 200),
        ("/livez", ("x", ""), 200),
    ] {
        let from = send(listing(), with(path, &[("origin", GRAFANA), extra])).await;
        assert_eq!(from.status(), status, "{path}");
        assert_eq!(cors(&from), READABLE, "{path}");
        assert!(varies_by_origin(&from), "{path}");
        let policy = header(&from, "cross-origin-resource-policy");
        assert_eq!(policy, "same-origin", "{path}");
        let plain = send(shop_state(), with(path, &[extra])).await;
        if !path.starts_with("/api/v2") {
            assert_eq!(bytes(plain).await, bytes(from).await, "{path}");
        }
    }
    let refused = send(guarded(), with("/api/v1/status", &[("origin", GRAFANA)])).await;
    assert_eq!(refused.status(), StatusCode::UNAUTHORIZED);
    assert_eq!(cors(&refused), READABLE);
}

/// Guarantees: every other origin, and whatever only looks like a listed one, finds no CORS header, and the answer it
/// would have had without.
#[tokio::test]
async fn an_unlisted_origin_finds_no_word_of_it() {
    for origin in [
        "https://evil.example",
        "https://grafana.example.evil.example",
        "https://grafana.example:8443",
        "https://grafana.example/",
        "http://grafana.example",
        "https://GRAFANA.example",
        "https://evil.example https://grafana.example",
        "null",
        "*",
        "",
    ] {
        let answer = send(listing(), with("/livez", &[("origin", origin)])).await;
        assert_eq!(answer.status(), StatusCode::OK, "{origin}");
        assert_eq!(cors(&answer), [""; 0], "{origin}");
        assert!(varies_by_origin(&answer), "{origin}");
        let answer = send(listing(), preflight("/livez", origin)).await;
        assert_eq!(answer.status(), StatusCode::METHOD_NOT_ALLOWED, "{origin}");
        assert_eq!(cors(&answer), [""; 0], "{origin}");
    }
    let twice = with("/livez", &[("origin", GRAFANA), ("origin", GRAFANA)]);
    assert_eq!(cors(&send(listing(), twice).await), [""; 0]);
    let nobody = send(listing(), get("/livez")).await;
    assert_eq!((cors(&nobody), varies_by_origin(&nobody)), (vec![], true));
    let closed = send(shop_state(), with("/livez", &[("origin", GRAFANA)])).await;
    assert_eq!((cors(&closed), varies_by_origin(&closed)), (vec![], false));
}

/// Guarantees: a preflight of a listed origin is answered on every path without a token, for what the API has and no
/// more; the hosts that are served stay the same.
#[tokio::test]
async fn a_preflight_is_answered_without_a_token() {
    for path in ["/api/v1/topology", "/metrics", "/nowhere"] {
        let answer = send(guarded(), preflight(path, GRAFANA)).await;
        assert_eq!(answer.status(), StatusCode::NO_CONTENT);
        let expected = [
            "access-control-allow-headers: Authorization, Content-Type, If-None-Match, Accept, Last-Event-ID",
            "access-control-allow-methods: GET, HEAD",
            READABLE[0],
            READABLE[1],
            "access-control-max-age: 600",
        ];
        assert_eq!(cors(&answer), expected, "{path}");
        assert_eq!(header(&answer, "cache-control"), "no-store");
        assert_eq!(header(&answer, "x-content-type-options"), "nosniff");
        assert!(varies_by_origin(&answer) && bytes(answer).await.is_empty());
    }
    let unasked = Request::options("/livez").header("origin", GRAFANA);
    let answer = send(listing(), unasked.body(Body::empty()).unwrap()).await;
    assert_eq!(answer.status(), StatusCode::METHOD_NOT_ALLOWED);
    let local = ApiState {
        bind: Bind::Loopback,
        ..listing()
    };
    let mut rebound = preflight("/livez", GRAFANA);
    rebound
        .headers_mut()
        .insert("host", "evil.example".parse().unwrap());
    let answer = send(local, rebound).await;
    assert_eq!(answer.status(), StatusCode::MISDIRECTED_REQUEST);
}

/// Guarantees: gRPC, which no browser speaks, knows nothing of it.
#[tokio::test]
async fn grpc_has_no_cors() {
    let call = [("content-type", "application/grpc"), ("origin", GRAFANA)];
    let answer = send(listing(), with("/grpc.health.v1.Health/Check", &call)).await;
    assert_eq!((cors(&answer), varies_by_origin(&answer)), (vec![], false));
}
