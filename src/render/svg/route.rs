//! The way of an edge: one curve where nothing stands in between, else through the gaps between the boxes of each
//! column on its way. No edge is drawn through a box that is not its own.

use std::collections::BTreeMap;

use super::plane::{Plane, Spot, scaled};
use super::ports::{Course, Ended};

/// Length of an arrow's head; the line ends where it begins.
pub(super) const HEAD: i32 = 9;
/// Distance kept from strangers' boxes.
const CLEAR: i32 = 7;
/// Between two edges in one gap.
const LANE: i32 = 5;
/// How far an edge within a column bulges.
const BULGE: i32 = 34;

/// A line of curves, and the direction in which it arrives.
#[derive(Debug, Clone)]
pub(super) struct Route {
    pub(super) start: Spot,
    pub(super) curves: Vec<[Spot; 3]>,
    /// Where the arrow points, one step of it.
    pub(super) arrives: Spot,
    /// The tip of the arrow.
    pub(super) tip: Spot,
}

/// Finds ways, and remembers how many went through each gap.
pub(super) struct Router {
    half: Spot,
    /// Heights of the boxes of each column, sorted.
    columns: BTreeMap<i32, Vec<i32>>,
    used: BTreeMap<(i32, i32), i32>,
}

// === impl Router ===

impl Router {
    pub(super) fn new(plane: &Plane) -> Self {
        let mut columns: BTreeMap<i32, Vec<i32>> = BTreeMap::new();
        for spot in &plane.spots {
            columns.entry(spot.along).or_default().push(spot.across);
        }
        for heights in columns.values_mut() {
            heights.sort_unstable();
        }
        Self {
            half: plane.half(),
            columns,
            used: BTreeMap::new(),
        }
    }

    pub(super) fn route(&mut self, edge: &Ended) -> Route {
        let (along, across) = match edge.course {
            Course::Forwards => (1, 0),
            Course::Backwards | Course::Beside => (-1, 0),
            Course::Loop => (0, 1),
        };
        let end = Spot {
            along: edge.to.along - along * HEAD,
            across: edge.to.across - across * HEAD,
        };
        let curves = match edge.course {
            Course::Beside => vec![self.beside(edge.from, end)],
            Course::Loop => vec![looped(edge.from, end)],
            Course::Forwards | Course::Backwards => {
                let direct = bow(edge.from, end);
                if self.is_clear(edge.from, &direct) {
                    vec![direct]
                } else {
                    self.through_gaps(edge.from, end, along)
                }
            }
        };
        Route {
            start: edge.from,
            curves,
            arrives: Spot { along, across },
            tip: edge.to,
        }
    }

    fn beside(&self, from: Spot, end: Spot) -> [Spot; 3] {
        let rows = (from.across - end.across).abs() / (2 * self.half.across);
        let out = end.along.max(from.along) + BULGE + rows.min(6) * 6;
        let at = |across| Spot { along: out, across };
        [at(from.across), at(end.across), end]
    }

    /// Whether a curve keeps clear of all boxes between its ends. It runs one way along and one way across, so each piece of
    /// it lies in the rectangle of its ends.
    fn is_clear(&self, from: Spot, curve: &[Spot; 3]) -> bool {
        let (first, last) = (
            from.along.min(curve[2].along),
            from.along.max(curve[2].along),
        );
        let columns: Vec<(&i32, &Vec<i32>)> = self.columns.range(first..=last).collect();
        let steps = 24 * i32::try_from(columns.len() + 1).unwrap_or(1_000);
        let reach = self.half.along + 2;
        (1..steps).all(|step| {
            let (a, b) = (
                along_curve(from, curve, step, steps),
                along_curve(from, curve, step + 1, steps),
            );
            let (low, high) = (a.across.min(b.across), a.across.max(b.across));
            columns.iter().all(|(along, heights)| {
                a.along.max(b.along) < **along - reach
                    || a.along.min(b.along) > **along + reach
                    || self.are_free(heights, low, high)
            })
        })
    }

    fn is_free(&self, heights: &[i32], across: i32) -> bool {
        self.are_free(heights, across, across)
    }

    /// Whether no box of a column is near `low..=high`.
    fn are_free(&self, heights: &[i32], low: i32, high: i32) -> bool {
        let reach = self.half.across + CLEAR;
        let at = heights.partition_point(|height| *height <= low - reach);
        heights.get(at).is_none_or(|height| *height >= high + reach)
    }

    /// Through every column on the way, each time by the gap nearest to the straight way to the end.
    fn through_gaps(&mut self, from: Spot, end: Spot, direction: i32) -> Vec<[Spot; 3]> {
        let (first, last) = (from.along.min(end.along), from.along.max(end.along));
        let reach = self.half.along + 4;
        let between = |along: &i32| (first + reach..=last - reach).contains(along);
        let mut columns: Vec<i32> = self.columns.keys().copied().filter(between).collect();
        if direction < 0 {
            columns.reverse();
        }
        let mut curves = Vec::new();
        let mut at = from;
        for column in columns {
            let whole = (end.along - at.along).abs().max(1);
            let part = (column - at.along).abs();
            let straight = at.across + scaled(end.across - at.across, part, whole);
            let across = self.gap(column, straight);
            let before = Spot {
                along: column - direction * reach,
                across,
            };
            let after = Spot {
                along: column + direction * reach,
                across,
            };
            if (before.along - at.along) * direction > 0 {
                curves.push(bow(at, before));
            }
            curves.push(bow(before, after));
            at = after;
        }
        curves.push(bow(at, end));
        curves
    }

    /// A free height in a column, near `wish`.
    fn gap(&mut self, column: i32, wish: i32) -> i32 {
        let Some(heights) = self.columns.get(&column) else {
            return wish;
        };
        let reach = self.half.across + CLEAR;
        let beside = heights
            .iter()
            .flat_map(|height| [height - reach, height + reach]);
        let tries = [wish]
            .into_iter()
            .chain(beside)
            .filter(|across| self.is_free(heights, *across));
        let found = tries
            .min_by_key(|across| ((across - wish).abs(), *across))
            .unwrap_or(wish);
        // Edges in one gap lie side by side as long as it has room.
        let below = heights.partition_point(|height| *height <= found);
        let gap = (column, i32::try_from(below).unwrap_or(i32::MAX));
        let low = below.checked_sub(1).map(|at| heights[at] + reach);
        let high = heights.get(below).map(|height| height - reach);
        let used = self.used.entry(gap).or_default();
        let lane = *used * LANE;
        *used += 1;
        match (low, high) {
            (Some(low), Some(high)) => {
                low + (found - low + lane).rem_euclid((high - low).max(0) + 1)
            }
            (Some(low), None) => found.max(low) + lane % (8 * LANE),
            (None, Some(high)) => found.min(high) - lane % (8 * LANE),
            (None, None) => found,
        }
    }
}

// === impl Route ===

impl Route {
    /// The spot after `part` of `parts` of the way.
    pub(super) fn after(&self, part: i32, parts: i32) -> Spot {
        let mut spots = vec![self.start];
        let mut from = self.start;
        for curve in &self.curves {
            spots.extend((1..=16).map(|step| along_curve(from, curve, step, 16)));
            from = curve[2];
        }
        let length = |pair: &[Spot]| {
            (pair[0].along - pair[1].along).abs() + (pair[0].across - pair[1].across).abs()
        };
        let whole: i32 = spots.windows(2).map(length).sum();
        let wanted = scaled(whole, part, parts.max(1));
        let mut gone = 0;
        for pair in spots.windows(2) {
            gone += length(pair);
            if gone >= wanted {
                return pair[1];
            }
        }
        self.tip
    }
}

/// A curve that leaves and comes back across the calls; wider ones reach further.
fn looped(from: Spot, end: Spot) -> [Spot; 3] {
    let across = from.across - 18 - (end.along - from.along) / 2;
    let at = |along| Spot { along, across };
    [at(from.along), at(end.along), end]
}

/// A curve that leaves and arrives along the calls.
fn bow(from: Spot, to: Spot) -> [Spot; 3] {
    let half = (to.along - from.along) / 2;
    [
        Spot {
            along: from.along + half,
            across: from.across,
        },
        Spot {
            along: to.along - half,
            across: to.across,
        },
        to,
    ]
}

/// The point of a cubic Bézier curve after `step` of `steps`.
fn along_curve(from: Spot, curve: &[Spot; 3], step: i32, steps: i32) -> Spot {
    let (t, whole) = (i64::from(step), i64::from(steps));
    let rest = whole - t;
    let weights = [
        rest.pow(3),
        3 * rest.pow(2) * t,
        3 * rest * t.pow(2),
        t.pow(3),
    ];
    let of = |pick: fn(&Spot) -> i32| {
        let points = [&from, &curve[0], &curve[1], &curve[2]];
        let sum: i64 = points
            .iter()
            .zip(weights)
            .map(|(point, weight)| i64::from(pick(point)) * weight)
            .sum();
        // Between the points, so within their bounds.
        i32::try_from(sum / whole.pow(3)).unwrap_or(i32::MAX)
    };
    Spot {
        along: of(|p| p.along),
        across: of(|p| p.across),
    }
}
