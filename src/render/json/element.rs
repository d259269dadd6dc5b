//! One node or one edge, with its neighbours and how it fared slot by slot.

use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};

use super::bodies::{LatencyBody, Sides};
use super::elements::View;
use super::head::Head;
use super::{HiddenBody, Seconds, layout};
use crate::render::text::significant;
use crate::topology::times::rfc3339;
use crate::topology::{Edge, Node, Topology, is_incoming, is_outgoing};

/// What the bodies call their own shapes.
const NODE_SCHEMA: &str = "spangraph.node/1";
const EDGE_SCHEMA: &str = "spangraph.edge/1";

/// Writes a node: `topology` holds it and what is around it, each part of `history` a slot, oldest first.
pub fn write_node(
    topology: &Topology,
    node: &Node,
    history: &[Topology],
    out: &mut Vec<u8>,
) -> serde_json::Result<()> {
    let body = NodeAnswer {
        topology,
        node,
        history,
    };
    serde_json::to_writer(out, &body)
}

/// Writes an edge: `topology` holds it and its ends.
pub fn write_edge(
    topology: &Topology,
    edge: &Edge,
    history: &[Topology],
    out: &mut Vec<u8>,
) -> serde_json::Result<()> {
    let body = EdgeAnswer {
        topology,
        edge,
        history,
    };
    serde_json::to_writer(out, &body)
}

struct NodeAnswer<'a> {
    topology: &'a Topology,
    node: &'a Node,
    history: &'a [Topology],
}

struct EdgeAnswer<'a> {
    topology: &'a Topology,
    edge: &'a Edge,
    history: &'a [Topology],
}

impl Serialize for NodeAnswer<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let (t, id) = (self.topology, &*self.node.counted.id);
        let view = View::of(t);
        let edges = |wanted: fn(&Edge, &str) -> bool| {
            let edges = t.edges.iter().filter(move |e| wanted(e, id));
            edges.map(|e| view.edge(e)).collect::<Vec<_>>()
        };
        let others = t.nodes.iter().filter(|n| n.counted.id != id);
        let mut body = serializer.serialize_map(None)?;
        Head::from(t).write(NODE_SCHEMA, &mut body)?;
        body.serialize_entry("hidden", &HiddenBody::of(t.hidden))?;
        body.serialize_entry("histogram", &layout(t))?;
        body.serialize_entry("node", &view.node(self.node))?;
        body.serialize_entry("incoming", &edges(is_incoming))?;
        body.serialize_entry("outgoing", &edges(is_outgoing))?;
        body.serialize_entry(
            "neighbours",
            &others.map(|n| view.node(n)).collect::<Vec<_>>(),
        )?;
        body.serialize_entry(
            "history",
            &self
                .history
                .iter()
                .map(|slot| NodeSlot { slot, id })
                .collect::<Vec<_>>(),
        )?;
        body.end()
    }
}

impl Serialize for EdgeAnswer<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let t = self.topology;
        let view = View::of(t);
        let node = |id: &str| t.nodes.iter().find(|n| n.counted.id == id);
        let mut body = serializer.serialize_map(None)?;
        Head::from(t).write(EDGE_SCHEMA, &mut body)?;
        body.serialize_entry("histogram", &layout(t))?;
        body.serialize_entry("edge", &view.edge(self.edge))?;
        for (name, id) in [("client", &self.edge.client), ("server", &self.edge.server)] {
            body.serialize_entry(name, &node(id).map(|n| view.node(n)))?;
        }
        body.serialize_entry(
            "history",
            &self
                .history
                .iter()
                .map(|slot| EdgeSlot {
                    slot,
                    id: &self.edge.id,
                })
                .collect::<Vec<_>>(),
        )?;
        body.end()
    }
}

/// One slot of a node's history.
struct NodeSlot<'a> {
    slot: &'a Topology,
    id: &'a str,
}

/// One slot of an edge's history.
struct EdgeSlot<'a> {
    slot: &'a Topology,
    id: &'a str,
}

#[derive(Serialize)]
struct Traffic {
    calls: u64,
    failed: u64,
}

impl Serialize for NodeSlot<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let (t, id) = (self.slot, self.id);
        let node = t.nodes.iter().find(|n| n.counted.id == id);
        let view = View::of(t);
        let mut body = serializer.serialize_map(None)?;
        slot_head(t, &mut body)?;
        let calls = node.map_or(0, |n| n.counted.calls_from.calls());
        body.serialize_entry("calls", &calls)?;
        body.serialize_entry("failed", &node.map_or(0, |n| n.counted.failed))?;
        let rate = node.and_then(|n| n.rate_per_s).map(significant);
        body.serialize_entry("rate_per_s", &rate)?;
        let ratio = node.and_then(|n| n.failed_ratio).map(significant);
        body.serialize_entry("failed_ratio", &ratio)?;
        let latency: Option<LatencyBody<'_>> = node.and_then(|n| view.latency(n.latency.as_ref()));
        body.serialize_entry("latency", &latency)?;
        body.serialize_entry("incoming", &traffic(t, |e| is_incoming(e, id)))?;
        body.serialize_entry("outgoing", &traffic(t, |e| is_outgoing(e, id)))?;
        body.end()
    }
}

impl Serialize for EdgeSlot<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let t = self.slot;
        let edge = t.edges.iter().find(|e| e.id == self.id);
        let view = View::of(t);
        let mut body = serializer.serialize_map(None)?;
        slot_head(t, &mut body)?;
        body.serialize_entry("calls", &edge.map_or(0, |e| e.counted.calls()))?;
        body.serialize_entry("failed", &edge.map_or(0, |e| e.counted.failed_calls()))?;
        // An edge that is not in the slot had no calls there: its rate is known, and it is 0.
        let rate = match edge {
            Some(edge) => edge.rate_per_s.map(significant),
            None => (t.window.covered_ns > 0).then_some(0.0),
        };
        body.serialize_entry("rate_per_s", &rate)?;
        let ratio = edge.and_then(|e| e.failed_ratio).map(significant);
        body.serialize_entry("failed_ratio", &ratio)?;
        let none = Sides {
            client: None,
            server: None,
            gap: None,
            queue: None,
        };
        body.serialize_entry("latency", &edge.map_or(none, |e| view.sides(e)))?;
        body.end()
    }
}

fn slot_head<M: SerializeMap>(t: &Topology, body: &mut M) -> Result<(), M::Error> {
    let w = &t.window;
    body.serialize_entry("start", &rfc3339(w.start_unix_s))?;
    body.serialize_entry("end", &rfc3339(w.end_unix_s))?;
    body.serialize_entry("covered_s", &Seconds { ns: w.covered_ns })
}

fn traffic(t: &Topology, wanted: impl Fn(&Edge) -> bool) -> Traffic {
    let mut sum = Traffic {
        calls: 0,
        failed: 0,
    };
    for edge in t.edges.iter().filter(|e| wanted(e)) {
        sum.calls = sum.calls.saturating_add(edge.counted.calls());
        sum.failed = sum.failed.saturating_add(edge.counted.failed_calls());
    }
    sum
}
