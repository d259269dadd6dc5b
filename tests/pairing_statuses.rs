//! Which status class and protocol a call has (R8), whichever of its sides says so.

#![allow(unreachable_pub, clippy::unwrap_used, reason = "test code")]
#![allow(dead_code, reason = "the driver offers more than is needed here")]

#[path = "common/cases.rs"]
mod cases;
#[path = "common/drive.rs"]
mod drive;

use std::collections::BTreeMap;

use cases::{Case, CaseSpan, Expect};
use drive::Drive;
use serde_json::{Value, json};
use spangraph::proto::{Slice, StringCount};

fn span(id: &str, parent: Option<&str>, service: &str, kind: &str, attrs: &Value) -> CaseSpan {
    CaseSpan {
        trace: "t".to_owned(),
        span: id.to_owned(),
        parent: parent.map(str::to_owned),
        service: Some(service.to_owned()),
        kind: kind.to_owned(),
        name: "op".to_owned(),
        end_ms: 5,
        status: "UNSET".to_owned(),
        attrs: serde_json::from_value(attrs.clone()).unwrap(),
        ..CaseSpan::default()
    }
}

/// Protocols and status classes of each edge that has any, by `client>server`.
fn told(slices: &[Slice]) -> BTreeMap<String, BTreeMap<String, u64>> {
    let mut all: BTreeMap<String, BTreeMap<String, u64>> = BTreeMap::new();
    for slice in slices {
        let text = |at: u32| slice.strings[at as usize].clone();
        let node = |at: u32| text(slice.nodes[at as usize].id_ref);
        for edge in &slice.edges {
            let name = format!("{}>{}", node(edge.client), node(edge.server));
            let of_edge = all.entry(name).or_default();
            for StringCount { string_ref, count } in edge.protocols.iter().chain(&edge.statuses) {
                *of_edge.entry(text(*string_ref)).or_default() += count;
            }
        }
    }
    all
}

/// Scenario: a gateway that makes only SERVER spans before a service; a caller that names the protocol and no code; one
/// that has a code of its own; a database that is spoken to over HTTP and answers with spans of its own; a broker that is also a database.
/// Guarantees: the code is the caller's where it tells one, else the called side's, but never one of another protocol; in
/// any order, and however many requests.
#[test]
fn a_call_has_the_status_that_either_side_tells() {
    let code = |code: u64| json!({"http.response.status_code": code});
    let spans = vec![
        span("a", None, "gateway", "SERVER", &code(503)),
        span("b", Some("a"), "api", "SERVER", &code(500)),
        span(
            "c",
            Some("b"),
            "api",
            "CLIENT",
            &json!({"http.request.method": "GET"}),
        ),
        span("d", Some("c"), "cart", "SERVER", &code(404)),
        span("e", Some("d"), "cart", "CLIENT", &code(429)),
        span("f", Some("e"), "price", "SERVER", &code(200)),
        span(
            "g",
            Some("f"),
            "price",
            "CLIENT",
            &json!({"db.system.name": "elasticsearch"}),
        ),
        span("h", Some("g"), "store", "SERVER", &code(200)),
        span("i", Some("h"), "store", "CLIENT", &json!({})),
        span(
            "k",
            Some("h"),
            "store",
            "PRODUCER",
            &json!({"db.system.name": "redis", "messaging.system": "redis", "messaging.destination.name": "jobs"}),
        ),
        span(
            "l",
            Some("k"),
            "worker",
            "CONSUMER",
            &json!({"messaging.system": "redis"}),
        ),
        span(
            "j",
            Some("i"),
            "disk",
            "SERVER",
            &json!({"rpc.system.name": "grpc", "rpc.response.status_code": 14}),
        ),
    ];
    let counts = |names: &[&str]| names.iter().map(|name| ((*name).to_owned(), 1)).collect();
    let expected: BTreeMap<String, BTreeMap<String, u64>> = [
        ("user:user>gateway", counts(&["http", "http:5xx"])),
        ("gateway>api", counts(&["http", "http:5xx"])),
        ("api>cart", counts(&["http", "http:4xx"])),
        ("cart>price", counts(&["http", "http:429"])),
        ("price>store", counts(&["db"])),
        ("store>worker", counts(&["messaging"])),
        ("store>disk", counts(&["grpc", "grpc:UNAVAILABLE"])),
    ]
    .map(|(edge, counts)| (edge.to_owned(), counts))
    .into();
    let case = Case {
        spans: spans.clone(),
        name: "statuses".to_owned(),
        decided: None,
        timed: false,
        config: BTreeMap::new(),
        expect: Expect {
            edges: Vec::new(),
            counters: BTreeMap::new(),
            destinations: BTreeMap::new(),
            samples: BTreeMap::new(),
        },
    };
    for whole in [true, false] {
        for sdk in [true, false] {
            let drive = Drive {
                shards: 2,
                whole,
                sdk,
            };
            let reversed: Vec<_> = spans.iter().rev().cloned().collect();
            for order in [&spans, &reversed] {
                assert_eq!(told(&drive.slices(&case, order)), expected, "{drive:?}");
            }
        }
    }
}
