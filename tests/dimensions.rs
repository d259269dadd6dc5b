//! `graph.dimensions`, from the resource attribute to the API: one node for each value, and rolled up again on request.
#![allow(clippy::unwrap_used, reason = "a failed step is a failed test")]

mod read_support;

use std::collections::BTreeMap;
use std::sync::Arc;

use http::StatusCode;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue, any_value};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span};
use prost::Message as _;
use read_support::http::{bytes, get, problem, send};
use read_support::{Fixed, World, build, histogram, state};
use serde_json::{Value, json};
use spangraph::clock::Timestamp;
use spangraph::config::{Config, Machine, Sources};
use spangraph::core::{Core, Scratch};
use spangraph::daemon::core_config;
use spangraph::otlp::Encoding;
use spangraph::proto::{Origin, Slice};
use spangraph::topology::Query;

const BEGIN_S: u64 = 1_795_395_600;

/// The resources of five services, of which two differ in nothing but where they run.
const SERVICES: [&[(&str, &str)]; 5] = [
    &[
        ("service.name", "cart"),
        ("service.namespace", "shop"),
        ("cluster", "eu"),
        ("zone", "a;1"),
    ],
    &[
        ("cluster", "us"),
        ("service.name", "cart"),
        ("service.namespace", "shop"),
        ("zone", "b=2"),
    ],
    &[("service.name", "web"), ("cluster", "eu")],
    &[("service.name", "web")],
    &[("service.name", "web"), ("cluster", "")],
];

fn config(settings: &[&str]) -> Result<spangraph::config::Resolved, String> {
    let sources = Sources {
        set: settings.iter().map(|set| (*set).to_owned()).collect(),
        ..Sources::default()
    };
    let machine = Machine {
        cgroup_memory_max: None,
        ram: None,
    };
    Config::resolve(&sources, &machine).map_err(|error| error.to_string())
}

/// One root SERVER span for each resource.
fn protobuf() -> Vec<u8> {
    let text = |text: &str| AnyValue {
        value: Some(any_value::Value::StringValue(text.to_owned())),
    };
    let attribute = |(key, value): &(&str, &str)| KeyValue {
        key: (*key).to_owned(),
        value: Some(text(value)),
        ..KeyValue::default()
    };
    let resource_spans = (1..).zip(SERVICES).map(|(id, resource)| {
        let span = Span {
            trace_id: vec![id; 16],
            span_id: vec![id; 8],
            kind: 2,
            end_time_unix_nano: 1_000_000,
            ..Span::default()
        };
        ResourceSpans {
            resource: Some(Resource {
                attributes: resource.iter().map(attribute).collect(),
                ..Resource::default()
            }),
            scope_spans: vec![ScopeSpans {
                spans: vec![span],
                ..ScopeSpans::default()
            }],
            ..ResourceSpans::default()
        }
    });
    ExportTraceServiceRequest {
        resource_spans: resource_spans.collect(),
    }
    .encode_to_vec()
}

/// The same in JSON.
fn json_request() -> Vec<u8> {
    let resource_spans = (1..).zip(SERVICES).map(|(id, resource): (u8, _)| {
        let attributes = resource.iter().map(|(k, v)| json!({"key": k, "value": {"stringValue": v}}));
        let id = format!("{id:02x}");
        json!({
            "resource": {"attributes": attributes.collect::<Value>()},
            "scopeSpans": [{"spans": [{
                "traceId": id.repeat(16), "spanId": id.repeat(8), "kind": 2, "endTimeUnixNano": "1000000",
            }]}],
        })
    });
    json!({"resourceSpans": resource_spans.collect::<Value>()})
        .to_string()
        .into_bytes()
}

/// The slice in which all of them were decided.
fn slice(settings: &[&str], encoding: Encoding) -> Slice {
    let at = |second: u64| Timestamp::from_unix_ns((BEGIN_S + second) * 1_000_000_000);
    let core = Core::new(
        core_config(&config(settings).unwrap()),
        Origin::default(),
        at(0),
    );
    let request = if encoding == Encoding::Json {
        json_request()
    } else {
        protobuf()
    };
    core.apply(&request, encoding, &mut Scratch::default(), at(0))
        .unwrap();
    let sealed = core.advance(at(120));
    let slices = sealed.into_iter().map(|s| Slice::decode(s.bytes).unwrap());
    slices.max_by_key(|s| s.edges.len()).unwrap()
}

/// The nodes of an answer, by id.
async fn nodes(slice: &Slice, query: &str) -> BTreeMap<String, Value> {
    let state = state(Arc::new(Fixed::new(slice.clone())));
    let response = send(state, get(&format!("/api/v1/nodes?type=service&{query}"))).await;
    assert_eq!(response.status(), StatusCode::OK, "{query}");
    let nodes: Vec<Value> = serde_json::from_slice(&bytes(response).await).unwrap();
    nodes
        .into_iter()
        .map(|n| (n["id"].as_str().unwrap().to_owned(), n))
        .collect()
}

/// Guarantees: a service is one node for each value; who says nothing or an empty value is one without; the plain name
/// stays; and both encodings of a request give the same slice.
#[tokio::test]
async fn a_service_is_a_node_for_each_value() {
    let split = slice(&["graph.dimensions=[zone, cluster]"], Encoding::Protobuf);
    assert_eq!(
        split,
        slice(&["graph.dimensions=[zone, cluster]"], Encoding::Json)
    );
    let found = nodes(&split, "").await;
    let ids: Vec<_> = found.keys().map(String::as_str).collect();
    let expected = [
        "shop/cart;cluster=eu;zone=a%3B1",
        "shop/cart;cluster=us;zone=b%3D2",
        "web",
        "web;cluster=eu",
    ];
    assert_eq!(ids, expected);
    assert_eq!(
        found[expected[0]]["dimensions"],
        json!({"cluster": "eu", "zone": "a;1"})
    );
    assert_eq!(found[expected[1]]["name"], "cart");
    assert_eq!(
        (&found["web"]["calls"], found["web"].get("dimensions")),
        (&json!(2), None)
    );
    let whole = nodes(&slice(&[], Encoding::Protobuf), "").await;
    assert_eq!(whole.keys().collect::<Vec<_>>(), ["shop/cart", "web"]);
}

/// Guarantees: grouped by a dimension there is one node for each value, with the sums of its services; whoever has none
/// stays; the group can be the focus; and what is no dimension is an error that names those there are.
#[tokio::test]
async fn services_roll_up_by_a_dimension() {
    let split = slice(&["graph.dimensions=[cluster]"], Encoding::Protobuf);
    let found = nodes(&split, "group_by=cluster").await;
    assert_eq!(
        found.keys().collect::<Vec<_>>(),
        ["cluster:eu", "cluster:us", "web"]
    );
    let eu = &found["cluster:eu"];
    assert_eq!(
        (&eu["type"], &eu["name"], &eu["calls"]),
        (&json!("dimension"), &json!("eu"), &json!(2))
    );
    assert_eq!(eu["dimensions"], json!({"cluster": "eu"}));
    let near = nodes(&split, "group_by=cluster&focus=cluster:us&up=0").await;
    assert_eq!(near.keys().collect::<Vec<_>>(), ["cluster:us"]);
    let state = state(Arc::new(Fixed::new(split)));
    let described = bytes(send(state.clone(), get("/api/v1/openapi.json")).await).await;
    let described: Value = serde_json::from_slice(&described).unwrap();
    assert_eq!(
        described["components"]["parameters"]["group_by"]["schema"]["enum"],
        json!(["service", "namespace", "cluster"])
    );
    let refused = problem(send(state, get("/api/v1/topology?group_by=zone")).await).await;
    let why = "must be `service`, `namespace` or one of `cluster`";
    assert_eq!(
        refused["invalid_params"],
        json!([{"name": "group_by", "value": "zone", "reason": why}])
    );
}

/// Scenario: one service in two clusters is called with disjoint durations.
/// Guarantees: in a roll-up by namespace its quantiles are those of all samples together; by itself each node has its
/// own, in ids and in what is shown.
#[test]
fn quantiles_of_a_roll_up_are_those_of_all_calls() {
    let mut w = World::new();
    let web = w.service("edge/web");
    let [eu, us] = ["eu", "us"].map(|cluster| {
        let node = w.service(&format!("shop/cart;cluster={cluster}"));
        let pair = w.count(&format!("cluster={cluster}"), 0);
        w.slice.nodes[node as usize].dimensions = vec![pair];
        node
    });
    w.plain(web, eu, 99).client_latency = histogram(&[1_000_000; 99], 4);
    w.plain(web, us, 1).client_latency = histogram(&[9_000_000_000], 4);
    let slice = w.done();
    assert_eq!(build(&slice, "").unwrap().edges.len(), 2);
    let rolled = build(&slice, "group_by=namespace&quantiles=0.5,0.999").unwrap();
    let [edge] = &rolled.edges[..] else {
        panic!("one edge")
    };
    assert_eq!(edge.counted.calls(), 100);
    let ms = &edge.client_latency.as_ref().unwrap().quantiles_ms;
    assert!(
        (ms[0] - 1.0).abs() < 0.03 && (ms[1] - 9_000.0).abs() < 1e-9,
        "{ms:?}"
    );
    assert!(rolled.nodes.iter().all(|n| n.counted.dimensions.is_empty()));
}

/// Guarantees: a query has one meaning; without dimensions there are the two that always are.
#[test]
fn a_dimension_is_known_only_where_it_is_configured() {
    let refused = Query::parse("group_by=cluster").unwrap_err();
    assert_eq!(refused[0].reason, "must be `service` or `namespace`");
}

#[test]
fn lists_of_dimensions_are_checked() {
    for (list, why) in [
        (
            "[a, b, c, d, e]",
            "`graph.dimensions` holds 5 keys; at most 4",
        ),
        ("[a, b, a]", "`graph.dimensions` holds `a` twice"),
        (
            "[namespace]",
            "`graph.dimensions` must not hold `namespace`, which means something else",
        ),
        ("[a=b]", "`a=b` is no attribute key"),
    ] {
        let error = config(&[&format!("graph.dimensions={list}")]).unwrap_err();
        assert!(error.contains(why), "{list}: {error}");
    }
    assert_eq!(
        spangraph::span::MOST_DIMENSIONS,
        4,
        "what is configured is looked at"
    );
    let digest = |settings: &[&str]| core_config(&config(settings).unwrap()).digest;
    assert_ne!(digest(&["graph.dimensions=[a]"]), digest(&[]));
}
