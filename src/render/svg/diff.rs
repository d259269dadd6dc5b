//! A difference as a picture of its own: what came is green with a plus, what went red and dashed with a minus, what
//! changed amber and dotted with a triangle and its figures before and after, what is the same grey. So a printout
//! without colours says the same.
//!
//! Laid out as if for the first time, by what is listed: the two windows have one picture, and neither has another
//! place in it. Inert as the picture of a graph is, by the same means.

mod edges;
mod nodes;

use std::fmt::{self, Write};

use super::legend::{Entry, Legend};
use super::plane::{Boxed, Plane};
use super::{missing_labels, sheet};
use crate::render::diff::look::titles;
use crate::render::look::Palette;
use crate::render::picture::Picture;
use crate::topology::NodeKind;
use crate::topology::diff::{Change, Diff, NodeDiff};
use crate::topology::layout::{Graph, Layout, layout};

const LEGEND: [Entry; 6] = [
    Entry::line("+ added", 1, "solid", "2.5"),
    Entry::line("\u{2212} removed", 3, "dashed", "1.5"),
    Entry::line(
        "\u{25B3} changed, from base \u{2192} to head",
        2,
        "dotted",
        "2.5",
    ),
    Entry::line("the same", 0, "solid", "0.9"),
    Entry::words("thin: may be chance"),
    Entry::words("p95 names the side that measured it"),
];

/// What every part of the drawing knows.
struct Drawing<'a> {
    diff: &'a Diff,
    palette: Palette,
    plane: Plane,
}

/// Writes the difference.
pub fn write(diff: &Diff, picture: &Picture, out: &mut String) -> fmt::Result {
    let layout = layout(None, &graph(diff));
    let drawing = Drawing {
        diff,
        palette: Palette::of(picture.theme),
        plane: Plane::of(&boxed(diff, &layout), false, picture.rankdir),
    };
    let mut body = String::new();
    sheet::frames(&drawing.plane, &drawing.palette, &mut body)?;
    let (edges, missing) = drawing.edges(&mut body)?;
    drawing.nodes(&mut body)?;
    let graph = drawing.plane.bounds().with(edges);
    let entries: &[Entry] = if diff.nodes.is_empty() { &[] } else { &LEGEND };
    let legend = Legend::below(graph, entries);
    let titles = titles(diff).into_iter();
    let title = titles.map(|line| {
        let cut = line.split_once(": ").or_else(|| line.split_once(' '));
        let (strong, plain) = cut.unwrap_or((&line, ""));
        sheet::Line {
            strong: strong.to_owned(),
            plain: plain.to_owned(),
        }
    });
    let mut title: Vec<sheet::Line> = title.collect();
    if let Some(line) = title.last_mut() {
        line.plain += &missing_labels(missing);
    }
    sheet::open(graph.with(legend.area()), &title, &drawing.palette, out)?;
    out.write_str(&body)?;
    legend.write(&drawing.palette, out)?;
    out.write_str("</svg>\n")
}

/// What is listed, an edge as heavy as in the window where it had more calls.
fn graph(diff: &Diff) -> Graph {
    let calls = |change: &Change| {
        let both = change.base.iter().chain(&change.head);
        both.map(|counts| counts.calls).max().unwrap_or_default()
    };
    let edges = diff.edges.iter();
    Graph::new(
        diff.nodes
            .iter()
            .map(|n| (n.id.clone(), namespace(n).map(str::to_owned))),
        edges.map(|e| (e.client.clone(), e.server.clone(), calls(&e.change))),
    )
}

fn boxed<'a>(diff: &'a Diff, layout: &Layout) -> Vec<Boxed<'a>> {
    let boxed = diff.nodes.iter().filter_map(|node| {
        Some(Boxed {
            id: &node.id,
            namespace: namespace(node),
            place: layout.place(&node.id)?,
        })
    });
    boxed.collect()
}

/// Only services stand in the frame of their namespace.
fn namespace(node: &NodeDiff) -> Option<&str> {
    let framed = node.namespace.as_deref();
    framed.filter(|_| node.kind == NodeKind::Service)
}
