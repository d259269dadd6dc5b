//! A small graph with one of everything.

use spangraph::proto::{ConnectionType, Exemplar, Outcomes, Slice};

use super::{START, World, histogram};

/// A small shop: two namespaces, a database, a queue, a peer that folds, a failing edge.
pub fn shop() -> Slice {
    let mut w = World::new();
    let web = w.service("shop/web");
    let checkout = w.service("shop/checkout");
    let audit = w.service("ops/audit");
    let user = w.virtual_node("user:user");
    let orders = w.virtual_node("database:orders-db");
    let queue = w.virtual_node("messaging:orders");
    let peer = w.virtual_node("external:checkout");
    let stripe = w.virtual_node("external:api.stripe.com");
    let ms = |list: &[u64]| histogram(&list.iter().map(|ms| ms * 1_000_000).collect::<Vec<_>>(), 4);

    let (grpc, ok, bad) = (
        w.count("grpc", 600),
        w.count("grpc:OK", 594),
        w.count("grpc:UNAVAILABLE", 6),
    );
    let edge = w.call((web, checkout), ConnectionType::None, (600, 0), 6);
    edge.client_latency = ms(&[8, 9, 10, 33]);
    edge.server_latency = ms(&[7, 8, 9, 31]);
    edge.gap = ms(&[1, 1, 1, 2]);
    edge.protocols = vec![grpc];
    edge.statuses = vec![ok, bad];
    edge.slowest = Some(Exemplar {
        trace_id: (1..=16).collect(),
        span_id: (1..=8).collect(),
        duration_ns: 33_000_000,
        second: START + 12,
    });
    w.call((web, peer), ConnectionType::VirtualNode, (0, 30), 0)
        .client_latency = ms(&[12]);
    w.call((checkout, orders), ConnectionType::Database, (0, 900), 0)
        .client_latency = ms(&[1, 2]);
    w.call((checkout, stripe), ConnectionType::VirtualNode, (0, 60), 30)
        .client_latency = ms(&[120]);
    let topic = w.set(&["orders"]);
    let edge = w.call((queue, audit), ConnectionType::MessagingSystem, (90, 0), 0);
    edge.destinations = Some(topic);
    edge.queue = ms(&[40, 50]);
    w.call((user, web), ConnectionType::VirtualNode, (3, 0), 0);

    let (versions, instances) = (w.set(&["1.8.2"]), w.set(&["checkout-7d9f"]));
    let node = &mut w.slice.nodes[checkout as usize];
    node.versions = Some(versions);
    node.instances = Some(instances);
    node.latency = ms(&[7, 8, 9, 31]);
    node.calls_no_caller = 15;
    node.calls_unpaired = 5;
    let law = w.slice.law.get_or_insert_default();
    law.decoded = 2_500;
    law.accepted = 2_480;
    law.pending_before = 10;
    law.pending_after = 20;
    law.outcomes = Some(Outcomes {
        paired: 1_383,
        r#virtual: 990,
        internal: 82,
        root: 15,
        ..Outcomes::default()
    });
    w.done()
}
