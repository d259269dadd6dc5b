//! Since when each node and edge has been there, as far back as the history is held.
//!
//! Of each it keeps the first second in every coarsest slot's time, so that dropping the oldest slot only drops what is
//! at the front. Bound: four bytes for every element of every such slot, of which the history holds a hundred or more.

use std::collections::{HashMap, VecDeque};

use super::level::{COARSEST, SHAPES};
use crate::proto;
use crate::slice::{Sightings, sightings};

/// Elements with their first seconds.
#[derive(Debug, Default)]
pub(super) struct Firsts {
    nodes: HashMap<Box<str>, Node>,
    /// By the numbers of client and server, and the connection type.
    edges: HashMap<[u64; 3], Seconds>,
    /// The number of the next new node; none is used twice.
    next: u64,
    /// Oldest second held.
    oldest_s: u64,
    bytes: u64,
}

#[derive(Debug)]
struct Node {
    number: u64,
    seconds: Seconds,
}

/// The first second within each time of a coarsest slot, ascending; never empty. Good until the year 2106.
#[derive(Debug, Default)]
struct Seconds(VecDeque<u32>);

/// About what one element takes besides its seconds and its id.
const ELEMENT_BYTES: u64 = 96;
const SECOND_BYTES: u64 = size_of::<u32>() as u64;

// === impl Firsts ===

impl Firsts {
    /// About how much it takes.
    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Notes who is in the newest slice. One that does not decode is nobody's first.
    pub(super) fn add(&mut self, slice: &[u8]) {
        let Ok(Sightings { nodes, edges }) = sightings(slice) else {
            return;
        };
        let numbers: Vec<u64> = nodes
            .into_iter()
            .map(|(id, second)| self.add_node(id, second))
            .collect();
        for ([client, server, kind], second) in edges {
            let key = [
                numbers[client as usize],
                numbers[server as usize],
                kind.into(),
            ];
            let new = !self.edges.contains_key(&key);
            let added = self.edges.entry(key).or_default().add(second);
            self.bytes += added * SECOND_BYTES + u64::from(new) * ELEMENT_BYTES;
        }
    }

    /// Forgets what was before the oldest second held.
    pub(super) fn forget(&mut self, oldest_s: u64) {
        if oldest_s <= self.oldest_s {
            return;
        }
        self.oldest_s = oldest_s;
        self.bytes = 0;
        let bytes = &mut self.bytes;
        self.nodes.retain(|id, node| {
            let held = node.seconds.forget(oldest_s);
            *bytes += held.map_or(0, |seconds| seconds + id.len() as u64);
            held.is_some()
        });
        self.edges.retain(|_, seconds| {
            let held = seconds.forget(oldest_s);
            *bytes += held.unwrap_or(0);
            held.is_some()
        });
    }

    /// Sets when each element of a merged window was first seen.
    pub(super) fn date(&self, slice: &mut proto::Slice) {
        let mut numbers = Vec::with_capacity(slice.nodes.len());
        for node in &mut slice.nodes {
            let id = slice.strings.get(node.id_ref as usize);
            let known = id.and_then(|id| self.nodes.get(id.as_str()));
            numbers.push(known.map(|node| node.number));
            if let Some(known) = known {
                node.first_seen_s = known.seconds.first(node.first_seen_s);
            }
        }
        let number = |place: u32| *numbers.get(place as usize)?;
        for edge in &mut slice.edges {
            let kind = u64::from(edge.connection_type.cast_unsigned());
            let key = number(edge.client).zip(number(edge.server));
            let known = key.and_then(|(client, server)| self.edges.get(&[client, server, kind]));
            if let Some(seconds) = known {
                edge.first_seen_s = seconds.first(edge.first_seen_s);
            }
        }
    }

    fn add_node(&mut self, id: &str, second: u64) -> u64 {
        if !self.nodes.contains_key(id) {
            let (number, seconds) = (self.next, Seconds::default());
            self.nodes.insert(id.into(), Node { number, seconds });
            self.next += 1;
            self.bytes += ELEMENT_BYTES + id.len() as u64;
        }
        let node = self.nodes.get_mut(id).expect("it was put there");
        self.bytes += node.seconds.add(second) * SECOND_BYTES;
        node.number
    }
}

// === impl Seconds ===

impl Seconds {
    /// Notes a second, which is not before those noted already; how many more there are now.
    fn add(&mut self, second: u64) -> u64 {
        let second = u32::try_from(second).unwrap_or(u32::MAX);
        let cell = |second: u32| u64::from(second) / SHAPES[COARSEST].resolution_s;
        let known = self
            .0
            .back()
            .is_some_and(|last| cell(*last) == cell(second));
        if !known {
            self.0.push_back(second);
        }
        u64::from(!known)
    }

    /// Drops what is before `oldest_s`; the bytes of the rest with its element, `None` when nothing is left.
    fn forget(&mut self, oldest_s: u64) -> Option<u64> {
        let gone = self
            .0
            .partition_point(|second| u64::from(*second) < oldest_s);
        self.0.drain(..gone);
        let left = self.0.len() as u64;
        (left > 0).then_some(ELEMENT_BYTES + left * SECOND_BYTES)
    }

    /// The earlier of the first one and `other`; 0 is unknown.
    fn first(&self, other: u64) -> u64 {
        let first = self.0.front().copied().map_or(other, u64::from);
        if other == 0 { first } else { first.min(other) }
    }
}
