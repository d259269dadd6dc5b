//! Security headers and the Host allow-list.
#![allow(clippy::unwrap_used, reason = "a failed step is a failed test")]

mod read_support;

use http::{Method, StatusCode};
use read_support::http::{bytes, get, header, problem, send, shop_state, with};
use spangraph::api::{ApiState, Bind};

#[tokio::test]
async fn every_answer_carries_the_security_headers() {
    for path in [
        "/",
        "/api/v1/topology",
        "/api/v1/topology?x=1",
        "/nowhere",
        "/metrics",
        "/readyz",
    ] {
        let response = send(shop_state(), get(path)).await;
        for (name, value) in [
            ("x-content-type-options", "nosniff"),
            ("referrer-policy", "no-referrer"),
            ("cross-origin-resource-policy", "same-origin"),
            (
                "content-security-policy",
                "default-src 'none'; frame-ancestors 'none'",
            ),
        ] {
            assert_eq!(header(&response, name), value, "{path}");
        }
        assert_eq!(header(&response, "access-control-allow-origin"), "");
    }
}

/// Scenario: a page elsewhere makes its own name resolve to this machine.
/// Guarantees: its Host is refused on a loopback bind, on every route, for gRPC too.
#[tokio::test]
async fn a_loopback_bind_serves_local_hosts_only() {
    let local = || ApiState {
        bind: Bind::Loopback,
        hosts: vec!["graph.Internal".to_owned()],
        ..shop_state()
    };
    for host in [
        "localhost",
        "LOCALHOST:7317",
        "127.0.0.2:7317",
        "[::ffff:127.0.0.1]",
        "127.0.0.1:7317",
        "[::1]:7317",
        "[::1]",
        "graph.internal:80",
    ] {
        let response = send(local(), with("/api/v1/topology", &[("host", host)])).await;
        assert_eq!(response.status(), StatusCode::OK, "{host}");
    }
    for host in [
        "evil.example",
        "localhost.evil.example",
        "128.0.0.1",
        "10.0.0.1",
        "",
    ] {
        let response = send(local(), with("/livez", &[("host", host)])).await;
        assert_eq!(response.status(), StatusCode::MISDIRECTED_REQUEST, "{host}");
        assert_eq!(problem(response).await["type"], "misdirected-request");
    }
    assert_eq!(
        send(local(), get("/livez")).await.status(),
        StatusCode::MISDIRECTED_REQUEST
    );
    let grpc = with(
        "/spangraph.v1.TopologyService/GetTopology",
        &[
            ("host", "evil.example"),
            ("content-type", "application/grpc"),
        ],
    );
    assert_eq!(header(&send(local(), grpc).await, "grpc-status"), "7");
    let absolute = with("http://evil.example/livez", &[("host", "localhost")]);
    assert_eq!(
        send(local(), absolute).await.status(),
        StatusCode::MISDIRECTED_REQUEST
    );
    assert_eq!(
        send(shop_state(), with("/livez", &[("host", "any.example")]))
            .await
            .status(),
        StatusCode::OK
    );
}

/// Guarantees: a refusal at the door is to HEAD what it is to GET, but for the body.
#[tokio::test]
async fn a_refused_head_has_no_body() {
    let local = || ApiState {
        bind: Bind::Loopback,
        ..shop_state()
    };
    let long = format!("/api/v1/topology?service={}", "x".repeat(40_000));
    for (path, host, status) in [
        ("/api/v1/topology", "evil.example", 421),
        ("/compat/jaeger/api/services", "evil.example", 421),
        ("/livez", "no/host", 400),
        (&long, "localhost", 414),
    ] {
        let mut request = with(path, &[("host", host)]);
        let get = send(local(), with(path, &[("host", host)])).await;
        *request.method_mut() = Method::HEAD;
        let head = send(local(), request).await;
        assert_eq!(head.status(), status, "{path}");
        assert_eq!(head.headers(), get.headers(), "{path}");
        let length = header(&get, "content-length").to_owned();
        assert_eq!(bytes(get).await.len().to_string(), length, "{path}");
        assert!(bytes(head).await.is_empty(), "{path}");
    }
}

/// Guarantees: what is no host, and more than one of them, is refused wherever the daemon listens: a proxy in front may
/// have read another host out of it than we would (RFC 9112, 3.2).
#[tokio::test]
async fn a_malformed_host_is_refused_on_every_bind() {
    for bind in [Bind::Loopback, Bind::Public] {
        let state = || ApiState {
            bind,
            ..shop_state()
        };
        for host in [
            "localhost:b:c",
            "localhost:80:80",
            "[::1",
            "::1",
            "local host",
            "user@localhost",
            "localhost/",
            "localhost, evil.example",
        ] {
            let response = send(state(), with("/livez", &[("host", host)])).await;
            assert_eq!(response.status(), StatusCode::BAD_REQUEST, "{host}");
            assert_eq!(problem(response).await["type"], "invalid-host", "{host}");
        }
        let twice = with("/livez", &[("host", "localhost"), ("host", "localhost")]);
        let response = send(state(), twice).await;
        assert_eq!(response.status(), StatusCode::BAD_REQUEST);
    }
}
