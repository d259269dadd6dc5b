//! The graph as Jaeger and Zipkin know it: who calls whom how often, by plain names.
//!
//! Their names have no namespace. A name that only one namespace has stands alone; one that several have is
//! `name.namespace`. What still has one name is summed.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use crate::topology::{Node, NodeKind, Topology};

/// How names are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Case {
    /// As they are: Jaeger.
    Kept,
    /// In lower case: Zipkin, whose model has no other.
    Lower,
}

/// Names by node id.
struct Names<'a>(BTreeMap<&'a str, String>);

/// Calls and failed calls by caller and called.
type Links = BTreeMap<(String, String), (u64, u64)>;

/// What Jaeger's `/api/dependencies` has in `data`; with `service`, only what touches it.
pub fn jaeger(topology: &Topology, service: Option<&str>) -> Value {
    let touches = |name: &str| service.is_none_or(|service| service == name);
    links(topology, Case::Kept)
        .into_iter()
        .filter(|((parent, child), _)| touches(parent) || touches(child))
        .map(|((parent, child), (calls, _))| {
            json!({"parent": parent, "child": child, "callCount": calls})
        })
        .collect()
}

/// Zipkin's `/api/v2/dependencies`; it leaves an `errorCount` of 0 out.
pub fn zipkin(topology: &Topology) -> Value {
    links(topology, Case::Lower)
        .into_iter()
        .map(|((parent, child), (calls, failed))| {
            let mut link = json!({"parent": parent, "child": child, "callCount": calls});
            if failed > 0 {
                link["errorCount"] = failed.into();
            }
            link
        })
        .collect()
}

/// Names of the services that sent spans, sorted.
pub fn services(topology: &Topology, case: Case) -> Vec<String> {
    let written = Names::of(&topology.nodes, case);
    let services = topology
        .nodes
        .iter()
        .filter(|node| node.counted.kind == NodeKind::Service);
    let named = services.filter_map(|node| written.get(&node.counted.id));
    named
        .map(str::to_owned)
        .collect::<BTreeSet<_>>()
        .into_iter()
        .collect()
}

fn links(topology: &Topology, case: Case) -> Links {
    let names = Names::of(&topology.nodes, case);
    let mut links = Links::new();
    for edge in &topology.edges {
        let (Some(parent), Some(child)) = (names.get(&edge.client), names.get(&edge.server)) else {
            continue;
        };
        let sum = links
            .entry((parent.to_owned(), child.to_owned()))
            .or_default();
        sum.0 = sum.0.saturating_add(edge.counted.calls());
        sum.1 = sum.1.saturating_add(edge.counted.failed_calls());
    }
    links
}

// === impl Names ===

impl<'a> Names<'a> {
    fn of(nodes: &'a [Node], case: Case) -> Self {
        let mut namespaces: BTreeMap<String, BTreeSet<Option<&str>>> = BTreeMap::new();
        for node in nodes {
            let namespace = node.counted.namespace.as_deref();
            namespaces
                .entry(case.write(&node.counted.name))
                .or_default()
                .insert(namespace);
        }
        let name = |node: &'a Node| {
            let name = case.write(&node.counted.name);
            let namespace = node.counted.namespace.as_deref();
            let several = namespaces.get(&name).is_some_and(|all| all.len() > 1);
            let name = match namespace.filter(|_| several) {
                Some(namespace) => format!("{name}.{}", case.write(namespace)),
                None => name,
            };
            (node.counted.id.as_str(), name)
        };
        Self(nodes.iter().map(name).collect())
    }

    /// Blank names are in neither model.
    fn get(&self, id: &str) -> Option<&str> {
        let name = self.0.get(id)?;
        (!name.trim().is_empty()).then_some(name)
    }
}

// === impl Case ===

impl Case {
    fn write(self, name: &str) -> String {
        match self {
            Self::Kept => name.to_owned(),
            Self::Lower => name.to_lowercase(),
        }
    }
}
