//! `/api/v1/diff`: which windows it takes, what it refuses, and how long its answers last.
#![allow(clippy::unwrap_used, reason = "a failed step is a failed test")]

mod read_support;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use http::StatusCode;
use read_support::http::{bytes, get, header, problem, send, with};
use read_support::{END, Fixed, START, release, state};
use serde_json::{Value, json};
use spangraph::api::{ApiState, Source};
use spangraph::history::{Ends, LevelInfo, Resolved, WindowError};
use spangraph::proto::Slice;
use spangraph::slice::MergeError;
use tokio::sync::watch;

/// The shop before and after a release at [`START`].
struct Released {
    before: Slice,
    after: Fixed,
    merges: AtomicU64,
}

impl Source for Released {
    fn resolve(&self, window_s: u64, end_unix_s: Option<u64>) -> Result<Resolved, WindowError> {
        self.after.resolve(window_s, end_unix_s)
    }

    fn resolve_pair(&self, window_s: u64, ends: Ends) -> Result<[Resolved; 2], WindowError> {
        self.after.resolve_pair(window_s, ends)
    }

    fn merge(&self, resolved: &Resolved) -> Result<Slice, MergeError> {
        self.merges.fetch_add(1, Ordering::SeqCst);
        if resolved.end_unix_s <= START {
            return Ok(self.before.clone());
        }
        self.after.merge(resolved)
    }

    fn levels(&self) -> Vec<LevelInfo> {
        self.after.levels()
    }

    fn newest_unix_s(&self) -> Option<u64> {
        self.after.newest
    }

    fn versions(&self) -> watch::Receiver<u64> {
        self.after.versions()
    }
}

fn released() -> Arc<Released> {
    let (before, after) = release();
    Arc::new(Released {
        before,
        after: Fixed::new(after),
        merges: AtomicU64::new(0),
    })
}

fn api() -> ApiState {
    state(released())
}

async fn body(path: &str) -> Value {
    let response = send(api(), get(path)).await;
    assert_eq!(response.status(), StatusCode::OK, "{path}");
    assert_eq!(header(&response, "content-type"), "application/json");
    serde_json::from_slice(&bytes(response).await).unwrap()
}

/// Guarantees: without ends it is the newest window against the one before it; each says when it was, what of it was
/// covered, and what the law says of it.
#[tokio::test]
async fn now_is_compared_with_just_before() {
    let body = body("/api/v1/diff").await;
    assert_eq!(body["schema"], "spangraph.diff/1");
    assert_eq!(body["base"]["window"]["end"], "2026-11-23T01:00:00Z");
    assert_eq!(
        body["base"]["window"]["end"],
        body["head"]["window"]["start"]
    );
    assert_eq!(body["head"]["window"]["end"], "2026-11-23T01:05:00Z");
    for side in ["base", "head"] {
        assert_eq!(body[side]["window"]["covered_s"], 300);
        assert_eq!(body[side]["law"]["accepted"], 2_480);
    }
    assert_eq!(body["overlap_s"], 0);
    let tally = &body["summary"]["edges"];
    assert_eq!((&tally["added"], &tally["removed"]), (&json!(2), &json!(1)));
    assert_eq!(body["tests"]["correction"], "benjamini_hochberg");
    assert!(body["tests"]["made"].as_u64().unwrap() > 10);
}

/// Guarantees: the query of a body, asked again, gives the body again, though `now` has moved on.
#[tokio::test]
async fn a_body_repeats_its_question_with_instants() {
    let first = body("/api/v1/diff?base=-5m&window=2m&min_calls=3").await;
    let (base, head) = (&first["query"]["base"], &first["query"]["head"]);
    assert_eq!(
        (base, head),
        (
            &json!("2026-11-23T01:00:00Z"),
            &json!("2026-11-23T01:05:00Z")
        )
    );
    let (base, head) = (base.as_str().unwrap(), head.as_str().unwrap());
    let path = format!("/api/v1/diff.json?base={base}&head={head}&window=2m&min_calls=3");
    assert_eq!(body(&path).await, first);
}

#[tokio::test]
async fn windows_that_overlap_say_so() {
    let body = body("/api/v1/diff?base=-1m&window=5m").await;
    assert_eq!(body["overlap_s"], 240);
}

#[tokio::test]
async fn a_wrong_parameter_is_named_with_value_and_reason() {
    let level = "must be a number in (0,1), such as 0.01";
    let least = "must be a number of at least 0";
    let table = [
        (
            "at=-1m",
            "at",
            "-1m",
            "a diff has two ends, `base` and `head`",
        ),
        ("label=p95", "label", "p95", "a diff shows what changed"),
        (
            "base=soon",
            "base",
            "soon",
            "must be RFC 3339, unix seconds, or an age such as `-10m`",
        ),
        (
            "base=2027-01-01T00:00:00Z",
            "base",
            "2027-01-01T00:00:00Z",
            "lies in the future",
        ),
        (
            "head=2027-01-01T00:00:00Z",
            "head",
            "2027-01-01T00:00:00Z",
            "lies in the future",
        ),
        ("alpha=0", "alpha", "0", level),
        ("alpha=1", "alpha", "1", level),
        ("alpha=NaN", "alpha", "NaN", level),
        ("min_rate_change=-1", "min_rate_change", "-1", least),
        ("min_failed_change=inf", "min_failed_change", "inf", least),
        ("min_latency_change=ten", "min_latency_change", "ten", least),
        (
            "include=histograms",
            "include",
            "histograms",
            "must be `same`",
        ),
        (
            "theme=dark",
            "theme",
            "dark",
            "only for dot, svg or mermaid",
        ),
        ("bas=-1m", "bas", "-1m", "unknown parameter"),
        (
            "window=25h",
            "window",
            "90000s",
            "longer than the 86400 s that are ever held",
        ),
    ];
    for (query, name, value, reason) in table {
        let response = send(api(), get(&format!("/api/v1/diff?{query}"))).await;
        assert_eq!(response.status(), StatusCode::BAD_REQUEST, "{query}");
        let expected = json!([{"name": name, "value": value, "reason": reason}]);
        assert_eq!(
            problem(response).await["invalid_params"],
            expected,
            "{query}"
        );
    }
}

#[tokio::test]
async fn what_cannot_be_compared_is_refused() {
    let gone = send(api(), get("/api/v1/diff?base=-2h")).await;
    assert_eq!(gone.status(), StatusCode::GONE);
    assert_eq!(problem(gone).await["oldest"], "2026-11-23T00:05:00Z");
    let gone = send(api(), get("/api/v1/diff?window=2h")).await;
    assert_eq!(
        gone.status(),
        StatusCode::GONE,
        "the window before the newest is not held"
    );
    let unknown = send(api(), get("/api/v1/diff?focus=nobody")).await;
    assert_eq!(unknown.status(), StatusCode::NOT_FOUND);
    let mut early = Fixed::new(Slice::default());
    early.newest = None;
    let early = send(state(Arc::new(early)), get("/api/v1/diff")).await;
    assert_eq!(early.status(), StatusCode::SERVICE_UNAVAILABLE);
}

/// Guarantees: the validator is known before anything is merged, and follows everything that the body follows.
#[tokio::test]
async fn a_held_body_is_neither_sent_nor_built() {
    let source = released();
    let api = || state(Arc::<Released>::clone(&source));
    let etag = header(&send(api(), get("/api/v1/diff")).await, "etag").to_owned();
    let built = source.merges.load(Ordering::SeqCst);
    let held = [("if-none-match", etag.as_str())];
    let response = send(api(), with("/api/v1/diff?window=300s&alpha=0.01", &held)).await;
    assert_eq!(response.status(), StatusCode::NOT_MODIFIED);
    assert_eq!(header(&response, "etag"), etag);
    assert_eq!(source.merges.load(Ordering::SeqCst), built);
    for other in [
        "/api/v1/diff?base=-4m",
        "/api/v1/diff?window=4m",
        "/api/v1/diff?alpha=0.05",
        "/api/v1/diff?min_latency_change=0.5",
        "/api/v1/diff?include=same",
        "/api/v1/diff?service=shop/*",
        "/api/v1/diff.dot",
        "/api/v1/diff.dot?theme=dark",
        "/api/v1/topology",
    ] {
        assert_ne!(
            header(&send(api(), get(other)).await, "etag"),
            etag,
            "{other}"
        );
    }
}

#[tokio::test]
async fn only_two_closed_windows_live_long() {
    let age = async |query: &str| {
        let response = send(api(), get(&format!("/api/v1/diff?{query}"))).await;
        assert_eq!(response.status(), StatusCode::OK);
        header(&response, "cache-control").to_owned()
    };
    let closed = "private, max-age=3600";
    assert_eq!(age(&format!("base={START}&head={}", END - 1)).await, closed);
    assert_eq!(age(&format!("head={}", END - 1)).await, closed);
    assert_eq!(
        age(&format!("base=-5m&head={}", END - 1)).await,
        "private, max-age=1"
    );
    assert_eq!(age(&format!("base={START}")).await, "private, max-age=1");
}

#[tokio::test]
async fn suffix_and_accept_choose_the_format() {
    let dot = "text/vnd.graphviz; charset=utf-8";
    let response = send(api(), get("/api/v1/diff.dot")).await;
    assert_eq!(header(&response, "content-type"), dot);
    assert!(
        bytes(response)
            .await
            .starts_with(b"digraph spangraph_diff {")
    );
    let accept = [("accept", "text/vnd.graphviz")];
    let response = send(api(), with("/api/v1/diff", &accept)).await;
    assert_eq!(header(&response, "content-type"), dot);
    let response = send(api(), get("/api/v1/diff.mmd")).await;
    assert_eq!(
        header(&response, "content-type"),
        "text/vnd.mermaid; charset=utf-8"
    );
    let accept = [("accept", "image/svg+xml")];
    let mut pictures = Vec::new();
    for request in [
        get("/api/v1/diff.svg"),
        get("/api/v1/diff?format=svg"),
        with("/api/v1/diff", &accept),
    ] {
        let response = send(api(), request).await;
        assert_eq!(header(&response, "content-type"), "image/svg+xml");
        pictures.push(bytes(response).await);
    }
    assert!(pictures[0].starts_with(b"<svg "));
    assert!(pictures.iter().all(|picture| *picture == pictures[0]));
    let response = send(api(), get("/api/v1/diff?format=csv")).await;
    assert_eq!(response.status(), StatusCode::BAD_REQUEST);
    let index: Value = serde_json::from_slice(&bytes(send(api(), get("/")).await).await).unwrap();
    assert!(
        index["routes"]
            .as_array()
            .unwrap()
            .contains(&json!("/api/v1/diff.dot"))
    );
}
