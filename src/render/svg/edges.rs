//! Edges: a curve, the head of an arrow, a label, a tooltip.

use std::fmt::{self, Write};

use super::labels::{self, Room};
use super::legend::SIGN;
use super::route::{Route, Router};
use super::shapes::mark;
use super::words::shown;
use super::{Drawing, MANY_EDGES, MOST_LABELS, ports, strokes};
use crate::render::facts::edge_facts;
use crate::render::look::{dash, edge_lines, pen_width, rank};
use crate::render::xml::escaped;
use crate::topology::layout::Area;
use crate::topology::{Edge, Health};

// === impl Drawing ===

impl Drawing<'_> {
    /// All curves, those with a problem on top; then all labels. Returns what they take, and how many labels are missing.
    pub(super) fn edges(&self, out: &mut String) -> Result<(Area, usize), fmt::Error> {
        let mut ways = Router::new(&self.plane);
        let edges = &self.topology.edges;
        let pairs = edges.iter().map(|e| (e.client.as_str(), e.server.as_str()));
        let all = edges.iter().zip(ports::ends(pairs, &self.plane));
        let mut routed: Vec<(&Edge, Route)> = all
            .filter_map(|(edge, ends)| Some((edge, ways.route(&ends?))))
            .collect();
        routed.sort_by_key(|(edge, _)| (rank(edge.health), &edge.client, &edge.server, &edge.id));
        let mut taken = self.plane.bounds();
        for (edge, route) in &routed {
            self.edge(edge, route, out)?;
            taken = taken.with(strokes::area(route, &self.plane));
        }
        let (labels, missing) = self.labels(&routed, out)?;
        Ok((taken.with(labels), missing))
    }

    fn edge(&self, edge: &Edge, route: &Route, out: &mut String) -> fmt::Result {
        let width = pen_width(edge).max(strokes::THINNEST);
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
        strokes::path(route, &self.plane, out)?;
        write!(out, "\" stroke-width=\"{width:.2}\"")?;
        out.write_str(strokes::dashes(dash(edge)))?;
        out.write_str("/>")?;
        strokes::arrow(route, width, (colour, colour), &self.plane, out)?;
        out.write_str("</g>\n")
    }

    /// The worst first, then the busiest: whoever comes first has the choice of room. Of many edges only those with a
    /// problem have a chance.
    fn labels(
        &self,
        routed: &[(&Edge, Route)],
        out: &mut String,
    ) -> Result<(Area, usize), fmt::Error> {
        let (mut taken, mut missing) = (self.plane.bounds(), 0);
        let mut room = Room::new(&self.plane);
        let mut wanted: Vec<&(&Edge, Route)> = routed.iter().collect();
        wanted.sort_by_key(|(edge, _)| {
            let badness = edge.health.filter(|health| health.problem());
            (std::cmp::Reverse((badness, edge.counted.calls())), &edge.id)
        });
        for (number, (edge, route)) in wanted.into_iter().enumerate() {
            let texts = self.texts(edge);
            if texts[0].is_empty() {
                continue;
            }
            let problem = edge.health.is_some_and(Health::problem);
            let tried = number < MOST_LABELS && (problem || routed.len() <= MANY_EDGES);
            let found = tried.then(|| room.take(&texts, route, &self.plane));
            if let Some((lines, rect)) = found.flatten() {
                self.label(edge, lines, rect, out)?;
                taken = taken.with(rect);
                continue;
            }
            missing += 1;
            if problem {
                self.sign(edge, room.spot(route, &self.plane), out)?;
            }
        }
        Ok((taken, missing))
    }

    /// What a label may say: everything, or the most telling line, with a sign that there is more.
    fn texts(&self, edge: &Edge) -> [Vec<String>; 2] {
        let all = self.lines(edge);
        let telling = all.iter().find(|line| line.starts_with(['▲', '✕']));
        let brief = telling.or(all.first()).map(|line| match all.len() {
            1 => line.clone(),
            _ => format!("{line} …"),
        });
        [all, brief.into_iter().collect()]
    }

    /// On the line of an edge whose label has no room: colour is not all that tells.
    fn sign(&self, edge: &Edge, middle: (i32, i32), out: &mut String) -> fmt::Result {
        let colours = [self.palette.line[rank(edge.health)], self.palette.ground];
        mark(edge.health, middle, SIGN, colours, out)?;
        out.write_str("\n")
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
        labels::write(lines, rect, [colour, p.ground], None, out)
    }
}
