//! Keys that change what a graph says: each is set as a user sets it, spans are sent to a core built from that
//! configuration, and the names in its slices are read.

use std::collections::BTreeSet;

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue, any_value};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span};
use prost::Message as _;
use spangraph::clock::Timestamp;
use spangraph::config::{AttributeKeys, Config, IgnoreRules, Machine, Resolved, Sources};
use spangraph::core::{Core, Scratch};
use spangraph::daemon::core_config;
use spangraph::otlp::{Encoding, ResourceKeys, walk, walk_json};
use spangraph::pairing::Ignore;
use spangraph::proto::{Origin, Slice};

const SERVER: i32 = 2;
const CLIENT: i32 = 3;
const BEGIN_S: u64 = 1_795_395_600;

type Attributes<'a> = &'a [(&'a str, &'a str)];

const MACHINE: Machine = Machine {
    cgroup_memory_max: None,
    ram: None,
};

fn resolve(settings: &[&str]) -> Resolved {
    resolved(&Sources {
        set: settings.iter().map(|set| (*set).to_owned()).collect(),
        ..Sources::default()
    })
}

fn resolved(sources: &Sources) -> Resolved {
    Config::resolve(sources, &MACHINE).expect("it is well formed")
}

fn attributes(pairs: Attributes<'_>) -> Vec<KeyValue> {
    let attribute = |(key, value): &(&str, &str)| KeyValue {
        key: (*key).to_owned(),
        value: Some(AnyValue {
            value: Some(any_value::Value::StringValue((*value).to_owned())),
        }),
        ..KeyValue::default()
    };
    pairs.iter().map(attribute).collect()
}

/// One span of a trace of its own, under a resource of its own.
fn alone(id: u8, kind: i32, resource: Attributes<'_>, span: Attributes<'_>) -> ResourceSpans {
    let span = Span {
        trace_id: vec![id; 16],
        span_id: vec![id; 8],
        kind,
        end_time_unix_nano: 1_000_000,
        attributes: attributes(span),
        ..Span::default()
    };
    ResourceSpans {
        resource: Some(Resource {
            attributes: attributes(resource),
            ..Resource::default()
        }),
        scope_spans: vec![ScopeSpans {
            spans: vec![span],
            ..ScopeSpans::default()
        }],
        ..ResourceSpans::default()
    }
}

/// The edges, as `namespace/client -> namespace/server`, of a core so configured after every wait has elapsed.
fn edges(settings: &[&str], resource_spans: Vec<ResourceSpans>) -> BTreeSet<String> {
    edges_of(&resolve(settings), resource_spans)
}

fn edges_of(resolved: &Resolved, resource_spans: Vec<ResourceSpans>) -> BTreeSet<String> {
    let at = |second: u64| Timestamp::from_unix_ns((BEGIN_S + second) * 1_000_000_000);
    let core = Core::new(core_config(resolved), Origin::default(), at(0));
    let request = ExportTraceServiceRequest { resource_spans }.encode_to_vec();
    core.apply(&request, Encoding::Protobuf, &mut Scratch::default(), at(0))
        .expect("it is well formed");
    let mut found = BTreeSet::new();
    for sealed in core.advance(at(120)) {
        let slice = Slice::decode(sealed.bytes).expect("a sealed slice");
        let text = |index: u32| slice.strings[index as usize].clone();
        let node = |index: u32| {
            let node = &slice.nodes[index as usize];
            match text(node.namespace_ref) {
                space if space.is_empty() => text(node.name_ref),
                space => format!("{space}/{}", text(node.name_ref)),
            }
        };
        let edge = |edge: &spangraph::proto::Edge| {
            format!("{} -> {}", node(edge.client), node(edge.server))
        };
        found.extend(slice.edges.iter().map(edge));
    }
    found
}

fn set<const N: usize>(edges: [&str; N]) -> BTreeSet<String> {
    edges.map(str::to_owned).into()
}

fn shop(span: Attributes<'_>) -> Vec<ResourceSpans> {
    vec![alone(1, CLIENT, &[("service.name", "shop")], span)]
}

/// Guarantees: `pairing.ip_nodes` lets an address name a peer, and nothing does without it.
#[test]
fn ip_nodes_names_peers_by_address() {
    let call = || shop(&[("server.address", "10.1.2.3"), ("server.port", "8080")]);
    assert_eq!(edges(&[], call()), set([]));
    assert_eq!(
        edges(&["pairing.ip_nodes=true"], call()),
        set(["shop -> 10.1.2.3:8080"])
    );
}

/// Guarantees: `pairing.unknown_peer_node` gathers the calls that name nobody, and only those.
#[test]
fn unknown_peer_node_gathers_calls_without_a_name() {
    let call = || {
        let mut both = shop(&[("http.request.method", "GET")]);
        let named = [("server.address", "api.example.org")];
        both.push(alone(2, CLIENT, &[("service.name", "shop")], &named));
        both
    };
    assert_eq!(edges(&[], call()), set(["shop -> api.example.org"]));
    assert_eq!(
        edges(&["pairing.unknown_peer_node=true"], call()),
        set(["shop -> api.example.org", "shop -> unknown"])
    );
}

/// Guarantees: `pairing.db_node_name` chooses between a database's host and its namespace, and a logical name beats both.
#[test]
fn db_node_name_chooses_what_names_a_database() {
    let database = [
        ("db.system.name", "postgresql"),
        ("db.namespace", "orders"),
        ("server.address", "pg-7.example.org"),
    ];
    let logical = [database.as_slice(), &[("service.peer.name", "orders-db")]].concat();
    for (value, expected) in [
        ("host", "shop -> pg-7.example.org"),
        ("namespace", "shop -> orders"),
    ] {
        let setting = format!("pairing.db_node_name={value}");
        assert_eq!(edges(&[&setting], shop(&database)), set([expected]));
        assert_eq!(
            edges(&[&setting], shop(&logical)),
            set(["shop -> orders-db"])
        );
    }
    assert_eq!(
        edges(&[], shop(&database)),
        set(["shop -> pg-7.example.org"])
    );
}

/// Guarantees: `pairing.user_node` draws one caller for all roots, one for each service, or none.
#[test]
fn user_node_says_who_calls_roots() {
    let roots = || {
        ["web", "admin"]
            .iter()
            .zip(1..)
            .map(|(name, id)| alone(id, SERVER, &[("service.name", name)], &[]))
            .collect()
    };
    let by = |value: &str| edges(&[&format!("pairing.user_node={value}")], roots());
    assert_eq!(edges(&[], roots()), set(["user -> admin", "user -> web"]));
    assert_eq!(by("shared"), edges(&[], roots()));
    // Both nodes are named `user`; their namespaces are the services they stand before.
    assert_eq!(by("per_service").len(), 2);
    assert_eq!(nodes_named_user("shared", roots()), 1);
    assert_eq!(nodes_named_user("per_service", roots()), 2);
    assert_eq!(by("off"), set([]));
}

fn nodes_named_user(value: &str, resource_spans: Vec<ResourceSpans>) -> usize {
    let resolved = resolve(&[&format!("pairing.user_node={value}")]);
    let at = |second: u64| Timestamp::from_unix_ns((BEGIN_S + second) * 1_000_000_000);
    let core = Core::new(core_config(&resolved), Origin::default(), at(0));
    let request = ExportTraceServiceRequest { resource_spans }.encode_to_vec();
    core.apply(&request, Encoding::Protobuf, &mut Scratch::default(), at(0))
        .expect("it is well formed");
    let slices = core.advance(at(120)).into_iter();
    let users = slices.map(|sealed| {
        let slice = Slice::decode(sealed.bytes).expect("a sealed slice");
        let name = |node: &spangraph::proto::Node| slice.strings[node.name_ref as usize].clone();
        slice
            .nodes
            .iter()
            .filter(|node| name(node) == "user")
            .count()
    });
    users.max().unwrap_or(0)
}

/// Scenario: services that say their namespace, that only say where they run, that say neither, and that say it empty.
/// Guarantees: `graph.namespace_from` takes the first key of the list that holds a non-empty string.
#[test]
fn namespace_from_takes_the_first_key_that_says_something() {
    let services = || {
        let resources: [Attributes<'_>; 4] = [
            &[
                ("k8s.namespace.name", "prod"),
                ("service.namespace", "shop"),
                ("service.name", "a"),
            ],
            &[("service.name", "b"), ("k8s.namespace.name", "prod")],
            &[("service.name", "c")],
            &[
                ("service.name", "d"),
                ("service.namespace", ""),
                ("k8s.namespace.name", "prod"),
            ],
        ];
        let root = |(resource, id): (&Attributes<'_>, u8)| alone(id, SERVER, resource, &[]);
        resources.iter().zip(1..).map(root).collect::<Vec<_>>()
    };
    let from = |list: &str| edges(&[&format!("graph.namespace_from={list}")], services());
    let only_own = set(["user -> shop/a", "user -> b", "user -> c", "user -> d"]);
    assert_eq!(edges(&[], services()), only_own);
    assert_eq!(
        from("[service.namespace, k8s.namespace.name]"),
        set([
            "user -> shop/a",
            "user -> prod/b",
            "user -> c",
            "user -> prod/d"
        ])
    );
    assert_eq!(
        from("k8s.namespace.name,service.namespace"),
        set([
            "user -> prod/a",
            "user -> prod/b",
            "user -> c",
            "user -> prod/d"
        ])
    );
    assert_eq!(
        from("[]"),
        set(["user -> a", "user -> b", "user -> c", "user -> d"])
    );
    assert_eq!(
        from("[service.name]"),
        set(["user -> a/a", "user -> b/b", "user -> c/c", "user -> d/d"]),
        "a key may serve twice"
    );
}

/// Scenario: a call to `cart`, in `shop` says the caller; who is called that is in `bank`, by either key.
/// Guarantees: `service.peer.namespace` counts where services have theirs from `service.namespace` alone.
#[test]
fn a_peers_namespace_counts_among_those_of_service_namespace() {
    let spans = || {
        let cart = [
            ("service.name", "cart"),
            ("service.namespace", "bank"),
            ("k8s.namespace.name", "bank"),
        ];
        let peer = [
            ("service.peer.name", "cart"),
            ("service.peer.namespace", "shop"),
        ];
        vec![
            alone(1, CLIENT, &[("service.name", "web")], &peer),
            alone(2, SERVER, &cart, &[]),
        ]
    };
    assert_eq!(
        edges(&[], spans()),
        set(["web -> shop/cart", "user -> bank/cart"])
    );
    for keys in [
        "[k8s.namespace.name]",
        "[service.namespace, k8s.namespace.name]",
    ] {
        assert_eq!(
            edges(&[&format!("graph.namespace_from={keys}")], spans()),
            set(["web -> cart", "user -> bank/cart"])
        );
    }
}

/// Guarantees: both encodings look at the same keys, also where a resource is sent in pieces, and of a repeated key the
/// last one counts.
#[test]
fn both_encodings_read_the_same_namespace() {
    let keys = ResourceKeys::namespace_from(["team".to_owned(), "k8s.namespace.name".to_owned()]);
    let resource = attributes(&[
        ("team", "first"),
        ("k8s.namespace.name", "prod"),
        ("team", "last"),
    ]);
    let span = &alone(1, CLIENT, &[], &[]).scope_spans;
    let piece = |attributes: &[KeyValue]| {
        let request = ExportTraceServiceRequest {
            resource_spans: vec![ResourceSpans {
                resource: Some(Resource {
                    attributes: attributes.to_vec(),
                    ..Resource::default()
                }),
                scope_spans: span.clone(),
                ..ResourceSpans::default()
            }],
        };
        request.encode_to_vec()
    };
    let read = |request: &[u8]| {
        let mut found = None;
        walk(
            request,
            &keys,
            &mut spangraph::otlp::Scratch::default(),
            &mut |chunk| {
                found = chunk.resource(0).namespace.map(str::to_owned);
            },
        )
        .unwrap();
        found
    };
    assert_eq!(read(&piece(&resource)).as_deref(), Some("last"));
    assert_eq!(read(&piece(&resource[1..2])).as_deref(), Some("prod"));
    assert_eq!(read(&piece(&[])), None);

    // One `ResourceSpans` with two `resource` fields, which protobuf merges.
    let resource_only = |attributes: &[KeyValue]| {
        let resource = Resource {
            attributes: attributes.to_vec(),
            ..Resource::default()
        };
        let resource_spans = ResourceSpans {
            resource: Some(resource),
            ..ResourceSpans::default()
        };
        resource_spans.encode_to_vec()
    };
    let spans = alone(1, CLIENT, &[("k8s.namespace.name", "prod")], &[]);
    let joined = [resource_only(&resource[..1]), spans.encode_to_vec()].concat();
    let mut pieces = vec![0x0A];
    prost::encode_length_delimiter(joined.len(), &mut pieces).unwrap();
    pieces.extend(joined);
    assert_eq!(read(&pieces).as_deref(), Some("first"));

    let json = r#"{"resourceSpans":[{"resource":{"attributes":[
        {"key":"team","value":{"stringValue":"first"}},{"key":"k8s.namespace.name","value":{"stringValue":"prod"}},
        {"key":"team","value":{"intValue":"7"}},{"key":"service.namespace","value":{"stringValue":"unread"}}]},
        "scopeSpans":[{"spans":[{"traceId":"01010101010101010101010101010101","spanId":"0101010101010101"}]}]}]}"#;
    let mut found = None;
    walk_json(
        json.as_bytes(),
        &keys,
        &mut spangraph::otlp::Scratch::default(),
        &mut |chunk| {
            found = chunk.resource(0).namespace.map(str::to_owned);
        },
    )
    .unwrap();
    assert_eq!(found.as_deref(), Some("prod"), "a number names nothing");
}

/// Guarantees: `ingest.ignore` takes spans by service and by kind, as a list in a file or as YAML in one line.
#[test]
fn ignore_takes_spans_out_of_the_graph() {
    let spans = || {
        let mut spans = shop(&[("server.address", "api.example.org")]);
        let web = [("service.namespace", "front"), ("service.name", "web")];
        spans.push(alone(2, SERVER, &web, &[]));
        spans
    };
    let with = |rules: &str| edges(&[&format!("ingest.ignore={rules}")], spans());
    let (out, into) = ("shop -> api.example.org", "user -> front/web");
    assert_eq!(with("[]"), set([out, into]));
    assert_eq!(with("[{kind: server}]"), set([out]));
    assert_eq!(with("[{service: web}, {service: nobody}]"), set([out]));
    assert_eq!(with("[{service: front/*}]"), set([out]));
    assert_eq!(with("[{service: shop, kind: CLIENT}]"), set([into]));
    assert_eq!(with("[{service: shop, kind: SERVER}]"), set([out, into]));
    assert_eq!(with("[{service: shop, kind: '*er*'}]"), set([out, into]));
    assert_eq!(with("[{kind: 'c*'}]"), set([into]));
    assert_eq!(with(r#"[{"span_name": "*"}]"#), set([]));
    let text = "ingest:\n  ignore:\n    - service: s*\n      kind: client\n".to_owned();
    let sources = Sources {
        file: Some(("test.yaml".into(), text)),
        ..Sources::default()
    };
    assert_eq!(edges_of(&resolved(&sources), spans()), set([into]));
}

#[test]
fn ignore_rules_are_checked() {
    let message = |text: &str| {
        let sources = Sources {
            set: vec![format!("ingest.ignore={text}")],
            ..Sources::default()
        };
        Config::resolve(&sources, &MACHINE).unwrap_err().to_string()
    };
    assert!(message("[{}]").contains("a rule needs at least one of `service`"));
    assert!(message("[{sevice: a}]").contains("`sevice` is none of `service`"));
    assert!(message("[{kind: sever}]").contains("`sever` matches none of INTERNAL, SERVER"));
    assert!(message("[{service: ''}]").contains("`service` must be a text that is not empty"));
    assert!(message("[{service: a, service: b}]").contains("`service` is written twice"));
    assert!(message("[a]").contains("each rule holds some of"));
    assert!(message("a").contains("expected a list of at most 64 rules"));
    assert!(message("{service: a}").contains("expected a list of at most 64 rules"));
    let many = vec!["{service: a}"; 65].join(",");
    assert!(message(&format!("[{many}]")).contains("has 65 rules; at most 64"));
    assert_eq!(
        IgnoreRules::MOST,
        Ignore::MOST,
        "what is configured is looked at"
    );
}

/// Guarantees: daemons that would name things differently have different digests, so their slices are never merged.
#[test]
fn every_key_that_names_things_is_in_the_digest() {
    let digest = |settings: &[&str]| core_config(&resolve(settings)).digest;
    let settings = [
        "pairing.ip_nodes=true",
        "pairing.unknown_peer_node=true",
        "pairing.db_node_name=namespace",
        "pairing.user_node=off",
        "pairing.user_node=per_service",
        "ingest.ignore=[{service: probe}]",
        "pairing.sampling=true",
        "pairing.learn_aliases=true",
        "pairing.sampling_attribute=p",
        "graph.namespace_from=[]",
        "graph.namespace_from=[service.namespace,k8s.namespace.name]",
        "graph.namespace_from=[k8s.namespace.name,service.namespace]",
        "graph.dimensions=[k8s.cluster.name]",
    ];
    let mut digests: BTreeSet<String> = settings.iter().map(|set| digest(&[set])).collect();
    digests.insert(digest(&[]));
    assert_eq!(digests.len(), settings.len() + 1);
    assert_eq!(digest(&["log.level=debug"]), digest(&[]));
}

#[test]
fn lists_of_attribute_keys_are_checked() {
    let message = |text: &str| {
        let sources = Sources {
            set: vec![format!("graph.namespace_from={text}")],
            ..Sources::default()
        };
        Config::resolve(&sources, &MACHINE).unwrap_err().to_string()
    };
    assert!(message("service namespace").contains("`service namespace` is no attribute key"));
    assert!(message("a,b,c,d,e,f,g,h,i").contains("has 9 keys; at most 8"));
    assert_eq!(
        AttributeKeys::MOST,
        ResourceKeys::MOST,
        "what is configured is looked at"
    );
}
