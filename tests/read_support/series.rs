//! Slices of one second each for the running totals, and what the totals then are.

use std::collections::BTreeMap;

use proptest::prelude::*;
use prost::Message as _;
use spangraph::proto::{ConnectionType, NodeType, Slice};
use spangraph::slice::{Accumulator, Join};
use spangraph::topology::connection_name;
use spangraph::topology::series::{Series, Totals};

use super::{START, World, build, histogram};

pub const MANY: usize = 1_000;
pub const ROOM: usize = 64 << 20;

/// Client, its namespace, server, its namespace, connection type.
pub type Name = (String, String, String, String, String);
/// Calls, failed; samples and their sum for server, client and queue.
pub type Figures = (u64, u64, [Option<(u64, u64)>; 3]);

/// One call: index of client and of server, both sides or only the client, failed, milliseconds.
pub type Drawn = (usize, usize, bool, bool, u64);

/// Every type of node, names that fold, names that meet in one series, a dimension.
pub const NODES: [&str; 12] = [
    "shop/web",
    "shop/cart",
    "shop/cart;zone=a",
    "ops/cart",
    "ops/audit",
    "user",
    "external:cart",
    "external:audit",
    "external:user",
    "user:user",
    "database:cart",
    "messaging:audit",
];

pub fn node(world: &mut World, id: &str) -> u32 {
    if id.contains(':') {
        return world.virtual_node(id);
    }
    let name = id.split(['/', ';']).nth(usize::from(id.contains('/')));
    let namespace = id.split_once('/').map_or("", |(namespace, _)| namespace);
    let kind = NodeType::Service;
    world.node(id, name.unwrap(), namespace, kind)
}

/// How pairing connects such nodes; `None` where it never does.
pub fn connection(client: &str, server: &str) -> Option<ConnectionType> {
    fn kind(id: &str) -> &str {
        id.split_once(':').map_or("service", |(kind, _)| kind)
    }
    Some(match (kind(client), kind(server)) {
        ("service", "service") => ConnectionType::None,
        ("service", "database") => ConnectionType::Database,
        ("service", "messaging") | ("messaging", "service") => ConnectionType::MessagingSystem,
        ("service", "external") | ("external" | "user", "service") => ConnectionType::VirtualNode,
        _ => return None,
    })
}

/// The slice of one second.
pub fn slice(second: u64, nodes: &[&str], drawn: &[Drawn]) -> Slice {
    let mut world = World::new();
    let mut places = BTreeMap::new();
    let mut edges: BTreeMap<(&str, &str), Vec<Drawn>> = BTreeMap::new();
    for call in drawn {
        let ends = (nodes[call.0 % nodes.len()], nodes[call.1 % nodes.len()]);
        edges.entry(ends).or_default().push(*call);
    }
    for ((client, server), calls) in edges {
        let Some(connection) = connection(client, server) else {
            continue;
        };
        let mut place = |id| *places.entry(id).or_insert_with(|| node(&mut world, id));
        let ends = (place(client), place(server));
        let number = |which: &dyn Fn(&Drawn) -> bool| calls.iter().filter(|c| which(c)).count();
        let (both, alone) = (number(&|c| c.2) as u64, number(&|c| !c.2) as u64);
        let ns: Vec<u64> = calls.iter().map(|c| c.4 * 1_000_000).collect();
        let edge = world.call(ends, connection, (both, alone), number(&|c| c.3) as u64);
        edge.client_latency = histogram(&ns, 4);
        if both > 0 || server.contains(':') {
            edge.server_latency = histogram(&ns[..ns.len().div_ceil(2)], 4);
        }
        if edge.connection_type() == ConnectionType::MessagingSystem {
            edge.queue = histogram(&ns, 4);
        }
    }
    at(second, world.done())
}

pub fn at(second: u64, mut slice: Slice) -> Slice {
    slice.start_unix_s = START + second;
    slice.end_unix_s = START + second + 1;
    slice
}

pub fn figures(series: &Series) -> (Name, Figures) {
    let labels = &series.labels;
    let text = |text: &Option<Box<str>>| text.as_deref().unwrap_or_default().to_owned();
    let name = (
        labels.client.to_string(),
        text(&labels.client_namespace),
        labels.server.to_string(),
        text(&labels.server_namespace),
        connection_name(labels.connection_type).to_owned(),
    );
    let sums = &series.sums;
    let samples = [&sums.server, &sums.client, &sums.queue]
        .map(|c| Some((c.as_ref()?.count(), c.as_ref()?.sum_ns())));
    (name, (sums.calls(), sums.failed(), samples))
}

pub fn counted(totals: &Totals) -> BTreeMap<Name, Figures> {
    let snapshot = totals.snapshot();
    let all: BTreeMap<_, _> = snapshot.iter().map(|series| figures(series)).collect();
    assert_eq!(all.len(), snapshot.len(), "every series is there once");
    all
}

/// What the topology of all slices says, summed by what labels can say.
pub fn expected(slices: &[Slice]) -> BTreeMap<Name, Figures> {
    let mut merged = Accumulator::new(Join::Then);
    for slice in slices {
        merged.add(&slice.encode_to_vec()).unwrap();
    }
    let topology = build(&merged.finish(), "top=100000").unwrap();
    let nodes: BTreeMap<_, _> = topology
        .nodes
        .iter()
        .map(|n| (&n.counted.id, &n.counted))
        .collect();
    let mut all: BTreeMap<Name, Figures> = BTreeMap::new();
    for edge in &topology.edges {
        let (client, server) = (nodes[&edge.client], nodes[&edge.server]);
        let c = &edge.counted;
        let name = (
            client.name.clone(),
            client.namespace.clone().unwrap_or_default(),
            server.name.clone(),
            server.namespace.clone().unwrap_or_default(),
            connection_name(c.connection_type).to_owned(),
        );
        let sum = all.entry(name).or_default();
        sum.0 += c.calls();
        sum.1 += c.failed_calls();
        for (into, from) in sum
            .2
            .iter_mut()
            .zip([&c.server_latency, &c.client_latency, &c.queue])
        {
            if let Some(h) = from {
                let into = into.get_or_insert_default();
                *into = (into.0 + h.count, into.1 + h.sum_ns);
            }
        }
    }
    all
}

pub fn calls(most_nodes: usize) -> impl Strategy<Value = Vec<Vec<Drawn>>> {
    let call = (
        0..most_nodes,
        0..most_nodes,
        any::<bool>(),
        any::<bool>(),
        1_u64..40_000,
    );
    prop::collection::vec(prop::collection::vec(call, 0..8), 1..8)
}

pub fn possible(drawn: &[Drawn]) -> u64 {
    let drawn = drawn.iter();
    drawn
        .filter(|call| connection(NODES[call.0], NODES[call.1]).is_some())
        .count() as u64
}

pub fn plain(second: u64, calls: &[(&str, &str, u64)]) -> Slice {
    let mut world = World::new();
    for (client, server, number) in calls {
        let ends = (node(&mut world, client), node(&mut world, server));
        let connection = connection(client, server).unwrap();
        world.call(ends, connection, (*number, 0), 0);
    }
    at(second, world.done())
}

pub fn take(totals: &Totals, slice: &Slice) {
    totals.add(&slice.encode_to_vec(), START);
}

/// `client>server` → calls and the second in which it began.
pub fn shown(totals: &Totals) -> BTreeMap<String, (u64, u64)> {
    let one = |series: &std::sync::Arc<Series>| {
        let labels = &series.labels;
        let name = format!("{}>{}", labels.client, labels.server);
        (name, (series.sums.calls(), series.created_s - START))
    };
    totals.snapshot().iter().map(one).collect()
}

pub fn map<const N: usize>(rows: [(&str, (u64, u64)); N]) -> BTreeMap<String, (u64, u64)> {
    rows.map(|(name, row)| (name.to_owned(), row)).into()
}
