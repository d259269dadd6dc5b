//! What reading costs: in process a body that nobody asked for before, one that is remembered and the answer "not
//! modified"; then a thousand pollers at 1 Hz of a real daemon.
//!
//! `cargo bench --bench api` prints processor time, as Linux accounts for it by the nanosecond, beside the budgets of
//! the design; so other load on the machine shows little.

#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a bench prints its result, and ends where a step fails"
)]

mod graph;
mod poll;

use std::fs;
use std::sync::Arc;

use axum::body::Body;
use graph::{EDGES, FIRST_SECOND, NODES, ring, slot};
use http::{Request, StatusCode};
use http_body_util::BodyExt as _;
use prost::Message as _;
use spangraph::api::{Api, ApiState, Bind, BuildInfo, Check, Status, StatusReport, router};
use spangraph::clock::Timestamp;
use spangraph::net::Shutdown;
use spangraph::topology::Thresholds;
use spangraph::topology::series::Totals;
use tower::ServiceExt as _;

/// As in the daemon.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const SLOTS: u64 = 320;
const ROUNDS: u32 = 20_000;
const COLD_ROUNDS: u32 = 25;

/// A daemon that has nothing to say.
struct Silent;

impl Status for Silent {
    fn report(&self) -> StatusReport {
        StatusReport::default()
    }

    fn readiness(&self) -> Vec<Check> {
        Vec::new()
    }

    fn build(&self) -> BuildInfo {
        BuildInfo::default()
    }
}

fn main() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(in_process());
    runtime.block_on(poll::pollers());
}

async fn in_process() {
    let app = app();
    let path = "/api/v1/topology?window=5m";
    let (etag, bytes) = ask(&app, path, "", StatusCode::OK).await;
    println!(
        "{NODES} nodes, {EDGES} edges, window of 5 min: {} KiB",
        bytes / 1024
    );
    cold(&app).await;
    for (what, path, etag, status, budget) in [
        (
            "not modified",
            path,
            &*etag,
            StatusCode::NOT_MODIFIED,
            "30 us",
        ),
        ("remembered body", path, "", StatusCode::OK, "1,000 us"),
    ] {
        let before = own_cpu_ns();
        for _ in 0..ROUNDS {
            ask(&app, path, etag, status).await;
        }
        let us = micros((own_cpu_ns() - before) / u64::from(ROUNDS));
        println!("{what}: {us:.1} us of processor time (budget {budget})");
    }
}

/// Each asks for more edges than there are, and no two for as many. The shortest counts: the machine is shared.
async fn cold(app: &Api) {
    let mut best_ns = u64::MAX;
    for round in 0..COLD_ROUNDS {
        let path = format!("/api/v1/topology?window=5m&top={}", EDGES + round);
        let before = all_cpu_ns("self");
        ask(app, &path, "", StatusCode::OK).await;
        best_ns = best_ns.min(all_cpu_ns("self") - before);
    }
    let ms = micros(best_ns) / 1e3;
    println!("body built anew: {ms:.1} ms of processor time (budget 25 ms)");
}

/// The validator and the length of the answer.
async fn ask(app: &Api, path: &str, etag: &str, status: StatusCode) -> (String, usize) {
    let mut request = Request::get(path);
    if !etag.is_empty() {
        request = request.header("if-none-match", etag);
    }
    let request = request.body(Body::empty()).unwrap();
    let response = app.clone().oneshot(request).await.unwrap();
    assert_eq!(response.status(), status);
    let etag = response.headers()["etag"].to_str().unwrap().to_owned();
    let body = response.into_body().collect().await.unwrap().to_bytes();
    (etag, body.len())
}

fn app() -> Api {
    let slots: Vec<Vec<u8>> = (0..SLOTS).map(|s| slot(s).encode_to_vec()).collect();
    let now = Timestamp::from_unix_ns((FIRST_SECOND + SLOTS) * 1_000_000_000);
    router(ApiState {
        source: Arc::new(ring(&slots)),
        status: Arc::new(Silent),
        metrics: Vec::new(),
        totals: Arc::new(Totals::new(1, 1)),
        now: Arc::new(move || now),
        epoch: "bench".to_owned(),
        dimensions: Vec::new(),
        thresholds: Thresholds::default(),
        bind: Bind::Public,
        hosts: Vec::new(),
        tokens: None,
        cors_origins: Vec::new(),
        cache_bytes: 64 << 20,
        max_builds: 2,
        compat_root: false,
        draining: Shutdown::never(),
        ending: Shutdown::never(),
    })
}

/// Processor time of this thread, which runs everything here.
fn own_cpu_ns() -> u64 {
    on_cpu_ns("/proc/thread-self/schedstat")
}

/// Processor time of all threads of a process that live.
fn all_cpu_ns(process: &str) -> u64 {
    let tasks = fs::read_dir(format!("/proc/{process}/task")).unwrap();
    let stats = tasks.map(|task| task.unwrap().path().join("schedstat"));
    stats.map(|stat| on_cpu_ns(stat.to_str().unwrap())).sum()
}

/// The first number of a `schedstat` is nanoseconds on a processor.
fn on_cpu_ns(path: &str) -> u64 {
    let text = fs::read_to_string(path).unwrap();
    text.split(' ').next().unwrap().parse().unwrap()
}

#[expect(clippy::cast_precision_loss, reason = "microseconds for people")]
fn micros(ns: u64) -> f64 {
    ns as f64 / 1e3
}
