//! One element, names, unpaired spans: held to what the graph of the same window says, and to sums over its slots.
#![allow(clippy::unwrap_used, reason = "a failed step is a failed test")]

mod read_support;

use http::StatusCode;
use proptest::prelude::*;
use read_support::World;
use read_support::http::{bytes, get, header, problem, send, shop_state, with};
use read_support::live::{Calls, Live};
use serde_json::{Value, json};
use spangraph::api::{Api, router};
use spangraph::proto::{NodeType, Outcomes, UnpairedRow};
use tower::ServiceExt as _;

async fn json_of(app: &Api, path: &str) -> Value {
    let response = app.clone().oneshot(get(path)).await.unwrap();
    assert_eq!(response.status(), StatusCode::OK, "{path}");
    assert_eq!(header(&response, "content-type"), "application/json");
    serde_json::from_slice(&bytes(response).await).unwrap()
}

/// An id as it stands in a URL.
fn encoded(id: &str) -> String {
    id.replace('/', "%2F").replace(':', "%3A")
}

fn list(value: &Value) -> &Vec<Value> {
    value.as_array().unwrap()
}

fn sum(points: &[Value], path: &str) -> u64 {
    points
        .iter()
        .map(|point| point.pointer(path).unwrap().as_u64().unwrap())
        .sum()
}

const EDGES: [(&str, &str); 8] = [
    ("shop/web", "shop/cart"),
    ("shop/cart", "database:carts"),
    ("shop/web", "external:pay"),
    ("shop/web", "external:gateway"),
    ("bank/pay", "bank/ledger"),
    ("shop/cart", "shop/cart"),
    ("shop/cart", "shop/web"),
    ("web", "bank/pay"),
];

type Second = Vec<(usize, u64, u64)>;

fn lived(seconds: &[Second]) -> Live {
    let mut live = Live::new();
    for second in seconds {
        let calls: Vec<Calls<'_>> = second
            .iter()
            .map(|(edge, calls, failed)| {
                (
                    EDGES[*edge].0,
                    EDGES[*edge].1,
                    *calls,
                    (*failed).min(*calls),
                )
            })
            .collect();
        live.second(&calls);
    }
    live
}

/// Every element of the graph route, asked one by one.
async fn each_agrees_with_the_graph(app: &Api, query: &str) {
    let graph = json_of(
        app,
        &format!("/api/v1/topology?include=histograms,exemplars&{query}"),
    )
    .await;
    let (nodes, edges) = (list(&graph["nodes"]), list(&graph["edges"]));
    for edge in edges {
        let id = edge["id"].as_str().unwrap();
        let body = json_of(app, &format!("/api/v1/edge?id={id}&{query}")).await;
        assert_eq!(body["edge"], *edge);
        for end in ["client", "server"] {
            assert_eq!(body[end]["id"], edge[end]);
            assert!(nodes.contains(&body[end]));
        }
        history_sums_to(&body, edge);
    }
    for node in nodes {
        let id = &node["id"];
        let path = format!("/api/v1/node?id={}&{query}", encoded(id.as_str().unwrap()));
        let body = json_of(app, &path).await;
        assert_eq!(body["node"], *node);
        let touching = |end: &str| {
            edges
                .iter()
                .filter(|e| e[end] == *id)
                .cloned()
                .collect::<Vec<_>>()
        };
        let (incoming, outgoing) = (touching("server"), touching("client"));
        assert_eq!(
            (list(&body["incoming"]), list(&body["outgoing"])),
            (&incoming, &outgoing)
        );
        let beside = |n: &&Value| {
            n["id"] != *id
                && (incoming.iter().any(|e| e["client"] == n["id"])
                    || outgoing.iter().any(|e| e["server"] == n["id"]))
        };
        let expected: Vec<_> = nodes.iter().filter(beside).cloned().collect();
        assert_eq!(*list(&body["neighbours"]), expected);
        assert_eq!(body["hidden"], json!({"nodes": 0, "edges": 0, "calls": 0}));
        history_sums_to(&body, node);
        for (name, edges) in [("incoming", incoming), ("outgoing", outgoing)] {
            for count in ["calls", "failed"] {
                let points = sum(list(&body["history"]), &format!("/{name}/{count}"));
                assert_eq!(
                    points,
                    sum(&edges, &format!("/{count}")),
                    "{id} {name} {count}"
                );
            }
        }
    }
}

/// Guarantees: no call is lost or counted twice between the points of a history, which follow each other in time.
fn history_sums_to(body: &Value, element: &Value) {
    let history = list(&body["history"]);
    for count in ["calls", "failed"] {
        let path = format!("/{count}");
        assert_eq!(
            sum(history, &path),
            element[count].as_u64().unwrap(),
            "{element} {body}"
        );
    }
    for pair in history.windows(2) {
        assert!(pair[0]["end"].as_str() <= pair[1]["start"].as_str());
    }
    let covered: f64 = history
        .iter()
        .map(|point| point["covered_s"].as_f64().unwrap())
        .sum();
    assert!((covered - body["window"]["covered_s"].as_f64().unwrap()).abs() < 1e-6);
    // Nobody measures at what rate a virtual node is called.
    let idle = match element["inferred"] {
        Value::Bool(true) => Value::Null,
        _ => json!(0.0),
    };
    for point in history.iter().filter(|point| point["calls"] == 0) {
        assert_eq!(
            (&point["failed_ratio"], &point["rate_per_s"]),
            (&Value::Null, &idle)
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// Scenario: peers fold, by name and by address, into services that are idle in some of the slots; slots are of
    /// several lengths.
    /// Guarantees: each element is the graph's, and its history sums to it.
    #[test]
    fn an_element_is_that_of_the_graph_and_its_history_sums_to_it(
        seconds in prop::collection::vec(prop::collection::vec((0..EDGES.len(), 1..9_u64, 0..3_u64), 0..5), 1..40),
        query in prop::sample::select(vec!["window=5m", "window=7s", "group_by=namespace", "quantiles=0.5"]),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(each_agrees_with_the_graph(&lived(&seconds).app(), query));
    }
}

/// Scenario: a whole day of seconds.
/// Guarantees: the history has at most 240 points, none of the calls missing.
#[tokio::test]
async fn a_long_history_is_bounded() {
    let mut live = Live::new();
    for _ in 0..5_000 {
        live.second(&[("web", "cart", 1, 0)]);
    }
    let app = live.app();
    let graph = json_of(&app, "/api/v1/topology?window=1d").await;
    let path = format!(
        "/api/v1/edge?window=1d&id={}",
        graph["edges"][0]["id"].as_str().unwrap()
    );
    let body = json_of(&app, &path).await;
    assert!(list(&body["history"]).len() <= 240);
    history_sums_to(&body, &graph["edges"][0]);
    assert_eq!(body["edge"]["calls"], 5_000);
}

/// Scenario: a gateway with 1,003 callers of different weight.
/// Guarantees: the thousand busiest are shown, the rest is said.
#[tokio::test]
async fn the_neighbours_of_a_hub_are_bounded() {
    let callers: Vec<String> = (0..1_003).map(|n| format!("caller-{n:04}")).collect();
    let calls: Vec<Calls<'_>> = callers
        .iter()
        .zip(1..)
        .map(|(id, n)| (&**id, "hub", n.min(10), 0))
        .collect();
    let mut live = Live::new();
    live.second(&calls);
    let body = json_of(&live.app(), "/api/v1/node?id=hub").await;
    assert_eq!(
        (
            list(&body["incoming"]).len(),
            list(&body["neighbours"]).len()
        ),
        (1_000, 1_000)
    );
    assert_eq!(
        body["hidden"],
        json!({"nodes": 0, "edges": 3, "calls": 1 + 2 + 3})
    );
    assert_eq!(
        sum(list(&body["history"]), "/incoming/calls"),
        body["node"]["calls"].as_u64().unwrap()
    );
}

#[tokio::test]
async fn an_element_that_is_not_there_is_not_found() {
    for path in [
        "/api/v1/node?id=nobody",
        "/api/v1/node?id=shop%2Fnobody",
        "/api/v1/edge?id=0000000000000000",
        "/api/v1/edge?id=shop/web",
    ] {
        let response = send(shop_state(), get(path)).await;
        assert_eq!(response.status(), StatusCode::NOT_FOUND, "{path}");
        let problem = problem(response).await;
        assert_eq!(problem["type"], "not-found");
        assert!(
            problem["detail"]
                .as_str()
                .unwrap()
                .ends_with("is not in the window")
        );
    }
}

/// Guarantees: what was asked is repeated, and the answers are cached as graphs are.
#[tokio::test]
async fn answers_about_a_window_have_validators() {
    for path in [
        "/api/v1/node?id=shop/web",
        "/api/v1/services",
        "/api/v1/namespaces?window=1m",
        "/api/v1/unpaired",
    ] {
        let app = router(shop_state());
        let first = app.clone().oneshot(get(path)).await.unwrap();
        let etag = header(&first, "etag").to_owned();
        assert!(etag.starts_with("W/\""), "{path}");
        assert_eq!(header(&first, "cache-control"), "private, max-age=1");
        let again = app
            .clone()
            .oneshot(with(path, &[("if-none-match", &etag)]))
            .await
            .unwrap();
        assert_eq!(again.status(), StatusCode::NOT_MODIFIED, "{path}");
        assert!(bytes(again).await.is_empty());
        let glue = if path.contains('?') { '&' } else { '?' };
        let other = app
            .oneshot(get(&format!("{path}{glue}at=-9s")))
            .await
            .unwrap();
        assert_ne!(header(&other, "etag"), etag, "{path}");
    }
    let body = json_of(&router(shop_state()), "/api/v1/node?id=shop/web&window=1m").await;
    assert_eq!(body["query"], json!({"id": "shop/web", "window": "60s"}));
    assert_eq!(body["schema"], "spangraph.node/1");
}

#[tokio::test]
async fn names_come_with_their_counts() {
    let app = router(shop_state());
    let services = json_of(&app, "/api/v1/services").await;
    assert_eq!(
        services["services"],
        json!([
            {"id": "ops/audit", "name": "audit", "namespace": "ops", "calls": 90, "failed": 0},
            {"id": "shop/checkout", "name": "checkout", "namespace": "shop", "calls": 620, "failed": 6},
            {"id": "shop/web", "name": "web", "namespace": "shop", "calls": 3, "failed": 0},
        ])
    );
    let namespaces = json_of(&app, "/api/v1/namespaces").await;
    assert_eq!(
        namespaces["namespaces"],
        json!([
            {"name": "ops", "services": 1, "calls": 90, "failed": 0},
            {"name": "shop", "services": 2, "calls": 623, "failed": 6},
        ])
    );
    assert_eq!(
        namespaces["without_namespace"],
        json!({"services": 0, "calls": 0, "failed": 0})
    );
    let some = json_of(&app, "/api/v1/services?service=shop/c*").await;
    assert_eq!(some["services"].as_array().unwrap().len(), 1);
    assert_eq!(some["query"], json!({"service": ["shop/c*"]}));
}

fn with_unpaired() -> Live {
    let mut world = World::new();
    let (web, cart) = (world.service("shop/web"), world.service("shop/cart"));
    world.plain(web, cart, 1);
    world.slice.edges[0].weighted_calls = 8 << 20;
    world.node("other", "other", "", NodeType::Service);
    let rows = [
        (cart, 2, Some("GET /cart"), "parent_not_seen", 3, 7),
        (web, 3, None, "no_server_span", 2, 8),
        (web, 3, Some("GET"), "no_server_span", 5, 9),
        (web, 3, Some("GET"), "arrived_late", 1, 2),
    ];
    for (node, kind, span_name, reason, count, trace) in rows {
        let row = UnpairedRow {
            node,
            kind,
            span_name_ref: span_name.map_or(0, |name| world.text(name)),
            reason_ref: world.text(reason),
            count,
            sample_trace_id: vec![trace; 16],
            further_names: span_name.is_none(),
        };
        world.slice.unpaired.push(row);
    }
    world.slice.unpaired_other = 4;
    let law = world.slice.law.get_or_insert_default();
    law.accepted = 15;
    law.outcomes = Some(Outcomes {
        unpaired_server: 7,
        unpaired_client: 7,
        late: 1,
        ..Outcomes::default()
    });
    let mut live = Live::new();
    live.push(world.done());
    live
}

/// Guarantees: every unpaired or late span of the law is in a row, in `other` or in `hidden`; each reason has a hint; the law
/// is that of the graph.
#[tokio::test]
async fn unpaired_spans_say_why_and_what_to_do() {
    let app = with_unpaired().app();
    let body = json_of(&app, "/api/v1/unpaired").await;
    let row = |service: &str, kind: &str, name: Value, reason: &str, count: u64, trace: &str| {
        json!({"service": service, "kind": kind, "span_name": name, "reason": reason, "count": count,
            "sample_trace_id": trace.repeat(16)})
    };
    assert_eq!(
        body["rows"],
        json!([
            row(
                "shop/cart",
                "server",
                "GET /cart".into(),
                "parent_not_seen",
                3,
                "07"
            ),
            row("shop/web", "client", "GET".into(), "arrived_late", 1, "02"),
            row(
                "shop/web",
                "client",
                "GET".into(),
                "no_server_span",
                5,
                "09"
            ),
            row("shop/web", "client", Value::Null, "no_server_span", 2, "08"),
        ])
    );
    let of_law: u64 = ["unpaired_client", "unpaired_server", "late"]
        .iter()
        .map(|name| body["law"]["outcomes"][name].as_u64().unwrap())
        .sum();
    assert_eq!(
        sum(list(&body["rows"]), "/count") + body["other"].as_u64().unwrap(),
        of_law
    );
    for reason in list(&body["reasons"]) {
        let count: u64 = list(&body["rows"])
            .iter()
            .filter(|row| row["reason"] == reason["reason"])
            .map(|row| row["count"].as_u64().unwrap())
            .sum();
        assert_eq!(reason["count"], count);
        assert!(reason["hint"].as_str().unwrap().len() > 20);
    }
    assert_eq!(body["law"], json_of(&app, "/api/v1/topology").await["law"]);
    assert_eq!(body["law"]["sampling_adjusted"], true);
    let filtered = json_of(&app, "/api/v1/unpaired?exclude=*/web").await;
    assert_eq!(
        (list(&filtered["rows"]).len(), &filtered["hidden"]),
        (1, &json!({"rows": 3, "count": 8}))
    );
}

#[tokio::test]
async fn an_empty_window_has_empty_answers() {
    let mut live = Live::new();
    live.second(&[]);
    let app = live.app();
    assert_eq!(
        json_of(&app, "/api/v1/services").await["services"],
        json!([])
    );
    assert_eq!(
        json_of(&app, "/api/v1/namespaces").await["namespaces"],
        json!([])
    );
    assert_eq!(json_of(&app, "/api/v1/unpaired").await["rows"], json!([]));
}
