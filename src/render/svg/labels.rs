//! Figures on edges, where they cover no box and no other label. Those that find no room stay in the tooltip, unless the
//! picture is about them: then they may cover a box.

use std::fmt::{self, Write};

use super::legend::SIGN;
use super::plane::Plane;
use super::route::Route;
use super::words::Font;
use crate::render::xml::escaped;
use crate::topology::layout::Area;

/// Font of labels.
const FONT: Font = Font::plain(10);
/// From one line to the next.
const LINE: i32 = 12;
/// Places tried along the way, in hundredths of it.
const TRIES: [i32; 13] = [50, 44, 56, 38, 62, 32, 68, 26, 74, 20, 80, 14, 86];

/// What is taken.
pub(super) struct Room {
    /// By boxes and captions, then by labels.
    taken: Vec<Area>,
    boxes: usize,
}

// === impl Room ===

impl Room {
    pub(super) fn new(plane: &Plane) -> Self {
        let boxes = (0..plane.spots.len()).map(|node| plane.rect(node).grown(3));
        let captions = plane.frames().map(|(namespace, frame)| Area {
            bottom: frame.top + 24,
            right: frame.left + 24 + Font::bold(12).width(namespace).min(frame.width() - 24),
            ..frame
        });
        let taken: Vec<_> = boxes.chain(captions).collect();
        Self {
            boxes: taken.len(),
            taken,
        }
    }

    /// Takes room for `lines` on the way; `None` when there is none.
    pub(super) fn take(&mut self, lines: &[String], route: &Route, plane: &Plane) -> Option<Area> {
        self.find(lines, route, plane, false)
    }

    /// The same, if need be over a box, but over no other label.
    pub(super) fn insist(
        &mut self,
        lines: &[String],
        route: &Route,
        plane: &Plane,
    ) -> Option<Area> {
        self.find(lines, route, plane, true)
    }

    /// The place of a sign on the way, over no other label where there is one.
    pub(super) fn spot(&mut self, route: &Route, plane: &Plane) -> (i32, i32) {
        let spots = TRIES.map(|part| plane.at(route.after(part, 100)));
        let around = |(x, y): (i32, i32)| {
            Area {
                left: x,
                top: y,
                right: x,
                bottom: y,
            }
            .grown(SIGN)
        };
        let is_free =
            |spot: &&(i32, i32)| self.taken.iter().all(|taken| !taken.meets(around(**spot)));
        let found = spots.iter().find(is_free).copied().unwrap_or(spots[0]);
        self.taken.push(around(found));
        found
    }

    fn find(
        &mut self,
        lines: &[String],
        route: &Route,
        plane: &Plane,
        insist: bool,
    ) -> Option<Area> {
        let widest = lines.iter().map(|line| FONT.width(line)).max()?;
        // Measured for the widest font, most are narrower: what is behind a label should stay in sight.
        let half_width = widest * 9 / 20 + 4;
        let height = i32::try_from(lines.len()).ok()? * LINE + 3;
        let rect = |part: i32, rise: i32| {
            let (x, y) = plane.at(route.after(part, 100));
            let top = y - height / 2 - rise * (height / 2 + 3);
            Area {
                left: x - half_width,
                top,
                right: x + half_width,
                bottom: top + height,
            }
        };
        // A line that is almost level stays in sight: the label stands above or below it, and on it only otherwise.
        let tries = TRIES.iter().flat_map(|part| {
            let rises: &[i32] = if is_level(*part, route, plane) {
                &[1, -1]
            } else {
                &[0]
            };
            rises.iter().map(|rise| rect(*part, *rise))
        });
        let tries: Vec<Area> = tries
            .chain(TRIES.iter().map(|part| rect(*part, 0)))
            .collect();
        let first_free = |taken: &[Area]| {
            let is_free = |rect: &&Area| taken.iter().all(|taken| !taken.meets(**rect));
            tries.iter().find(is_free).copied()
        };
        let over_a_box = || first_free(&self.taken[self.boxes..]).filter(|_| insist);
        let found = first_free(&self.taken).or_else(over_a_box)?;
        self.taken.push(found.grown(2));
        Some(found)
    }
}

/// Writes a label where it found room, in the colours of text and ground. A `border` makes a badge of it.
pub(super) fn write(
    lines: &[String],
    rect: Area,
    [colour, ground]: [&str; 2],
    border: Option<&str>,
    out: &mut String,
) -> fmt::Result {
    let border = border.map_or_else(String::new, |dashes| {
        format!(" stroke=\"{colour}\" stroke-width=\"0.8\"{dashes}")
    });
    write!(
        out,
        "<g font-size=\"{}\" text-anchor=\"middle\" fill=\"{colour}\"><rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" rx=\"3\" fill=\"{ground}\" fill-opacity=\"0.88\"{border}/>",
        FONT.size(),
        rect.left,
        rect.top,
        rect.width(),
        rect.height(),
    )?;
    let middle = i32::midpoint(rect.left, rect.right);
    for (line, at) in lines.iter().zip(1..) {
        let (baseline, line) = (rect.top + at * LINE - 1, escaped(line));
        write!(out, "<text x=\"{middle}\" y=\"{baseline}\">{line}</text>")?;
    }
    out.write_str("</g>\n")
}

/// A loop is like a level line: its label stands above it.
fn is_level(part: i32, route: &Route, plane: &Plane) -> bool {
    if route.arrives.across != 0 {
        return true;
    }
    let (before, after) = (
        plane.at(route.after(part - 8, 100)),
        plane.at(route.after(part + 8, 100)),
    );
    (before.1 - after.1).abs() * 4 <= (before.0 - after.0).abs()
}
