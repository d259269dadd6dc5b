//! Nodes: a box whose shape tells the kind, the name, the figures, a mark when something is wrong, a tooltip.

use std::fmt::{self, Write};

use super::Drawing;
use super::shapes::{inset, name, outline};
use super::words::{Font, shown};
use crate::render::facts::node_facts;
use crate::render::look::{dash, node_latency, rank};
use crate::render::text::percent;
use crate::render::xml::{escaped, id};
use crate::topology::layout::Area;
use crate::topology::{Health, Node, Quantile};

const FIGURES: Font = Font::plain(10);

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
                2
            } else {
                1
            },
        )?;
        match dash(node.health) {
            "dashed" => out.write_str(" stroke-dasharray=\"7 4\"")?,
            "dotted" => out.write_str(" stroke-dasharray=\"2 3\"")?,
            _ => {}
        }
        out.write_str("/>")?;
        self.words(node, rect, out)?;
        mark(node.health, rect, p.line[look], out)?;
        out.write_str("</g>\n")
    }

    fn words(&self, node: &Node, rect: Area, out: &mut String) -> fmt::Result {
        let room = rect.width() - 2 * inset(node.counted.kind);
        let figures = figures(self.callers.rate(node), node, room);
        let baseline = rect.top + if figures.is_some() { 23 } else { 31 };
        let ink = self.palette.ink;
        name(&node.counted.name, (rect, room), baseline, ink, out)?;
        if let Some(figures) = figures {
            write!(
                out,
                "<text x=\"{}\" y=\"{}\" text-anchor=\"middle\" font-size=\"10\" fill=\"{ink}\">{}</text>",
                i32::midpoint(rect.left, rect.right),
                rect.top + 40,
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

/// A sign at the corner, so that colour is not all that tells.
fn mark(health: Option<Health>, rect: Area, colour: &str, out: &mut String) -> fmt::Result {
    let (x, y) = (rect.right - 10, rect.top);
    match health {
        Some(Health::Degraded) => write!(
            out,
            "<path d=\"M{x} {}l8 14h-16z\" fill=\"{colour}\"/><path d=\"M{x} {}v4\" stroke=\"#ffffff\" stroke-width=\"1.6\"/>",
            y - 8,
            y - 2
        ),
        Some(Health::Failing) => write!(
            out,
            "<circle cx=\"{x}\" cy=\"{y}\" r=\"8\" fill=\"{colour}\"/><path d=\"M{} {}l6 6m0 -6l-6 6\" stroke=\"#ffffff\" stroke-width=\"1.8\" fill=\"none\"/>",
            x - 3,
            y - 3
        ),
        _ => Ok(()),
    }
}
