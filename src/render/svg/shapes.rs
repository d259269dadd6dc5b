//! Boxes: their shapes, which tell what a node is, and the names in them.

use std::fmt::{self, Write};

use super::words::{Font, fit};
use crate::render::xml::escaped;
use crate::topology::layout::Area;
use crate::topology::{Health, NodeKind};

/// For names, the first that they fit in; what fits in none is cut in the last.
const NAMES: [Font; 3] = [Font::bold(13), Font::bold(12), Font::bold(11)];

/// A name in the middle of a box that has `room` for it.
pub(super) fn name(
    name: &str,
    (rect, room): (Area, i32),
    baseline: i32,
    ink: &str,
    out: &mut String,
) -> fmt::Result {
    let fits = |font: &Font| font.width(name) <= room;
    let font = NAMES.into_iter().find(fits).unwrap_or(NAMES[2]);
    let name = fit(name, room, font);
    let text = |x: i32, y: i32| {
        format!(
            "<text x=\"{x}\" y=\"{y}\" text-anchor=\"middle\" font-size=\"{}\" font-weight=\"bold\" fill=\"{ink}\">{}</text>",
            font.size(),
            escaped(&name.text)
        )
    };
    if !name.clip {
        return out.write_str(&text(i32::midpoint(rect.left, rect.right), baseline));
    }
    // A viewport of its own clips whatever a font makes of it.
    write!(
        out,
        "<svg x=\"{}\" y=\"{}\" width=\"{room}\" height=\"{}\" overflow=\"hidden\">{}</svg>",
        rect.left + (rect.width() - room) / 2,
        rect.top,
        rect.height(),
        text(room / 2, baseline - rect.top)
    )
}

/// Space at both ends of a box that its shape takes from the text.
pub(super) fn inset(kind: NodeKind) -> i32 {
    match kind {
        NodeKind::External | NodeKind::User | NodeKind::Messaging => 16,
        _ => 8,
    }
}

/// The sign of a health in the place of `middle`, at most `size` to each side: what has no problem bears none.
pub(super) fn mark(
    health: Option<Health>,
    (x, y): (i32, i32),
    size: i32,
    [colour, ground]: [&str; 2],
    out: &mut String,
) -> fmt::Result {
    match health {
        Some(Health::Degraded) => write!(
            out,
            "<path d=\"M{x} {}l{size} {}h-{}z\" fill=\"{colour}\"/><path d=\"M{x} {}v{}\" stroke=\"{ground}\" stroke-width=\"1.6\"/>",
            y - size,
            size * 2 - 2,
            size * 2,
            y - size / 2 + 1,
            size / 2 + 1,
        ),
        Some(Health::Failing) => {
            let arm = size * 3 / 8;
            write!(
                out,
                "<circle cx=\"{x}\" cy=\"{y}\" r=\"{size}\" fill=\"{colour}\"/><path d=\"M{} {}l{w} {w}m0 -{w}l-{w} {w}\" stroke=\"{ground}\" stroke-width=\"1.8\" fill=\"none\"/>",
                x - arm,
                y - arm,
                w = arm * 2
            )
        }
        _ => Ok(()),
    }
}

/// The outline of a box.
pub(super) fn outline(kind: NodeKind, rect: Area) -> String {
    let Area {
        left,
        top,
        right,
        bottom,
    } = rect;
    let (w, h) = (rect.width(), rect.height());
    let round = |r: i32| {
        let (w, h) = (w - 2 * r, h - 2 * r);
        format!(
            "M{} {top}h{w}a{r} {r} 0 0 1 {r} {r}v{h}a{r} {r} 0 0 1 -{r} {r}h-{w}a{r} {r} 0 0 1 -{r} -{r}v-{h}a{r} {r} 0 0 1 {r} -{r}z",
            left + r
        )
    };
    match kind {
        NodeKind::Service => round(8),
        NodeKind::User => round(h / 2),
        NodeKind::Database => {
            let (rx, ry) = (w / 2, 6);
            let (upper, side) = (top + ry, h - 2 * ry);
            format!(
                "M{left} {upper}a{rx} {ry} 0 0 1 {w} 0v{side}a{rx} {ry} 0 0 1 -{w} 0zM{left} {upper}a{rx} {ry} 0 0 0 {w} 0"
            )
        }
        // A pipe that lies on its side.
        NodeKind::Messaging => {
            let (rx, ry) = (7, h / 2);
            let side = w - 2 * rx;
            format!(
                "M{} {top}h{side}a{rx} {ry} 0 0 1 0 {h}h-{side}a{rx} {ry} 0 0 1 0 -{h}zM{} {top}a{rx} {ry} 0 0 0 0 {h}",
                left + rx,
                right - rx
            )
        }
        NodeKind::External => format!(
            "M{} {top}H{}L{right} {}L{} {bottom}H{}L{left} {}Z",
            left + 13,
            right - 13,
            top + h / 2,
            right - 13,
            left + 13,
            top + h / 2
        ),
        NodeKind::Overflow => format!(
            "M{left} {top}H{right}V{}L{} {bottom}H{left}Z",
            bottom - 14,
            right - 14
        ),
        NodeKind::Namespace | NodeKind::Dimension => {
            format!("M{left} {top}h60l8 -8h40l8 8H{right}V{bottom}H{left}Z")
        }
    }
}
