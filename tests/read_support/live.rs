//! A real history that grows second by second, and the calls of each.

use std::sync::Arc;

use bytes::Bytes;
use prost::Message as _;
use spangraph::api::{Api, ApiState, router};
use spangraph::history::History;
use spangraph::proto::{ConnectionType, Slice};
use spangraph::slice::Sealed;

use super::{START, World, state};

/// Calls of one second on one edge: client, server, how many, how many of them failed. Ids as [`World`] reads them.
pub type Calls<'a> = (&'a str, &'a str, u64, u64);

/// A history that holds no slice yet; the next one pushed is that of `next`.
pub struct Live {
    pub history: Arc<History>,
    pub next: u64,
}

impl Live {
    pub fn new() -> Self {
        Self {
            history: Arc::new(History::new(u64::MAX)),
            next: START,
        }
    }

    /// An API over it.
    pub fn state(&self) -> ApiState {
        state(Arc::<History>::clone(&self.history))
    }

    pub fn app(&self) -> Api {
        router(self.state())
    }

    /// Seals the next second with those calls.
    pub fn second(&mut self, calls: &[Calls<'_>]) {
        self.push(draw(calls));
    }

    /// Seals the next second with that slice.
    pub fn push(&mut self, mut slice: Slice) {
        slice.start_unix_s = self.next;
        slice.end_unix_s = self.next + 1;
        slice.covered_ns = 1_000_000_000;
        slice.first_sequence = self.next;
        slice.last_sequence = self.next;
        for edge in &mut slice.edges {
            (edge.first_seen_s, edge.last_seen_s) = (self.next, self.next);
        }
        for node in &mut slice.nodes {
            (node.first_seen_s, node.last_seen_s) = (self.next, self.next);
        }
        self.history.push(&Sealed {
            start_unix_s: self.next,
            end_unix_s: self.next + 1,
            bytes: Bytes::from(slice.encode_to_vec()),
        });
        self.next += 1;
    }
}

fn draw(calls: &[Calls<'_>]) -> Slice {
    let mut world = World::new();
    let mut known = std::collections::BTreeMap::new();
    let mut place = |world: &mut World, id: &str| {
        *known.entry(id.to_owned()).or_insert_with(|| {
            if id.contains(':') {
                world.virtual_node(id)
            } else {
                world.service(id)
            }
        })
    };
    for (client, server, count, failed) in calls {
        let ends = (place(&mut world, client), place(&mut world, server));
        let (kind, seen) = match server.split_once(':') {
            Some(("database", _)) => (ConnectionType::Database, (0, *count)),
            Some(_) => (ConnectionType::VirtualNode, (0, *count)),
            None => (ConnectionType::None, (*count, 0)),
        };
        let samples: Vec<u64> = (1..=*count).map(|i| i * 3_000_000).collect();
        let latency = super::histogram(&samples, 4);
        let edge = world.call(ends, kind, seen, *failed);
        edge.client_latency.clone_from(&latency);
        edge.server_latency = latency;
    }
    with_addresses(&mut world);
    world.done()
}

/// `bank/pay`, where it is called at all, is met at the address at which `external:gateway` is called.
fn with_addresses(world: &mut World) {
    let address = world.set(&["10.0.0.7:8080"]);
    let ids: Vec<u32> = ["bank/pay", "external:gateway"]
        .iter()
        .map(|id| world.text(id))
        .collect();
    let nodes = &mut world.slice.nodes;
    for node in nodes
        .iter_mut()
        .filter(|n| n.id_ref == ids[0] && n.calls_edges > 0)
    {
        node.addresses = Some(address.clone());
    }
    for edge in &mut world.slice.edges {
        if nodes[edge.server as usize].id_ref == ids[1] {
            edge.addresses = Some(address.clone());
        }
    }
}
