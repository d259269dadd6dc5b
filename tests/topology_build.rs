//! What `topology::build` makes of hand-built slices.
#![allow(clippy::unwrap_used, reason = "a failed step is a failed test")]

mod read_support;

use read_support::{World, build, class_sum, histogram, shop};
use spangraph::proto::{ConnectionType, NodeType};
use spangraph::topology::{BuildError, Health, Hidden, Topology};

fn ids(topology: &Topology) -> Vec<&str> {
    topology
        .nodes
        .iter()
        .map(|n| n.counted.id.as_str())
        .collect()
}

fn pairs(topology: &Topology) -> Vec<(String, u64)> {
    let mut pairs: Vec<_> = topology
        .edges
        .iter()
        .map(|e| (format!("{}>{}", e.client, e.server), e.counted.calls()))
        .collect();
    pairs.sort();
    pairs
}

/// Scenario: web calls a peer named `checkout`, and a service of that name runs in web's namespace.
/// Guarantees: the calls are on the real edge, counted as inferred; the virtual node is gone; no client duration is
/// passed off as the server's.
#[test]
fn an_external_node_with_a_services_name_is_that_service() {
    let t = build(&shop(), "").unwrap();
    assert!(!ids(&t).contains(&"external:checkout"));
    let edge = t
        .edges
        .iter()
        .find(|e| e.server == "shop/checkout")
        .unwrap();
    assert_eq!(
        (
            edge.counted.seen.both,
            edge.counted.seen.client,
            edge.counted.inferred
        ),
        (600, 30, 30)
    );
    assert_eq!(edge.counted.client_latency.as_ref().unwrap().count, 5);
    assert_eq!(edge.counted.server_latency.as_ref().unwrap().count, 4);
}

/// Scenario: the same peer name is a service in two other namespaces, or nobody's.
/// Guarantees: an ambiguous name stays external, and so do databases and `unknown` whatever they are called.
#[test]
fn an_ambiguous_name_does_not_fold() {
    let mut w = World::new();
    let web = w.service("shop/web");
    w.service("a/pay");
    w.service("b/pay");
    w.service("c/unknown");
    w.service("c/orders");
    for id in ["external:pay", "external:unknown", "database:orders"] {
        let peer = w.virtual_node(id);
        let kind = if id.starts_with('d') {
            ConnectionType::Database
        } else {
            ConnectionType::VirtualNode
        };
        w.call((web, peer), kind, (0, 1), 0);
    }
    let t = build(&w.done(), "").unwrap();
    assert_eq!(
        pairs(&t).iter().map(|p| p.0.as_str()).collect::<Vec<_>>(),
        [
            "shop/web>database:orders",
            "shop/web>external:pay",
            "shop/web>external:unknown"
        ]
    );
}

/// Scenario: the peer named its namespace too, and the caller's own namespace has a service of the name.
/// Guarantees: the named namespace wins, where a service is in it or tells none of its own.
#[test]
fn a_named_namespace_decides_where_a_peer_folds() {
    let mut w = World::new();
    let web = w.service("shop/web");
    w.service("shop/pay");
    w.service("bank/pay");
    let peer = w.node("external:bank/pay", "pay", "bank", NodeType::External);
    w.call((web, peer), ConnectionType::VirtualNode, (0, 4), 0);
    w.service("mail");
    w.service("shop/log");
    for (name, calls) in [("mail", 3), ("log", 2)] {
        let peer = w.node(
            &format!("external:bank/{name}"),
            name,
            "bank",
            NodeType::External,
        );
        w.call((web, peer), ConnectionType::VirtualNode, (0, calls), 0);
    }
    assert_eq!(
        pairs(&build(&w.done(), "").unwrap()),
        [
            ("shop/web>bank/pay".to_owned(), 4),
            ("shop/web>external:bank/log".to_owned(), 2),
            ("shop/web>mail".to_owned(), 3),
        ]
    );
}

/// Scenario: a chain a → b → c → d with a shortcut a → c, focused on b.
/// Guarantees: up and down are separate, and an edge between two shown nodes is never lost.
#[test]
fn focus_keeps_the_induced_subgraph() {
    let mut world = World::new();
    let chain = ["a", "b", "c", "d"].map(|id| world.service(id));
    for (from, to) in [(0, 1), (1, 2), (2, 3), (0, 2)] {
        world.plain(chain[from], chain[to], 1);
    }
    let slice = world.done();
    let t = build(&slice, "focus=b&up=1&down=1").unwrap();
    assert_eq!(ids(&t), ["a", "b", "c"]);
    assert_eq!(t.edges.len(), 3);
    assert_eq!(
        t.hidden,
        Hidden {
            nodes: 1,
            edges: 1,
            calls: 1
        }
    );
    assert_eq!(
        ids(&build(&slice, "focus=b&up=0&down=9").unwrap()),
        ["b", "c", "d"]
    );
    assert_eq!(
        ids(&build(&slice, "focus=c&up=1&down=0").unwrap()),
        ["a", "b", "c"]
    );
    assert_eq!(
        build(&slice, "focus=nobody").unwrap_err(),
        BuildError::UnknownNode("nobody".to_owned())
    );
}

#[test]
fn globs_select_nodes_and_what_goes_is_reported() {
    let t = build(&shop(), "namespace=sh*&exclude=*/web").unwrap();
    assert_eq!(ids(&t), ["shop/checkout"]);
    let everything = build(&shop(), "").unwrap();
    assert_eq!(t.hidden.nodes, everything.nodes.len() as u64 - 1);
    assert_eq!(t.hidden.calls, class_sum(t.law.calls.unwrap()));
    assert_eq!(
        ids(&build(&shop(), "service=*").unwrap()).len(),
        4,
        "only ids without a slash"
    );
}

/// Guarantees: whatever a service is called, it can be hidden or shown by itself.
#[test]
fn a_glob_can_mean_one_node_of_a_hostile_name() {
    let all = [
        "*", "?", "[a]", "a%252Ab", "a*b", "a[", "a]", "axb", "a}", "{a",
    ];
    let mut w = World::new();
    for id in all {
        w.service(id);
    }
    let slice = w.done();
    for id in all {
        // In a URL each `%` of what is meant is a `%25`.
        let mut glob = id.replace('%', "%25");
        for (c, code) in [
            ("*", "2A"),
            ("[", "5B"),
            ("]", "5D"),
            ("{", "7B"),
            ("}", "7D"),
        ] {
            glob = glob.replace(c, &format!("%25{code}"));
        }
        let others: Vec<_> = all.into_iter().filter(|other| *other != id).collect();
        let without = build(&slice, &format!("exclude={glob}")).unwrap();
        assert_eq!(ids(&without), others, "{glob}");
        let alone = build(&slice, &format!("service={glob}")).unwrap();
        assert_eq!(ids(&alone), [id], "{glob}");
    }
}

#[test]
fn a_type_is_a_kind_of_node_or_of_connection() {
    assert_eq!(
        pairs(&build(&shop(), "type=database").unwrap()),
        [("shop/checkout>database:orders-db".to_owned(), 900)]
    );
    assert_eq!(
        pairs(&build(&shop(), "type=service").unwrap()),
        [("shop/web>shop/checkout".to_owned(), 630)]
    );
    let both = build(&shop(), "type=messaging_system,user").unwrap();
    assert_eq!(ids(&both), ["messaging:orders", "ops/audit", "user:user"]);
}

#[test]
fn thresholds_take_edges_and_the_nodes_they_leave_alone() {
    let t = build(&shop(), "min_calls=100").unwrap();
    assert_eq!(ids(&t), ["database:orders-db", "shop/checkout", "shop/web"]);
    assert_eq!(
        t.hidden,
        Hidden {
            nodes: 4,
            edges: 3,
            calls: 153
        }
    );
    assert_eq!(
        pairs(&build(&shop(), "min_rate_per_s=3").unwrap()).len(),
        1,
        "900 calls in 300 s"
    );
    assert_eq!(
        pairs(&build(&shop(), "top=1").unwrap()),
        [("shop/checkout>database:orders-db".to_owned(), 900)]
    );
}

#[test]
fn problems_come_with_their_neighbours() {
    let t = build(&shop(), "health=problems").unwrap();
    let stripe = t
        .edges
        .iter()
        .find(|e| e.server == "external:api.stripe.com")
        .unwrap();
    assert_eq!(stripe.health, Some(Health::Failing));
    assert!(!ids(&t).contains(&"ops/audit"));
    assert!(ids(&t).contains(&"shop/checkout"));
}

/// Scenario: two services of one namespace are called by a third, with disjoint durations.
/// Guarantees: the group's quantiles are those of all samples together, and the sums hold.
#[test]
fn a_namespace_has_the_quantiles_of_all_its_calls() {
    let mut w = World::new();
    let [web, a, b] = ["edge/web", "shop/a", "shop/b"].map(|id| w.service(id));
    let fast: Vec<u64> = (1..=99).map(|i| i * 10_000).collect();
    w.plain(web, a, 99).client_latency = histogram(&fast, 4);
    w.plain(web, b, 1).client_latency = histogram(&[9_000_000_000], 3);
    w.plain(a, b, 5);
    let t = build(&w.done(), "group_by=namespace&quantiles=0.5,0.999").unwrap();
    assert_eq!(ids(&t), ["namespace:edge", "namespace:shop"]);
    let edge = t
        .edges
        .iter()
        .find(|e| e.client == "namespace:edge")
        .unwrap();
    let latency = edge.client_latency.as_ref().unwrap();
    assert!(
        (latency.quantiles_ms[0] / 0.5 - 1.0).abs() <= 0.045,
        "{latency:?}"
    );
    assert!((latency.quantiles_ms[1] - 9_000.0).abs() < 1e-9);
    let shop = &t.nodes[1].counted;
    assert_eq!(shop.calls_from.calls(), 105);
    assert_eq!(t.edges.iter().map(|e| e.counted.calls()).sum::<u64>(), 105);
}

#[test]
fn nothing_covered_gives_no_rate_and_no_calls_give_no_health() {
    let mut w = World::new();
    let (a, b) = (w.service("a"), w.service("b"));
    w.plain(a, b, 1);
    w.slice.covered_ns = 0;
    let t = build(&w.done(), "").unwrap();
    assert_eq!(t.edges[0].rate_per_s, None);
    assert_eq!((t.nodes[0].health, t.nodes[0].failed_ratio), (None, None));
    assert_eq!(t.nodes[1].health, Some(Health::Ok));
}

#[test]
fn a_slice_that_contradicts_itself_is_refused() {
    let mut w = World::new();
    let (a, b) = (w.service("a"), w.service("b"));
    w.plain(a, b, 1).server = 7;
    assert!(matches!(
        build(&w.done(), ""),
        Err(BuildError::Malformed(_))
    ));
}

/// The id of an edge is the same on every replica: first 16 hex digits of `printf 'a\0b\0' | sha256sum`.
#[test]
fn an_edge_id_is_a_hash_of_its_identity() {
    let mut w = World::new();
    let (a, b) = (w.service("a"), w.service("b"));
    w.plain(a, b, 1);
    let t = build(&w.done(), "").unwrap();
    assert_eq!(t.edges[0].id, "8fb20ef63ced4145");
}
