//! What filters took away is reported with every answer, whatever its format. `tests/external/hidden_check.py` has the
//! real consumers of the formats find it.
#![allow(clippy::unwrap_used, reason = "a failed step is a failed test")]

mod read_support;

use std::sync::Arc;

use http::StatusCode;
use read_support::http::{bytes, get, header, send, shop_state, with};
use read_support::live::Live;
use read_support::stream::Client;
use read_support::xml::parse;
use read_support::{Fixed, World, state};
use serde_json::Value;
use spangraph::api::{ApiState, router};
use spangraph::render::View;
use tower::ServiceExt as _;

async fn asked(path: &str) -> (String, String) {
    let response = send(shop_state(), get(path)).await;
    assert_eq!(response.status(), StatusCode::OK, "{path}");
    let field = header(&response, "spangraph-hidden").to_owned();
    (field, String::from_utf8(bytes(response).await).unwrap())
}

async fn json(path: &str) -> Value {
    serde_json::from_str(&asked(path).await.1).unwrap()
}

/// The field, and the words of drawings, for what a body says.
fn expected(hidden: &Value) -> (String, String) {
    let [nodes, edges, calls] =
        ["nodes", "edges", "calls"].map(|name| hidden[name].as_u64().unwrap());
    let many = |n: u64, word: &str| format!("{n} {word}{}", if n == 1 { "" } else { "s" });
    let words = [
        many(nodes, "node"),
        many(edges, "edge"),
        many(calls, "call"),
    ]
    .join(", ");
    (
        format!("nodes={nodes}, edges={edges}, calls={calls}"),
        format!("hidden by filters: {words}"),
    )
}

/// Guarantees: every format of every view carries the same numbers in its head, and every drawing in its title.
#[tokio::test]
async fn every_format_reports_what_filters_took() {
    for query in ["top=1", "namespace=nowhere", "type=service", ""] {
        let body = json(&format!("/api/v1/topology?{query}")).await;
        let (field, words) = expected(&body["hidden"]);
        let any = body["hidden"]["edges"].as_u64().unwrap() > 0;
        assert_eq!(any, !query.is_empty(), "{query}");
        for view in View::ALL {
            for format in view.formats() {
                let path = format!("/api/v1/{}?format={}&{query}", view.name(), format.name());
                let (told, body) = asked(&path).await;
                assert_eq!(told, field, "{path}");
                let said = body.matches(&words).count() > 0;
                assert_eq!(said, any && format.is_drawn(view), "{path}: {body:.500}");
            }
        }
    }
}

/// Guarantees: programs find the numbers in the formats that have a place for a graph's own data.
#[tokio::test]
async fn graph_formats_have_it_as_data() {
    let hidden = json("/api/v1/topology?top=1").await["hidden"].clone();
    let linked = json("/api/v1/topology?top=1&format=node-link").await;
    assert_eq!(linked["graph"]["hidden"], hidden);
    let graphml = parse(
        asked("/api/v1/topology.graphml?top=1")
            .await
            .1
            .split_once("?>")
            .unwrap()
            .1,
    );
    let graph = graphml.named("graph").next().unwrap();
    for name in ["nodes", "edges", "calls"] {
        let id = format!("hidden_{name}");
        let key = graphml
            .named("key")
            .find(|k| k.attribute("id") == id)
            .unwrap();
        assert_eq!(
            (key.attribute("for"), key.attribute("attr.type")),
            ("graph", "long")
        );
        let data = graph
            .named("data")
            .find(|d| d.attribute("key") == id)
            .unwrap();
        assert_eq!(data.text, hidden[name].to_string(), "{name}");
    }
}

/// Guarantees: a diff reports it of each window, in its head and in its drawings.
#[tokio::test]
async fn a_diff_reports_both_windows() {
    let body = json("/api/v1/diff?window=2m&type=service").await;
    let field = |side: &str| {
        let counts = &body[side]["hidden"];
        let (nodes, edges, calls) = (&counts["nodes"], &counts["edges"], &counts["calls"]);
        format!("{side};nodes={nodes};edges={edges};calls={calls}")
    };
    assert!(body["head"]["hidden"]["edges"].as_u64().unwrap() > 0);
    let (base, head) = (
        expected(&body["base"]["hidden"]).1,
        expected(&body["head"]["hidden"]).1,
    );
    let words = format!(
        "{base} of base, {} of head",
        head.strip_prefix("hidden by filters: ").unwrap()
    );
    for format in ["json", "dot", "svg", "mermaid"] {
        let path = format!("/api/v1/diff?window=2m&type=service&format={format}");
        let (told, text) = asked(&path).await;
        assert_eq!(
            told,
            format!("{}, {}", field("base"), field("head")),
            "{format}"
        );
        if format != "json" {
            let shown = text
                .replace("<tspan dx=\"12\">", " ")
                .replace("</tspan>", "");
            assert!(
                shown.contains(&words) || shown.contains(&words.replacen(": ", " ", 1)),
                "{text:.900}"
            );
        }
    }
    let plain = asked("/api/v1/diff.svg?window=2m").await;
    assert!(!plain.1.contains("hidden by filters"));
}

/// A hub that calls `fan` services.
fn hub(fan: usize) -> ApiState {
    let mut w = World::new();
    let hub = w.service("hub");
    for n in 0..fan {
        let node = w.service(&format!("s{n}"));
        w.plain(hub, node, 1_000_000 - n as u64);
    }
    state(Arc::new(Fixed::new(w.done())))
}

/// Scenario: more edges than Mermaid takes, of which a filter takes some too.
/// Guarantees: what Mermaid's bounds left out stands in the head as a member of its own, where the drawing's edges and
/// nodes are those that it says are left; in no other format, and where all fits, there is no such member.
#[tokio::test]
async fn what_a_format_has_no_room_for_is_reported_apart() {
    let told = async |path: &str| {
        let response = send(hub(600), get(path)).await;
        assert_eq!(response.status(), StatusCode::OK, "{path}");
        let field = header(&response, "spangraph-hidden").to_owned();
        (field, String::from_utf8(bytes(response).await).unwrap())
    };
    let filtered = "nodes=10, edges=10, calls=9994055";
    let (field, text) = told("/api/v1/topology.mmd?top=590&label=none").await;
    let drawn = |words: &str| text.lines().filter(|l| l.contains(words)).count();
    let (edges, nodes) = (drawn(" --> "), drawn(":::"));
    assert!(
        (100..=500).contains(&edges) && nodes == edges + 1,
        "{edges}"
    );
    let left = 590 - edges;
    assert_eq!(
        field,
        format!("{filtered}, undrawn;nodes={left};edges={left}")
    );
    for format in ["json", "dot", "svg", "plantuml", "csv"] {
        let path = format!("/api/v1/topology?top=590&format={format}");
        assert_eq!(told(&path).await.0, filtered, "{format}");
    }
    let fits = told("/api/v1/topology.mmd?top=20&label=none").await.0;
    assert!(!fits.contains("undrawn"), "{fits}");
}

/// Scenario: 700 edges appear.
/// Guarantees: a difference reports what its drawing has no room for in the same way.
#[tokio::test]
async fn what_a_drawn_diff_has_no_room_for_is_reported_too() {
    let names: Vec<String> = (0..700).map(|n| format!("s{n}")).collect();
    let calls: Vec<_> = names.iter().map(|s| ("hub", s.as_str(), 2, 0)).collect();
    let mut live = Live::new();
    live.second(&[]);
    live.second(&calls);
    let app = live.app();
    let told = async |path: &str| {
        let response = app.clone().oneshot(get(path)).await.unwrap();
        assert_eq!(response.status(), StatusCode::OK, "{path}");
        let field = header(&response, "spangraph-hidden").to_owned();
        (field, String::from_utf8(bytes(response).await).unwrap())
    };
    let nothing = "base;nodes=0;edges=0;calls=0, head;nodes=0;edges=0;calls=0";
    assert_eq!(told("/api/v1/diff?window=1s").await.0, nothing);
    let (field, text) = told("/api/v1/diff.mmd?window=1s").await;
    let drawn = |words: &str| text.lines().filter(|l| l.contains(words)).count();
    let (edges, nodes) = (700 - drawn(" -->"), 701 - drawn(":::"));
    assert!((200..650).contains(&edges), "{edges}");
    assert_eq!(
        field,
        format!("{nothing}, undrawn;nodes={nodes};edges={edges}")
    );
}

/// Guarantees: lists of names tell what their filters took, in the head, having no room for it in the body.
#[tokio::test]
async fn names_report_it_too() {
    for query in ["namespace=shop", "exclude=shop/*", "service=nobody", ""] {
        let graph = asked(&format!("/api/v1/topology?top=100000&{query}")).await;
        for names in ["services", "namespaces"] {
            let (field, body) = asked(&format!("/api/v1/{names}?{query}")).await;
            assert_eq!(field, graph.0, "{names}?{query}");
            let body: Value = serde_json::from_str(&body).unwrap();
            assert!(body.get("hidden").is_none(), "{names}");
        }
        assert_eq!(query.is_empty(), graph.0 == "nodes=0, edges=0, calls=0");
    }
}

/// Guarantees: a stream's head says nothing of it, since it changes while the stream goes on; its events do.
#[tokio::test]
async fn a_stream_reports_it_in_its_events() {
    let path = "/api/v1/stream?top=1";
    let response = send(shop_state(), get(path)).await;
    assert_eq!(response.status(), StatusCode::OK);
    assert!(!response.headers().contains_key("spangraph-hidden"));
    let app = router(shop_state());
    let mut client = Client::open(&app, path).await;
    client.read().await;
    let hidden = json("/api/v1/topology?top=1").await["hidden"].clone();
    assert!(hidden["edges"].as_u64() > Some(0));
    assert_eq!(client.graph["hidden"], hidden);
}

/// Guarantees: HEAD has it, and a 304, whose body the client holds, has the head that RFC 9110 gives it and no more.
#[tokio::test]
async fn it_stands_beside_a_body() {
    let path = "/api/v1/edges.csv?top=1";
    let response = send(shop_state(), get(path)).await;
    let etag = header(&response, "etag").to_owned();
    let mut head = get(path);
    *head.method_mut() = http::Method::HEAD;
    let head = send(shop_state(), head).await;
    assert_eq!(
        header(&head, "spangraph-hidden"),
        header(&response, "spangraph-hidden")
    );
    let unchanged = send(shop_state(), with(path, &[("if-none-match", &etag)])).await;
    assert_eq!(unchanged.status(), StatusCode::NOT_MODIFIED);
    assert!(!unchanged.headers().contains_key("spangraph-hidden"));
}
