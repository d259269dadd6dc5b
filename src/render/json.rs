//! The snapshot of `api.md` and its flat arrays. Absent is `null`; lists are sorted by id.

mod bodies;
pub mod diff;
mod element;
mod elements;
mod head;
mod law;
mod names;
mod unpaired;

use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};

use crate::topology::times::rfc3339;
use crate::topology::{Echo, Hidden, Topology, Window};

use super::text::decimals;
pub(super) use bodies::{EdgeBody, NodeBody};
pub use element::{write_edge, write_node};
pub(super) use elements::View;
use head::Head;
pub use law::law;
pub use names::{write_namespaces, write_services};
pub use unpaired::{REASONS, write_unpaired};

/// What the body calls its own shape.
pub const SCHEMA: &str = "spangraph.topology/1";

/// Writes the whole snapshot.
pub fn write(topology: &Topology, out: &mut Vec<u8>) -> serde_json::Result<()> {
    serde_json::to_writer(out, &Snapshot(topology))
}

/// Writes the nodes as one array.
pub fn write_nodes(topology: &Topology, out: &mut Vec<u8>) -> serde_json::Result<()> {
    let view = View::of(topology);
    serde_json::to_writer(
        out,
        &topology
            .nodes
            .iter()
            .map(|n| view.node(n))
            .collect::<Vec<_>>(),
    )
}

/// Writes the edges as one array.
pub fn write_edges(topology: &Topology, out: &mut Vec<u8>) -> serde_json::Result<()> {
    let view = View::of(topology);
    serde_json::to_writer(
        out,
        &topology
            .edges
            .iter()
            .map(|e| view.edge(e))
            .collect::<Vec<_>>(),
    )
}

struct Snapshot<'a>(&'a Topology);

#[derive(Serialize)]
struct WindowBody {
    start: String,
    end: String,
    requested_s: u64,
    effective_s: u64,
    covered_s: Seconds,
    resolution_s: u64,
}

#[derive(Serialize)]
struct HiddenBody {
    nodes: u64,
    edges: u64,
    calls: u64,
}

#[derive(Serialize)]
struct HistogramLayout {
    r#type: &'static str,
    unit: &'static str,
    max_relative_error: f64,
}

/// Seconds that are written without a fraction when they have none.
struct Seconds {
    ns: u64,
}

// === impl Snapshot ===

impl Serialize for Snapshot<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let t = self.0;
        let view = View::of(t);
        let mut body = serializer.serialize_map(None)?;
        Summary(t).put(&mut body)?;
        body.serialize_entry(
            "nodes",
            &t.nodes.iter().map(|n| view.node(n)).collect::<Vec<_>>(),
        )?;
        body.serialize_entry(
            "edges",
            &t.edges.iter().map(|e| view.edge(e)).collect::<Vec<_>>(),
        )?;
        body.end()
    }
}

/// Everything a snapshot says beside its elements.
pub(super) struct Summary<'a>(pub(super) &'a Topology);

// === impl Summary ===

impl Summary<'_> {
    fn put<M: SerializeMap>(&self, body: &mut M) -> Result<(), M::Error> {
        let t = self.0;
        Head::from(t).write(SCHEMA, body)?;
        body.serialize_entry("law", &law(&t.law, t.sampling_adjusted))?;
        body.serialize_entry("hidden", &HiddenBody::of(t.hidden))?;
        body.serialize_entry("histogram", &layout(t))?;
        match t.layout_epoch.as_ref().filter(|_| t.with_layout) {
            Some(epoch) => body.serialize_entry("layout_epoch", epoch),
            None => Ok(()),
        }
    }
}

impl Serialize for Summary<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut body = serializer.serialize_map(None)?;
        self.put(&mut body)?;
        body.end()
    }
}

struct EchoBody<'a>(&'a [(&'static str, Echo)]);

impl Serialize for EchoBody<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, value)| (name, value)))
    }
}

// === impl WindowBody ===

impl WindowBody {
    fn of(window: &Window) -> Self {
        Self {
            start: rfc3339(window.start_unix_s),
            end: rfc3339(window.end_unix_s),
            requested_s: window.requested_s,
            effective_s: window.end_unix_s.saturating_sub(window.start_unix_s),
            covered_s: Seconds {
                ns: window.covered_ns,
            },
            resolution_s: window.resolution_s,
        }
    }
}

// === impl HiddenBody ===

impl HiddenBody {
    fn of(hidden: Hidden) -> Self {
        Self {
            nodes: hidden.nodes,
            edges: hidden.edges,
            calls: hidden.calls,
        }
    }
}

fn layout(t: &Topology) -> HistogramLayout {
    HistogramLayout {
        r#type: "base2_exponential",
        unit: "s",
        // Rounded up: a bound must not promise more than it holds.
        max_relative_error: (t.max_relative_error * 1e4).ceil() / 1e4,
    }
}

impl Serialize for Seconds {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.ns.is_multiple_of(1_000_000_000) {
            serializer.serialize_u64(self.ns / 1_000_000_000)
        } else {
            serializer.serialize_f64(decimals(self.ns, 9))
        }
    }
}
