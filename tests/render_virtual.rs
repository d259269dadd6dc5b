//! Nodes that report nothing: in data their own calls are none and their rate is unknown, in pictures they show what
//! their callers say.
#![allow(clippy::unwrap_used, reason = "a failed step is a failed test")]

mod read_support;

use read_support::{World, build, shop};
use serde_json::Value;
use spangraph::proto::{ConnectionType, NodeType};
use spangraph::render::{Format, Picture, View};
use spangraph::topology::Topology;

fn written(topology: &Topology, format: Format, view: View) -> String {
    let body = format
        .write(view, topology, &Picture::default())
        .unwrap()
        .body;
    String::from_utf8(body).unwrap()
}

/// `web` and `job` call a database 600 and 300 times in five minutes; 9 of the calls fail.
fn stored(query: &str) -> Topology {
    let mut w = World::new();
    let (web, job) = (w.service("web"), w.service("job"));
    let store = w.virtual_node("database:store");
    w.call((web, store), ConnectionType::Database, (0, 600), 9);
    w.call((job, store), ConnectionType::Database, (0, 300), 0);
    w.plain(web, job, 30);
    build(&w.done(), query).unwrap()
}

/// Guarantees: absent is null and never 0: nobody measured at what rate a virtual node is called. The counts, which say
/// what its own spans reported, stay 0, and keep their sum.
#[test]
fn the_rate_of_whoever_reports_nothing_is_unknown() {
    for topology in [build(&shop(), "").unwrap(), stored("")] {
        let nodes: Value =
            serde_json::from_str(&written(&topology, Format::Json, View::Nodes)).unwrap();
        let mut silent = 0;
        for node in nodes.as_array().unwrap() {
            let from = node["calls_from"].as_object().unwrap();
            let sum: u64 = from.values().map(|count| count.as_u64().unwrap()).sum();
            assert_eq!(node["calls"], sum, "{node}");
            assert_eq!(
                node["rate_per_s"].is_null(),
                node["inferred"] == true,
                "{node}"
            );
            silent += usize::from(node["inferred"] == true);
        }
        assert!(silent > 0);
    }
}

/// Guarantees: every picture shows the rate at which the callers shown call a database.
#[test]
fn pictures_show_what_callers_say() {
    for (query, rate, calls) in [
        ("", "3.0/s", "900 calls, 9 failed"),
        (
            "service=database:store&service=web",
            "2.0/s",
            "600 calls, 9 failed",
        ),
    ] {
        let topology = stored(query);
        for (format, label) in [
            (Format::Dot, format!("label=\"store\\n{rate}\"")),
            (Format::Mermaid, format!("store<br/>{rate}")),
            (Format::Plantuml, format!("store\\n{rate}")),
            (Format::Svg, format!(">{rate}</text></g>")),
        ] {
            let text = written(&topology, format, View::Graph);
            assert_eq!(text.matches(&label).count(), 1, "{label}: {text}");
            if matches!(format, Format::Dot | Format::Svg) {
                assert!(text.contains(&format!("{calls}, by its callers")), "{text}");
            }
        }
        let nodes = written(&topology, Format::Grafana, View::Nodes);
        let nodes: Value = serde_json::from_str(&nodes).unwrap();
        let store = nodes
            .as_array()
            .unwrap()
            .iter()
            .find(|n| n["title"] == "store")
            .unwrap();
        assert_eq!(
            (store["mainstat"].as_str(), &store["icon"]),
            (Some(rate), &Value::Null)
        );
        assert_eq!(store["detail__failed"], 9);
    }
}

/// Guarantees: a caller from outside, whom nobody calls, has no rate and no calls in any picture, and keeps its icon.
#[test]
fn whom_nobody_calls_has_no_rate() {
    let mut w = World::new();
    let (user, web) = (w.virtual_node("user:user"), w.service("web"));
    w.plain(user, web, 30);
    let topology = build(&w.done(), "").unwrap();
    let dot = written(&topology, Format::Dot, View::Graph);
    assert!(
        dot.contains("[label=\"user\", tooltip=\"user:user\\nuser\","),
        "{dot}"
    );
    let nodes: Value =
        serde_json::from_str(&written(&topology, Format::Grafana, View::Nodes)).unwrap();
    assert_eq!(nodes[0]["mainstat"], Value::Null);
    assert!(nodes[0]["icon"].is_string());
}

/// Scenario: two called services of one name, of which only their callers know, each with its namespace.
/// Guarantees: every drawing tells them apart.
#[test]
fn external_nodes_of_one_name_are_told_apart() {
    let mut world = World::new();
    let web = world.service("shop/web");
    for namespace in ["bank", "mall"] {
        let id = format!("external:{namespace}/cart");
        let peer = world.node(&id, "cart", namespace, NodeType::External);
        world.call((web, peer), ConnectionType::VirtualNode, (0, 1), 0);
    }
    let topology = build(&world.done(), "").unwrap();
    for format in [Format::Dot, Format::Mermaid, Format::Plantuml, Format::Svg] {
        let drawing = written(&topology, format, View::Graph);
        for peer in ["bank", "mall"] {
            let shown = ["/", "#47;", "<U+002F>"].map(|slash| format!("{peer}{slash}cart"));
            let is_shown = |text: &String| {
                let text = text.as_str();
                drawing.contains(&format!("\"{text}")) || drawing.contains(&format!(">{text}"))
            };
            assert!(shown.iter().any(is_shown), "{format:?}: {drawing}");
        }
    }
}
