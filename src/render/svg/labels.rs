//! Figures on edges, where they cover no box and no other label: all of them, or in less room the most telling. Those
//! that find no room stay in the tooltip and are counted, unless the picture is about them: then they may cover a box.

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
/// Places tried along the way, in hundredths of it, from the middle to the ends.
const TRIES: [i32; 27] = [
    50, 47, 53, 44, 56, 41, 59, 38, 62, 35, 65, 32, 68, 29, 71, 26, 74, 23, 77, 20, 80, 17, 83, 14,
    86, 11, 89,
];
/// Between a line and a label beside it.
const BESIDE: i32 = 3;

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

    /// Takes room on the way for the first of these texts that finds some; which one, and where.
    pub(super) fn take<'a>(
        &mut self,
        texts: &'a [Vec<String>],
        route: &Route,
        plane: &Plane,
    ) -> Option<(&'a [String], Area)> {
        let way = Way::of(route, plane);
        let found = texts.iter().find_map(|lines| {
            let tries = way.tries(lines);
            Some((lines.as_slice(), first_free(&tries, &self.taken)?))
        });
        self.taken.extend(found.map(|(_, area)| area.grown(2)));
        found
    }

    /// Takes room for `lines`, if need be over a box, but over no other label.
    pub(super) fn insist(
        &mut self,
        lines: &[String],
        route: &Route,
        plane: &Plane,
    ) -> Option<Area> {
        let tries = Way::of(route, plane).tries(lines);
        let over_a_box = || first_free(&tries, &self.taken[self.boxes..]);
        let found = first_free(&tries, &self.taken).or_else(over_a_box)?;
        self.taken.push(found.grown(2));
        Some(found)
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
}

/// Where a label may be on the way of an edge.
struct Way {
    /// Points of it, and whether it is level there.
    points: [((i32, i32), bool); TRIES.len()],
}

// === impl Way ===

impl Way {
    fn of(route: &Route, plane: &Plane) -> Self {
        let point = |part| {
            (
                plane.at(route.after(part, 100)),
                is_level(part, route, plane),
            )
        };
        Self {
            points: TRIES.map(point),
        }
    }

    /// Where `lines` may be, the best place first: on the line, or above and below one that is almost level, so that it
    /// stays in sight; then beside it.
    fn tries(&self, lines: &[String]) -> Vec<Area> {
        let widest = lines.iter().map(|line| FONT.width(line)).max().unwrap_or(0);
        // Measured for the widest font, most are narrower: what is behind a label should stay in sight.
        let half_width = widest * 9 / 20 + 4;
        let height = i32::try_from(lines.len()).unwrap_or(i32::MAX) * LINE + 3;
        let around = |((x, y), _): &((i32, i32), bool), right: i32, down: i32| {
            let (x, top) = (x + right * (half_width + BESIDE), y - height / 2);
            let top = top + down * (height / 2 + BESIDE);
            Area {
                left: x - half_width,
                top,
                right: x + half_width,
                bottom: top + height,
            }
        };
        let best = self.points.iter().flat_map(|point| {
            let downs: &[i32] = if point.1 { &[-1, 1] } else { &[0] };
            downs.iter().map(move |down| around(point, 0, *down))
        });
        let aside = self.points.iter().flat_map(|point| {
            let sides: &[i32] = if point.1 { &[0] } else { &[1, -1] };
            sides.iter().map(move |right| around(point, *right, 0))
        });
        best.chain(aside).collect()
    }
}

fn first_free(tries: &[Area], taken: &[Area]) -> Option<Area> {
    let is_free = |rect: &&Area| taken.iter().all(|taken| !taken.meets(**rect));
    tries.iter().find(is_free).copied()
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
