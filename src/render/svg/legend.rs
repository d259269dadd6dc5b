//! The legend: one line below the graph.

use std::fmt::{self, Write};

use super::words::Font;
use crate::render::look::Palette;
use crate::topology::Topology;
use crate::topology::layout::Area;

const FONT: Font = Font::plain(10);
/// Length of a sample line, and space around samples.
const SAMPLE: i32 = 26;
const SPACE: i32 = 18;

/// Words, and the dash of the line before them, if one is.
const ENTRIES: [(&str, Option<(usize, &str)>); 5] = [
    ("ok", Some((1, ""))),
    ("degraded", Some((2, "7 4"))),
    ("failing", Some((3, "1.5 4"))),
    ("width: calls per second", None),
    ("p95 names the side that measured it", None),
];

/// Where the legend goes.
pub(super) struct Legend {
    left: i32,
    baseline: i32,
    shown: bool,
}

// === impl Legend ===

impl Legend {
    pub(super) fn below(graph: Area, topology: &Topology) -> Self {
        Self {
            left: graph.left,
            baseline: graph.bottom + 30,
            shown: !topology.nodes.is_empty(),
        }
    }

    /// What it takes; a point when there is none.
    pub(super) fn area(&self) -> Area {
        let width: i32 = ENTRIES
            .iter()
            .map(|(words, line)| Self::width(words, line.is_some()))
            .sum();
        Area {
            left: self.left,
            top: self.baseline - 12,
            right: self.left + if self.shown { width } else { 0 },
            bottom: self.baseline + 4,
        }
    }

    pub(super) fn write(&self, palette: &Palette, out: &mut String) -> fmt::Result {
        if !self.shown {
            return Ok(());
        }
        write!(out, "<g font-size=\"10\" fill=\"{}\">", palette.ink)?;
        let mut x = self.left;
        for (words, line) in ENTRIES {
            if let Some((look, dashes)) = line {
                write!(
                    out,
                    "<path d=\"M{x} {}h{SAMPLE}\" stroke=\"{}\" stroke-width=\"2\"",
                    self.baseline - 4,
                    palette.line[look]
                )?;
                if !dashes.is_empty() {
                    write!(
                        out,
                        " stroke-dasharray=\"{dashes}\" stroke-linecap=\"round\""
                    )?;
                }
                out.write_str("/>")?;
            }
            let indent = if line.is_some() { SAMPLE + 6 } else { 0 };
            write!(
                out,
                "<text x=\"{}\" y=\"{}\">{words}</text>",
                x + indent,
                self.baseline
            )?;
            x += Self::width(words, line.is_some());
        }
        out.write_str("</g>\n")
    }

    fn width(words: &str, has_line: bool) -> i32 {
        FONT.width(words) + SPACE + if has_line { SAMPLE + 6 } else { 0 }
    }
}
