//! Graphviz DOT: namespaces as clusters, shape by kind of node, colour and sign by health, a dash for messages, width by
//! rate.
//!
//! Names come from whoever sends spans. An id is the node's id with `"`, `\` and unprintable characters
//! percent-encoded: readable, stable, inert. The true name stands in labels, where backslashes are doubled (escString)
//! and `&` is an entity. There is no URL and no HTML label, so no name can become a link or markup.

mod cluster;
pub mod diff;
mod escape;

use std::fmt::{self, Write};

use escape::{escaped, quoted_id};

use super::callers::Callers;
use super::facts::{edge_facts, node_facts};
use super::look::{
    Palette, caption, dash, edge_lines, edges_by_ends, frames, pen_width, rank, title, trouble,
};
use super::picture::Picture;
use super::text::hidden;
use crate::topology::{Node, NodeKind, Topology};

/// Nodes above which `dot` takes minutes and `sfdp` still takes seconds.
const MANY_NODES: usize = 500;

/// Writes the graph.
pub fn write(topology: &Topology, picture: &Picture, out: &mut impl Write) -> fmt::Result {
    let drawing = Drawing {
        topology,
        callers: Callers::of(topology),
        picture,
        palette: Palette::of(picture.theme),
    };
    drawing.head(out)?;
    drawing.nodes(out)?;
    drawing.edges(out)?;
    out.write_str("}\n")
}

struct Drawing<'a> {
    topology: &'a Topology,
    callers: Callers<'a>,
    picture: &'a Picture,
    palette: Palette,
}

// === impl Drawing ===

impl Drawing<'_> {
    fn head(&self, out: &mut impl Write) -> fmt::Result {
        self.comments(out)?;
        let (t, p) = (self.topology, &self.palette);
        writeln!(out, "digraph spangraph {{")?;
        writeln!(
            out,
            "  graph [rankdir={}, labelloc=t, label=\"{}\", tooltip=\"{} nodes, {} edges\", \
             fontname=\"Helvetica\", fontcolor=\"{}\", bgcolor=\"{}\"];",
            self.picture.rankdir.name(),
            [title(t)]
                .into_iter()
                .chain(hidden(t.hidden))
                .collect::<Vec<_>>()
                .join("\\n"),
            t.nodes.len(),
            t.edges.len(),
            p.ink,
            p.ground,
        )?;
        writeln!(
            out,
            "  node [fontname=\"Helvetica\", fontcolor=\"{}\"];",
            p.ink
        )?;
        writeln!(
            out,
            "  edge [fontname=\"Helvetica\", fontsize=10, arrowsize=0.7, fontcolor=\"{}\"];",
            p.ink
        )
    }

    /// Which of Graphviz' programs draws it best.
    fn comments(&self, out: &mut impl Write) -> fmt::Result {
        let t = self.topology;
        if t.with_layout {
            writeln!(
                out,
                "// Placed as on the live page: neato -n -Gsplines=true -Tsvg keeps the places, dot makes its own."
            )?;
        }
        if t.nodes.len() > MANY_NODES {
            writeln!(
                out,
                "// {} nodes: dot may take minutes; sfdp -Tsvg takes seconds.",
                t.nodes.len()
            )?;
        }
        Ok(())
    }

    fn nodes(&self, out: &mut impl Write) -> fmt::Result {
        cluster::write(frames(self.topology), &self.palette, out, |node, out| {
            self.node(node, out)
        })
    }

    fn node(&self, node: &Node, out: &mut impl Write) -> fmt::Result {
        let look = rank(node.health);
        let mut label = vec![escaped(&caption(node))];
        label.extend(self.callers.rate(node));
        label.extend(trouble(node.health, node.failed_ratio));
        let style = match node.counted.kind {
            NodeKind::Service => "filled,rounded",
            kind if kind.inferred() => "solid",
            _ => "filled",
        };
        let wide = match node.health.filter(|h| h.problem()) {
            Some(_) => "penwidth=2, ",
            None => "",
        };
        // In points, growing upwards; `neato -n` keeps it.
        let place = node.place.filter(|_| self.topology.with_layout);
        let pos = place.map_or(String::new(), |p| format!("pos=\"{},{}\", ", p.x, -p.y));
        writeln!(
            out,
            "{} [{pos}label=\"{}\", tooltip=\"{}\", shape={}, style=\"{}\", {wide}fillcolor=\"{}\", color=\"{}\"];",
            quoted_id(&node.counted.id),
            label.join("\\n"),
            node_facts(self.topology, &self.callers, node, escaped).join("\\n"),
            shape(node.counted.kind),
            style,
            self.palette.fill[look],
            self.palette.line[look],
        )
    }

    fn edges(&self, out: &mut impl Write) -> fmt::Result {
        for edge in edges_by_ends(self.topology) {
            let tooltip = edge_facts(self.topology, edge, escaped).join("\\n");
            writeln!(
                out,
                "  {} -> {} [id=\"{}\", label=\"{}\", tooltip=\"{tooltip}\", labeltooltip=\"{tooltip}\", \
                 penwidth={:.2}, style={}, color=\"{}\"];",
                quoted_id(&edge.client),
                quoted_id(&edge.server),
                edge.id,
                edge_lines(edge, self.picture).join("\\n"),
                pen_width(edge),
                dash(edge),
                self.palette.line[rank(edge.health)],
            )?;
        }
        Ok(())
    }
}

fn shape(kind: NodeKind) -> &'static str {
    match kind {
        NodeKind::Service => "box",
        NodeKind::Database => "cylinder",
        NodeKind::Messaging => "cds",
        NodeKind::External => "hexagon",
        NodeKind::User => "ellipse",
        NodeKind::Overflow => "folder",
        NodeKind::Namespace | NodeKind::Dimension => "tab",
    }
}
