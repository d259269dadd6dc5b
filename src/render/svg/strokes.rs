//! How an edge is drawn once its way is known: the curve, its dashes, the head of its arrow.

use std::fmt::{self, Write};

use super::plane::{Plane, Spot};
use super::route::{HEAD, Route};
use crate::topology::layout::Area;

/// A thinner line is hardly seen in a picture that is shown smaller than it is.
pub(super) const THINNEST: f64 = 0.9;

/// The commands of the curve.
pub(super) fn path(route: &Route, plane: &Plane, out: &mut String) -> fmt::Result {
    let (x, y) = plane.at(route.start);
    write!(out, "M{x} {y}")?;
    for curve in &route.curves {
        let [(ax, ay), (bx, by), (x, y)] = curve.map(|spot| plane.at(spot));
        write!(out, "C{ax} {ay} {bx} {by} {x} {y}")?;
    }
    Ok(())
}

/// The attributes of a `solid`, `dashed` or `dotted` line.
pub(super) fn dashes(dash: &str) -> &'static str {
    match dash {
        "dashed" => " stroke-dasharray=\"7 4\"",
        "dotted" => " stroke-dasharray=\"1.5 4\" stroke-linecap=\"round\"",
        _ => "",
    }
}

/// The head of the arrow, in the colours of its fill and of its outline. Wider lines have wider heads, in whole pixels.
pub(super) fn arrow(
    route: &Route,
    width: f64,
    (fill, stroke): (&str, &str),
    plane: &Plane,
    out: &mut String,
) -> fmt::Result {
    let limits = [2.0, 4.0, 6.0];
    let wide = limits.iter().filter(|limit| width > **limit).count();
    let half = 4 + i32::try_from(wide).unwrap_or(0);
    let (step, tip) = (route.arrives, route.tip);
    let corner = |side: i32| Spot {
        along: tip.along - step.along * (HEAD + 1) + step.across * side,
        across: tip.across - step.across * (HEAD + 1) + step.along * side,
    };
    let [tip, a, b] = [tip, corner(-half), corner(half)].map(|spot| plane.at(spot));
    let outline = if fill == stroke { "none" } else { stroke };
    write!(
        out,
        "<path d=\"M{} {}L{} {}L{} {}Z\" fill=\"{fill}\" stroke=\"{outline}\"/>",
        tip.0, tip.1, a.0, a.1, b.0, b.1
    )
}

/// What the curve takes.
pub(super) fn area(route: &Route, plane: &Plane) -> Area {
    let corners = route.curves.iter().flatten();
    let start = plane.around(route.start);
    corners.fold(start, |area, spot| area.with(plane.around(*spot)))
}
