//! Where edges leave and enter boxes: spread over the side, in the order of where they go, so that they do not cross
//! at the box.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use super::plane::{Plane, Spot};

/// From one port to the next, at most.
const STEP: i32 = 11;
/// Of a side's ends that stays free: corners are round.
const CORNER: i32 = 9;

/// How an edge runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Course {
    /// Into a later column, from front to back.
    Forwards,
    /// Into an earlier column, from back to front.
    Backwards,
    /// Within the column, from front to front.
    Beside,
    /// To the node itself, beside its box.
    Loop,
}

/// An edge with its ends on the sides of boxes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ended {
    pub(super) course: Course,
    pub(super) from: Spot,
    pub(super) to: Spot,
}

/// A side of a node: its front faces whom it calls.
type Side = (usize, bool);

/// Where an edge touches a side: the other end, the edge's position, whether it leaves.
type Touch = (Spot, usize, bool);

/// The ends of every edge, given by the ids of its nodes and in that order; `None` for one whose nodes are not shown.
pub(super) fn ends<'a>(
    edges: impl Iterator<Item = (&'a str, &'a str)>,
    plane: &Plane,
) -> Vec<Option<Ended>> {
    let pair = |(client, server)| Some((plane.position(client)?, plane.position(server)?));
    let pairs: Vec<Option<(usize, usize)>> = edges.map(pair).collect();
    let mut sides: BTreeMap<Side, Vec<Touch>> = BTreeMap::new();
    for (at, pair) in pairs.iter().enumerate() {
        let Some((client, server)) = *pair else {
            continue;
        };
        let (from, to) = (plane.spots[client], plane.spots[server]);
        let course = course(from, to);
        if course != Course::Loop {
            let leaves = sides
                .entry((client, course != Course::Backwards))
                .or_default();
            leaves.push((to, at, true));
            let enters = sides
                .entry((server, course != Course::Forwards))
                .or_default();
            enters.push((from, at, false));
        }
    }
    let ports = ports(sides, plane);
    let mut loops: BTreeMap<usize, i32> = BTreeMap::new();
    let ended = |(at, pair): (usize, Option<(usize, usize)>)| {
        let (client, server) = pair?;
        let course = course(plane.spots[client], plane.spots[server]);
        if course == Course::Loop {
            let number = loops.entry(client).or_default();
            *number += 1;
            return Some(around(plane.spots[client], plane.half(), *number - 1));
        }
        let (from, to) = (*ports.get(&(at, true))?, *ports.get(&(at, false))?);
        Some(Ended { course, from, to })
    };
    pairs.into_iter().enumerate().map(ended).collect()
}

/// Where each edge leaves (`true`) and enters.
fn ports(sides: BTreeMap<Side, Vec<Touch>>, plane: &Plane) -> BTreeMap<(usize, bool), Spot> {
    let mut ports = BTreeMap::new();
    for ((node, front), mut side) in sides {
        side.sort_by_key(|(to, edge, leaves)| (to.across, to.along, *edge, *leaves));
        let (middle, half) = (plane.spots[node], plane.half());
        let along = middle.along + if front { half.along } else { -half.along };
        let offsets = offsets(side.len(), half.across - CORNER);
        for ((_, edge, leaves), offset) in side.iter().zip(offsets) {
            let across = middle.across + offset;
            ports.insert((*edge, *leaves), Spot { along, across });
        }
    }
    ports
}

/// Beside the box, near its back: each further one around those before.
fn around(middle: Spot, half: Spot, number: i32) -> Ended {
    let at = middle.along - half.along + half.along.min(34);
    let across = middle.across - half.across;
    let spread = 8 + 6 * number;
    Ended {
        course: Course::Loop,
        from: Spot {
            along: at - spread,
            across,
        },
        to: Spot {
            along: at + spread,
            across,
        },
    }
}

fn course(client: Spot, server: Spot) -> Course {
    if client == server {
        return Course::Loop;
    }
    match client.along.cmp(&server.along) {
        Ordering::Less => Course::Forwards,
        Ordering::Greater => Course::Backwards,
        Ordering::Equal => Course::Beside,
    }
}

/// `count` offsets around the middle, within `half` of it.
fn offsets(count: usize, half: i32) -> impl Iterator<Item = i32> {
    let last = i32::try_from(count.saturating_sub(1)).unwrap_or(i32::MAX);
    let span = (last.saturating_mul(STEP)).min(2 * half);
    (0..count).map(move |at| {
        let at = i32::try_from(at).unwrap_or(i32::MAX);
        if last == 0 {
            0
        } else {
            at * span / last - span / 2
        }
    })
}
