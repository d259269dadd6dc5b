//! Edges of a difference: a curve, the head of an arrow, what changed from what to what, a tooltip.

use std::cmp::Reverse;
use std::fmt::{self, Write};

use super::Drawing;
use crate::render::diff::look::Look;
use crate::render::diff::words::{facts, lines};
use crate::render::svg::labels::{self, Room};
use crate::render::svg::route::{Route, Router};
use crate::render::svg::words::shown;
use crate::render::svg::{MOST_LABELS, ports, strokes};
use crate::render::xml::escaped;
use crate::topology::diff::{Change, EdgeDiff, Status};
use crate::topology::layout::Area;

// === impl Drawing ===

impl Drawing<'_> {
    /// All curves, those that differ beyond chance on top; then the labels. Returns what they take, and how
    /// many labels are missing.
    pub(super) fn edges(&self, out: &mut String) -> Result<(Area, usize), fmt::Error> {
        let mut ways = Router::new(&self.plane);
        let edges = &self.diff.edges;
        let pairs = edges.iter().map(|e| (e.client.as_str(), e.server.as_str()));
        let all = edges.iter().zip(ports::ends(pairs, &self.plane));
        let mut routed: Vec<(&EdgeDiff, Route)> = all
            .filter_map(|(edge, ends)| Some((edge, ways.route(&ends?))))
            .collect();
        routed.sort_by_key(|(edge, _)| (Reverse(weight(&edge.change)), &edge.id));
        let mut taken = self.plane.bounds();
        for (edge, route) in routed.iter().rev() {
            self.edge(edge, route, out)?;
            taken = taken.with(strokes::area(route, &self.plane));
        }
        let (labels, missing) = self.labels(&routed, out)?;
        Ok((taken.with(labels), missing))
    }

    fn edge(&self, edge: &EdgeDiff, route: &Route, out: &mut String) -> fmt::Result {
        let look = Look::of(&edge.change);
        let width = look.pen.max(strokes::THINNEST);
        let colour = self.palette.line[look.colour];
        let status = edge.change.status;
        let ends = format!("{} to {}", shown(&edge.client), shown(&edge.server));
        let mut title = facts(ends, &edge.change, true);
        title.extend(lines(&edge.change, self.diff));
        write!(
            out,
            "<g id=\"edge-{}\" data-id=\"{}\" data-status=\"{}\" stroke=\"{colour}\" fill=\"none\"{}><title>{}</title><path d=\"",
            edge.id,
            edge.id,
            status.name(),
            if status == Status::Same {
                " opacity=\"0.5\""
            } else {
                ""
            },
            escaped(&title.join("\n")),
        )?;
        strokes::path(route, &self.plane, out)?;
        write!(
            out,
            "\" stroke-width=\"{width:.2}\"{}/>",
            strokes::dashes(look.dash)
        )?;
        // What went is hollow.
        let head = if status == Status::Removed {
            self.palette.ground
        } else {
            colour
        };
        strokes::arrow(route, width, (head, colour), &self.plane, out)?;
        out.write_str("</g>\n")
    }

    /// Whoever comes first has the choice of room: what is beyond chance, then the busiest. What differs is what the
    /// picture is about: rather than go without, it covers a box.
    fn labels(
        &self,
        routed: &[(&EdgeDiff, Route)],
        out: &mut String,
    ) -> Result<(Area, usize), fmt::Error> {
        let (mut taken, mut missing) = (self.plane.bounds(), 0);
        let mut room = Room::new(&self.plane);
        let differ = |(edge, _): &&(&EdgeDiff, Route)| edge.change.status != Status::Same;
        for (number, (edge, route)) in routed.iter().filter(differ).enumerate() {
            let lines = lines(&edge.change, self.diff);
            let found = (number < MOST_LABELS).then(|| room.insist(&lines, route, &self.plane));
            let Some(rect) = found.flatten() else {
                missing += 1;
                continue;
            };
            let look = Look::of(&edge.change);
            let colours = [self.palette.line[look.colour], self.palette.ground];
            labels::write(&lines, rect, colours, Some(strokes::dashes(look.dash)), out)?;
            taken = taken.with(rect);
        }
        Ok((taken, missing))
    }
}

/// How much an edge wants to be seen.
fn weight(change: &Change) -> (bool, bool, u64) {
    let both = change.base.iter().chain(&change.head);
    let calls = both.map(|counts| counts.calls).max().unwrap_or_default();
    (change.status != Status::Same, change.significant, calls)
}
