//! Validators, lifetimes, compression, HEAD.
#![allow(clippy::unwrap_used, reason = "a failed step is a failed test")]

mod read_support;

use std::sync::Arc;

use axum::body::Body;
use http::{Request, StatusCode};
use read_support::http::{bytes, get, header, send, shop_state, with};
use read_support::{END, Fixed, START, shop, state};
use serde_json::{Value, json};
use spangraph::api::router;
use tower::ServiceExt as _;

/// Guarantees: whoever holds the body of the newest slices is told so without one being built; another query, format,
/// range or process has another validator.
#[tokio::test]
async fn a_held_body_is_neither_sent_nor_built() {
    let source = Arc::new(Fixed::new(shop()));
    let app = router(state(Arc::<Fixed>::clone(&source)));
    let etag_of = async |path: &str| {
        let response = app.clone().oneshot(get(path)).await.unwrap();
        header(&response, "etag").to_owned()
    };
    let etag = etag_of("/api/v1/topology").await;
    assert!(etag.starts_with("W/\""));
    let built = source.merges.load(std::sync::atomic::Ordering::SeqCst);
    for sent in [
        etag.clone(),
        format!("\"x\", {etag}"),
        etag.replace("W/", ""),
        "*".to_owned(),
    ] {
        let request = with("/api/v1/topology?window=300s", &[("if-none-match", &sent)]);
        let response = app.clone().oneshot(request).await.unwrap();
        assert_eq!(response.status(), StatusCode::NOT_MODIFIED, "{sent}");
        assert_eq!(header(&response, "etag"), etag);
        assert_eq!(header(&response, "cache-control"), "private, max-age=1");
        assert!(bytes(response).await.is_empty());
    }
    assert_eq!(
        source.merges.load(std::sync::atomic::Ordering::SeqCst),
        built
    );
    for path in [
        "/api/v1/topology?window=6m",
        "/api/v1/topology?namespace=shop",
        "/api/v1/topology.dot",
        "/api/v1/nodes",
        "/api/v1/topology?at=-1m",
        "/api/v1/topology.dot?theme=dark",
    ] {
        assert_ne!(etag_of(path).await, etag, "{path}");
    }
    let mut other = state(source);
    other.epoch = "another".to_owned();
    assert_ne!(
        header(&send(other, get("/api/v1/topology")).await, "etag"),
        etag
    );
}

#[tokio::test]
async fn only_a_closed_window_at_an_absolute_time_lives_long() {
    let age =
        async |path: &str| header(&send(shop_state(), get(path)).await, "cache-control").to_owned();
    assert_eq!(
        age(&format!("/api/v1/topology?at={}", END - 60)).await,
        "private, max-age=3600"
    );
    assert_eq!(age("/api/v1/topology?at=-1m").await, "private, max-age=1");
    assert_eq!(
        age(&format!("/api/v1/topology?at={}", END + 1)).await,
        "private, max-age=1"
    );
}

#[tokio::test]
async fn head_answers_as_get_without_a_body() {
    for path in [
        "/api/v1/topology",
        "/api/v1/topology.dot",
        "/api/v1/status",
        "/livez",
        "/metrics",
        "/",
    ] {
        let request = Request::head(path).body(Body::empty()).unwrap();
        let response = send(shop_state(), request).await;
        assert_eq!(response.status(), StatusCode::OK, "{path}");
        assert_eq!(
            header(&response, "content-type"),
            header(&send(shop_state(), get(path)).await, "content-type")
        );
        assert!(bytes(response).await.is_empty());
    }
}

#[tokio::test]
async fn large_bodies_are_compressed_and_small_ones_are_not() {
    for (encoding, path, expected) in [
        ("gzip", "/api/v1/topology", "gzip"),
        ("zstd, gzip", "/api/v1/topology", "zstd"),
        ("gzip", "/livez", ""),
        ("identity", "/api/v1/topology", ""),
        // What forbids every coding, the absent one too, is answered without one.
        ("identity;q=0", "/api/v1/topology", ""),
        ("*;q=0", "/api/v1/topology", ""),
        ("gzip;q=0, *; Q=0.000", "/api/v1/topology", ""),
        ("br, Identity;q=0.0", "/api/v1/topology", ""),
        ("identity;q=0, *;q=0", "/livez", ""),
        ("gzip, identity;q=0, *;q=0", "/api/v1/topology", "gzip"),
        ("gzip;q=0.1, *;q=0", "/api/v1/topology", "gzip"),
        ("identity;q=0, *", "/api/v1/topology", "zstd"),
        ("gzip, identity;q=0", "/livez", ""),
    ] {
        let response = send(shop_state(), with(path, &[("accept-encoding", encoding)])).await;
        assert_eq!(response.status(), StatusCode::OK, "{encoding} {path}");
        assert_eq!(
            header(&response, "content-encoding"),
            expected,
            "{encoding} {path}"
        );
    }
}

#[tokio::test]
async fn the_window_of_a_body_is_the_one_asked() {
    let path = format!("/api/v1/topology?window=90s&at={}", START + 200);
    let body: Value =
        serde_json::from_slice(&bytes(send(shop_state(), get(&path)).await).await).unwrap();
    assert_eq!(body["window"]["end"], "2026-11-23T01:03:20Z");
    assert_eq!(body["window"]["requested_s"], 90);
    assert_eq!(
        body["query"],
        json!({"window": "90s", "at": "2026-11-23T01:03:20Z"})
    );
}

/// Scenario: the same texts again and again, of more questions than are remembered as they were read.
/// Guarantees: each is answered as if it were asked for the first time, whatever path, format and `Accept` it comes with.
#[tokio::test]
async fn a_question_asked_before_means_the_same() {
    let app = router(shop_state());
    let dot = ("accept", "text/vnd.graphviz");
    let longest = format!("/api/v1/topology?service={}", "x".repeat(2_000));
    let mut asked: Vec<(String, Vec<(&str, &str)>)> = vec![
        ("/api/v1/topology".to_owned(), vec![]),
        ("/api/v1/topology".to_owned(), vec![dot]),
        ("/api/v1/topology".to_owned(), vec![dot, ("accept", "*/*")]),
        ("/api/v1/topology.dot".to_owned(), vec![]),
        ("/api/v1/topology?format=dot".to_owned(), vec![]),
        ("/api/v1/topology?format=bad".to_owned(), vec![]),
        ("/api/v1/nodes".to_owned(), vec![]),
        ("/api/v1/edges".to_owned(), vec![]),
        ("/api/v1/edges".to_owned(), vec![("accept", "image/png")]),
        (longest, vec![]),
    ];
    asked.extend((1..300).map(|top| (format!("/api/v1/topology?top={top}"), vec![])));
    for _ in 0..2 {
        for (path, headers) in &asked {
            let again = app.clone().oneshot(with(path, headers)).await.unwrap();
            let first = send(shop_state(), with(path, headers)).await;
            assert_eq!(again.status(), first.status(), "{path}");
            for name in ["etag", "content-type"] {
                assert_eq!(header(&again, name), header(&first, name), "{path}");
            }
            assert_eq!(bytes(again).await, bytes(first).await, "{path}");
        }
    }
}
