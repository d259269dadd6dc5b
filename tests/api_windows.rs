//! Windows as bodies show them, over a history that goes on: whole seconds of no later than asked, bodies that last as
//! long as they say, and diffs of windows of one length.
#![allow(clippy::unwrap_used, reason = "a failed step is a failed test")]

mod read_support;

use http::StatusCode;
use read_support::START;
use read_support::http::{bytes, get, header, problem};
use read_support::live::Live;
use serde_json::Value;
use spangraph::api::{Api, ApiState, router};
use spangraph::clock::Timestamp;
use tower::ServiceExt as _;

/// Calls of a second, told apart from those of its neighbours.
fn calls(second: u64) -> u64 {
    1 + second % 7 + second % 13
}

/// The sum of them, second by second.
fn sum(seconds: std::ops::Range<u64>) -> u64 {
    seconds.map(calls).sum()
}

/// So many seconds of calls from `web` to `shop`.
fn live(seconds: u64) -> Live {
    let mut live = Live::new();
    (0..seconds).for_each(|_| seal(&mut live));
    live
}

fn seal(live: &mut Live) {
    live.second(&[("web", "shop", calls(live.next), 0)]);
}

/// The API of this very moment, which remembers no body: half a second after the newest slice.
fn app(live: &Live) -> Api {
    let now_ns = live.next * 1_000_000_000 + 500_000_000;
    router(ApiState {
        now: std::sync::Arc::new(move || Timestamp::from_unix_ns(now_ns)),
        ..live.state()
    })
}

/// Validator, seconds of life, and body.
async fn ask(live: &Live, path: &str) -> (String, u64, Value) {
    let response = app(live).oneshot(get(path)).await.unwrap();
    assert_eq!(response.status(), StatusCode::OK, "{path}");
    let etag = header(&response, "etag").to_owned();
    let lifetime = header(&response, "cache-control");
    let age = lifetime.strip_prefix("private, max-age=").unwrap();
    let age = age.parse().unwrap();
    let body = serde_json::from_slice(&bytes(response).await).unwrap();
    (etag, age, body)
}

fn second(time: &Value) -> u64 {
    let time: jiff::Timestamp = time.as_str().unwrap().parse().unwrap();
    u64::try_from(time.as_second()).unwrap()
}

/// Holds the window of a body to what was asked, and returns its seconds.
fn range(window: &Value, asked_end: u64, window_s: u64) -> std::ops::Range<u64> {
    let (start, end) = (second(&window["start"]), second(&window["end"]));
    assert!(end <= asked_end, "{window} ends after {asked_end}");
    assert!(end - start >= window_s, "{window} is short of {window_s} s");
    assert_eq!(window["effective_s"], end - start);
    assert_eq!(window["requested_s"], window_s);
    start..end
}

/// Scenario: a window of the past, asked for again and again while its slots roll up from seconds to minutes.
/// Guarantees: it never ends after `at`; its calls are those of the seconds it names; and for as long as a body says,
/// the same request has the same body and validator.
#[tokio::test]
async fn a_closed_window_lasts_as_long_as_it_says() {
    let mut live = live(400);
    for window_s in [7, 25, 90, 300] {
        for ago in [0, 4, 33, 77] {
            let at = live.next - ago;
            for path in ["topology?", "node?id=shop&", "diff?"] {
                let end = if path == "diff?" { "head" } else { "at" };
                let path = format!("/api/v1/{path}window={window_s}s&{end}={at}");
                let (etag, age, body) = ask(&live, &path).await;
                for _ in 0..age.min(40) {
                    seal(&mut live);
                }
                let (etag_again, _, body_again) = ask(&live, &path).await;
                assert_eq!(body, body_again, "{path} within {age} s");
                assert_eq!(etag, etag_again, "{path} within {age} s");
            }
            // Then it may change, but tells the truth.
            for _ in 0..30 {
                let path = format!("/api/v1/topology?window={window_s}s&at={at}");
                let (.., body) = ask(&live, &path).await;
                let range = range(&body["window"], at, window_s);
                let held = range.start.max(START)..range.end;
                assert_eq!(body["edges"][0]["calls"], sum(held.clone()), "{path}");
                assert_eq!(body["window"]["covered_s"], held.end - held.start);
                assert_eq!(body["slices"][1], range.end - 1);
                (0..17).for_each(|_| seal(&mut live));
            }
        }
    }
}

/// Guarantees: a body that changed has another validator, so nobody keeps what is no longer served.
#[tokio::test]
async fn equal_validators_mean_equal_bodies() {
    let mut live = live(150);
    for path in ["topology?", "node?id=shop&"] {
        let path = format!("/api/v1/{path}window=45s&at={}", live.next - 2);
        let mut known = std::collections::HashMap::new();
        for _ in 0..260 {
            let (etag, _, body) = ask(&live, &path).await;
            let same = known.entry(etag).or_insert_with(|| body.clone());
            assert_eq!(*same, body, "{path}");
            seal(&mut live);
            seal(&mut live);
        }
        assert!(known.len() > 1, "nothing ever rolled up");
    }
}

/// Scenario: ends in slots of every length, by name and not.
/// Guarantees: both windows of a diff have one length and no second in common, and each counts its own seconds.
#[tokio::test]
async fn both_windows_of_a_diff_are_equally_long_and_apart() {
    let live = live(2_600);
    for window_s in [20, 60, 300] {
        for (base_ago, head_ago) in [
            (None, 0),
            (Some(window_s), 0),
            (Some(window_s + 200), 3),
            (Some(1_500), 3),
            (Some(2_200), 1_111),
            (Some(1_501), 1_501 - window_s),
        ] {
            let head = live.next - head_ago;
            let base = base_ago.map(|ago| live.next - ago);
            let named = base.map_or_else(String::new, |base| format!("&base={base}"));
            let path = format!("/api/v1/diff?include=same&window={window_s}s&head={head}{named}");
            let (.., body) = ask(&live, &path).await;
            let (base_window, head_window) = (&body["base"]["window"], &body["head"]["window"]);
            assert_eq!(base_window["effective_s"], head_window["effective_s"]);
            let in_head = range(head_window, head, window_s);
            let in_base = range(base_window, base.unwrap_or(in_head.start), window_s);
            assert_eq!(body["overlap_s"], 0, "{path}");
            assert!(in_base.end <= in_head.start, "{path}");
            let edge = &body["edges"][0];
            assert_eq!(
                edge["base"]["calls"],
                sum(in_base.start.max(START)..in_base.end)
            );
            assert_eq!(edge["head"]["calls"], sum(in_head));
        }
    }
}

/// Guarantees: a window of which no whole slot is left is gone, and the answer says what is the oldest there is.
#[tokio::test]
async fn a_window_that_ends_in_the_oldest_slot_is_gone() {
    let live = live(1_500);
    for at in [START - 1, START, START + 59] {
        for path in [format!("topology?at={at}"), format!("diff?head={at}")] {
            let response = app(&live)
                .oneshot(get(&format!("/api/v1/{path}&window=30s")))
                .await
                .unwrap();
            assert_eq!(response.status(), StatusCode::GONE, "{path}");
            assert_eq!(problem(response).await["oldest"], "2026-11-23T01:00:00Z");
        }
    }
    ask(
        &live,
        &format!("/api/v1/topology?at={}&window=30s", START + 60),
    )
    .await;
}

/// Scenario: an edge that was there at the start and again much later, and one that came only then; and who calls as
/// a peer, and is a service in the window.
/// Guarantees: `first_seen` looks at all that is held, whatever the window, the grouping and the fold.
#[tokio::test]
async fn first_seen_is_older_than_the_window() {
    let mut live = Live::new();
    live.second(&[
        ("old/web", "old/shop", 1, 0),
        ("old/web", "external:pay", 1, 0),
    ]);
    (0..900).for_each(|_| live.second(&[]));
    let newest = live.next;
    live.second(&[
        ("old/web", "old/shop", 1, 0),
        ("old/web", "external:pay", 1, 0),
        ("new/pay", "old/shop", 1, 0),
    ]);
    let since = async |path: &str, kind: &str, key: &str, id: &str| {
        let (.., body) = ask(&live, path).await;
        let list = body[kind].as_array().unwrap();
        let element = list.iter().find(|element| element[key] == id);
        second(&element.unwrap()["first_seen"])
    };
    let path = "/api/v1/topology?window=30s";
    assert_eq!(since(path, "nodes", "id", "old/shop").await, START);
    assert_eq!(since(path, "nodes", "id", "new/pay").await, newest);
    assert_eq!(since(path, "edges", "client", "new/pay").await, newest);
    assert_eq!(since(path, "edges", "client", "old/web").await, START);
    // The peer turned out to be the service: calls to it were seen long before.
    assert_eq!(since(path, "edges", "server", "new/pay").await, START);
    let path = "/api/v1/topology?window=30s&group_by=namespace";
    assert_eq!(since(path, "nodes", "id", "namespace:old").await, START);
    assert_eq!(since(path, "nodes", "id", "namespace:new").await, newest);
}
