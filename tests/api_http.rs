//! One exact answer to each wrong request, and which format answers.
#![allow(clippy::unwrap_used, reason = "a failed step is a failed test")]

mod read_support;

use axum::body::Body;
use http::{Method, Request, StatusCode};
use read_support::http::{get, header, problem, send, shop_state, with};
use serde_json::json;

#[tokio::test]
async fn a_wrong_parameter_is_named_with_value_and_reason() {
    let graphs = "must be json, dot, svg, mermaid, plantuml, graphml, node-link or csv";
    let table = [
        (
            "/api/v1/topology?widnow=5m",
            "widnow",
            "5m",
            "unknown parameter",
        ),
        (
            "/api/v1/topology?window=25h",
            "window",
            "90000s",
            "longer than the 86400 s that are ever held",
        ),
        (
            "/api/v1/topology?at=2027-01-01T00:00:00Z",
            "at",
            "2027-01-01T00:00:00Z",
            "lies in the future",
        ),
        ("/api/v1/topology?format=pdf", "format", "pdf", graphs),
        (
            "/api/v1/topology?theme=dark",
            "theme",
            "dark",
            "only for dot, svg, mermaid or plantuml",
        ),
        (
            "/api/v1/topology?include=all",
            "include",
            "all",
            "must be `histograms`, `exemplars`, `layout` or `idle`",
        ),
        (
            "/api/v1/topology.dot?format=json",
            "format",
            "json",
            "disagrees with the suffix .dot",
        ),
        (
            "/api/v1/topology.dot?theme=red",
            "theme",
            "red",
            "must be `light` or `dark`",
        ),
        (
            "/api/v1/topology.dot?rankdir=up",
            "rankdir",
            "up",
            "must be LR, TB, RL or BT",
        ),
        (
            "/api/v1/nodes?format=dot",
            "format",
            "dot",
            "must be json, csv or grafana",
        ),
        (
            "/api/v1/topology?format=grafana",
            "format",
            "grafana",
            graphs,
        ),
        (
            "/api/v1/edges.csv?label=none",
            "label",
            "none",
            "only for dot, svg, mermaid or plantuml",
        ),
        (
            "/api/v1/edges?top=x",
            "top",
            "x",
            "must be a whole number from 1 to 100000",
        ),
        ("/api/v1/status?x=1", "x", "1", "unknown parameter"),
        (
            "/api/v1/windows?window=5m",
            "window",
            "5m",
            "unknown parameter",
        ),
    ];
    for (path, name, value, reason) in table {
        let response = send(shop_state(), get(path)).await;
        assert_eq!(response.status(), StatusCode::BAD_REQUEST, "{path}");
        let body = problem(response).await;
        assert_eq!(body["type"], "invalid-parameter", "{path}");
        assert_eq!(
            body["invalid_params"],
            json!([{"name": name, "value": value, "reason": reason}]),
            "{path}"
        );
    }
}

#[tokio::test]
async fn every_other_mistake_has_one_answer() {
    let topology = "/api/v1/topology";
    let table = [
        (with("/nowhere", &[]), 404, "not-found"),
        (with("/api/v1/topology.png", &[]), 404, "not-found"),
        (with("/api/v1/topology?focus=nobody", &[]), 404, "not-found"),
        (
            with(topology, &[("accept", "text/html")]),
            406,
            "not-acceptable",
        ),
        (
            with(topology, &[("accept", "application/*;q=0, text/*;q=0")]),
            406,
            "not-acceptable",
        ),
        (
            with(
                "/api/v1/topology?format=dot",
                &[("accept", "application/json")],
            ),
            400,
            "invalid-parameter",
        ),
        (
            with("/api/v1/topology?at=1000000000", &[]),
            410,
            "window-expired",
        ),
        (with("/api/v1/topology?at=-2h", &[]), 410, "window-expired"),
    ];
    for (request, status, kind) in table {
        let uri = request.uri().clone();
        let response = send(shop_state(), request).await;
        assert_eq!(response.status(), status, "{uri}");
        assert_eq!(problem(response).await["type"], kind, "{uri}");
    }
    let expired = problem(send(shop_state(), get("/api/v1/topology?at=1")).await).await;
    assert_eq!(expired["oldest"], "2026-11-23T00:05:00Z");
}

#[tokio::test]
async fn other_methods_are_told_which_there_are() {
    for method in [
        Method::POST,
        Method::PUT,
        Method::DELETE,
        Method::OPTIONS,
        Method::PATCH,
    ] {
        for path in ["/api/v1/topology", "/livez", "/metrics", "/"] {
            let request = Request::builder()
                .method(&method)
                .uri(path)
                .body(Body::empty())
                .unwrap();
            let response = send(shop_state(), request).await;
            assert_eq!(
                response.status(),
                StatusCode::METHOD_NOT_ALLOWED,
                "{method} {path}"
            );
            let allow: Vec<_> = response.headers().get_all("allow").iter().collect();
            assert_eq!(allow, ["GET, HEAD"]);
            assert_eq!(problem(response).await["type"], "method-not-allowed");
        }
    }
}

#[tokio::test]
async fn a_format_comes_by_suffix_parameter_or_accept() {
    let (json, dot) = ("application/json", "text/vnd.graphviz; charset=utf-8");
    let table = [
        ("/api/v1/topology", "", json),
        ("/api/v1/topology", "*/*", json),
        ("/api/v1/topology", "text/vnd.graphviz", dot),
        (
            "/api/v1/topology",
            "text/html, text/*;q=0.5, application/json;q=0.4",
            dot,
        ),
        (
            "/api/v1/topology",
            "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
            json,
        ),
        ("/api/v1/topology?format=dot", "*/*", dot),
        ("/api/v1/topology.dot?format=dot", "", dot),
        ("/api/v1/topology.json", "application/*", json),
        ("/api/v1/nodes", "application/json", json),
    ];
    for (path, accept, expected) in table {
        let headers: &[(&str, &str)] = if accept.is_empty() {
            &[]
        } else {
            &[("accept", accept)]
        };
        let response = send(shop_state(), with(path, headers)).await;
        assert_eq!(response.status(), StatusCode::OK, "{path} {accept}");
        assert_eq!(
            header(&response, "content-type"),
            expected,
            "{path} {accept}"
        );
        assert_eq!(header(&response, "vary"), "Accept, Accept-Encoding");
    }
}
