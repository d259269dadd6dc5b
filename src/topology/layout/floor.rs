//! The floor on which newcomers look for a place: which heights are taken, and what frames reach over.
//!
//! Frames stay what they are: one grows only where it meets no other node and no other frame; where it cannot, the new
//! node begins a frame of its own.

use std::collections::{BTreeMap, BTreeSet};

use super::area::Area;
use super::geometry::{
    BLOCK_GAP, BOX_HEIGHT, BOX_WIDTH, FRAME_HEAD, FRAME_PAD, RANK_STEP, ROW_STEP,
};
use super::insert::Wish;
use super::{Column, Place, Standing};

/// What a rank too early or too late costs, in pixels of height.
const WRONG_RANK: i32 = 2 * ROW_STEP;
/// What a frame of its own costs a node whose namespace has one.
const NEW_FRAME: i32 = 6 * ROW_STEP;
/// Heights tried in one column; with none of them free and allowed, the column has no place.
const MAX_TRIES: usize = 32;
/// Frames of its namespace, the nearest, that a node tries to join; and columns, those of the nearest ranks.
const MAX_FRAMES: usize = 3;
const MAX_COLUMNS: usize = 12;
/// Space between frames, and between a frame and strangers.
const CLEARANCE: i32 = 8;

/// What is taken.
#[derive(Debug)]
pub(super) struct Floor {
    pub(super) columns: Vec<Column>,
    /// Heights taken in each column, by its x.
    taken: BTreeMap<i32, Vec<i32>>,
    /// The namespace of each frame there ever was.
    pub(super) namespaces: Vec<String>,
    /// Those with somebody in them.
    frames: Vec<Frame>,
}

/// A frame as far as it reaches now.
#[derive(Debug, Clone, Copy)]
struct Frame {
    number: u32,
    area: Area,
}

// === impl Floor ===

impl Floor {
    pub(super) fn of(standing: &Standing) -> Self {
        let mut floor = Self {
            columns: standing.columns.clone(),
            taken: BTreeMap::new(),
            namespaces: standing.frames.clone(),
            frames: Vec::new(),
        };
        for place in standing.places.values() {
            floor.take(*place);
        }
        floor
    }

    fn take(&mut self, place: Place) {
        let heights = self.taken.entry(place.x).or_default();
        let at = heights.partition_point(|y| *y < place.y);
        heights.insert(at, place.y);
        if place.frame > 0 {
            let area = Area::of(place.x, place.y);
            match self
                .frames
                .iter_mut()
                .find(|frame| frame.number == place.frame)
            {
                Some(frame) => frame.area = frame.area.with(area),
                None => self.frames.push(Frame {
                    number: place.frame,
                    area,
                }),
            }
        }
    }

    /// The best free place, and takes it. There always is one: below everything.
    pub(super) fn find(&mut self, namespace: Option<&str>, wish: &Wish) -> Place {
        self.open_column(wish.rank);
        let middle = wish.y.unwrap_or_else(|| self.middle());
        let fresh = self.next_frame();
        let far = |column: &Column| steps(column.rank, wish.rank) * WRONG_RANK;
        let mut columns = self.columns.clone();
        columns.sort_by_key(far);
        columns.truncate(MAX_COLUMNS);
        let mut best: Option<(i32, Place)> = None;
        for column in columns {
            // From here on every offer costs more.
            if best.is_some_and(|(cost, _)| cost < far(&column)) {
                break;
            }
            for (cost, place) in self.offers(column, namespace, middle, fresh) {
                let offer = (cost + far(&column), place);
                // Equal offers: the earliest column, the smallest frame number.
                let key = |(cost, place): (i32, Place)| (cost, place.x, place.y, place.frame);
                if best.is_none_or(|best| key(offer) < key(best)) {
                    best = Some(offer);
                }
            }
        }
        let below = || self.below_all(wish.rank, namespace.map_or(0, |_| fresh));
        let place = best.map_or_else(below, |(_, place)| place);
        if let (Some(namespace), Some(at)) = (namespace, place.frame.checked_sub(1)) {
            let at = at as usize;
            self.namespaces
                .resize(self.namespaces.len().max(at + 1), String::new());
            namespace.clone_into(&mut self.namespaces[at]);
        }
        self.take(place);
        place
    }

    /// A rank right after the last gets a column of its own.
    fn open_column(&mut self, rank: u32) {
        let next = self
            .columns
            .last()
            .map_or((0, 0), |last| (last.x + RANK_STEP, last.rank + 1));
        if rank >= next.1 {
            self.columns.push(Column {
                x: next.0,
                rank: next.1,
            });
        }
    }

    /// Places in a column with what their height costs; a new frame would have the number `fresh`.
    fn offers(
        &self,
        column: Column,
        namespace: Option<&str>,
        middle: i32,
        fresh: u32,
    ) -> Vec<(i32, Place)> {
        let place = |y, frame| Place {
            x: column.x,
            y,
            rank: column.rank,
            frame,
        };
        let cost = |y: i32| (y - middle).abs();
        let Some(namespace) = namespace else {
            let y = self.nearest(column.x, middle, |area| {
                self.outside_frames(area, CLEARANCE, None)
            });
            return y.map(|y| (cost(y), place(y, 0))).into_iter().collect();
        };
        let away = |frame: &&Frame| {
            let near = middle.max(frame.area.top).min(frame.area.bottom);
            ((near - middle).abs(), frame.number)
        };
        let mut own: Vec<&Frame> = self
            .frames
            .iter()
            .filter(|frame| self.namespaces[frame.number as usize - 1] == namespace)
            .collect();
        own.sort_by_key(away);
        let own = own.into_iter().take(MAX_FRAMES);
        let mut offers: Vec<(i32, Place)> = own
            .filter_map(|frame| {
                let y = self.nearest(column.x, middle, |area| self.may_grow(frame, area))?;
                Some((cost(y), place(y, frame.number)))
            })
            .collect();
        let alone = |area: Area| {
            self.outside_frames(area.framed(), CLEARANCE, None) && self.empty(area.framed())
        };
        if let Some(y) = self.nearest(column.x, middle, alone) {
            offers.push((cost(y) + NEW_FRAME, place(y, fresh)));
        }
        offers
    }

    /// The height nearest to `middle` at which a box in the column at `x` touches no other and is `allowed`. Tried:
    /// the wish itself, and just above and below whatever stands in the way.
    fn nearest(&self, x: i32, middle: i32, allowed: impl Fn(Area) -> bool) -> Option<i32> {
        let none = Vec::new();
        let heights = self.taken.get(&x).unwrap_or(&none);
        let free = |y: i32| {
            let at = heights.partition_point(|taken| *taken <= y - ROW_STEP);
            heights.get(at).is_none_or(|taken| *taken >= y + ROW_STEP)
        };
        let beside_boxes = heights.iter().flat_map(|y| [y - ROW_STEP, y + ROW_STEP]);
        let past = BOX_HEIGHT / 2 + FRAME_PAD + FRAME_HEAD + 2 * CLEARANCE;
        let beside_frames = self.frames.iter().flat_map(|frame| {
            let (top, bottom) = (frame.area.top, frame.area.bottom);
            [
                top - past,
                top + BOX_HEIGHT / 2,
                bottom - BOX_HEIGHT / 2,
                bottom + past,
            ]
        });
        let mut tries: Vec<i32> = [middle]
            .into_iter()
            .chain(beside_boxes)
            .chain(beside_frames)
            .filter(|y| free(*y))
            .collect();
        tries.sort_unstable_by_key(|y| ((y - middle).abs(), *y));
        tries.dedup();
        tries.truncate(MAX_TRIES);
        tries.into_iter().find(|y| allowed(Area::of(x, *y)))
    }

    /// Whether a frame that also holds `area` still holds nobody else and meets no other frame.
    fn may_grow(&self, frame: &Frame, area: Area) -> bool {
        let grown = frame.area.with(area).framed();
        self.outside_frames(grown, CLEARANCE, Some(frame.number))
            && self.strangers(frame, grown) == 0
    }

    /// Boxes that touch `grown` less those that touch the frame as it is, which are its own.
    fn strangers(&self, frame: &Frame, grown: Area) -> usize {
        self.boxes(grown) - self.boxes(frame.area)
    }

    fn empty(&self, area: Area) -> bool {
        self.boxes(area) == 0
    }

    fn boxes(&self, area: Area) -> usize {
        let near = self
            .taken
            .range(area.left - BOX_WIDTH / 2..=area.right + BOX_WIDTH / 2);
        let count = |heights: &Vec<i32>| {
            let from = heights.partition_point(|y| y + BOX_HEIGHT / 2 < area.top);
            let to = heights.partition_point(|y| y - BOX_HEIGHT / 2 <= area.bottom);
            to.saturating_sub(from)
        };
        near.map(|(_, heights)| count(heights)).sum()
    }

    fn outside_frames(&self, area: Area, clearance: i32, except: Option<u32>) -> bool {
        let others = self
            .frames
            .iter()
            .filter(|frame| Some(frame.number) != except);
        let apart = |frame: &Frame| !frame.area.framed().grown(clearance).meets(area);
        others.into_iter().all(apart)
    }

    /// The smallest number of no frame, so that numbers do not grow with what comes and goes.
    fn next_frame(&self) -> u32 {
        let used: BTreeSet<u32> = self.frames.iter().map(|frame| frame.number).collect();
        let first = (1..u32::MAX).find(|number| !used.contains(number));
        first.unwrap_or(u32::MAX)
    }

    /// A node without neighbours stands below the rest.
    fn middle(&self) -> i32 {
        let bottom = self
            .taken
            .values()
            .filter_map(|heights| heights.last())
            .max();
        bottom.map_or(0, |y| y + ROW_STEP)
    }

    fn below_all(&self, rank: u32, frame: u32) -> Place {
        let column = self.columns.iter().rfind(|c| c.rank <= rank).copied();
        let column = column.unwrap_or(Column { x: 0, rank: 0 });
        Place {
            x: column.x,
            y: self.middle() + BLOCK_GAP,
            rank: column.rank,
            frame,
        }
    }
}

fn steps(a: u32, b: u32) -> i32 {
    i32::try_from(a.abs_diff(b)).unwrap_or(i32::MAX / WRONG_RANK)
}
