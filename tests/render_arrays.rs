//! node-link and Grafana's arrays against the JSON body. networkx and the panel's rules read them in
//! `tests/external/formats_check.py`.
#![allow(clippy::unwrap_used, reason = "a failed step is a failed test")]

mod read_support;

use read_support::flat::json;
use read_support::hostile::all;
use read_support::shop;
use serde_json::Value;
use spangraph::render::{Format, View};

#[test]
fn node_link_is_the_body_under_other_names() {
    for slice in [shop(), all()] {
        let mut link = json(Format::NodeLink, View::Graph, &slice);
        let mut body = json(Format::Json, View::Graph, &slice);
        for flag in ["directed", "multigraph"] {
            assert_eq!(link[flag], true);
        }
        assert_eq!(link["nodes"], body["nodes"]);
        for edge in link["edges"].as_array_mut().unwrap() {
            let edge = edge.as_object_mut().unwrap();
            for (field, same) in [
                ("source", "client"),
                ("target", "server"),
                ("key", "connection_type"),
            ] {
                assert_eq!(edge.remove(field).unwrap(), edge[same]);
            }
        }
        assert_eq!(link["edges"], body["edges"]);
        for list in ["nodes", "edges"] {
            body.as_object_mut().unwrap().remove(list);
        }
        assert_eq!(link["graph"], body);
    }
}

/// Guarantees: what the Node Graph panel and its source need: one set of lower-case names for all records, the ids of
/// the JSON body, both ends of every edge, arcs that sum to 1.
#[test]
fn grafanas_arrays_have_the_panels_shape() {
    for slice in [shop(), all()] {
        let body = json(Format::Json, View::Graph, &slice);
        let arrays = [("nodes", View::Nodes), ("edges", View::Edges)];
        for (list, view) in arrays {
            let records = json(Format::Grafana, view, &slice);
            let records = records.as_array().unwrap();
            let expected = body[list].as_array().unwrap();
            assert!(
                records
                    .iter()
                    .map(|r| &r["id"])
                    .eq(expected.iter().map(|e| &e["id"]))
            );
            let names = |r: &Value| r.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
            let first = names(&records[0]);
            assert!(records.iter().all(|r| names(r) == first));
            assert!(!first.concat().contains(|c: char| c.is_ascii_uppercase()));
        }
        let nodes = json(Format::Grafana, View::Nodes, &slice);
        let nodes = nodes.as_array().unwrap();
        for node in nodes {
            let arcs =
                ["arc__ok", "arc__failed", "arc__unknown"].map(|arc| node[arc].as_f64().unwrap());
            assert!((arcs.iter().sum::<f64>() - 1.0).abs() < 1e-9, "{arcs:?}");
            assert!(arcs.iter().all(|arc| (0.0..=1.0).contains(arc)), "{arcs:?}");
        }
        for edge in json(Format::Grafana, View::Edges, &slice)
            .as_array()
            .unwrap()
        {
            for end in ["source", "target"] {
                assert!(nodes.iter().any(|n| n["id"] == edge[end]));
            }
        }
    }
}

#[test]
fn grafanas_arrays_are_the_golden_ones() {
    let golden: Value = serde_json::from_str(include_str!("golden/grafana.json")).unwrap();
    let got = serde_json::json!({
        "nodes": json(Format::Grafana, View::Nodes, &shop()),
        "edges": json(Format::Grafana, View::Edges, &shop()),
    });
    let text = serde_json::to_string_pretty(&got).unwrap();
    assert_eq!(got, golden, "got:\n{text}");
}
