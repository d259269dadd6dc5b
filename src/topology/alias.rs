//! Which service stands behind an address (pairing.md R11, `learn_aliases`), from the addresses that slices carry.
//!
//! A service lists its 16 smallest addresses. Where it says that it had more, any address above those it lists may be
//! its own too, so such an address stands for nobody else: an alias is missed, never made up.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use super::fold::UNKNOWN;
use crate::proto::{ConnectionType, Edge, Node, NodeType, Slice};

/// Who stands behind the addresses of a slice, by their places in its sorted table of strings.
struct Behind {
    /// `None` where several do.
    services: HashMap<u32, Option<usize>>,
    /// Services that had more addresses than they list, and the greatest one listed; the smallest two of these.
    cut: Vec<(u32, usize)>,
}

/// For each edge of a merged slice, the service that its virtual server is; empty when no edge has an address.
pub(super) fn of_edges(slice: &Slice) -> Vec<Option<usize>> {
    if slice.edges.iter().all(|edge| edge.addresses.is_none()) {
        return Vec::new();
    }
    let behind = Behind::of(&slice.nodes);
    let alias = |edge: &Edge| is_open(slice, edge).then(|| behind.service(edge))?;
    slice.edges.iter().map(alias).collect()
}

/// Whether an edge leads to an external node that an address may name: no logical peer did, and something does.
fn is_open(slice: &Slice, edge: &Edge) -> bool {
    let server = slice.nodes.get(edge.server as usize);
    let is_named = |node: &Node| {
        let name = slice.strings.get(node.name_ref as usize);
        node.r#type() == NodeType::External && name.is_some_and(|name| name != UNKNOWN)
    };
    edge.connection_type() == ConnectionType::VirtualNode
        && edge.logical_peer_calls == 0
        && server.is_some_and(is_named)
}

// === impl Behind ===

impl Behind {
    fn of(nodes: &[Node]) -> Self {
        let mut services = HashMap::new();
        let mut cut = Vec::new();
        for (at, node) in nodes.iter().enumerate() {
            let Some(addresses) = &node.addresses else {
                continue;
            };
            if node.r#type() != NodeType::Service {
                continue;
            }
            for address in &addresses.string_refs {
                match services.entry(*address) {
                    Entry::Vacant(nobody) => drop(nobody.insert(Some(at))),
                    Entry::Occupied(mut other) => drop(other.insert(None)),
                }
            }
            let last = addresses.string_refs.iter().max();
            cut.extend(last.filter(|_| addresses.more).map(|last| (*last, at)));
        }
        cut.sort_unstable();
        cut.truncate(2);
        Self { services, cut }
    }

    /// The one service behind all addresses of an edge.
    fn service(&self, edge: &Edge) -> Option<usize> {
        let addresses = edge.addresses.as_ref().filter(|set| !set.more)?;
        let mut services = addresses.string_refs.iter().map(|at| self.only(*at));
        let first = services.next()??;
        services.all(|other| other == Some(first)).then_some(first)
    }

    /// The one service behind an address.
    fn only(&self, address: u32) -> Option<usize> {
        let service = (*self.services.get(&address)?)?;
        let perhaps_too = |(last, other): &(u32, usize)| *other != service && *last < address;
        (!self.cut.iter().any(perhaps_too)).then_some(service)
    }
}
