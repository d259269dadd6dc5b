//! Nodes: a box whose shape tells the kind, the name, the figures, a mark when something is wrong, a tooltip.

use std::fmt::{self, Write};

use super::Drawing;
use super::words::{Font, fit, shown};
use crate::render::facts::node_facts;
use crate::render::look::{dash, node_latency, node_rate, rank};
use crate::render::text::percent;
use crate::render::xml::{escaped, id};
use crate::topology::layout::Area;
use crate::topology::{Health, Node, NodeKind, Quantile};

/// For names, the first that they fit in; what fits in none is cut in the last.
const NAMES: [Font; 3] = [Font::bold(13), Font::bold(12), Font::bold(11)];
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
        let title = node_facts(self.topology, node, shown).join("\n");
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
        let inset = inset(node.counted.kind);
        let room = rect.width() - 2 * inset;
        let figures = figures(node, room);
        let middle = i32::midpoint(rect.left, rect.right);
        let baseline = rect.top + if figures.is_some() { 23 } else { 31 };
        let fits = |font: &Font| font.width(&node.counted.name) <= room;
        let font = NAMES.into_iter().find(fits).unwrap_or(NAMES[2]);
        let name = fit(&node.counted.name, room, font);
        let text = |x: i32, y: i32| {
            format!(
                "<text x=\"{x}\" y=\"{y}\" text-anchor=\"middle\" font-size=\"{}\" font-weight=\"bold\" fill=\"{}\">{}</text>",
                font.size(),
                self.palette.ink,
                escaped(&name.text)
            )
        };
        if name.clip {
            // A viewport of its own clips whatever a font makes of it.
            write!(
                out,
                "<svg x=\"{}\" y=\"{}\" width=\"{room}\" height=\"{}\" overflow=\"hidden\">{}</svg>",
                rect.left + inset,
                rect.top,
                rect.height(),
                text(room / 2, baseline - rect.top)
            )?;
        } else {
            out.write_str(&text(middle, baseline))?;
        }
        if let Some(figures) = figures {
            write!(
                out,
                "<text x=\"{middle}\" y=\"{}\" text-anchor=\"middle\" font-size=\"10\" fill=\"{}\">{}</text>",
                rect.top + 40,
                self.palette.ink,
                escaped(&figures)
            )?;
        }
        Ok(())
    }
}

/// As many figures as there is room for, the most telling first.
fn figures(node: &Node, room: i32) -> Option<String> {
    let known = [
        node_rate(node),
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

/// Space at both ends of a box that its shape takes from the text.
fn inset(kind: NodeKind) -> i32 {
    match kind {
        NodeKind::External | NodeKind::User | NodeKind::Messaging => 16,
        _ => 8,
    }
}

/// The outline of a box.
fn outline(kind: NodeKind, rect: Area) -> String {
    let Area {
        left,
        top,
        right,
        bottom,
    } = rect;
    let (w, h) = (rect.width(), rect.height());
    let round = |r: i32| {
        let (w, h) = (w - 2 * r, h - 2 * r);
        format!(
            "M{} {top}h{w}a{r} {r} 0 0 1 {r} {r}v{h}a{r} {r} 0 0 1 -{r} {r}h-{w}a{r} {r} 0 0 1 -{r} -{r}v-{h}a{r} {r} 0 0 1 {r} -{r}z",
            left + r
        )
    };
    match kind {
        NodeKind::Service => round(8),
        NodeKind::User => round(h / 2),
        NodeKind::Database => {
            let (rx, ry) = (w / 2, 6);
            let (upper, side) = (top + ry, h - 2 * ry);
            format!(
                "M{left} {upper}a{rx} {ry} 0 0 1 {w} 0v{side}a{rx} {ry} 0 0 1 -{w} 0zM{left} {upper}a{rx} {ry} 0 0 0 {w} 0"
            )
        }
        // A pipe that lies on its side.
        NodeKind::Messaging => {
            let (rx, ry) = (7, h / 2);
            let side = w - 2 * rx;
            format!(
                "M{} {top}h{side}a{rx} {ry} 0 0 1 0 {h}h-{side}a{rx} {ry} 0 0 1 0 -{h}zM{} {top}a{rx} {ry} 0 0 0 0 {h}",
                left + rx,
                right - rx
            )
        }
        NodeKind::External => format!(
            "M{} {top}H{}L{right} {}L{} {bottom}H{}L{left} {}Z",
            left + 13,
            right - 13,
            top + h / 2,
            right - 13,
            left + 13,
            top + h / 2
        ),
        NodeKind::Overflow => format!(
            "M{left} {top}H{right}V{}L{} {bottom}H{left}Z",
            bottom - 14,
            right - 14
        ),
        NodeKind::Namespace | NodeKind::Dimension => {
            format!("M{left} {top}h60l8 -8h40l8 8H{right}V{bottom}H{left}Z")
        }
    }
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
