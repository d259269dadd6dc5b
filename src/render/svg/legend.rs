//! The legend: one line below the graph.

use std::fmt::{self, Write};

use super::shapes::mark;
use super::strokes::dashes;
use super::words::Font;
use crate::render::look::Palette;
use crate::topology::Health;
use crate::topology::layout::Area;

const FONT: Font = Font::plain(10);
/// Length of a sample line, and space around samples.
const SAMPLE: i32 = 26;
const SPACE: i32 = 18;
/// Half of the sign of a health, on a line.
pub(super) const SIGN: i32 = 6;

/// What a line means.
pub(super) struct Entry {
    words: &'static str,
    /// The line before the words, if one is.
    line: Option<Line>,
}

/// How a line looks.
struct Line {
    /// Place in the palette.
    colour: usize,
    /// `solid`, `dashed` or `dotted`.
    dash: &'static str,
    width: &'static str,
    /// Whose sign is on it.
    sign: Option<Health>,
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
        dash: &'static str,
        width: &'static str,
    ) -> Self {
        let line = Some(Line {
            colour,
            dash,
            width,
            sign: None,
        });
        Self { words, line }
    }

    /// A line with the sign of a problem.
    pub(super) const fn problem(words: &'static str, colour: usize, health: Health) -> Self {
        let line = Some(Line {
            colour,
            dash: "solid",
            width: "2",
            sign: Some(health),
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
            let colour = palette.line[line.colour];
            write!(
                out,
                "<path d=\"M{x} {}h{SAMPLE}\" stroke=\"{colour}\" stroke-width=\"{}\"{}/>",
                baseline - 4,
                line.width,
                dashes(line.dash),
            )?;
            let middle = (x + SAMPLE / 2, baseline - 4);
            mark(line.sign, middle, SIGN, [colour, palette.ground], out)?;
        }
        let (x, words) = (x + self.indent(), self.words);
        write!(out, "<text x=\"{x}\" y=\"{baseline}\">{words}</text>")
    }
}
