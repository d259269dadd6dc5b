//! The legend: one line below the graph.

use std::fmt::{self, Write};

use super::words::Font;
use crate::render::look::Palette;
use crate::topology::layout::Area;

const FONT: Font = Font::plain(10);
/// Length of a sample line, and space around samples.
const SAMPLE: i32 = 26;
const SPACE: i32 = 18;

/// What a line means.
pub(super) struct Entry {
    pub(super) words: &'static str,
    /// The line before the words, if one is.
    pub(super) line: Option<Line>,
}

/// How a line looks.
pub(super) struct Line {
    /// Place in the palette.
    pub(super) colour: usize,
    /// As `stroke-dasharray`; empty is solid.
    pub(super) dashes: &'static str,
    pub(super) width: &'static str,
}

/// Where the legend goes.
pub(super) struct Legend {
    entries: &'static [Entry],
    left: i32,
    baseline: i32,
}

// === impl Legend ===

impl Legend {
    /// Of no entries there is none.
    pub(super) fn below(graph: Area, entries: &'static [Entry]) -> Self {
        Self {
            entries,
            left: graph.left,
            baseline: graph.bottom + 30,
        }
    }

    /// What it takes; a point when there is none.
    pub(super) fn area(&self) -> Area {
        let width: i32 = self.entries.iter().map(Entry::room).sum();
        Area {
            left: self.left,
            top: self.baseline - 12,
            right: self.left + width,
            bottom: self.baseline + 4,
        }
    }

    pub(super) fn write(&self, palette: &Palette, out: &mut String) -> fmt::Result {
        if self.entries.is_empty() {
            return Ok(());
        }
        write!(out, "<g font-size=\"10\" fill=\"{}\">", palette.ink)?;
        let mut x = self.left;
        for entry in self.entries {
            entry.write((x, self.baseline), palette, out)?;
            x += entry.room();
        }
        out.write_str("</g>\n")
    }
}

// === impl Entry ===

impl Entry {
    /// Words without a line.
    pub(super) const fn words(words: &'static str) -> Self {
        Self { words, line: None }
    }

    /// A line with what it means.
    pub(super) const fn line(
        words: &'static str,
        colour: usize,
        dashes: &'static str,
        width: &'static str,
    ) -> Self {
        let line = Some(Line {
            colour,
            dashes,
            width,
        });
        Self { words, line }
    }

    fn indent(&self) -> i32 {
        if self.line.is_some() { SAMPLE + 6 } else { 0 }
    }

    fn room(&self) -> i32 {
        FONT.width(self.words) + SPACE + self.indent()
    }

    fn write(&self, (x, baseline): (i32, i32), palette: &Palette, out: &mut String) -> fmt::Result {
        if let Some(line) = &self.line {
            write!(
                out,
                "<path d=\"M{x} {}h{SAMPLE}\" stroke=\"{}\" stroke-width=\"{}\"",
                baseline - 4,
                palette.line[line.colour],
                line.width,
            )?;
            if !line.dashes.is_empty() {
                let dashes = line.dashes;
                write!(
                    out,
                    " stroke-dasharray=\"{dashes}\" stroke-linecap=\"round\""
                )?;
            }
            out.write_str("/>")?;
        }
        let (x, words) = (x + self.indent(), self.words);
        write!(out, "<text x=\"{x}\" y=\"{baseline}\">{words}</text>")
    }
}
