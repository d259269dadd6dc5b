//! What is around a graph: the ground, the title above it, the frames of namespaces.

use std::fmt::{self, Write};

use super::plane::Plane;
use super::words::{Font, fit, shown};
use crate::render::look::Palette;
use crate::render::xml::escaped;
use crate::topology::layout::Area;

/// Empty space around everything.
const MARGIN: i32 = 28;
/// From one line of the title to the next, and from the last to the graph.
const LINE: i32 = 17;
const BELOW: i32 = 17;

/// A line of the title: what stands out, and the rest. Neither holds a name.
pub(super) struct Line {
    pub(super) strong: String,
    pub(super) plain: String,
}

/// Opens the picture of `graph`, with a title above it. The title is never wider than the picture.
pub(super) fn open(
    graph: Area,
    title: &[Line],
    palette: &Palette,
    out: &mut String,
) -> fmt::Result {
    let widest = title.iter().map(Line::width).max().unwrap_or_default();
    let lines = i32::try_from(title.len()).unwrap_or_default();
    let (left, top) = (
        graph.left - MARGIN,
        graph.top - MARGIN - BELOW - lines * LINE,
    );
    let right = graph.right.max(graph.left + widest);
    let (width, height) = (right + MARGIN - left, graph.bottom + MARGIN - top);
    let (ground, ink) = (palette.ground, palette.ink);
    let words: Vec<String> = title.iter().map(Line::words).collect();
    writeln!(
        out,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" viewBox=\"{left} {top} {width} {height}\" \
         font-family=\"Helvetica, Arial, sans-serif\" font-size=\"11\" role=\"img\">"
    )?;
    writeln!(out, "<title>{}</title>", escaped(&words.join("\n")))?;
    writeln!(
        out,
        "<rect x=\"{left}\" y=\"{top}\" width=\"{width}\" height=\"{height}\" fill=\"{ground}\"/>"
    )?;
    for (line, at) in title.iter().zip(0..) {
        writeln!(
            out,
            "<text x=\"{}\" y=\"{}\" fill=\"{ink}\"><tspan font-size=\"13\" font-weight=\"bold\">{}</tspan><tspan dx=\"12\">{}</tspan></text>",
            left + MARGIN,
            top + MARGIN + 4 + at * LINE,
            escaped(&line.strong),
            escaped(&line.plain),
        )?;
    }
    Ok(())
}

/// Draws the frames of namespaces.
pub(super) fn frames(plane: &Plane, palette: &Palette, out: &mut String) -> fmt::Result {
    let (faint, ink) = (palette.faint, palette.ink);
    for (namespace, rect) in plane.frames() {
        let room = rect.width() - 24;
        writeln!(
            out,
            "<g><title>namespace {}</title><rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" rx=\"10\" fill=\"{faint}\" fill-opacity=\"0.06\" stroke=\"{faint}\" stroke-opacity=\"0.6\"/>\
             <text x=\"{}\" y=\"{}\" fill=\"{ink}\" font-size=\"12\" font-weight=\"bold\" fill-opacity=\"0.75\">{}</text></g>",
            escaped(&shown(namespace)),
            rect.left,
            rect.top,
            rect.width(),
            rect.height(),
            rect.left + 12,
            rect.top + 19,
            escaped(&fit(namespace, room, Font::bold(12)).text),
        )?;
    }
    Ok(())
}

// === impl Line ===

impl Line {
    fn width(&self) -> i32 {
        Font::bold(13).width(&self.strong) + 12 + Font::plain(11).width(&self.plain)
    }

    fn words(&self) -> String {
        format!("{}, {}", self.strong, self.plain)
    }
}
