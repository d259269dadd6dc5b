//! A difference as DOT: what came is green and bold, what went red and dashed, what changed orange and dotted, each
//! with its words; what is the same is faint. So a printout without colours says the same.

use std::fmt::{self, Write};

use super::cluster;
use super::escape::{escaped, quoted_id};
use super::shape;
use crate::render::Picture;
use crate::render::diff::look::{Look, edges_by_ends, frames, node_lines, titles};
use crate::render::diff::words::{facts, lines};
use crate::render::look::Palette;
use crate::topology::NodeKind;
use crate::topology::diff::{Change, Diff, NodeDiff, Status};

/// Writes the difference.
pub fn write(diff: &Diff, picture: &Picture, out: &mut impl Write) -> fmt::Result {
    let drawing = Drawing {
        diff,
        palette: Palette::of(picture.theme),
    };
    drawing.head(picture, out)?;
    cluster::write(frames(diff), &drawing.palette, out, |n, out| {
        drawing.node(n, out)
    })?;
    drawing.edges(out)?;
    out.write_str("}\n")
}

struct Drawing<'a> {
    diff: &'a Diff,
    palette: Palette,
}

// === impl Drawing ===

impl Drawing<'_> {
    fn head(&self, picture: &Picture, out: &mut impl Write) -> fmt::Result {
        let (d, p) = (self.diff, &self.palette);
        writeln!(out, "digraph spangraph_diff {{")?;
        writeln!(
            out,
            "  graph [rankdir={}, labelloc=t, label=\"{}\", \
             tooltip=\"{} tests at {}\", fontname=\"Helvetica\", fontcolor=\"{}\", bgcolor=\"{}\"];",
            picture.rankdir.name(),
            titles(d).join("\\n"),
            d.tests,
            d.settings.alpha,
            p.ink,
            p.ground,
        )?;
        let ink = p.ink;
        writeln!(out, "  node [fontname=\"Helvetica\", fontcolor=\"{ink}\"];")?;
        writeln!(
            out,
            "  edge [fontname=\"Helvetica\", fontsize=10, arrowsize=0.7, fontcolor=\"{ink}\"];"
        )
    }

    fn node(&self, node: &NodeDiff, out: &mut impl Write) -> fmt::Result {
        let look = Look::of(&node.change);
        let label = node_lines(escaped(&node.name), node, self.diff);
        let rounded = if node.kind == NodeKind::Service {
            "rounded,"
        } else {
            ""
        };
        writeln!(
            out,
            "{} [label=\"{}\", tooltip=\"{}\", shape={}, style=\"filled,{rounded}{}\", penwidth={}, \
             fillcolor=\"{}\", color=\"{}\"];",
            quoted_id(&node.id),
            label.join("\\n"),
            facts(escaped(&node.id), &node.change, !node.kind.inferred()).join("\\n"),
            shape(node.kind),
            style(&node.change, &look),
            look.pen,
            self.palette.fill[look.colour],
            self.palette.line[look.colour],
        )
    }

    fn edges(&self, out: &mut impl Write) -> fmt::Result {
        for edge in edges_by_ends(self.diff) {
            let look = Look::of(&edge.change);
            let ends = format!("{} to {}", escaped(&edge.client), escaped(&edge.server));
            let tooltip = facts(ends, &edge.change, true).join("\\n");
            writeln!(
                out,
                "  {} -> {} [id=\"{}\", label=\"{}\", tooltip=\"{tooltip}\", labeltooltip=\"{tooltip}\", \
                 penwidth={}, style={}, arrowhead={}, color=\"{}\"];",
                quoted_id(&edge.client),
                quoted_id(&edge.server),
                edge.id,
                lines(&edge.change, self.diff).join("\\n"),
                look.pen,
                style(&edge.change, &look),
                if edge.change.status == Status::Removed {
                    "empty"
                } else {
                    "normal"
                },
                self.palette.line[look.colour],
            )?;
        }
        Ok(())
    }
}

/// Graphviz' bold is the solid of what came: without colours it must not look like what is the same.
fn style(change: &Change, look: &Look) -> &'static str {
    if change.status == Status::Added {
        "bold"
    } else {
        look.dash
    }
}
