//! Names with counts, for completion.

use std::collections::BTreeMap;

use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};

use super::head::Head;
use crate::topology::{Node, NodeKind, Topology};

/// What the bodies call their own shapes.
const SERVICES_SCHEMA: &str = "spangraph.services/1";
const NAMESPACES_SCHEMA: &str = "spangraph.namespaces/1";

/// Writes every service that sent spans.
pub fn write_services(topology: &Topology, out: &mut Vec<u8>) -> serde_json::Result<()> {
    serde_json::to_writer(out, &Services(topology))
}

/// Writes every namespace of a service that sent spans.
pub fn write_namespaces(topology: &Topology, out: &mut Vec<u8>) -> serde_json::Result<()> {
    serde_json::to_writer(out, &Namespaces(topology))
}

struct Services<'a>(&'a Topology);

struct Namespaces<'a>(&'a Topology);

#[derive(Serialize)]
struct ServiceRow<'a> {
    id: &'a str,
    name: &'a str,
    namespace: Option<&'a str>,
    calls: u64,
    failed: u64,
}

#[derive(Serialize)]
struct NamespaceRow<'a> {
    name: &'a str,
    #[serde(flatten)]
    counts: Counts,
}

#[derive(Serialize, Default)]
struct Counts {
    services: u64,
    calls: u64,
    failed: u64,
}

// === impl Counts ===

impl Counts {
    fn add(&mut self, node: &Node) {
        self.services += 1;
        self.calls = self.calls.saturating_add(node.counted.calls_from.calls());
        self.failed = self.failed.saturating_add(node.counted.failed);
    }
}

impl Serialize for Services<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let rows = services(self.0).map(|node| {
            let c = &node.counted;
            ServiceRow {
                id: &c.id,
                name: &c.name,
                namespace: c.namespace.as_deref(),
                calls: c.calls_from.calls(),
                failed: c.failed,
            }
        });
        let mut body = serializer.serialize_map(None)?;
        Head::from(self.0).write(SERVICES_SCHEMA, &mut body)?;
        body.serialize_entry("services", &rows.collect::<Vec<_>>())?;
        body.end()
    }
}

impl Serialize for Namespaces<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut named: BTreeMap<&str, Counts> = BTreeMap::new();
        let mut without = Counts::default();
        for node in services(self.0) {
            match node.counted.namespace.as_deref() {
                Some(name) => named.entry(name).or_default().add(node),
                None => without.add(node),
            }
        }
        let rows = named
            .into_iter()
            .map(|(name, counts)| NamespaceRow { name, counts });
        let mut body = serializer.serialize_map(None)?;
        Head::from(self.0).write(NAMESPACES_SCHEMA, &mut body)?;
        body.serialize_entry("namespaces", &rows.collect::<Vec<_>>())?;
        body.serialize_entry("without_namespace", &without)?;
        body.end()
    }
}

fn services(topology: &Topology) -> impl Iterator<Item = &Node> {
    let nodes = topology.nodes.iter();
    nodes.filter(|node| node.counted.kind == NodeKind::Service)
}
