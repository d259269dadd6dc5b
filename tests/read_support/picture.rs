//! What every picture is held to: inert, and nothing outside.

use std::collections::BTreeSet;

use super::xml::Element;

/// What a picture may be made of; everything else could fetch, run or restyle something.
const ELEMENTS: [&str; 8] = [
    "svg", "title", "rect", "text", "tspan", "g", "path", "circle",
];
const ATTRIBUTES: [&str; 34] = [
    "xmlns",
    "width",
    "height",
    "viewBox",
    "font-family",
    "font-size",
    "font-weight",
    "role",
    "x",
    "y",
    "dx",
    "rx",
    "r",
    "cx",
    "cy",
    "d",
    "fill",
    "fill-opacity",
    "stroke",
    "stroke-opacity",
    "stroke-width",
    "stroke-dasharray",
    "stroke-linecap",
    "opacity",
    "text-anchor",
    "overflow",
    "id",
    "data-id",
    "data-type",
    "data-status",
    "ry",
    "x1",
    "x2",
    "y1",
];

pub fn assert_inert(svg: &Element) {
    for element in svg.all() {
        assert!(
            ELEMENTS.contains(&element.name.as_str()),
            "<{}>",
            element.name
        );
        for (name, value) in &element.attributes {
            assert!(ATTRIBUTES.contains(&name.as_str()), "{name}");
            assert!(
                !name.starts_with("data-") || name == "data-id" || !value.contains(':'),
                "{value}"
            );
            assert!(
                name.starts_with("data-") || name == "xmlns" || !value.contains("url"),
                "{value}"
            );
        }
    }
}

pub fn ids(svg: &Element) -> BTreeSet<String> {
    let ids = svg
        .all()
        .into_iter()
        .map(|e| e.attribute("data-id").to_owned());
    ids.filter(|id| !id.is_empty()).collect()
}

pub type Rect = (f64, f64, f64, f64);

pub fn rect(element: &Element) -> Rect {
    let (x, y) = (element.number("x"), element.number("y"));
    (
        x,
        y,
        x + element.number("width"),
        y + element.number("height"),
    )
}

pub fn meet(a: Rect, b: Rect) -> bool {
    a.0 < b.2 && b.0 < a.2 && a.1 < b.3 && b.1 < a.3
}

/// Points of a path of cubic curves, 64 of each.
pub fn points(d: &str) -> Vec<(f64, f64)> {
    let numbers = |text: &str| -> Vec<f64> {
        text.split([' ', 'C', 'M'])
            .filter(|t| !t.is_empty())
            .map(|t| t.parse().unwrap())
            .collect()
    };
    let all = numbers(d);
    let mut from = (all[0], all[1]);
    let mut out = vec![from];
    for curve in all[2..].chunks(6) {
        for step in 1..=64 {
            let t = f64::from(step) / 64.0;
            let r = 1.0 - t;
            let of = |a: f64, b: f64, c: f64, d: f64| {
                r.powi(3) * a + 3.0 * r * r * t * b + 3.0 * r * t * t * c + t.powi(3) * d
            };
            out.push((
                of(from.0, curve[0], curve[2], curve[4]),
                of(from.1, curve[1], curve[3], curve[5]),
            ));
        }
        from = (curve[4], curve[5]);
    }
    out
}

/// Panics unless every rectangle and every edge is inside the picture.
pub fn assert_inside(svg: &Element) {
    let view: Vec<f64> = svg
        .attribute("viewBox")
        .split(' ')
        .map(|n| n.parse().unwrap())
        .collect();
    let picture = (view[0], view[1], view[0] + view[2], view[1] + view[3]);
    for element in svg.all().into_iter().filter(|e| e.name == "rect") {
        let area = rect(element);
        let inside = picture.0 <= area.0
            && picture.1 <= area.1
            && area.2 <= picture.2
            && area.3 <= picture.3;
        assert!(inside, "{area:?} in {picture:?}");
    }
    let all = svg.all().into_iter();
    for group in all.filter(|e| e.attribute("id").starts_with("edge-")) {
        for (x, y) in points(group.named("path").next().unwrap().attribute("d")) {
            let inside = picture.0 <= x && x <= picture.2 && picture.1 <= y && y <= picture.3;
            assert!(inside, "{x} {y} in {picture:?}");
        }
    }
}
