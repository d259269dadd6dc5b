//! What the daemon says of itself: probes, status, own metrics.
#![allow(clippy::unwrap_used, reason = "a failed step is a failed test")]

mod read_support;

use std::sync::Arc;

use http::StatusCode;
use read_support::http::{bytes, get, header, problem, send, shop_state};
use read_support::{Daemon, Fixed, shop, state};
use serde_json::{Value, json};
use spangraph::api::{ApiState, Families, Kind, Metrics, router};
use tower::ServiceExt as _;

#[tokio::test]
async fn before_the_first_slice_the_answer_is_to_come_back() {
    let empty = || {
        let mut source = Fixed::new(shop());
        source.newest = None;
        ApiState {
            status: Arc::new(Daemon { ready: false }),
            ..state(Arc::new(source))
        }
    };
    for path in ["/api/v1/topology", "/readyz", "/readyz?verbose"] {
        let response = send(empty(), get(path)).await;
        assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE, "{path}");
        assert_eq!(header(&response, "retry-after"), "1");
        assert_eq!(problem(response).await["type"], "not-ready");
    }
    assert_eq!(send(empty(), get("/livez")).await.status(), StatusCode::OK);
}

#[tokio::test]
async fn probes_status_and_windows_tell_what_the_daemon_says() {
    assert_eq!(
        bytes(send(shop_state(), get("/readyz?verbose")).await).await,
        b"[+] receiver ok\n[+] first-slice ok\nok\n"
    );
    assert_eq!(
        bytes(send(shop_state(), get("/healthz")).await).await,
        b"ok\n"
    );
    let json = async |path: &str| -> Value {
        serde_json::from_slice(&bytes(send(shop_state(), get(path)).await).await).unwrap()
    };
    let status = json("/api/v1/status").await;
    assert_eq!(status["law"]["decoded"], 9);
    assert_eq!(
        status["limits"][0],
        json!({"name": "max_nodes", "unit": "nodes", "used": 8, "max": 10_000})
    );
    assert_eq!(
        status["wait"],
        json!({"configured_s": 10, "effective_s": 9})
    );
    assert_eq!(
        (&status["config_digest"], &status["build"]["version"]),
        (&json!("c0ffee"), &json!("0.1.0"))
    );
    let windows = json("/api/v1/windows").await;
    assert_eq!(windows["newest"], "2026-11-23T01:05:00Z");
    assert_eq!(windows["levels"][0]["capacity"], 120);
    assert_eq!(json("/version").await["version"], "0.1.0");
    assert_eq!(json("/").await["name"], "spangraph");
}

struct Hostile;

impl Metrics for Hostile {
    fn collect(&self, families: &mut Families) {
        families.add(
            "spangraph_test_total",
            "A\nhelp \\.",
            Kind::Counter,
            &[("name", "a\"b\\c\nd")],
            7_u64,
        );
        families.add("spangraph_ratio", "Half.", Kind::Gauge, &[], 0.5);
    }
}

#[tokio::test]
async fn own_metrics_are_escaped_and_sorted() {
    let app = router(ApiState {
        metrics: vec![Arc::new(Hostile)],
        ..shop_state()
    });
    for path in ["/api/v1/topology", "/api/v1/topology", "/nowhere/at/all"] {
        app.clone().oneshot(get(path)).await.unwrap();
    }
    let response = app.oneshot(get("/metrics")).await.unwrap();
    assert_eq!(
        header(&response, "content-type"),
        "text/plain; version=0.0.4; charset=utf-8"
    );
    let text = String::from_utf8(bytes(response).await).unwrap();
    for line in [
        "# HELP spangraph_test_total A\\nhelp \\\\.",
        "# TYPE spangraph_test_total counter",
        "spangraph_test_total{name=\"a\\\"b\\\\c\\nd\"} 7",
        "spangraph_ratio 0.5",
        "spangraph_api_requests_total{route=\"/api/v1/topology\",code=\"200\"} 2",
        "spangraph_api_requests_total{route=\"other\",code=\"404\"} 1",
        "spangraph_api_bodies_total{how=\"built\"} 1",
        "spangraph_api_bodies_total{how=\"remembered\"} 1",
    ] {
        assert!(text.lines().any(|l| l == line), "{line} in\n{text}");
    }
    assert!(
        text.lines()
            .all(|l| l.starts_with("# ") || l.starts_with("spangraph_"))
    );
}
