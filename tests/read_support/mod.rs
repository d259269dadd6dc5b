//! Hand-built slices, and a source that serves them.
#![allow(
    dead_code,
    unused_imports,
    missing_docs,
    unreachable_pub,
    clippy::unwrap_used,
    reason = "each test binary uses its part"
)]

pub mod flat;
pub mod hostile;
pub mod http;
pub mod live;
mod pair;
pub mod picture;
pub mod series;
mod serving;
mod shop;
pub mod stream;
pub mod xml;

use std::collections::BTreeMap;

use spangraph::proto::{
    CallClasses, ConnectionType, Edge, Histogram, Node, NodeType, Slice, StringCount, StringSet,
};
use spangraph::topology::{self, BuildError, Frame, Query, Thresholds, Topology};

pub use pair::{calls, differ, release, the_edge};
pub use serving::{Daemon, Fixed, state};
pub use shop::shop;

/// 2026-11-23T01:00:00Z
pub const START: u64 = 1_795_395_600;
/// Five minutes later.
pub const END: u64 = START + 300;

/// A slice under construction.
#[derive(Default)]
pub struct World {
    strings: Vec<String>,
    known: BTreeMap<String, u32>,
    pub slice: Slice,
}

impl World {
    pub fn new() -> Self {
        let mut world = Self::default();
        world.text("");
        world.slice.schema = 1;
        world.slice.start_unix_s = START;
        world.slice.end_unix_s = END;
        world.slice.covered_ns = 300_000_000_000;
        world
    }

    pub fn text(&mut self, text: &str) -> u32 {
        if let Some(known) = self.known.get(text) {
            return *known;
        }
        let next = u32::try_from(self.strings.len()).unwrap();
        self.strings.push(text.to_owned());
        self.known.insert(text.to_owned(), next);
        next
    }

    pub fn set(&mut self, texts: &[&str]) -> StringSet {
        let string_refs = texts.iter().map(|t| self.text(t)).collect();
        StringSet {
            string_refs,
            more: false,
        }
    }

    pub fn count(&mut self, text: &str, count: u64) -> StringCount {
        StringCount {
            string_ref: self.text(text),
            count,
        }
    }

    /// A service by id, `name` or `namespace/name`.
    pub fn service(&mut self, id: &str) -> u32 {
        let (namespace, name) = id.split_once('/').unwrap_or(("", id));
        self.node(id, name, namespace, NodeType::Service)
    }

    /// A virtual node by id, `kind:name`.
    pub fn virtual_node(&mut self, id: &str) -> u32 {
        let (prefix, name) = id.split_once(':').unwrap();
        let kind = match prefix {
            "database" => NodeType::Database,
            "messaging" => NodeType::Messaging,
            "user" => NodeType::User,
            _ => NodeType::External,
        };
        self.node(id, name, "", kind)
    }

    pub fn node(&mut self, id: &str, name: &str, namespace: &str, kind: NodeType) -> u32 {
        let node = Node {
            id_ref: self.text(id),
            name_ref: self.text(name),
            namespace_ref: self.text(namespace),
            r#type: kind.into(),
            first_seen_s: START,
            last_seen_s: END - 1,
            ..Node::default()
        };
        self.slice.nodes.push(node);
        u32::try_from(self.slice.nodes.len() - 1).unwrap()
    }

    /// Draws `both` + `client_only` calls of which `failed` fail, and counts them at the called node.
    pub fn call(
        &mut self,
        (client, server): (u32, u32),
        connection: ConnectionType,
        (both, client_only): (u64, u64),
        failed: u64,
    ) -> &mut Edge {
        let node = &mut self.slice.nodes[server as usize];
        node.calls_edges += both;
        node.failed += failed.min(both);
        let law = self.slice.law.get_or_insert_default();
        let classes = law.calls.get_or_insert_default();
        classes.paired += both;
        classes.virtual_server += client_only;
        self.slice.edges.push(Edge {
            client,
            server,
            connection_type: connection.into(),
            seen_both: both,
            seen_client: client_only,
            failed,
            client_failed: failed,
            first_seen_s: START,
            last_seen_s: END - 1,
            ..Edge::default()
        });
        self.slice.edges.last_mut().unwrap()
    }

    /// `both` plain calls.
    pub fn plain(&mut self, client: u32, server: u32, both: u64) -> &mut Edge {
        self.call((client, server), ConnectionType::None, (both, 0), 0)
    }

    pub fn done(mut self) -> Slice {
        self.slice.strings = self.strings;
        self.slice
    }

    /// The slice as it is so far.
    pub fn so_far(&self) -> Slice {
        Slice {
            strings: self.strings.clone(),
            ..self.slice.clone()
        }
    }
}

/// A histogram at `scale` of `samples`, made by the definition of a bucket.
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "test samples are small"
)]
pub fn histogram(samples: &[u64], scale: i32) -> Option<Histogram> {
    let positive: Vec<u64> = samples.iter().copied().filter(|s| *s > 0).collect();
    let index = |ns: u64| ((ns as f64 / 1e9).log2() * f64::from(scale).exp2()).ceil() as i32 - 1;
    let indices: Vec<i32> = positive.iter().map(|ns| index(*ns)).collect();
    let offset = indices.iter().min().copied().unwrap_or_default();
    let mut counts = Vec::new();
    for i in indices {
        let slot = (i - offset) as usize;
        counts.resize(counts.len().max(slot + 1), 0);
        counts[slot] += 1;
    }
    Some(Histogram {
        scale,
        count: samples.len() as u64,
        sum_ns: samples.iter().sum(),
        min_ns: *samples.iter().min()?,
        max_ns: *samples.iter().max()?,
        zero_count: (samples.len() - positive.len()) as u64,
        offset,
        counts,
    })
}

/// Builds what `query` asks of `slice`.
pub fn build(slice: &Slice, query: &str) -> Result<Topology, BuildError> {
    built(slice, None, query)
}

/// The same with what `retained` has besides.
pub fn build_with_idle(
    slice: &Slice,
    retained: &Slice,
    query: &str,
) -> Result<Topology, BuildError> {
    built(slice, Some(retained.clone()), query)
}

fn built(slice: &Slice, retained: Option<Slice>, query: &str) -> Result<Topology, BuildError> {
    let query = Query::parse(query).unwrap();
    let frame = Frame {
        start_unix_s: START,
        end_unix_s: END,
        resolution_s: 10,
        epoch: "9f2c61",
        thresholds: Thresholds::default(),
        query: &query,
    };
    topology::build_with_idle(slice.clone(), retained, &frame)
}

/// The slice with its law and its nodes counted anew, from its edges and outcomes, as after changing these by hand.
pub fn lawful(mut slice: Slice) -> Slice {
    let mut classes = CallClasses::default();
    for node in &mut slice.nodes {
        node.calls_edges = 0;
    }
    for edge in &slice.edges {
        classes.paired += edge.seen_both;
        classes.virtual_server += edge.seen_client;
        classes.virtual_client += edge.seen_server;
        slice.nodes[edge.server as usize].calls_edges += edge.seen_both + edge.seen_server;
    }
    for node in &mut slice.nodes {
        let calls = node.calls_edges + node.calls_no_caller + node.calls_unpaired;
        node.failed = node.failed.min(calls);
    }
    let law = slice.law.get_or_insert_default();
    law.calls = Some(classes);
    let o = law.outcomes.get_or_insert_default();
    let halves = o.paired + o.r#virtual + o.unpaired_client + o.unpaired_server;
    let outcomes = halves + o.internal + o.root + o.filtered + o.duplicate + o.late;
    law.accepted = outcomes + law.pending_after - law.pending_before;
    let rejected = law.rejected.get_or_insert_default();
    law.decoded = law.accepted + rejected.trace_id + rejected.span_id + rejected.parent_span_id;
    slice
}

/// Calls by class, summed.
pub fn class_sum(classes: CallClasses) -> u64 {
    classes.paired
        + classes.entry
        + classes.linked
        + classes.virtual_server
        + classes.virtual_client
}
