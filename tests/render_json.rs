//! The JSON body, whole, against a file that was checked by eye against the contract.
#![allow(clippy::unwrap_used, reason = "a failed step is a failed test")]

mod read_support;

use read_support::{build, shop};
use serde_json::Value;
use spangraph::render::json;

fn body(query: &str) -> Vec<u8> {
    let mut out = Vec::new();
    json::write(&build(&shop(), query).unwrap(), &mut out).unwrap();
    out
}

fn parsed(query: &str) -> Value {
    serde_json::from_slice(&body(query)).unwrap()
}

#[test]
fn the_snapshot_is_the_golden_one() {
    let golden: Value = serde_json::from_str(include_str!("golden/topology.json")).unwrap();
    let got = parsed("window=5m&namespace=shop&include=histograms,exemplars");
    assert_eq!(
        got,
        golden,
        "got:\n{}",
        serde_json::to_string_pretty(&got).unwrap()
    );
}

#[test]
fn top_level_fields_come_in_the_contracts_order() {
    let text = String::from_utf8(body("")).unwrap();
    let fields = [
        "schema",
        "generated_at",
        "epoch",
        "slices",
        "window",
        "query",
        "law",
        "hidden",
        "histogram",
        "nodes\":[",
        "edges\":[",
    ];
    let places: Vec<_> = fields
        .iter()
        .map(|f| text.find(&format!("\"{f}")).expect(f))
        .collect();
    assert!(places.is_sorted(), "{places:?}");
}

#[test]
fn equal_data_is_equal_bytes() {
    assert_eq!(body("exclude=ops/*"), body("exclude=ops/*"));
    let mut turned = shop();
    turned.edges.reverse();
    let mut out = Vec::new();
    json::write(&build(&turned, "").unwrap(), &mut out).unwrap();
    assert_eq!(out, body(""));
}

#[test]
fn absent_is_null_and_never_zero() {
    let all = parsed("");
    let node = |id: &str| {
        all["nodes"]
            .as_array()
            .unwrap()
            .iter()
            .find(|n| n["id"] == id)
            .unwrap()
            .clone()
    };
    let db = node("database:orders-db");
    assert_eq!(db["inferred"], true);
    for field in ["namespace", "latency", "failed_ratio", "health"] {
        assert_eq!(db[field], Value::Null, "{field}");
    }
    assert_eq!(node("shop/web").get("inferred"), None);
}

/// Guarantees: every body carries the law of the whole window, whatever a filter hides.
#[test]
fn the_law_comes_before_filters() {
    let (all, none) = (parsed(""), parsed("service=nobody"));
    assert_eq!(all["law"], none["law"]);
    assert_eq!(none["nodes"], Value::Array(Vec::new()));
    let classes = all["law"]["calls"].as_object().unwrap();
    let sum: u64 = classes.values().map(|v| v.as_u64().unwrap()).sum();
    assert_eq!(none["hidden"]["calls"], sum);
}

#[test]
fn flat_arrays_hold_the_same_elements() {
    let topology = build(&shop(), "").unwrap();
    let (mut nodes, mut edges) = (Vec::new(), Vec::new());
    json::write_nodes(&topology, &mut nodes).unwrap();
    json::write_edges(&topology, &mut edges).unwrap();
    let all = parsed("");
    assert_eq!(
        serde_json::from_slice::<Value>(&nodes).unwrap(),
        all["nodes"]
    );
    assert_eq!(
        serde_json::from_slice::<Value>(&edges).unwrap(),
        all["edges"]
    );
}

#[test]
fn asked_quantiles_name_themselves() {
    let all = parsed("quantiles=0.5,0.999");
    let latency = all["nodes"]
        .as_array()
        .unwrap()
        .iter()
        .find_map(|n| n["latency"].as_object());
    let keys: Vec<_> = latency.unwrap().keys().map(String::as_str).collect();
    assert_eq!(
        keys.iter()
            .filter(|k| k.starts_with('p'))
            .copied()
            .collect::<Vec<_>>(),
        ["p50_ms", "p99_9_ms"]
    );
}
