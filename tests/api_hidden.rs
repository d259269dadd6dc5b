//! What filters took away is reported with every answer, whatever its format. `tests/external/hidden_check.py` has the
//! real consumers of the formats find it.
#![allow(clippy::unwrap_used, reason = "a failed step is a failed test")]

mod read_support;

use http::StatusCode;
use read_support::http::{bytes, get, header, send, shop_state, with};
use read_support::xml::parse;
use serde_json::Value;
use spangraph::render::View;

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
