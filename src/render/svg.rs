//! SVG from the layout, no Graphviz needed: namespaces in frames, shape by kind of node, colour and dash by health,
//! width by rate, figures where there is room and all of them in tooltips.
//!
//! Inert under the strictest policy: no script, no style sheet, no `style`, no reference to anything, not even within
//! the picture. Names come from whoever sends spans: they stand only in text and in `data-id`, escaped, as wide as the
//! box they are in. Whole pixels, so equal data gives equal bytes.

mod edges;
mod labels;
mod legend;
mod nodes;
mod plane;
mod ports;
mod route;
mod words;

use std::fmt::{self, Write};

use self::plane::Plane;
use super::look::{Palette, title};
use super::picture::Picture;
use super::xml::escaped;
use crate::topology::Topology;
use crate::topology::layout::{Area, layout};

/// Empty space around everything.
const MARGIN: i32 = 28;
/// Above the graph: the title.
const HEAD: i32 = 34;
/// Edges up to which all are labelled; beyond, only those with a problem.
const MANY_LABELS: usize = 80;
/// Edges beyond which those without a problem are drawn faintly.
const MANY_EDGES: usize = 150;

/// Writes the graph. Nodes without a place get one as in a first layout.
pub fn write(topology: &Topology, picture: &Picture, out: &mut String) -> fmt::Result {
    if topology.nodes.iter().all(|node| node.place.is_some()) {
        return draw(topology, picture, out);
    }
    let mut placed = topology.clone();
    placed.place(&layout(None, &topology.layout_graph()));
    draw(&placed, picture, out)
}

/// What every part of the drawing knows.
struct Drawing<'a> {
    topology: &'a Topology,
    picture: &'a Picture,
    palette: Palette,
    plane: Plane,
}

fn draw(topology: &Topology, picture: &Picture, out: &mut String) -> fmt::Result {
    let drawing = Drawing {
        topology,
        picture,
        palette: Palette::of(picture.theme),
        plane: Plane::of(topology, picture.rankdir),
    };
    let mut body = String::new();
    drawing.frames(&mut body)?;
    let edges = drawing.edges(&mut body)?;
    drawing.nodes(&mut body)?;
    let graph = drawing.plane.bounds().with(edges);
    let legend = legend::Legend::below(graph, topology);
    drawing.head(graph.with(legend.area()), out)?;
    out.write_str(&body)?;
    legend.write(&drawing.palette, out)?;
    out.write_str("</svg>\n")
}

// === impl Drawing ===

impl Drawing<'_> {
    fn head(&self, graph: Area, out: &mut String) -> fmt::Result {
        let (left, top) = (graph.left - MARGIN, graph.top - MARGIN - HEAD);
        let (width, height) = (graph.right + MARGIN - left, graph.bottom + MARGIN - top);
        let p = &self.palette;
        let when = title(self.topology);
        let what = self.what();
        writeln!(
            out,
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" viewBox=\"{left} {top} {width} {height}\" \
             font-family=\"Helvetica, Arial, sans-serif\" font-size=\"11\" role=\"img\">"
        )?;
        writeln!(out, "<title>{}, {when}</title>", escaped(&what))?;
        writeln!(
            out,
            "<rect x=\"{left}\" y=\"{top}\" width=\"{width}\" height=\"{height}\" fill=\"{}\"/>",
            p.ground
        )?;
        writeln!(
            out,
            "<text x=\"{}\" y=\"{}\" fill=\"{}\"><tspan font-size=\"13\" font-weight=\"bold\">{}</tspan><tspan dx=\"12\">{when}</tspan></text>",
            left + MARGIN,
            top + MARGIN + 4,
            p.ink,
            escaped(&what),
        )
    }

    fn what(&self) -> String {
        let t = self.topology;
        let count = |n: usize, word: &str| format!("{n} {word}{}", if n == 1 { "" } else { "s" });
        let shown = format!(
            "{}, {}",
            count(t.nodes.len(), "node"),
            count(t.edges.len(), "edge")
        );
        if t.nodes.is_empty() {
            return "No calls in this window".to_owned();
        }
        match (t.hidden.nodes, t.hidden.edges) {
            (0, 0) => shown,
            (nodes, edges) => {
                format!("{shown} ({nodes} nodes and {edges} edges hidden by filters)")
            }
        }
    }

    fn frames(&self, out: &mut String) -> fmt::Result {
        let p = &self.palette;
        for (namespace, rect) in self.plane.frames() {
            let room = rect.width() - 24;
            writeln!(
                out,
                "<g><title>namespace {}</title><rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" rx=\"10\" fill=\"{}\" fill-opacity=\"0.06\" stroke=\"{}\" stroke-opacity=\"0.6\"/>\
                 <text x=\"{}\" y=\"{}\" fill=\"{}\" font-size=\"12\" font-weight=\"bold\" fill-opacity=\"0.75\">{}</text></g>",
                escaped(&words::shown(namespace)),
                rect.left,
                rect.top,
                rect.width(),
                rect.height(),
                p.faint,
                p.faint,
                rect.left + 12,
                rect.top + 19,
                p.ink,
                escaped(&words::fit(namespace, room, words::Font::bold(12)).text),
            )?;
        }
        Ok(())
    }
}
