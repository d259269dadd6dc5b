//! Bodies are built once per key at a time, whoever asks and whoever leaves; and the memory for them is bounded.
#![allow(clippy::unwrap_used, reason = "a failed step is a failed test")]

mod read_support;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};

use axum::body::Body;
use http::{Request, StatusCode};
use http_body_util::BodyExt as _;
use parking_lot::Mutex;
use read_support::{Fixed, shop, state};
use spangraph::api::{ApiState, router};
use tower::ServiceExt as _;

/// A source whose merges wait for a word each, and tell when they begin.
fn gated() -> (Arc<Fixed>, mpsc::Sender<()>, mpsc::Receiver<()>) {
    let (go, wait) = mpsc::channel();
    let (began, begins) = mpsc::channel();
    let (wait, began) = (Mutex::new(wait), Mutex::new(began));
    let mut source = Fixed::new(shop());
    source.during_merge = Box::new(move || {
        began.lock().send(()).unwrap();
        wait.lock().recv().unwrap();
    });
    (Arc::new(source), go, begins)
}

fn get(path: &str) -> Request<Body> {
    Request::get(path).body(Body::empty()).unwrap()
}

async fn status(app: spangraph::api::Api, path: String) -> StatusCode {
    let response = app.oneshot(get(&path)).await.unwrap();
    let status = response.status();
    response.into_body().collect().await.unwrap();
    status
}

/// Scenario: fifty clients ask for one body while it is being built, and the first of them leaves.
/// Guarantees: it is built once, and everybody who stayed gets it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn concurrent_requests_share_one_build() {
    let (source, go, begins) = gated();
    let app = router(state(Arc::<Fixed>::clone(&source)));
    let first = tokio::spawn(status(app.clone(), "/api/v1/topology".to_owned()));
    tokio::task::spawn_blocking(move || begins.recv().unwrap())
        .await
        .unwrap();
    let rest: Vec<_> = (0..49)
        .map(|_| tokio::spawn(status(app.clone(), "/api/v1/topology".to_owned())))
        .collect();
    first.abort();
    assert!(first.await.unwrap_err().is_cancelled());
    go.send(()).unwrap();
    for request in rest {
        assert_eq!(request.await.unwrap(), StatusCode::OK);
    }
    assert_eq!(source.merges.load(Ordering::SeqCst), 1);
}

/// Scenario: more different bodies are asked for than may be in the making.
/// Guarantees: the surplus is refused at once with 503, the rest is answered, and never more than two run together.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn different_builds_are_bounded() {
    let (running, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let (go, wait) = mpsc::channel::<()>();
    let wait = Mutex::new(wait);
    let mut source = Fixed::new(shop());
    let (r, m) = (Arc::clone(&running), Arc::clone(&most));
    source.during_merge = Box::new(move || {
        m.fetch_max(r.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
        wait.lock().recv().ok();
        r.fetch_sub(1, Ordering::SeqCst);
    });
    let app = router(state(Arc::new(source)));
    let asked: Vec<_> = (0..80)
        .map(|i| {
            tokio::spawn(status(
                app.clone(),
                format!("/api/v1/topology?min_calls={i}"),
            ))
        })
        .collect();
    let mut refused = 0;
    let mut open = Vec::new();
    for request in asked {
        open.push(request);
    }
    // The refused answer without a word from us; sixteen of them do.
    while refused < 16 {
        tokio::task::yield_now().await;
        let (done, rest): (Vec<_>, Vec<_>) = open
            .into_iter()
            .partition(tokio::task::JoinHandle::is_finished);
        open = rest;
        for request in done {
            assert_eq!(request.await.unwrap(), StatusCode::SERVICE_UNAVAILABLE);
            refused += 1;
        }
    }
    assert_eq!(open.len(), 64);
    // Builds begin when a thread takes them up; only once both places are taken may the first one end.
    while running.load(Ordering::SeqCst) < 2 {
        tokio::task::yield_now().await;
    }
    drop(go);
    for request in open {
        assert_eq!(request.await.unwrap(), StatusCode::OK);
    }
    assert_eq!(most.load(Ordering::SeqCst), 2);
}

/// Scenario: a build panics.
/// Guarantees: its askers get a 500 that tells nothing, and the next request is answered.
#[tokio::test]
async fn a_panic_costs_one_answer() {
    let mut source = Fixed::new(shop());
    let tries = AtomicUsize::new(0);
    source.during_merge =
        Box::new(move || assert!(tries.fetch_add(1, Ordering::SeqCst) > 0, "secret"));
    let app = router(state(Arc::new(source)));
    let response = app.clone().oneshot(get("/api/v1/topology")).await.unwrap();
    assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
    let body = response.into_body().collect().await.unwrap().to_bytes();
    assert!(!String::from_utf8_lossy(&body).contains("secret"));
    assert_eq!(
        status(app, "/api/v1/topology".to_owned()).await,
        StatusCode::OK
    );
}

/// Scenario: the room holds one body of two that are asked for in turns.
/// Guarantees: the room is never exceeded; what was dropped is built again.
#[tokio::test]
async fn remembered_bodies_stay_within_their_bytes() {
    let source = Arc::new(Fixed::new(shop()));
    let app = router(ApiState {
        cache_bytes: 7_000,
        ..state(Arc::<Fixed>::clone(&source))
    });
    for _ in 0..3 {
        for path in ["/api/v1/topology", "/api/v1/topology?quantiles=0.5"] {
            assert_eq!(status(app.clone(), path.to_owned()).await, StatusCode::OK);
        }
    }
    assert!(source.merges.load(Ordering::SeqCst) > 2);
    let response = app.oneshot(get("/metrics")).await.unwrap();
    let text = response.into_body().collect().await.unwrap().to_bytes();
    let text = String::from_utf8(text.to_vec()).unwrap();
    let held = text
        .lines()
        .find_map(|l| l.strip_prefix("spangraph_api_cached_bytes "))
        .unwrap();
    assert!(
        (1..=7_000).contains(&held.parse::<u64>().unwrap()),
        "{held}"
    );
}
