//! The description of the API and the API are the same: routes, methods, examples.
#![allow(clippy::unwrap_used, reason = "a failed step is a failed test")]

mod read_support;

use std::collections::BTreeSet;
use std::sync::Arc;

use http::StatusCode;
use read_support::http::{bytes, get, header, send, shop_state};
use read_support::{Fixed, shop, state};
use serde_json::{Map, Value, json};
use spangraph::api::ApiState;
use spangraph::bearer::{Gate, parse};
use spangraph::proto::UnpairedRow;

const DOCUMENT: &str = include_str!("../src/api/openapi/document.yaml");

/// The shop, in which some callers of `checkout` were not seen.
fn example_state() -> ApiState {
    let mut slice = shop();
    let mut text = |text: &str| {
        slice.strings.push(text.to_owned());
        u32::try_from(slice.strings.len() - 1).unwrap()
    };
    let row = UnpairedRow {
        node: 1,
        kind: 2,
        span_name_ref: text("POST /checkout"),
        reason_ref: text("parent_not_seen"),
        count: 5,
        sample_trace_id: (17..33).collect(),
        further_names: false,
    };
    slice.unpaired.push(row);
    let law = slice.law.get_or_insert_default();
    (law.decoded, law.accepted) = (law.decoded + 5, law.accepted + 5);
    law.outcomes.get_or_insert_default().unpaired_server = 5;
    state(Arc::new(Fixed::new(slice)))
}

async fn json(path: &str) -> Value {
    let response = send(example_state(), get(path)).await;
    assert_eq!(response.status(), StatusCode::OK, "{path}");
    serde_json::from_slice(&bytes(response).await).unwrap()
}

fn names(map: &Map<String, Value>) -> BTreeSet<String> {
    map.keys().cloned().collect()
}

async fn routes() -> BTreeSet<String> {
    let index = json("/").await;
    let listed = index["routes"].as_array().unwrap();
    let listed = listed
        .iter()
        .map(|route| route.as_str().unwrap().to_owned());
    listed.chain(["/".to_owned()]).collect()
}

#[tokio::test]
async fn every_route_is_described_and_every_described_path_is_a_route() {
    let served = json("/api/v1/openapi.json").await;
    assert_eq!(names(served["paths"].as_object().unwrap()), routes().await);
    let written: Value = serde_saphyr::from_str(DOCUMENT).unwrap();
    let written = names(written["paths"].as_object().unwrap());
    let routes = routes().await;
    let unknown: Vec<_> = written.difference(&routes).collect();
    assert!(unknown.is_empty(), "described and not served: {unknown:?}");
}

/// Guarantees: each example is what its request is answered with.
#[tokio::test]
async fn every_example_is_a_real_answer() {
    let served = json("/api/v1/openapi.json").await;
    let examples = served["components"]["examples"].as_object().unwrap();
    assert!(examples.len() >= 8);
    let mut real = examples.clone();
    for example in real.values_mut() {
        let path = example["summary"].as_str().unwrap().strip_prefix("GET ");
        example["value"] = json(path.unwrap()).await;
    }
    assert_eq!(
        real,
        *examples,
        "examples.json would have to be\n{}",
        Value::from(real.clone())
    );
}

/// Guarantees: every reference leads somewhere, every part is referred to, and no two operations share a name.
#[tokio::test]
async fn the_document_hangs_together() {
    let served = json("/api/v1/openapi.json").await;
    let mut references = BTreeSet::new();
    collect(&served, &mut references);
    for reference in &references {
        let pointer = reference.strip_prefix('#').unwrap();
        assert!(
            served.pointer(pointer).is_some(),
            "{reference} leads nowhere"
        );
    }
    for (kind, parts) in served["components"].as_object().unwrap() {
        // Referred to by name.
        if kind == "securitySchemes" {
            continue;
        }
        for name in parts.as_object().unwrap().keys() {
            let reference = format!("#/components/{kind}/{name}");
            // Deltas travel inside events; the rest waits for its routes.
            let unused = ["Delta", "format"].contains(&&**name);
            assert!(
                unused || references.contains(&reference),
                "{reference} is not used"
            );
        }
    }
    let operations = served["paths"].as_object().unwrap().values();
    let ids: Vec<_> = operations
        .map(|path| path["get"]["operationId"].as_str().unwrap())
        .collect();
    assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), ids.len());
}

fn collect(value: &Value, into: &mut BTreeSet<String>) {
    match value {
        Value::Object(fields) => {
            if let Some(Value::String(reference)) = fields.get("$ref") {
                into.insert(reference.clone());
            }
            fields.values().for_each(|value| collect(value, into));
        }
        Value::Array(values) => values.iter().for_each(|value| collect(value, into)),
        _ => {}
    }
}

/// Guarantees: what the table of formats adds is described: the words of `format`, media types, suffixes.
#[tokio::test]
async fn formats_are_described_by_their_table() {
    let served = json("/api/v1/openapi.json").await;
    let path = &served["paths"]["/api/v1/topology"]["get"];
    let parameters = path["parameters"].as_array().unwrap();
    let format = parameters.iter().find(|p| p["name"] == "format").unwrap();
    for word in format["schema"]["enum"].as_array().unwrap() {
        let word = word.as_str().unwrap();
        let suffixed = format!("/api/v1/topology.{word}");
        let response = send(shop_state(), get(&suffixed)).await;
        assert_eq!(response.status(), StatusCode::OK);
        let media = header(&response, "content-type");
        let content = &served["paths"][&suffixed]["get"]["responses"]["200"]["content"];
        assert_eq!(
            names(content.as_object().unwrap()),
            BTreeSet::from([media.to_owned()])
        );
        assert!(
            !path["responses"]["200"]["content"][media].is_null(),
            "{media}"
        );
    }
}

/// Guarantees: what is said to be open is open, what is said to want a token answers without one as described, and the
/// scheme is the one that lets in.
#[tokio::test]
async fn what_wants_a_token_is_described() {
    let served = json("/api/v1/openapi.json").await;
    assert_eq!(served["security"], json!([{}, {"token": []}]));
    let scheme = &served["components"]["securitySchemes"]["token"];
    assert_eq!(
        (&scheme["type"], &scheme["scheme"]),
        (&json!("http"), &json!("bearer"))
    );
    let gate = Gate::new(&parse(b"token-0123456789abcdef").unwrap());
    for (path, described) in served["paths"].as_object().unwrap() {
        let operation = &described["get"];
        let state = ApiState {
            tokens: Some(gate.clone()),
            ..shop_state()
        };
        let response = send(state, get(&path.replace("{file}", "main.js"))).await;
        let closed = response.status() == StatusCode::UNAUTHORIZED;
        assert_eq!(operation["security"] == json!([]), !closed, "{path}");
        let said = &operation["responses"]["401"];
        assert_eq!(said.is_null(), !closed, "{path}");
        let Some(pointer) = said["$ref"].as_str() else {
            continue;
        };
        let said = served.pointer(&pointer[1..]).unwrap();
        let media = header(&response, "content-type");
        assert!(!said["content"][media].is_null(), "{path} answers {media}");
        if media == "application/problem+json" {
            let body: Value = serde_json::from_slice(&bytes(response).await).unwrap();
            let kinds = &served["components"]["schemas"]["Problem"]["properties"]["type"]["enum"];
            assert!(kinds.as_array().unwrap().contains(&body["type"]), "{path}");
        }
    }
}
