//! networkx' node-link JSON, which d3 and others read too: the elements of the JSON body, each edge with `source` and
//! `target`, and with its connection type as the `key` that tells parallel edges apart. What the body says beside its
//! elements is the graph's own attributes.
//!
//! The list is called `edges`, which networkx expects since 3.6. A second one by its older name, `links`, would double
//! the body: `node_link_graph` takes `edges="edges"` in 3.4 and 3.5, and `link="edges"` before.

use serde::Serialize;

use super::json::{EdgeBody, NodeBody, Summary, View};
use crate::topology::{Edge, Topology, connection_name};

/// Writes the graph.
pub fn write(topology: &Topology, out: &mut Vec<u8>) -> serde_json::Result<()> {
    let view = View::of(topology);
    let graph = NodeLink {
        directed: true,
        multigraph: true,
        graph: Summary(topology),
        nodes: topology.nodes.iter().map(|n| view.node(n)).collect(),
        edges: topology.edges.iter().map(|e| link(&view, e)).collect(),
    };
    serde_json::to_writer(out, &graph)
}

#[derive(Serialize)]
struct NodeLink<'a> {
    directed: bool,
    multigraph: bool,
    graph: Summary<'a>,
    nodes: Vec<NodeBody<'a>>,
    edges: Vec<Link<'a>>,
}

#[derive(Serialize)]
struct Link<'a> {
    source: &'a str,
    target: &'a str,
    key: &'static str,
    #[serde(flatten)]
    edge: EdgeBody<'a>,
}

fn link<'a>(view: &'a View<'a>, edge: &'a Edge) -> Link<'a> {
    Link {
        source: &edge.client,
        target: &edge.server,
        key: connection_name(edge.counted.connection_type),
        edge: view.edge(edge),
    }
}
