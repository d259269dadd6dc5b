//! What the daemon says of itself: probes, status, own metrics.
#![allow(clippy::unwrap_used, reason = "a failed step is a failed test")]

mod read_support;

use std::sync::Arc;

use http::StatusCode;
use prost::Message as _;
use read_support::http::{bytes, get, header, problem, send, shop_state, with};
use read_support::{Daemon, Fixed, START, World, histogram, shop, state};
use serde_json::{Value, json};
use spangraph::api::{ApiState, Families, Kind, Metrics, router};
use spangraph::proto::{ConnectionType, Exemplar};
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

/// Scenario: scrapers with every kind of `Accept`.
/// Guarantees: OpenMetrics for whoever names it and does not prefer the older format, which everybody else gets; both
/// routes decide alike, and a parameter is a mistake.
#[tokio::test]
async fn metrics_come_in_the_format_the_scraper_names() {
    let text = "text/plain; version=0.0.4; charset=utf-8";
    let open = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    let table = [
        ("*/*", text),
        ("text/*", text),
        ("text/plain", text),
        ("application/*", open),
        ("application/openmetrics-text", open),
        ("application/openmetrics-text;q=0.3, text/plain;q=0.5", text),
        ("application/openmetrics-text;q=0, */*", text),
        (
            "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,\
             text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
            open,
        ),
    ];
    for path in ["/metrics", "/metrics/graph"] {
        for (accept, expected) in table {
            let response = send(shop_state(), with(path, &[("accept", accept)])).await;
            assert_eq!(response.status(), StatusCode::OK);
            assert_eq!(
                header(&response, "content-type"),
                expected,
                "{path} {accept}"
            );
            assert_eq!(header(&response, "vary"), "Accept, Accept-Encoding");
            let body = String::from_utf8(bytes(response).await).unwrap();
            assert_eq!(
                body.ends_with("# EOF\n"),
                expected == open,
                "{path} {accept}"
            );
        }
        assert_eq!(
            header(&send(shop_state(), get(path)).await, "content-type"),
            text
        );
        for neither in ["text/html", "application/openmetrics-text;q=0"] {
            let wrong = send(shop_state(), with(path, &[("accept", neither)])).await;
            assert_eq!(wrong.status(), StatusCode::NOT_ACCEPTABLE, "{neither}");
        }
        let wrong = send(shop_state(), get(&format!("{path}?name=x"))).await;
        assert_eq!(wrong.status(), StatusCode::BAD_REQUEST);
    }
}

/// Guarantees: one edge, line by line, in both formats; the older one has neither beginnings nor exemplars.
#[tokio::test]
async fn the_graphs_series_are_written_out() {
    let mut world = World::new();
    let (web, cart) = (world.service("shop/web"), world.service("a\"b"));
    let edge = world.call((web, cart), ConnectionType::None, (3, 0), 1);
    edge.client_latency = histogram(&[2_000_000_000, 40_000_000_000], 4);
    edge.failed_exemplar = Some(Exemplar {
        trace_id: vec![0xab; 16],
        span_id: vec![1; 8],
        duration_ns: 5,
        second: START + 7,
    });
    let state = shop_state();
    let slice = world.done().encode_to_vec();
    state.totals.add(&slice, START);
    let app = router(state);
    let lines = async |accept: &str| -> Vec<String> {
        let request = with("/metrics/graph", &[("accept", accept)]);
        let body = bytes(app.clone().oneshot(request).await.unwrap()).await;
        let text = String::from_utf8(body).unwrap();
        text.lines()
            .filter(|l| !l.starts_with("# HELP"))
            .map(str::to_owned)
            .collect()
    };
    let labels =
        "client=\"web\",server=\"a\\\"b\",connection_type=\"\",client_service_namespace=\"shop\"";
    let name = "traces_service_graph_request";
    let bucket = |le: &str, n| format!("{name}_client_seconds_bucket{{{labels},le=\"{le}\"}} {n}");
    let mut expected = vec![
        format!("# TYPE {name}_total counter"),
        format!("{name}_total{{{labels}}} 3"),
        format!("# TYPE {name}_failed_total counter"),
        format!("{name}_failed_total{{{labels}}} 1"),
        format!("# TYPE {name}_server_seconds histogram"),
        format!("# TYPE {name}_client_seconds histogram"),
    ];
    expected.extend((-10..1).map(|k| bucket(&format!("{:?}", f64::from(k).exp2()), 0)));
    expected.extend(["2.0", "4.0", "8.0", "16.0", "32.0"].map(|le| bucket(le, 1)));
    expected.extend([
        bucket("+Inf", 2),
        format!("{name}_client_seconds_sum{{{labels}}} 42.0"),
        format!("{name}_client_seconds_count{{{labels}}} 2"),
        format!("# TYPE {name}_messaging_system_seconds histogram"),
    ]);
    assert_eq!(lines("text/plain").await, expected);

    let open = lines("application/openmetrics-text").await;
    let ids = format!(
        "trace_id=\"{}\",span_id=\"{}\"",
        "ab".repeat(16),
        "01".repeat(8)
    );
    for line in [
        format!("# TYPE {name}_failed counter"),
        format!(
            "{name}_failed_total{{{labels}}} 1 # {{{ids}}} 1.0 {}.0",
            START + 7
        ),
        format!("{name}_failed_created{{{labels}}} {START}.0"),
        format!("{name}_client_seconds_created{{{labels}}} {START}.0"),
        format!("# UNIT {name}_client_seconds seconds"),
    ] {
        assert!(open.contains(&line), "{line} in {open:#?}");
    }
    assert_eq!(open.last().unwrap(), "# EOF");
}
