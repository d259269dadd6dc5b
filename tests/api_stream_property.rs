//! Whoever applies the stream holds what the graph route says, whatever happens and whenever they look.
#![allow(clippy::unwrap_used, reason = "a failed step is a failed test")]

mod read_support;

use proptest::prelude::*;
use read_support::live::{Calls, Live};
use read_support::stream::{Client, Read, topology};

/// What happens in one second of a random life.
#[derive(Debug, Clone)]
struct Step {
    /// Calls per edge of a few services, some of them none.
    calls: Vec<(usize, u64, u64)>,
    /// Another reader comes.
    join: bool,
    /// Which readers look this time.
    look: Vec<bool>,
}

const EDGES: [(&str, &str); 6] = [
    ("shop/web", "shop/cart"),
    ("shop/cart", "database:carts"),
    ("shop/web", "external:pay"),
    ("bank/pay", "bank/ledger"),
    ("shop/cart", "shop/web"),
    ("web", "bank/pay"),
];

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let call = (0..EDGES.len(), prop_oneof![90..110_u64, 1..4_u64], 0..3_u64);
    let step = (
        prop::collection::vec(call, 0..5),
        prop::bool::weighted(0.3),
        prop::collection::vec(prop::bool::weighted(0.7), 8),
    );
    let step = step.prop_map(|(calls, join, look)| Step { calls, join, look });
    prop::collection::vec(step, 1..25)
}

async fn live_through(steps: Vec<Step>, query: &str) {
    let mut live = Live::new();
    live.second(&[]);
    let app = live.app();
    let (stream, graph) = (
        format!("/api/v1/stream?every=1s&window=8s&{query}"),
        format!("/api/v1/topology?window=8s&{query}"),
    );
    // The first one reads everything, so that each state is known to have been published.
    let mut clients = vec![Client::open(&app, &stream).await];
    clients[0].read().await;
    for step in steps {
        let calls: Vec<Calls<'_>> = step
            .calls
            .iter()
            .map(|(edge, calls, failed)| {
                let (client, server) = EDGES[*edge];
                (client, server, *calls, (*failed).min(*calls))
            })
            .collect();
        live.second(&calls);
        assert!(matches!(clients[0].read().await, Read::Delta(_)));
        if step.join && clients.len() < 8 {
            clients.push(Client::open(&app, &stream).await);
            let newest = clients.last_mut().unwrap();
            assert_eq!(newest.read().await, Read::Snapshot);
            assert_eq!(newest.graph, topology(&app, &graph).await);
        }
        for (client, look) in clients.iter_mut().zip(&step.look) {
            let behind =
                client.graph["window"]["end"] != topology(&app, &graph).await["window"]["end"];
            if *look && behind {
                client.read().await;
            }
            if *look {
                client.agrees(&app, &graph).await;
            }
        }
        clients[0].agrees(&app, &graph).await;
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Scenario: traffic comes, swells and goes; readers come at any time and miss any events.
    /// Guarantees: after each event a reader holds what the graph route says: heads and names exactly, figures within
    /// one per cent.
    #[test]
    fn snapshot_and_deltas_come_to_the_graph(
        steps in steps(),
        query in prop::sample::select(vec!["", "include=histograms,exemplars", "namespace=shop", "top=2", "group_by=namespace"]),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(live_through(steps, query));
    }
}
