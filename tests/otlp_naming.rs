//! Names of virtual nodes, on the very spans of the pairing cases: encoded, walked, named.

#![allow(clippy::unwrap_used, reason = "test code")]

#[path = "common/otlp_gen.rs"]
mod otlp_gen;

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::KeyValue;
use opentelemetry_proto::tonic::common::v1::any_value::Value as Any;
use opentelemetry_proto::tonic::trace::v1::span::SpanKind as Kind;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span};
use prost::Message as _;
use serde_json::Value;
use spangraph::otlp::{ResourceKeys, Scratch, walk};
use spangraph::proto::{ConnectionType, NodeType};
use spangraph::semconv::{self, DbNodeName, NamingConfig, VirtualName};
use spangraph::span::{Attrs, SpanKind};

/// Case, index of its span, and the node on the other side: its name, or none.
type Row = (&'static str, usize, Option<&'static str>);

const SERVERS: [Row; 36] = [
    ("shared_span_id", 2, Some("external:app logical")),
    ("calls_accumulate", 1, Some("external:server logical")),
    (
        "unspecified_kind_with_peer_is_client",
        0,
        Some("external:web logical"),
    ),
    (
        "unspecified_kind_with_peer_is_client",
        2,
        Some("external:db logical"),
    ),
    (
        "sidecar_proxies_share_service_names",
        1,
        Some("external:b:8080"),
    ),
    ("logical_over_physical_client", 0, Some("external:S3")),
    (
        "logical_over_physical_client",
        1,
        Some("external:s3.amazonaws.com"),
    ),
    (
        "client_peer_service",
        0,
        Some("external:external-payments-platform logical"),
    ),
    ("client_without_any_peer", 0, None),
    ("client_server_address", 0, Some("external:api.stripe.com")),
    ("client_old_net_peer_name", 0, Some("external:loki:3100")),
    ("client_url_only_no_path", 0, Some("external:catalog")),
    ("client_url_only_no_path", 1, Some("external:catalog")),
    ("client_ip_only_kept", 0, Some("external:10.42.3.17")),
    ("grpc_old_rpc_service", 0, Some("external:shop.Cart")),
    (
        "peer_name_matches_real_service",
        2,
        Some("external:cart logical"),
    ),
    ("lambda_invoke", 0, Some("external:thumbnailer")),
    ("db_old_name_host", 0, Some("database:mythical-database")),
    ("db_server_address", 0, Some("database:mythical-database")),
    ("db_network_peer_ip", 0, Some("database:orders")),
    ("db_namespace_only", 0, Some("database:mydb")),
    ("db_system_name_only", 0, Some("database:postgresql")),
    (
        "db_both_system_keys",
        0,
        Some("database:microsoft.sql_server"),
    ),
    ("db_failed", 0, Some("database:pg-1")),
    ("db_reports_its_own_spans", 0, Some("database:orders")),
    (
        "producer_consumer_broker_named",
        0,
        Some("messaging:kafka logical"),
    ),
    ("consumer_link_other_trace", 0, Some("messaging:orders")),
    ("create_then_send_batch", 0, Some("messaging:t")),
    ("create_then_send_undelivered", 1, Some("messaging:t")),
    (
        "producer_temporary_destination",
        0,
        Some("messaging:rabbit"),
    ),
    (
        "producer_destination_template",
        0,
        Some("messaging:/customers/{id}"),
    ),
    ("tempo_expired_edges", 3, Some("database:mysql")),
    (
        "tempo_full_queue_database",
        3,
        Some("database:mythical-database"),
    ),
    (
        "tempo_full_queue_database",
        5,
        Some("messaging:mythical-queue"),
    ),
    ("peer_alias_ambiguous", 0, Some("external:gw.local")),
    (
        "peer_alias_learned",
        0,
        Some("external:app.prod.svc.cluster.local:8080"),
    ),
];

const CLIENTS: [Row; 9] = [
    ("root_server_user", 0, Some("user:user")),
    (
        "root_server_service_peer_name",
        0,
        Some("external:mobile-app logical"),
    ),
    ("loopback_root_server", 0, Some("external:service logical")),
    ("calls_accumulate", 0, Some("external:lb logical")),
    ("faas_timer_root", 0, None),
    (
        "root_consumer_peer_service",
        0,
        Some("messaging:external-producer logical"),
    ),
    (
        "unresolved_link_falls_back_to_destination",
        0,
        Some("messaging:orders"),
    ),
    ("headless_trace_no_guess", 0, Some("external:lb logical")),
    (
        "uninstrumented_both_ends",
        0,
        Some("external:kafka logical"),
    ),
];

/// Guarantees: every naming case of the contract names the node it says.
#[test]
fn virtual_nodes_are_named_as_the_cases_say() {
    let cases: Value = serde_json::from_str(include_str!("data/pairing.json")).unwrap();
    for (rows, name) in [
        (&SERVERS[..], semconv::virtual_server as Namer),
        (&CLIENTS[..], semconv::virtual_client as Namer),
    ] {
        for (case, span, expected) in rows {
            let cases = cases["cases"].as_array().unwrap();
            let case = cases.iter().find(|c| c["name"] == *case).expect(case);
            let config = NamingConfig {
                ip_nodes: case["config"]["ip_nodes"] == true,
                ..NamingConfig::default()
            };
            let span = &case["spans"][span];
            let kind =
                Kind::from_str_name(&format!("SPAN_KIND_{}", span["kind"].as_str().unwrap()));
            let attrs = span["attrs"].as_object().expect("a span");
            let attrs: Vec<_> = attrs
                .iter()
                .map(|(key, value)| attribute(key, value))
                .collect();
            let found = named(attrs, kind.unwrap(), config, name);
            assert_eq!(found.as_deref(), *expected, "{} {span}", case["name"]);
        }
    }
}

type Namer = for<'a> fn(&Attrs<'a>, SpanKind, &NamingConfig) -> Option<VirtualName<'a>>;

fn attribute(key: &str, value: &Value) -> KeyValue {
    match value {
        Value::String(text) => otlp_gen::text(key, text),
        Value::Bool(flag) => otlp_gen::attribute(key, Any::BoolValue(*flag)),
        number => otlp_gen::int(key, number.as_i64().unwrap()),
    }
}

/// Encodes one root span, walks it, and hands its attributes on.
fn walked<T>(attributes: Vec<KeyValue>, kind: Kind, read: impl Fn(&Attrs<'_>, SpanKind) -> T) -> T {
    let span = Span {
        trace_id: vec![1; 16],
        span_id: vec![1; 8],
        kind: kind as i32,
        attributes,
        ..Span::default()
    };
    let request = ExportTraceServiceRequest {
        resource_spans: vec![ResourceSpans {
            scope_spans: vec![ScopeSpans {
                spans: vec![span],
                ..ScopeSpans::default()
            }],
            ..ResourceSpans::default()
        }],
    };
    let mut result = None;
    walk(
        &request.encode_to_vec(),
        &ResourceKeys::default(),
        &mut Scratch::default(),
        &mut |chunk| {
            for span in chunk.spans() {
                result = Some(read(&span.attrs, span.kind));
            }
        },
    )
    .unwrap();
    result.expect("one span")
}

fn named(
    attributes: Vec<KeyValue>,
    kind: Kind,
    config: NamingConfig,
    name: Namer,
) -> Option<String> {
    walked(attributes, kind, |attrs, kind| {
        name(attrs, kind, &config).map(|found| {
            let expected = match found.node_type {
                NodeType::Database => ConnectionType::Database,
                NodeType::Messaging => ConnectionType::MessagingSystem,
                NodeType::User if kind == SpanKind::Consumer => ConnectionType::MessagingSystem,
                _ => ConnectionType::VirtualNode,
            };
            assert_eq!(found.connection, expected);
            let node_type = found
                .node_type
                .as_str_name()
                .trim_start_matches("NODE_TYPE_");
            let logical = if found.logical { " logical" } else { "" };
            format!("{}:{}{logical}", node_type.to_lowercase(), found.name)
        })
    })
}

fn server(attributes: &[(&str, &str)], config: NamingConfig) -> Option<String> {
    let attributes = attributes
        .iter()
        .map(|(key, value)| attribute_of(key, value))
        .collect();
    named(attributes, Kind::Client, config, semconv::virtual_server)
}

/// Digits become an integer.
fn attribute_of(key: &str, value: &str) -> KeyValue {
    match value.parse() {
        Ok(number) => otlp_gen::int(key, number),
        Err(_) => otlp_gen::text(key, value),
    }
}

/// Guarantees: R11's search order holds at every step, in each of the three classes.
#[test]
fn the_search_order_holds_at_every_step() {
    let ladders: [&[(&str, &str, &str)]; 3] = [
        &[
            ("service.peer.name", "a", "database:a logical"),
            ("peer.service", "b", "database:b logical"),
            ("server.address", "c", "database:c"),
            ("net.peer.name", "d", "database:d"),
            ("network.peer.address", "e", "database:e"),
            ("net.sock.peer.addr", "f", "database:f"),
            ("net.peer.ip", "g", "database:g"),
            ("db.namespace", "h", "database:h"),
            ("db.name", "i", "database:i"),
            ("db.system.name", "j", "database:j"),
            ("db.system", "k", "database:k"),
        ],
        &[
            ("service.peer.name", "a", "messaging:a logical"),
            ("messaging.destination.template", "b", "messaging:b"),
            ("messaging.destination.name", "c", "messaging:c"),
            ("messaging.destination", "d", "messaging:d"),
            ("server.address", "e:1234", "messaging:e"),
            ("messaging.system", "f", "messaging:f"),
        ],
        &[
            ("service.peer.name", "a", "external:a logical"),
            ("faas.invoked_name", "b", "external:b"),
            ("server.address", "c", "external:c"),
            ("http.host", "d:8080", "external:d:8080"),
            ("url.full", "http://u:p@e/x?y", "external:e"),
            ("http.url", "https://f:443/x", "external:f"),
            ("rpc.method", "/pkg.G/Call", "external:pkg.G"),
            ("rpc.service", "pkg.H", "external:pkg.H"),
        ],
    ];
    for ladder in ladders {
        for from in 0..ladder.len() {
            // Sent in reverse, so that the order of the keys in the bytes is not what decides.
            let rest: Vec<_> = ladder[from..]
                .iter()
                .rev()
                .map(|(key, value, _)| (*key, *value))
                .collect();
            let found = server(&rest, NamingConfig::default());
            assert_eq!(found.as_deref(), Some(ladder[from].2));
        }
    }
}

/// Guarantees: a topic or an RPC service that is an IP literal names no node either.
#[test]
fn ip_literals_in_other_fields_name_nothing_unless_asked() {
    let topic = [
        ("messaging.destination.name", "10.0.0.1"),
        ("messaging.system", "kafka"),
    ];
    let found = server(&topic, NamingConfig::default());
    assert_eq!(found.as_deref(), Some("messaging:kafka"));
    let service = [("rpc.service", "10.0.0.1")];
    assert_eq!(server(&service, NamingConfig::default()), None);
    let ip_nodes = NamingConfig {
        ip_nodes: true,
        ..NamingConfig::default()
    };
    let kept = [
        (&topic[..], "messaging:10.0.0.1"),
        (&service[..], "external:10.0.0.1"),
    ];
    for (attributes, name) in kept {
        assert_eq!(server(attributes, ip_nodes).as_deref(), Some(name));
    }
}

/// Guarantees: a newer key that holds an IP literal, or what is no host, does not hide a name under an older key; between
/// two of a kind the newer counts.
#[test]
fn an_ip_in_a_newer_key_hides_no_older_name() {
    let db = ("db.system", "mysql");
    let url = "http://10.1.2.3/x";
    for (pairs, expected) in [
        (
            vec![("server.address", "10.1.2.3"), ("net.peer.name", "h")],
            "external:h",
        ),
        (
            vec![db, ("server.address", "/run/x"), ("net.peer.name", "h")],
            "database:h",
        ),
        (
            vec![("service.peer.name", "[::1]:80"), ("peer.service", "q")],
            "external:q logical",
        ),
        (
            vec![
                db,
                ("network.peer.address", "10.1.2.3"),
                ("net.sock.peer.addr", "pg-1"),
            ],
            "database:pg-1",
        ),
        (
            vec![("url.full", url), ("http.url", "http://u@h:81/y")],
            "external:h:81",
        ),
        (
            vec![("server.address", "new"), ("net.peer.name", "old")],
            "external:new",
        ),
        (
            vec![
                ("server.address", "10.0.0.1"),
                ("server.port", "8080"),
                ("net.peer.name", "shop"),
                ("net.peer.port", "9090"),
            ],
            "external:shop:9090",
        ),
        (
            vec![
                ("server.address", "10.0.0.1"),
                ("server.port", "8080"),
                ("net.peer.name", "shop"),
            ],
            "external:shop",
        ),
        (
            vec![
                ("messaging.destination.template", "[fe80::1%eth0]"),
                ("messaging.destination.name", "tt"),
            ],
            "messaging:tt",
        ),
        (
            vec![
                ("messaging.destination.name", "10.0.0.1"),
                ("messaging.destination", "tt"),
            ],
            "messaging:tt",
        ),
        (
            vec![("db.namespace", "[::1]"), ("db.name", "n")],
            "database:n",
        ),
    ] {
        let mut attributes = pairs.clone();
        for _ in 0..2 {
            let found = server(&attributes, NamingConfig::default());
            assert_eq!(found.as_deref(), Some(expected), "{attributes:?}");
            attributes.reverse();
        }
    }
    let two = [
        ("server.address", "10.1.2.3"),
        ("net.peer.name", "10.9.9.9"),
    ];
    let ip_nodes = NamingConfig {
        ip_nodes: true,
        ..NamingConfig::default()
    };
    assert_eq!(server(&two, NamingConfig::default()), None);
    assert_eq!(server(&two, ip_nodes).as_deref(), Some("external:10.1.2.3"));
}

/// Guarantees: an IP literal names a node only where that is asked for, and then after everything better.
#[test]
fn ip_literals_name_nothing_unless_asked() {
    let ip_nodes = NamingConfig {
        ip_nodes: true,
        ..NamingConfig::default()
    };
    let unknown = NamingConfig {
        unknown_peer_node: true,
        ..NamingConfig::default()
    };
    for (key, value, kept) in [
        ("server.address", "10.0.4.2", "external:10.0.4.2"),
        (
            "server.address",
            "[fe80::1%eth0]:9000",
            "external:[fe80::1]:9000",
        ),
        (
            "network.peer.address",
            "2001:db8::7",
            "external:2001:db8::7",
        ),
        (
            "url.full",
            "http://10.1.1.1:8080/x",
            "external:10.1.1.1:8080",
        ),
        ("peer.service", "10.0.0.9", "external:10.0.0.9 logical"),
        ("faas.invoked_name", "10.0.0.3", "external:10.0.0.3"),
    ] {
        let attributes = [(key, value)];
        assert_eq!(
            server(&attributes, NamingConfig::default()),
            None,
            "{value}"
        );
        assert_eq!(server(&attributes, ip_nodes).as_deref(), Some(kept));
        assert_eq!(
            server(&attributes, unknown).as_deref(),
            Some("external:unknown")
        );
        let better = [(key, value), ("rpc.service", "S")];
        assert_eq!(
            server(&better, NamingConfig::default()).as_deref(),
            Some("external:S")
        );
    }
}

/// Guarantees: ports 80, 443 and the system's own are dropped, wherever they come from; other ports stay.
#[test]
fn default_ports_are_dropped() {
    let name = |attributes: &[(&str, &str)]| server(attributes, NamingConfig::default()).unwrap();
    assert_eq!(
        name(&[("server.address", "h"), ("server.port", "443")]),
        "external:h"
    );
    assert_eq!(name(&[("http.host", "h:80")]), "external:h");
    assert_eq!(
        name(&[("server.address", "h"), ("server.port", "5432")]),
        "external:h:5432"
    );
    let db = |system, port| {
        name(&[
            ("db.system", system),
            ("server.address", "h"),
            ("server.port", port),
        ])
    };
    assert_eq!(db("postgresql", "5432"), "database:h");
    assert_eq!(db("postgresql", "6432"), "database:h:6432");
    assert_eq!(db("mysql", "5432"), "database:h:5432");
    assert_eq!(db("mssql", "1433"), "database:h");
}

/// Guarantees: `db_node_name: namespace` turns the order of host and namespace round and nothing else.
#[test]
fn a_database_can_be_named_by_its_namespace() {
    let config = NamingConfig {
        db_node_name: DbNodeName::Namespace,
        ..NamingConfig::default()
    };
    let all = [
        ("peer.service", "p"),
        ("db.namespace", "n"),
        ("db.name", "o"),
        ("server.address", "h"),
        ("db.system", "s"),
    ];
    let expected = [
        "database:p logical",
        "database:n",
        "database:o",
        "database:h",
        "database:s",
    ];
    for (from, expected) in expected.iter().enumerate() {
        assert_eq!(server(&all[from..], config).as_deref(), Some(*expected));
    }
}

/// Guarantees: what is empty or no string does not hide what an older key says.
#[test]
fn useless_values_give_way_to_older_keys() {
    let config = NamingConfig::default();
    for useless in [
        Any::StringValue(String::new()),
        Any::IntValue(7),
        Any::BoolValue(true),
        Any::BytesValue(vec![65]),
    ] {
        let attributes = vec![
            otlp_gen::attribute("service.peer.name", useless),
            otlp_gen::text("peer.service", "old"),
        ];
        let found = named(attributes, Kind::Client, config, semconv::virtual_server);
        assert_eq!(found.as_deref(), Some("external:old logical"));
    }
}

/// Guarantees: topic, loopback and alias address read what the rules say they read.
#[test]
fn topic_loopback_and_address_are_read() {
    let read = |attributes: &[(&str, &str)]| {
        let attributes = attributes
            .iter()
            .map(|(key, value)| attribute_of(key, value))
            .collect();
        walked(attributes, Kind::Client, |attrs, _| {
            let address = semconv::peer_address(attrs).map(|name| name.to_string());
            (
                semconv::topic(attrs).map(str::to_owned),
                semconv::is_loopback_peer(attrs),
                address,
            )
        })
    };
    let text = |text: &str| Some(text.to_owned());
    assert_eq!(read(&[("messaging.destination", "old")]).0, text("old"));
    assert!(read(&[("server.address", "LocalHost")]).1);
    assert!(read(&[("network.peer.address", "127.0.0.6")]).1);
    assert!(read(&[("http.url", "http://127.0.0.1:15001/x")]).1);
    // By a proxy of its own machine or not, what is named is elsewhere.
    for socket in ["10.0.0.1", "127.0.0.1"] {
        let peer = [("server.address", "b"), ("network.peer.address", socket)];
        assert!(!read(&peer).1, "{socket}");
    }
    assert_eq!(
        read(&[("server.address", "10.0.0.1"), ("server.port", "8080")]).2,
        text("10.0.0.1:8080")
    );
    assert_eq!(read(&[("url.full", "http://a:80/")]).2, text("a"));
    assert_eq!(read(&[("rpc.service", "S")]), (None, false, None));
}
