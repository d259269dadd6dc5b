//! The stream of changes: whoever applies it holds what the graph route says.
#![allow(clippy::unwrap_used, reason = "a failed step is a failed test")]

mod read_support;

use http::StatusCode;
use read_support::http::{bytes, get, header, problem, with};
use read_support::live::Live;
use read_support::stream::{Client, Read, topology};
use serde_json::Value;
use spangraph::api::{Api, ApiState, router};
use spangraph::net::Stop;
use tower::ServiceExt as _;

async fn metric(app: &Api, name: &str) -> u64 {
    let response = app.clone().oneshot(get("/metrics")).await.unwrap();
    let text = String::from_utf8(bytes(response).await).unwrap();
    let line = text.lines().find_map(|line| line.strip_prefix(name));
    line.unwrap_or_else(|| panic!("no {name}"))
        .trim()
        .parse()
        .unwrap()
}

const STREAM: &str = "/api/v1/stream?every=2s&window=10s";
const GRAPH: &str = "/api/v1/topology?window=10s";

#[tokio::test]
async fn it_begins_with_the_graph_as_the_graph_route_has_it() {
    let mut live = Live::new();
    live.second(&[("shop/web", "shop/cart", 100, 1)]);
    let app = live.app();
    let response = app.clone().oneshot(get(STREAM)).await.unwrap();
    for (name, value) in [
        ("content-type", "text/event-stream"),
        ("cache-control", "no-store"),
        ("x-accel-buffering", "no"),
        ("content-encoding", ""),
        ("etag", ""),
    ] {
        assert_eq!(header(&response, name), value);
    }
    let mut client = Client::of(response);
    assert_eq!(client.read().await, Read::Snapshot);
    assert_eq!(client.graph, topology(&app, GRAPH).await);
}

/// Scenario: traffic of a thousand calls a second stays as it is, one edge comes, one goes, one begins to fail.
/// Guarantees: an event comes every two seconds of slices and names exactly what moved.
#[tokio::test]
async fn an_event_names_what_moved_and_nothing_else() {
    let steady = ("web", "cart", 1_000, 0);
    let mut live = Live::new();
    for _ in 0..10 {
        live.second(&[steady, ("web", "old", 5, 0)]);
    }
    let app = live.app();
    let mut client = Client::open(&app, STREAM).await;
    assert_eq!(client.read().await, Read::Snapshot);
    let id = |graph: &Value, server: &str| {
        let edges = graph["edges"].as_array().unwrap();
        let edge = edges.iter().find(|edge| edge["server"] == server);
        edge.map(|edge| edge["id"].as_str().unwrap().to_owned())
    };
    let old = id(&client.graph, "old").unwrap();
    // Two seconds without `old` take a fifth of its calls out of the window.
    live.second(&[steady]);
    live.second(&[steady]);
    assert_eq!(
        client.read().await,
        Read::Delta(vec!["old".to_owned(), old])
    );
    client.agrees(&app, GRAPH).await;
    live.second(&[steady]);
    live.second(&[("web", "cart", 1_000, 900), ("web", "new", 1, 0)]);
    let Read::Delta(told) = client.read().await else {
        panic!("a delta");
    };
    let cart = id(&client.graph, "cart").unwrap();
    let new = id(&client.graph, "new").unwrap();
    assert!(
        ["new", "cart", &*cart, &*new]
            .iter()
            .all(|id| told.iter().any(|t| t == id)),
        "{told:?}"
    );
    assert!(
        !told.contains(&"web".to_owned()),
        "it called; nobody called it: {told:?}"
    );
    client.agrees(&app, GRAPH).await;
    for _ in 0..6 {
        live.second(&[steady]);
        live.second(&[steady]);
        assert!(matches!(client.read().await, Read::Delta(_)));
        client.agrees(&app, GRAPH).await;
    }
    assert_eq!(id(&client.graph, "old"), None, "it left the window");
    // All is as before: time goes on, and nothing is worth a word.
    live.second(&[steady]);
    live.second(&[steady]);
    assert_eq!(client.read().await, Read::Delta(Vec::new()));
    assert_eq!(metric(&app, "spangraph_api_stream_skips_total").await, 0);
}

/// Scenario: a reader sleeps through three events.
/// Guarantees: it goes on with the newest state whole, and misses nothing after.
#[tokio::test]
async fn a_slow_reader_gets_the_newest_state() {
    let mut live = Live::new();
    live.second(&[("web", "cart", 1, 0)]);
    let app = live.app();
    let (mut slow, mut quick) = (
        Client::open(&app, STREAM).await,
        Client::open(&app, STREAM).await,
    );
    assert_eq!(
        (slow.read().await, quick.read().await),
        (Read::Snapshot, Read::Snapshot)
    );
    for calls in [10, 20, 30] {
        live.second(&[("web", "cart", calls, 0)]);
        live.second(&[]);
        assert!(matches!(quick.read().await, Read::Delta(_)));
    }
    assert_eq!(slow.read().await, Read::Snapshot);
    assert_eq!(slow.graph, topology(&app, GRAPH).await);
    live.second(&[("web", "cart", 90, 0)]);
    live.second(&[]);
    assert!(matches!(slow.read().await, Read::Delta(_)));
    slow.agrees(&app, GRAPH).await;
    assert_eq!(metric(&app, "spangraph_api_stream_skips_total").await, 1);
}

#[tokio::test(start_paused = true)]
async fn silence_is_broken_by_heartbeats() {
    let mut live = Live::new();
    live.second(&[("web", "cart", 1, 0)]);
    let app = live.app();
    let mut client = Client::open(&app, STREAM).await;
    assert_eq!(client.read().await, Read::Snapshot);
    let start = tokio::time::Instant::now();
    for n in 1..=3 {
        assert_eq!(client.read().await, Read::Heartbeat);
        assert_eq!(start.elapsed().as_secs(), 15 * n);
    }
}

/// Guarantees: the bounds hold, what is refused is counted and told when to come back, and places come free again.
#[tokio::test]
async fn streams_and_their_queries_are_bounded() {
    let mut live = Live::new();
    live.second(&[("web", "cart", 1, 0)]);
    let app = live.app();
    let refused = async |path: &str| {
        let response = app.clone().oneshot(get(path)).await.unwrap();
        assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE, "{path}");
        assert_eq!(header(&response, "retry-after"), "5");
        let problem = problem(response).await;
        assert_eq!(problem["type"], "too-many-streams");
        problem["detail"].as_str().unwrap().to_owned()
    };
    let mut open = Vec::new();
    for n in 0..16 {
        open.push(Client::open(&app, &format!("{STREAM}&min_calls={n}")).await);
    }
    let detail = refused(&format!("{STREAM}&min_calls=16")).await;
    assert_eq!(detail, "16 different queries are being streamed");
    for _ in 16..256 {
        open.push(Client::open(&app, &format!("{STREAM}&min_calls=3")).await);
    }
    assert_eq!(
        refused(&format!("{STREAM}&min_calls=3")).await,
        "256 streams are open"
    );
    let refusals = "spangraph_api_streams_refused_total";
    for (name, value) in [
        ("spangraph_api_streams_open", 256),
        ("spangraph_api_stream_queries", 16),
        ("spangraph_api_streams_opened_total", 256),
        (&*format!("{refusals}{{bound=\"queries\"}}"), 1),
        (&*format!("{refusals}{{bound=\"streams\"}}"), 1),
    ] {
        assert_eq!(metric(&app, name).await, value, "{name}");
    }
    drop(open);
    assert_eq!(metric(&app, "spangraph_api_streams_open").await, 0);
    assert_eq!(metric(&app, "spangraph_api_stream_queries").await, 0);
    Client::open(&app, &format!("{STREAM}&min_calls=16")).await;
}

/// Guarantees: however many read a query, it is built once for each event.
#[tokio::test]
async fn readers_of_one_query_share_one_build() {
    let mut live = Live::new();
    live.second(&[("web", "cart", 1, 0)]);
    let app = live.app();
    let mut clients = Vec::new();
    for _ in 0..20 {
        clients.push(Client::open(&app, STREAM).await);
    }
    for _ in 0..3 {
        for client in &mut clients {
            assert!(matches!(
                client.read().await,
                Read::Snapshot | Read::Delta(_)
            ));
        }
        live.second(&[("web", "cart", 1, 0)]);
        live.second(&[("web", "cart", 1, 0)]);
    }
    for client in &mut clients {
        assert!(matches!(client.read().await, Read::Delta(_)));
    }
    assert_eq!(
        metric(&app, "spangraph_api_bodies_total{how=\"built\"}").await,
        4
    );
}

#[tokio::test]
async fn a_drain_ends_streams_between_two_events() {
    let mut live = Live::new();
    live.second(&[("web", "cart", 1, 0)]);
    let (stop, ending) = Stop::new();
    let app = router(ApiState {
        ending,
        ..live.state()
    });
    let mut client = Client::open(&app, STREAM).await;
    assert_eq!(client.read().await, Read::Snapshot);
    stop.begin();
    assert_eq!(client.read().await, Read::End);
    let response = app.oneshot(get(STREAM)).await.unwrap();
    assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(problem(response).await["type"], "not-ready");
}

/// Scenario: the node in focus leaves the window.
/// Guarantees: the stream says so and ends; who comes back is answered as by the graph route.
#[tokio::test]
async fn a_question_that_can_no_longer_be_answered_ends_the_stream() {
    let mut live = Live::new();
    live.second(&[("web", "cart", 1, 0)]);
    let app = live.app();
    let path = format!("{STREAM}&focus=cart");
    let mut client = Client::open(&app, &path).await;
    assert_eq!(client.read().await, Read::Snapshot);
    for _ in 0..30 {
        live.second(&[("web", "other", 1, 0)]);
    }
    let Read::Problem(problem) = client.read().await else {
        panic!("a problem");
    };
    assert_eq!(problem["type"], "not-found");
    assert_eq!(client.read().await, Read::End);
    drop(client);
    let response = app.clone().oneshot(get(&path)).await.unwrap();
    assert_eq!(response.status(), StatusCode::NOT_FOUND);
    assert_eq!(metric(&app, "spangraph_api_streams_open").await, 0);
}

#[tokio::test]
async fn a_mistake_is_answered_before_a_stream_begins() {
    let mut live = Live::new();
    live.second(&[("web", "cart", 1, 0)]);
    let app = live.app();
    for (path, accept, status, kind) in [
        ("/api/v1/stream?every=0s", "*/*", 400, "invalid-parameter"),
        ("/api/v1/stream?every=61s", "*/*", 400, "invalid-parameter"),
        ("/api/v1/stream?every=1", "*/*", 400, "invalid-parameter"),
        ("/api/v1/stream?format=dot", "*/*", 400, "invalid-parameter"),
        ("/api/v1/stream?evry=5s", "*/*", 400, "invalid-parameter"),
        ("/api/v1/stream?at=1000000000", "*/*", 410, "window-expired"),
        ("/api/v1/stream?focus=nobody", "*/*", 404, "not-found"),
        ("/api/v1/stream", "application/json", 406, "not-acceptable"),
    ] {
        let request = with(path, &[("accept", accept)]);
        let response = app.clone().oneshot(request).await.unwrap();
        assert_eq!(response.status(), status, "{path}");
        assert_eq!(problem(response).await["type"], kind, "{path}");
    }
    let accepted = with(
        STREAM,
        &[("accept", "text/event-stream"), ("accept-encoding", "gzip")],
    );
    let response = app.oneshot(accepted).await.unwrap();
    assert_eq!(
        (response.status(), header(&response, "content-encoding")),
        (StatusCode::OK, "")
    );
    let empty = Live::new().app();
    let response = empty.oneshot(get(STREAM)).await.unwrap();
    assert_eq!(problem(response).await["type"], "not-ready");
}
