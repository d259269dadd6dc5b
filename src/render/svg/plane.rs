//! The plane of the picture: places of the layout turned to the asked direction, and the boxes and frames there.
//!
//! Everything is thought of along and across the direction of calls; only the end turns that into left and right.

use std::collections::{BTreeMap, HashMap};

use crate::render::picture::RankDir;
use crate::topology::layout::{
    Area, BLOCK_GAP, BOX_HEIGHT, BOX_WIDTH, FRAME_PAD, Place, RANK_STEP, ROW_STEP,
};

/// Steps in pictures whose calls run up or down: boxes stay as wide as their text.
const UPRIGHT_RANK_STEP: i32 = BOX_HEIGHT + 96;
const UPRIGHT_ROW_STEP: i32 = BOX_WIDTH + 36;

/// Half of the widest line, and the head of its arrow.
const LINE: i32 = 8;

/// A point, or a direction: along the calls, and across.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Spot {
    pub(super) along: i32,
    pub(super) across: i32,
}

/// A node to put on the plane.
#[derive(Debug, Clone, Copy)]
pub(super) struct Boxed<'a> {
    pub(super) id: &'a str,
    pub(super) namespace: Option<&'a str>,
    pub(super) place: Place,
}

/// Where everything is.
#[derive(Debug)]
pub(super) struct Plane {
    rankdir: RankDir,
    /// Middles of the nodes, in the order given.
    pub(super) spots: Vec<Spot>,
    /// Positions of nodes by id.
    positions: HashMap<String, usize>,
    frames: Vec<(String, Area)>,
}

// === impl Plane ===

impl Plane {
    /// Of a `part` of what was laid out, only how its nodes stand to each other is kept; the whole stays where it is.
    pub(super) fn of(nodes: &[Boxed<'_>], part: bool, rankdir: RankDir) -> Self {
        let mut plane = Self {
            rankdir,
            spots: Vec::new(),
            positions: HashMap::new(),
            frames: Vec::new(),
        };
        let places: Vec<Place> = nodes.iter().map(|node| node.place).collect();
        let squeezed = if part { squeeze(&places) } else { None };
        let spots = squeezed.unwrap_or_else(|| places.iter().map(|p| (p.x, p.y)).collect());
        plane.spots = spots.into_iter().map(|(x, y)| plane.spot(x, y)).collect();
        let ids = nodes.iter().map(|node| node.id.to_owned());
        plane.positions = ids.zip(0..).collect();
        plane.frames = plane.find_frames(nodes);
        plane
    }

    /// Whether calls run up or down.
    fn upright(&self) -> bool {
        matches!(self.rankdir, RankDir::TopBottom | RankDir::BottomTop)
    }

    fn spot(&self, x: i32, y: i32) -> Spot {
        if self.upright() {
            Spot {
                along: scaled(x, UPRIGHT_RANK_STEP, RANK_STEP),
                across: scaled(y, UPRIGHT_ROW_STEP, ROW_STEP),
            }
        } else {
            Spot {
                along: x,
                across: y,
            }
        }
    }

    /// Half of a box.
    pub(super) fn half(&self) -> Spot {
        let (width, height) = (BOX_WIDTH / 2, BOX_HEIGHT / 2);
        if self.upright() {
            Spot {
                along: height,
                across: width,
            }
        } else {
            Spot {
                along: width,
                across: height,
            }
        }
    }

    /// Where a spot is in the picture: x and y.
    pub(super) fn at(&self, spot: Spot) -> (i32, i32) {
        match self.rankdir {
            RankDir::LeftRight => (spot.along, spot.across),
            RankDir::RightLeft => (-spot.along, spot.across),
            RankDir::TopBottom => (spot.across, spot.along),
            RankDir::BottomTop => (spot.across, -spot.along),
        }
    }

    /// A spot with a line through it.
    pub(super) fn around(&self, spot: Spot) -> Area {
        let (x, y) = self.at(spot);
        Area {
            left: x,
            top: y,
            right: x,
            bottom: y,
        }
        .grown(LINE)
    }

    /// The position of a node.
    pub(super) fn position(&self, id: &str) -> Option<usize> {
        self.positions.get(id).copied()
    }

    /// The box of a node.
    pub(super) fn rect(&self, node: usize) -> Area {
        let (x, y) = self.at(self.spots[node]);
        Area::of(x, y)
    }

    /// Namespaces and their frames.
    pub(super) fn frames(&self) -> impl Iterator<Item = (&str, Area)> {
        self.frames
            .iter()
            .map(|(namespace, rect)| (namespace.as_str(), *rect))
    }

    /// What all boxes and frames take.
    pub(super) fn bounds(&self) -> Area {
        let boxes = (0..self.spots.len()).map(|node| self.rect(node).grown(FRAME_PAD));
        let all = boxes.chain(self.frames.iter().map(|(_, rect)| *rect));
        all.reduce(Area::with).unwrap_or(Area {
            left: 0,
            top: 0,
            right: 320,
            bottom: 0,
        })
    }

    fn find_frames(&self, nodes: &[Boxed<'_>]) -> Vec<(String, Area)> {
        let mut frames: BTreeMap<u32, (String, Area)> = BTreeMap::new();
        let numbered = nodes.iter().enumerate();
        for (at, node) in numbered.filter(|(_, node)| node.place.frame > 0) {
            let namespace = node.namespace.unwrap_or_default().to_owned();
            let area = self.rect(at).framed();
            let frame = frames.entry(node.place.frame).or_insert((namespace, area));
            frame.1 = frame.1.with(area);
        }
        frames.into_values().collect()
    }
}

/// `value` times `to` by `from`. A layout would have to be a thousand times larger than any to leave the bounds.
pub(super) fn scaled(value: i32, to: i32, from: i32) -> i32 {
    i32::try_from(i64::from(value) * i64::from(to) / i64::from(from)).unwrap_or(i32::MAX)
}

/// The places moved together: no column without a node between, and no more empty height than between two frames.
fn squeeze(places: &[Place]) -> Option<Vec<(i32, i32)>> {
    let xs = closer(places.iter().map(|p| p.x), RANK_STEP)?;
    let ys = closer(places.iter().map(|p| p.y), ROW_STEP + BLOCK_GAP)?;
    places
        .iter()
        .map(|p| Some((*xs.get(&p.x)?, *ys.get(&p.y)?)))
        .collect()
}

fn closer(values: impl Iterator<Item = i32>, most: i32) -> Option<BTreeMap<i32, i32>> {
    let mut moved: BTreeMap<i32, i32> = values.map(|value| (value, 0)).collect();
    let mut before = *moved.first_key_value()?.0;
    let mut at = 0;
    for (value, moved) in &mut moved {
        at += (value - before).min(most);
        before = *value;
        *moved = at;
    }
    Some(moved)
}
