//! Edges: a curve, the head of an arrow, a label, a tooltip.

use std::fmt::{self, Write};

use super::labels::{FONT, LINE, Room};
use super::plane::Spot;
use super::ports;
use super::route::{HEAD, Route, Router};
use super::words::shown;
use super::{Drawing, MANY_EDGES, MANY_LABELS};
use crate::render::facts::edge_facts;
use crate::render::look::{dash, edge_lines, pen_width, rank};
use crate::render::xml::escaped;
use crate::topology::layout::Area;
use crate::topology::{Edge, Health};

/// A thinner line is hardly seen in a picture that is shown smaller than it is.
const THINNEST: f64 = 0.9;

// === impl Drawing ===

impl Drawing<'_> {
    /// All curves, those with a problem on top; then all labels. Returns what they take.
    pub(super) fn edges(&self, out: &mut String) -> Result<Area, fmt::Error> {
        let mut ways = Router::new(&self.plane);
        let ends = ports::ends(self.topology, &self.plane);
        let all = self.topology.edges.iter().zip(ends);
        let mut routed: Vec<(&Edge, Route)> = all
            .filter_map(|(edge, ends)| Some((edge, ways.route(&ends?))))
            .collect();
        routed.sort_by_key(|(edge, _)| (rank(edge.health), &edge.client, &edge.server, &edge.id));
        let mut taken = self.plane.bounds();
        for (edge, route) in &routed {
            self.edge(edge, route, out)?;
            let corners = route.curves.iter().flatten();
            taken = corners.fold(taken, |taken, spot| taken.with(self.plane.around(*spot)));
        }
        Ok(taken.with(self.labels(&routed, out)?))
    }

    fn edge(&self, edge: &Edge, route: &Route, out: &mut String) -> fmt::Result {
        let width = pen_width(edge).max(THINNEST);
        let colour = self.palette.line[rank(edge.health)];
        write!(
            out,
            "<g id=\"edge-{}\" data-id=\"{}\" stroke=\"{colour}\" fill=\"none\"",
            edge.id, edge.id
        )?;
        let faint = self.topology.edges.len() > MANY_EDGES || edge.counted.idle;
        let strength = if faint { "0.3" } else { "0.8" };
        if !edge.health.is_some_and(Health::problem) {
            write!(out, " opacity=\"{strength}\"")?;
        }
        let title = edge_facts(self.topology, edge, shown).join("\n");
        write!(out, "><title>{}</title><path d=\"", escaped(&title))?;
        self.path(route, out)?;
        write!(out, "\" stroke-width=\"{width:.2}\"")?;
        match dash(edge.health) {
            "dashed" => out.write_str(" stroke-dasharray=\"7 4\"")?,
            "dotted" => out.write_str(" stroke-dasharray=\"1.5 4\" stroke-linecap=\"round\"")?,
            _ => {}
        }
        out.write_str("/>")?;
        self.arrow(route, width, colour, out)?;
        out.write_str("</g>\n")
    }

    /// Among many only those with a problem.
    fn is_labelled(&self, edge: &Edge) -> bool {
        self.topology.edges.len() <= MANY_LABELS || edge.health.is_some_and(Health::problem)
    }

    fn path(&self, route: &Route, out: &mut String) -> fmt::Result {
        let at = |spot| self.plane.at(spot);
        let (x, y) = at(route.start);
        write!(out, "M{x} {y}")?;
        for curve in &route.curves {
            let [(ax, ay), (bx, by), (x, y)] = curve.map(at);
            write!(out, "C{ax} {ay} {bx} {by} {x} {y}")?;
        }
        Ok(())
    }

    fn arrow(&self, route: &Route, width: f64, colour: &str, out: &mut String) -> fmt::Result {
        // Wider lines have wider heads, in whole pixels.
        let wide = [2.0, 4.0, 6.0]
            .iter()
            .filter(|limit| width > **limit)
            .count();
        let half = 4 + i32::try_from(wide).unwrap_or(0);
        let (step, tip) = (route.arrives, route.tip);
        let corner = |side: i32| Spot {
            along: tip.along - step.along * (HEAD + 1) + step.across * side,
            across: tip.across - step.across * (HEAD + 1) + step.along * side,
        };
        let [tip, a, b] = [tip, corner(-half), corner(half)].map(|spot| self.plane.at(spot));
        write!(
            out,
            "<path d=\"M{} {}L{} {}L{} {}Z\" fill=\"{colour}\" stroke=\"none\"/>",
            tip.0, tip.1, a.0, a.1, b.0, b.1
        )
    }

    /// The worst first, then the busiest: whoever comes first has the choice of room.
    fn labels(&self, routed: &[(&Edge, Route)], out: &mut String) -> Result<Area, fmt::Error> {
        let mut taken = self.plane.bounds();
        let mut room = Room::new(&self.plane);
        let mut wanted: Vec<&(&Edge, Route)> = routed
            .iter()
            .filter(|(edge, _)| self.is_labelled(edge))
            .collect();
        wanted.sort_by_key(|(edge, _)| {
            let badness = edge.health.filter(|health| health.problem());
            (std::cmp::Reverse((badness, edge.counted.calls())), &edge.id)
        });
        for (edge, route) in wanted.into_iter().take(MANY_LABELS) {
            let lines = self.lines(edge);
            if let Some(rect) = room.take(&lines, route, &self.plane) {
                self.label(edge, &lines, rect, out)?;
                taken = taken.with(rect);
            }
        }
        Ok(taken)
    }

    /// The words of an edge; that nothing failed goes without saying.
    fn lines(&self, edge: &Edge) -> Vec<String> {
        let lines = edge_lines(edge, self.picture);
        let unsaid = edge.counted.failed_calls() == 0;
        lines
            .into_iter()
            .filter(|line| !(unsaid && line.ends_with(" failed")))
            .collect()
    }

    fn label(&self, edge: &Edge, lines: &[String], rect: Area, out: &mut String) -> fmt::Result {
        let p = &self.palette;
        let colour = if edge.health.is_some_and(Health::problem) {
            p.line[rank(edge.health)]
        } else {
            p.ink
        };
        write!(
            out,
            "<g font-size=\"{}\" text-anchor=\"middle\" fill=\"{colour}\"><rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" rx=\"3\" fill=\"{}\" fill-opacity=\"0.88\"/>",
            FONT.size(),
            rect.left,
            rect.top,
            rect.width(),
            rect.height(),
            p.ground
        )?;
        let middle = i32::midpoint(rect.left, rect.right);
        for (line, at) in lines.iter().zip(1..) {
            write!(
                out,
                "<text x=\"{middle}\" y=\"{}\">{}</text>",
                rect.top + at * LINE - 1,
                escaped(line)
            )?;
        }
        out.write_str("</g>\n")
    }
}
