//! GraphML, for Gephi, yEd, networkx, igraph and others: a directed graph with the same columns as CSV as data.
//! Absent is a missing `data` element.
//!
//! XML cannot hold most control characters, not even escaped. In an id they are percent-encoded, as everywhere; in
//! texts they are made visible. All else arrives as it was sent: what XML would fold into a space is a reference.

use std::fmt::{self, Write};

use super::flat::{self, Cell, Column, Kind};
use super::text::shown_where;
use super::xml::{escaped, forbidden, id};
use crate::topology::Topology;
use crate::topology::times::rfc3339;

const HEAD: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
    <graphml xmlns=\"http://graphml.graphdrawing.org/xmlns\" \
    xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" \
    xsi:schemaLocation=\"http://graphml.graphdrawing.org/xmlns http://graphml.graphdrawing.org/xmlns/1.0/graphml.xsd\">\n";

/// Writes the graph.
pub fn write(topology: &Topology, out: &mut impl Write) -> fmt::Result {
    let mut nodes = flat::nodes(topology);
    nodes.retain(|c| c.name != "id");
    let mut edges = flat::edges(topology);
    edges.retain(|c| !["id", "client", "server"].contains(&c.name.as_str()));
    out.write_str(HEAD)?;
    for name in ["window_start", "window_end"] {
        writeln!(
            out,
            "  <key id=\"{name}\" for=\"graph\" attr.name=\"{name}\" attr.type=\"string\"/>"
        )?;
    }
    let hidden = topology.hidden;
    let hidden = [
        ("hidden_nodes", hidden.nodes),
        ("hidden_edges", hidden.edges),
        ("hidden_calls", hidden.calls),
    ];
    for (name, _) in hidden {
        writeln!(
            out,
            "  <key id=\"{name}\" for=\"graph\" attr.name=\"{name}\" attr.type=\"long\"/>"
        )?;
    }
    // What Gephi and others show beside a node.
    writeln!(
        out,
        "  <key id=\"label\" for=\"node\" attr.name=\"label\" attr.type=\"string\"/>"
    )?;
    keys("node", &nodes, out)?;
    keys("edge", &edges, out)?;
    writeln!(out, "  <graph id=\"spangraph\" edgedefault=\"directed\">")?;
    data(
        "window_start",
        &rfc3339(topology.window.start_unix_s),
        "    ",
        out,
    )?;
    data(
        "window_end",
        &rfc3339(topology.window.end_unix_s),
        "    ",
        out,
    )?;
    for (name, count) in hidden {
        data(name, &count.to_string(), "    ", out)?;
    }
    for node in &topology.nodes {
        writeln!(out, "    <node id=\"{}\">", id(&node.counted.id))?;
        data("label", &node.counted.name, "      ", out)?;
        cells("node", &nodes, node, out)?;
        writeln!(out, "    </node>")?;
    }
    for edge in &topology.edges {
        let (source, target) = (id(&edge.client), id(&edge.server));
        writeln!(
            out,
            "    <edge id=\"{}\" source=\"{source}\" target=\"{target}\">",
            edge.id
        )?;
        cells("edge", &edges, edge, out)?;
        writeln!(out, "    </edge>")?;
    }
    out.write_str("  </graph>\n</graphml>\n")
}

fn keys<E>(of: &str, columns: &[Column<E>], out: &mut impl Write) -> fmt::Result {
    for column in columns {
        let name = &column.name;
        let kind = match column.kind {
            Kind::Text => "string",
            Kind::Whole => "long",
            Kind::Number => "double",
            Kind::Flag => "boolean",
        };
        writeln!(
            out,
            "  <key id=\"{of}_{name}\" for=\"{of}\" attr.name=\"{name}\" attr.type=\"{kind}\"/>"
        )?;
    }
    Ok(())
}

fn cells<E>(of: &str, columns: &[Column<E>], element: &E, out: &mut impl Write) -> fmt::Result {
    for column in columns {
        let text = match (column.read)(element) {
            None => continue,
            Some(Cell::Text(text)) => text.to_owned(),
            Some(Cell::Made(text)) => text,
            Some(Cell::Whole(n)) => n.to_string(),
            Some(Cell::Number(n)) => n.to_string(),
            Some(Cell::Flag(flag)) => flag.to_string(),
        };
        data(&format!("{of}_{}", column.name), &text, "      ", out)?;
    }
    Ok(())
}

fn data(key: &str, text: &str, indent: &str, out: &mut impl Write) -> fmt::Result {
    writeln!(
        out,
        "{indent}<data key=\"{key}\">{}</data>",
        escaped(&shown_where(text, forbidden))
    )
}
