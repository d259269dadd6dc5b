//! Nodes: a box whose shape tells the kind, the name, the figures, a mark when something is wrong, a tooltip.

use std::borrow::Cow;
use std::fmt::{self, Write};

use super::Drawing;
use super::shapes::{inset, mark, name, outline};
use super::words::{Font, shown};
use crate::render::facts::node_facts;
use crate::render::look::{caption, node_latency, rank};
use crate::render::text::percent;
use crate::render::xml::{escaped, id};
use crate::topology::layout::Area;
use crate::topology::{Health, Node, NodeKind, Quantile};

const FIGURES: Font = Font::plain(10);
/// Half of the sign of a health.
const SIGN: i32 = 8;

// === impl Drawing ===

impl Drawing<'_> {
    pub(super) fn nodes(&self, out: &mut String) -> fmt::Result {
        for (at, node) in self.topology.nodes.iter().enumerate() {
            self.node(node, self.plane.rect(at), out)?;
        }
        Ok(())
    }

    fn node(&self, node: &Node, rect: Area, out: &mut String) -> fmt::Result {
        let p = &self.palette;
        let look = rank(node.health);
        let title = node_facts(self.topology, &self.callers, node, shown).join("\n");
        write!(
            out,
            "<g data-id=\"{}\" data-type=\"{}\"{}><title>{}</title>",
            id(&node.counted.id),
            node.counted.kind.name(),
            if node.counted.idle {
                " opacity=\"0.5\""
            } else {
                ""
            },
            escaped(&title)
        )?;
        let fill = if node.counted.kind.inferred() {
            p.ground
        } else {
            p.fill[look]
        };
        write!(
            out,
            "<path d=\"{}\" fill=\"{fill}\" stroke=\"{}\" stroke-width=\"{}\"",
            outline(node.counted.kind, rect),
            p.line[look],
            if node.health.is_some_and(Health::problem) {
                "2.4"
            } else {
                "1"
            },
        )?;
        out.write_str("/>")?;
        self.words(node, rect, out)?;
        let corner = (rect.right - 10, rect.top);
        mark(node.health, corner, SIGN, [p.line[look], p.ground], out)?;
        out.write_str("</g>\n")
    }

    fn words(&self, node: &Node, rect: Area, out: &mut String) -> fmt::Result {
        let room = rect.width() - 2 * inset(node.counted.kind);
        let figures = figures(self.callers.rate(node), node, room);
        // Below the lid.
        let lid = node.counted.kind == NodeKind::Database;
        let top = rect.top + if lid { 3 } else { 0 };
        let baseline = top + if figures.is_some() { 23 } else { 31 };
        let ink = self.palette.ink;
        // There is no room for a service's dimensions.
        let text = match node.counted.kind {
            NodeKind::Service => Cow::Borrowed(node.counted.name.as_str()),
            _ => caption(node),
        };
        name(&text, (rect, room), baseline, ink, out)?;
        if let Some(figures) = figures {
            write!(
                out,
                "<text x=\"{}\" y=\"{}\" text-anchor=\"middle\" font-size=\"10\" fill=\"{ink}\">{}</text>",
                i32::midpoint(rect.left, rect.right),
                top + 40,
                escaped(&figures)
            )?;
        }
        Ok(())
    }
}

/// As many figures as there is room for, the most telling first.
fn figures(rate: Option<String>, node: &Node, room: i32) -> Option<String> {
    let known = [
        rate,
        node.failed_ratio.map(percent),
        node_latency(node, Quantile::P95),
    ];
    let mut figures: Vec<String> = known.into_iter().flatten().collect();
    while !figures.is_empty() {
        let line = figures.join(" · ");
        if FIGURES.width(&line) <= room {
            return Some(line);
        }
        figures.pop();
    }
    None
}
