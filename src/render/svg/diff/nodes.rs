//! Nodes of a difference: a box whose shape tells the kind, the name, what changed from what to what, a sign.

use std::fmt::{self, Write};

use super::Drawing;
use crate::render::diff::look::Look;
use crate::render::diff::words::{facts, lines};
use crate::render::svg::shapes::{inset, name, outline};
use crate::render::svg::strokes::dashes;
use crate::render::svg::words::{Font, fit, shown};
use crate::render::xml::{escaped, id};
use crate::topology::NodeKind;
use crate::topology::diff::{NodeDiff, Status};
use crate::topology::layout::Area;

const FIGURES: Font = Font::plain(10);
/// Baselines below the top of a box: the name's, then those of what is said of it, by the number of such lines.
const BASELINES: [&[i32]; 4] = [&[31], &[23, 40], &[18, 31, 44], &[14, 26, 37, 48]];

// === impl Drawing ===

impl Drawing<'_> {
    pub(super) fn nodes(&self, out: &mut String) -> fmt::Result {
        let placed = self.diff.nodes.iter();
        for node in placed {
            if let Some(at) = self.plane.position(&node.id) {
                self.node(node, self.plane.rect(at), out)?;
            }
        }
        Ok(())
    }

    fn node(&self, node: &NodeDiff, rect: Area, out: &mut String) -> fmt::Result {
        let p = &self.palette;
        let look = Look::of(&node.change);
        let mut lines = lines(&node.change, self.diff);
        let mut title = facts(shown(&node.id), &node.change, !node.kind.inferred());
        title.extend(lines.iter().cloned());
        let fill = if node.kind.inferred() {
            p.ground
        } else {
            p.fill[look.colour]
        };
        writeln!(
            out,
            "<g data-id=\"{}\" data-type=\"{}\" data-status=\"{}\"><title>{}</title>\
             <path d=\"{}\" fill=\"{fill}\" stroke=\"{}\" stroke-width=\"{}\"{}/>",
            id(&node.id),
            node.kind.name(),
            node.change.status.name(),
            escaped(&title.join("\n")),
            outline(node.kind, rect),
            p.line[look.colour],
            look.pen.max(1.0),
            dashes(look.dash),
        )?;
        lines.truncate(BASELINES.len() - 1);
        let room = rect.width() - 2 * inset(node.kind);
        let baselines = BASELINES[lines.len()];
        // Below the lid.
        let top = rect.top
            + if node.kind == NodeKind::Database {
                3
            } else {
                0
            };
        name(&node.name, (rect, room), top + baselines[0], p.ink, out)?;
        for (line, baseline) in lines.iter().zip(&baselines[1..]) {
            write!(
                out,
                "<text x=\"{}\" y=\"{}\" text-anchor=\"middle\" font-size=\"{}\" fill=\"{}\">{}</text>",
                i32::midpoint(rect.left, rect.right),
                top + baseline,
                FIGURES.size(),
                p.ink,
                escaped(&fit(line, room, FIGURES).text),
            )?;
        }
        self.sign(node.change.status, rect, out)?;
        out.write_str("</g>\n")
    }

    /// At the corner, so that colour is not all that tells.
    fn sign(&self, status: Status, rect: Area, out: &mut String) -> fmt::Result {
        let (x, y) = (rect.right - 10, rect.top);
        let ground = self.palette.ground;
        let colour = self.palette.line[Look::of_status(status).0];
        let sign = match status {
            Status::Same => return Ok(()),
            Status::Added => format!("M{} {y}h10m-5 -5v10", x - 5),
            Status::Removed => format!("M{} {y}h10", x - 5),
            Status::Changed => format!("M{x} {}l5 8h-10z", y - 5),
        };
        write!(
            out,
            "<circle cx=\"{x}\" cy=\"{y}\" r=\"8\" fill=\"{colour}\"/>\
             <path d=\"{sign}\" stroke=\"{ground}\" stroke-width=\"1.8\" fill=\"none\"/>"
        )
    }
}
