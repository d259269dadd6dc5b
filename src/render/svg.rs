//! SVG from the layout, no Graphviz needed: namespaces in frames, shape by kind of node, colour and sign by health, a dash
//! for messages, width by rate, figures where there is room and all of them in tooltips.
//!
//! Inert under the strictest policy: no script, no style sheet, no `style`, no reference to anything, not even within
//! the picture. Names come from whoever sends spans: they stand only in text and in `data-id`, escaped, as wide as the
//! box they are in. Whole pixels, so equal data gives equal bytes.

pub mod diff;
mod edges;
mod labels;
mod legend;
mod nodes;
mod plane;
mod ports;
mod route;
mod shapes;
mod sheet;
mod strokes;
mod words;

use std::fmt::{self, Write};

use self::legend::{Entry, Legend};
use self::plane::{Boxed, Plane};
use super::callers::Callers;
use super::look::{Palette, title};
use super::picture::Picture;
use super::text::hidden;
use crate::topology::layout::layout;
use crate::topology::{Health, Topology};

/// Most labels that are given a try; to find room for one takes time for each there is.
const MOST_LABELS: usize = 300;
/// Edges beyond which those without a problem are drawn faintly and without a label.
const MANY_EDGES: usize = 150;

const LEGEND: [Entry; 6] = [
    Entry::line("call", 1, "solid", "2"),
    Entry::line("message", 1, "dashed", "2"),
    Entry::problem("degraded", 2, Health::Degraded),
    Entry::problem("failing", 3, Health::Failing),
    Entry::words("width: calls per second"),
    Entry::words("p95 names the side that measured it"),
];

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
    callers: Callers<'a>,
    picture: &'a Picture,
    palette: Palette,
    plane: Plane,
}

fn draw(topology: &Topology, picture: &Picture, out: &mut String) -> fmt::Result {
    let boxed = topology.nodes.iter().filter_map(|node| {
        Some(Boxed {
            id: &node.counted.id,
            namespace: node.counted.namespace.as_deref(),
            place: node.place?,
        })
    });
    let boxed: Vec<Boxed<'_>> = boxed.collect();
    let drawing = Drawing {
        topology,
        callers: Callers::of(topology),
        picture,
        palette: Palette::of(picture.theme),
        plane: Plane::of(&boxed, topology.hidden.nodes > 0, picture.rankdir),
    };
    let mut body = String::new();
    sheet::frames(&drawing.plane, &drawing.palette, &mut body)?;
    let (edges, missing) = drawing.edges(&mut body)?;
    drawing.nodes(&mut body)?;
    let graph = drawing.plane.bounds().with(edges);
    let entries: &[Entry] = if topology.nodes.is_empty() {
        &[]
    } else {
        &LEGEND
    };
    let legend = Legend::below(graph, entries);
    let title = [sheet::Line {
        strong: drawing.what(),
        plain: format!("{}{}", title(topology), missing_labels(missing)),
    }];
    sheet::open(graph.with(legend.area()), &title, &drawing.palette, out)?;
    out.write_str(&body)?;
    legend.write(&drawing.palette, out)?;
    out.write_str("</svg>\n")
}

/// What a picture lacks, in words for its title.
fn missing_labels(count: usize) -> String {
    match count {
        0 => String::new(),
        1 => ", 1 edge label not shown (see its tooltip)".to_owned(),
        n => format!(", {n} edge labels not shown (see their tooltips)"),
    }
}

// === impl Drawing ===

impl Drawing<'_> {
    fn what(&self) -> String {
        let t = self.topology;
        let count = |n: usize, word: &str| format!("{n} {word}{}", if n == 1 { "" } else { "s" });
        let shown = format!(
            "{}, {}",
            count(t.nodes.len(), "node"),
            count(t.edges.len(), "edge")
        );
        let shown = if t.nodes.is_empty() {
            "No calls in this window".to_owned()
        } else {
            shown
        };
        match hidden(t.hidden) {
            None => shown,
            Some(hidden) => format!("{shown} ({hidden})"),
        }
    }
}
