//! Layouts as clients get them: with every node, steady while services come, and told apart by the `ETag`.
#![allow(clippy::unwrap_used, reason = "a failed step is a failed test")]

mod read_support;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use http::StatusCode;
use prost::Message as _;
use read_support::http::{bytes, header, with};
use read_support::{END, World, state};
use serde_json::Value;
use spangraph::api::{Api, Source, router};
use spangraph::history::{Ends, History, LevelInfo, Resolved, WindowError};
use spangraph::proto::{ConnectionType, Slice};
use spangraph::slice::{MergeError, Sealed};
use tower::ServiceExt as _;

/// A history that grows while it is asked, and how many windows were merged of it.
#[derive(Debug)]
struct Growing {
    history: History,
    merges: AtomicUsize,
}

// === impl Growing ===

impl Growing {
    fn new() -> Arc<Self> {
        Arc::new(Self {
            history: History::new(1 << 24),
            merges: AtomicUsize::new(0),
        })
    }

    /// Seals `second` of the minute before [`END`].
    fn seal(&self, second: u64, calls: &[(&str, &str)]) {
        let start = END - 60 + second;
        let mut w = World::new();
        let mut ids: BTreeMap<&str, u32> = BTreeMap::new();
        let mut names: Vec<&str> = calls.iter().flat_map(|(a, b)| [*a, *b]).collect();
        names.sort_unstable();
        names.dedup();
        for name in names {
            let node = if name.contains(':') {
                w.virtual_node(name)
            } else {
                w.service(name)
            };
            ids.insert(name, node);
        }
        for (client, server) in calls {
            let connection = if server.starts_with("external:") {
                ConnectionType::VirtualNode
            } else {
                ConnectionType::None
            };
            w.call((ids[client], ids[server]), connection, (3, 0), 0);
        }
        let slice = Slice {
            start_unix_s: start,
            end_unix_s: start + 1,
            covered_ns: 1_000_000_000,
            ..w.done()
        };
        self.history.push(&Sealed {
            start_unix_s: start,
            end_unix_s: start + 1,
            bytes: slice.encode_to_vec().into(),
        });
    }
}

impl Source for Growing {
    fn resolve(&self, window_s: u64, end_unix_s: Option<u64>) -> Result<Resolved, WindowError> {
        self.history.resolve(window_s, end_unix_s)
    }

    fn resolve_pair(&self, window_s: u64, ends: Ends) -> Result<[Resolved; 2], WindowError> {
        self.history.resolve_pair(window_s, ends)
    }

    fn merge(&self, resolved: &Resolved) -> Result<Slice, MergeError> {
        self.merges.fetch_add(1, Ordering::SeqCst);
        self.history.merge(resolved)
    }

    fn levels(&self) -> Vec<LevelInfo> {
        self.history.levels()
    }

    fn newest_unix_s(&self) -> Option<u64> {
        self.history.newest_unix_s()
    }

    fn versions(&self) -> tokio::sync::watch::Receiver<u64> {
        self.history.versions()
    }
}

const SHOP: [(&str, &str); 4] = [
    ("user:user", "web"),
    ("web", "checkout"),
    ("checkout", "database:orders"),
    ("web", "catalog"),
];

struct Answer {
    status: StatusCode,
    etag: String,
    body: Vec<u8>,
}

async fn ask(api: &Api, path: &str, etag: &str) -> Answer {
    let response = api
        .clone()
        .oneshot(with(path, &[("if-none-match", etag)]))
        .await
        .unwrap();
    Answer {
        status: response.status(),
        etag: header(&response, "etag").to_owned(),
        body: bytes(response).await,
    }
}

const WHOLE: &str = "/api/v1/topology?window=1m&include=layout";

/// The places of a JSON body by node id, and its layout epoch.
fn places(body: &[u8]) -> (BTreeMap<String, Value>, String) {
    let body: Value = serde_json::from_slice(body).unwrap();
    let nodes = body["nodes"].as_array().unwrap();
    let place = |node: &Value| {
        (
            node["id"].as_str().unwrap().to_owned(),
            node["layout"].clone(),
        )
    };
    (
        nodes.iter().map(place).collect(),
        body["layout_epoch"].as_str().unwrap().to_owned(),
    )
}

#[tokio::test]
async fn places_come_when_asked_for_and_only_then() {
    let source = Growing::new();
    source.seal(0, &SHOP);
    let api = router(state(source));
    let (places, epoch) = places(&ask(&api, WHOLE, "").await.body);
    assert_eq!(places.len(), 5);
    assert_eq!(epoch.len(), 16);
    for (id, place) in &places {
        assert!(
            place["x"].is_f64() && place["y"].is_f64() && place["rank"].is_u64(),
            "{id}: {place}"
        );
    }
    assert_eq!(
        (&places["user:user"]["rank"], &places["web"]["rank"]),
        (&0.into(), &1.into())
    );
    let plain = String::from_utf8(ask(&api, "/api/v1/topology?window=1m", "").await.body).unwrap();
    assert!(!plain.contains("layout"));
}

/// Guarantees: a service that comes moves no other; only its coming changes the `ETag` of a window that is past.
#[tokio::test]
async fn a_newcomer_moves_nobody_and_changes_the_etag() {
    let source = Growing::new();
    source.seal(0, &SHOP);
    let api = router(state(Arc::<Growing>::clone(&source)));
    let past = format!("{WHOLE}&at={}", END - 59);
    let before = ask(&api, &past, "").await;
    // The same services again: the past window is as it was, and its places are too.
    source.seal(1, &SHOP);
    ask(&api, WHOLE, "").await;
    assert_eq!(
        ask(&api, &past, &before.etag).await.status,
        StatusCode::NOT_MODIFIED
    );
    source.seal(2, &[("checkout", "payments")]);
    let now = places(&ask(&api, WHOLE, "").await.body);
    let then = places(&before.body);
    assert_eq!(now.1, then.1, "one epoch");
    assert!(now.0.contains_key("payments"));
    for (id, place) in &then.0 {
        assert_eq!(&now.0[id], place, "{id}");
    }
    let again = ask(&api, &past, &before.etag).await;
    assert_eq!(again.status, StatusCode::OK, "the layout is another");
    assert_eq!(places(&again.body), then);
}

#[tokio::test]
async fn a_graph_that_doubled_is_laid_out_anew() {
    let source = Growing::new();
    source.seal(0, &SHOP);
    let api = router(state(Arc::<Growing>::clone(&source)));
    let before = places(&ask(&api, WHOLE, "").await.body);
    source.seal(1, &[("a", "b"), ("b", "c"), ("c", "d"), ("d", "e")]);
    let after = places(&ask(&api, WHOLE, "").await.body);
    assert_eq!(after.0.len(), 10);
    assert_ne!(after.1, before.1);
}

/// Guarantees: requests do not lay out; a change of who is there does, once.
#[tokio::test]
async fn the_history_is_read_once_for_each_change_of_nodes() {
    let source = Growing::new();
    source.seal(0, &SHOP);
    let api = router(state(Arc::<Growing>::clone(&source)));
    let merges = || source.merges.swap(0, Ordering::SeqCst);
    ask(&api, WHOLE, "").await;
    assert_eq!(merges(), 2, "the window, and all there is");
    for (second, look) in (1..).zip(["", "&theme=dark", "&rankdir=TB"]) {
        source.seal(second, &SHOP);
        ask(&api, &format!("/api/v1/topology.svg?window=1m{look}"), "").await;
        assert_eq!(merges(), 1, "the window");
    }
    source.seal(4, &[("web", "search")]);
    ask(&api, WHOLE, "").await;
    assert_eq!(merges(), 2);
}

/// Guarantees: filters hide and never move; a node that only an old window shows under its name has a place too.
#[tokio::test]
async fn filters_do_not_move_and_windows_miss_nobody() {
    let source = Growing::new();
    source.seal(0, &[("web", "external:payments"), ("web", "catalog")]);
    source.seal(1, &SHOP);
    source.seal(2, &[("checkout", "payments")]);
    let api = router(state(Arc::<Growing>::clone(&source)));
    let whole = places(&ask(&api, WHOLE, "").await.body);
    assert!(
        !whole.0.contains_key("external:payments"),
        "it is the service by now"
    );
    let part = places(
        &ask(&api, &format!("{WHOLE}&focus=checkout&up=1&down=1"), "")
            .await
            .body,
    );
    assert!(part.0.len() < whole.0.len() && part.1 == whole.1);
    assert!(part.0.iter().all(|(id, place)| whole.0[id] == *place));
    let old = places(
        &ask(&api, &format!("{WHOLE}&at={}", END - 59), "")
            .await
            .body,
    );
    let stranger = &old.0["external:payments"];
    assert!(stranger["x"].is_f64());
    assert!(whole.0.values().all(|place| place != stranger));
}

/// Guarantees: namespaces as nodes have a layout of their own, as steady.
#[tokio::test]
async fn namespaces_have_places_too() {
    let source = Growing::new();
    source.seal(
        0,
        &[
            ("a/x", "b/y"),
            ("b/y", "c/z"),
            ("a/x", "d/w"),
            ("d/w", "database:db"),
        ],
    );
    let api = router(state(Arc::<Growing>::clone(&source)));
    let grouped = format!("{WHOLE}&group_by=namespace");
    let before = places(&ask(&api, &grouped, "").await.body);
    assert_eq!(before.0.len(), 5);
    source.seal(1, &[("b/y", "b/new"), ("b/new", "e/v")]);
    let after = places(&ask(&api, &grouped, "").await.body);
    assert_eq!(after.0.len(), 6);
    assert!(before.0.iter().all(|(id, place)| after.0[id] == *place));
}

#[tokio::test]
async fn dot_and_flat_nodes_carry_places_when_asked() {
    let source = Growing::new();
    source.seal(0, &SHOP);
    let api = router(state(source));
    let places = places(&ask(&api, WHOLE, "").await.body).0;
    let text = async |path: &str| String::from_utf8(ask(&api, path, "").await.body).unwrap();
    let dot = text("/api/v1/topology.dot?window=1m&include=layout").await;
    let web = &places["web"];
    let (x, y) = (web["x"].as_f64().unwrap(), web["y"].as_f64().unwrap());
    assert!(
        dot.contains(&format!("\"web\" [pos=\"{x},{}\"", 0.0 - y)),
        "{dot}"
    );
    assert!(dot.starts_with("// Placed"), "and how to keep the place");
    let unplaced = text("/api/v1/topology.dot?window=1m").await;
    assert!(unplaced.starts_with("digraph") && !unplaced.contains("pos="));
    let flat: Value =
        serde_json::from_str(&text("/api/v1/nodes?window=1m&include=layout").await).unwrap();
    assert!(
        flat.as_array()
            .unwrap()
            .iter()
            .all(|node| node["layout"] == places[node["id"].as_str().unwrap()])
    );
    let csv = text("/api/v1/nodes.csv?window=1m&include=layout").await;
    assert!(
        csv.lines()
            .next()
            .unwrap()
            .ends_with("layout_x,layout_y,layout_rank")
    );
    let grafana = text("/api/v1/nodes?format=grafana&window=1m&include=layout").await;
    assert_eq!(grafana.matches("\"fixedx\":").count(), 5);
}

/// Guarantees: `include=idle` adds what is retained but had no calls in the window, without figures and where it
/// stood; without it such elements are absent, and with it the rest is as before.
#[tokio::test]
async fn what_is_idle_is_shown_when_asked_for() {
    let source = Growing::new();
    source.seal(0, &[("web", "reports"), ("web", "external:checkout")]);
    source.seal(30, &SHOP);
    let api = router(state(Arc::<Growing>::clone(&source)));
    let parsed = async |path: &str| -> Value {
        serde_json::from_slice(&ask(&api, path, "").await.body).unwrap()
    };
    let busy = parsed("/api/v1/topology?window=5s&include=layout").await;
    let all = parsed("/api/v1/topology?window=5s&include=layout,idle").await;
    let split = |list: &Value| -> (Vec<Value>, Vec<Value>) {
        let list = list.as_array().unwrap().clone();
        list.into_iter()
            .partition(|element| element["idle"] == true)
    };
    let (idle, rest) = split(&all["nodes"]);
    assert_eq!(Value::from(rest), busy["nodes"]);
    assert_eq!(
        idle.len(),
        1,
        "what folds into a busy service is not idle: {idle:?}"
    );
    let reports = &idle[0];
    assert_eq!(
        (&reports["id"], &reports["calls"]),
        (&"reports".into(), &0.into())
    );
    for figure in ["rate_per_s", "failed_ratio", "latency", "health"] {
        assert!(reports[figure].is_null(), "{figure}");
    }
    assert!(reports["layout"]["x"].is_f64() && reports["last_seen"].is_string());
    let (idle, rest) = split(&all["edges"]);
    assert_eq!(Value::from(rest), busy["edges"]);
    assert_eq!(idle.len(), 1);
    assert_eq!(
        (&idle[0]["server"], &idle[0]["calls"]),
        (&"reports".into(), &0.into())
    );
    assert!(idle[0]["rate_per_s"].is_null() && idle[0]["health"].is_null());
    assert_eq!(all["law"], busy["law"]);
    let svg = ask(&api, "/api/v1/topology.svg?window=5s&include=idle", "").await;
    assert!(
        String::from_utf8(svg.body)
            .unwrap()
            .contains("data-id=\"reports\"")
    );
}

/// Guarantees: an answer that shows what is idle is another one once something became so, however old its window.
#[tokio::test]
async fn what_becomes_idle_changes_the_etag() {
    let source = Growing::new();
    source.seal(0, &SHOP);
    let api = router(state(Arc::<Growing>::clone(&source)));
    let past = format!("/api/v1/topology?window=1s&include=idle&at={}", END - 59);
    let before = ask(&api, &past, "").await;
    assert_eq!(
        ask(&api, &past, &before.etag).await.status,
        StatusCode::NOT_MODIFIED
    );
    source.seal(1, &[("web", "search")]);
    let after = ask(&api, &past, &before.etag).await;
    assert_eq!(after.status, StatusCode::OK);
    assert!(
        String::from_utf8(after.body)
            .unwrap()
            .contains("\"id\":\"search\"")
    );
}
