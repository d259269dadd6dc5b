//! One node and one edge being merged, field by field straight from their encoded form.
//!
//! Fields that are sums live in one array at their field number, so that adding one is a shift, a mask and an add.

use super::buckets::Buckets;
use super::sets::{Refs, StringCounts, StringSet};
use super::signs::{Exemplar, Seen};
use super::strings::{StringId, Strings};
use super::wire::{Field, Malformed, Reader, narrow};

/// One more than the greatest field number of a sum.
const NUMBERS: usize = 28;

/// Field numbers of a message that are sums, as bits.
const fn bits(fields: &[u32]) -> u32 {
    let (mut bits, mut at) = (0, 0);
    while at < fields.len() {
        bits |= 1 << fields[at];
        at += 1;
    }
    bits
}

const NODE_SUMS: u32 = bits(&[5, 6, 7, 8, 10, 16]);
const EDGE_SUMS: u32 = bits(&[4, 5, 6, 7, 8, 9, 23, 24, 25, 26, 27]);

/// What every part of a merge reads with.
pub(super) struct Context<'a> {
    pub(super) strings: &'a Strings,
    pub(super) refs: Refs<'a>,
    pub(super) scratch: &'a mut Vec<u64>,
}

/// What a node is called, as its first slice says; its id decides.
#[derive(Debug, Clone, Copy)]
pub(super) struct NodeName {
    pub(super) id: StringId,
    pub(super) name: StringId,
    pub(super) namespace: StringId,
    pub(super) kind: i32,
}

/// A merged node.
#[derive(Debug)]
pub(super) struct Node {
    pub(super) name: NodeName,
    pub(super) sums: [u64; NUMBERS],
    pub(super) latency: Buckets,
    pub(super) versions: StringSet,
    pub(super) instances: StringSet,
    pub(super) addresses: StringSet,
    pub(super) dimensions: StringCounts,
    pub(super) seen: Seen,
}

/// Ends of an edge, as places in a table of nodes, and its type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct EdgeEnds {
    pub(super) client: u32,
    pub(super) server: u32,
    pub(super) kind: u32,
}

/// A merged edge.
#[derive(Debug)]
pub(super) struct Edge {
    /// Places in the accumulator's own table of nodes.
    pub(super) ends: EdgeEnds,
    pub(super) sums: [u64; NUMBERS],
    pub(super) classes: [u64; 5],
    /// Client, server, gap and queue.
    pub(super) histograms: [Buckets; 4],
    pub(super) protocols: StringCounts,
    pub(super) statuses: StringCounts,
    pub(super) destinations: StringSet,
    pub(super) addresses: StringSet,
    pub(super) slowest: Option<Exemplar>,
    pub(super) failed: Option<Exemplar>,
    pub(super) seen: Seen,
    /// The edge that came after this one last time.
    pub(super) next: u32,
}

// === impl NodeName ===

impl NodeName {
    /// Reads the fields that come first, and leaves the rest in the reader.
    pub(super) fn read(reader: &mut Reader<'_>, refs: Refs<'_>) -> Result<Self, Malformed> {
        let [_, id, name, namespace, kind] = leading::<5>(reader)?;
        Ok(Self {
            id: refs.get(id)?,
            name: refs.get(name)?,
            namespace: refs.get(namespace)?,
            kind: narrow(kind)?.cast_signed(),
        })
    }
}

// === impl EdgeEnds ===

impl EdgeEnds {
    /// Reads the fields that come first, and leaves the rest in the reader.
    #[inline]
    pub(super) fn read(reader: &mut Reader<'_>) -> Result<Self, Malformed> {
        let [_, client, server, kind] = leading::<4>(reader)?;
        Ok(Self {
            client: narrow(client)?,
            server: narrow(server)?,
            kind: narrow(kind)?,
        })
    }
}

// === impl Node ===

impl Node {
    pub(super) fn new(name: NodeName) -> Self {
        Self {
            name,
            sums: [0; NUMBERS],
            latency: Buckets::default(),
            versions: StringSet::default(),
            instances: StringSet::default(),
            addresses: StringSet::default(),
            dimensions: StringCounts::default(),
            seen: Seen::NEVER,
        }
    }

    /// Adds the rest of an encoded node.
    pub(super) fn add(
        &mut self,
        mut reader: Reader<'_>,
        cx: &mut Context<'_>,
    ) -> Result<(), Malformed> {
        let mut seen = Seen::default();
        while let Some(field) = reader.field()? {
            match field {
                Field::Number(n @ 5..NUMBERS_U32, v) if NODE_SUMS >> n & 1 == 1 => {
                    add(&mut self.sums[n as usize], v);
                }
                Field::Number(14, v) => seen.first_s = v,
                Field::Number(15, v) => seen.last_s = v,
                Field::Bytes(9, b) => self.latency.add(b, cx.scratch)?,
                Field::Bytes(11, b) => self.versions.add(b, cx.refs, cx.strings)?,
                Field::Bytes(12, b) => self.instances.add(b, cx.refs, cx.strings)?,
                Field::Bytes(13, b) => self.addresses.add(b, cx.refs, cx.strings)?,
                Field::Bytes(17, b) => self.dimensions.add(b, cx.refs)?,
                Field::Number(0..5, _) => return Err(OUT_OF_ORDER),
                Field::Number(..) | Field::Bytes(..) => {}
            }
        }
        self.seen.merge(seen);
        Ok(())
    }
}

// === impl Edge ===

impl Edge {
    pub(super) fn new(ends: EdgeEnds) -> Self {
        Self {
            ends,
            sums: [0; NUMBERS],
            classes: [0; 5],
            histograms: Default::default(),
            protocols: StringCounts::default(),
            statuses: StringCounts::default(),
            destinations: StringSet::default(),
            addresses: StringSet::default(),
            slowest: None,
            failed: None,
            seen: Seen::NEVER,
            next: 0,
        }
    }

    /// Adds the rest of an encoded edge.
    pub(super) fn add(
        &mut self,
        mut reader: Reader<'_>,
        cx: &mut Context<'_>,
    ) -> Result<(), Malformed> {
        let mut seen = Seen::default();
        while let Some(field) = reader.field()? {
            match field {
                Field::Number(n @ 4..NUMBERS_U32, v) if EDGE_SUMS >> n & 1 == 1 => {
                    add(&mut self.sums[n as usize], v);
                }
                Field::Number(19, v) => seen.first_s = v,
                Field::Number(20, v) => seen.last_s = v,
                Field::Bytes(n @ 10..14, b) => {
                    self.histograms[n as usize - 10].add(b, cx.scratch)?;
                }
                Field::Bytes(14, b) => self.protocols.add(b, cx.refs)?,
                Field::Bytes(15, b) => self.statuses.add(b, cx.refs)?,
                Field::Bytes(16, b) => self.destinations.add(b, cx.refs, cx.strings)?,
                Field::Bytes(17, b) => {
                    self.slowest = self.slowest.max(Some(Exemplar::read(b)?.by_duration()));
                }
                Field::Bytes(18, b) => self.failed = self.failed.max(Some(Exemplar::read(b)?)),
                Field::Bytes(21, b) => self.add_classes(b)?,
                Field::Bytes(22, b) => self.addresses.add(b, cx.refs, cx.strings)?,
                Field::Number(0..4, _) => return Err(OUT_OF_ORDER),
                Field::Number(..) | Field::Bytes(..) => {}
            }
        }
        self.seen.merge(seen);
        Ok(())
    }

    fn add_classes(&mut self, message: &[u8]) -> Result<(), Malformed> {
        let mut reader = Reader::new(message);
        while let Some(field) = reader.field()? {
            if let Field::Number(n @ 1..6, v) = field {
                add(&mut self.classes[n as usize - 1], v);
            }
        }
        Ok(())
    }
}

const OUT_OF_ORDER: Malformed = Malformed("a name comes after what it names");

#[expect(clippy::cast_possible_truncation, reason = "28")]
const NUMBERS_U32: u32 = NUMBERS as u32;

/// The numbers of the fields below `N` that a message begins with, by field number.
#[inline]
fn leading<const N: usize>(reader: &mut Reader<'_>) -> Result<[u64; N], Malformed> {
    let mut values = [0; N];
    for (number, value) in (1..).zip(&mut values[1..]) {
        *value = reader.number_if_next(number)?;
    }
    Ok(values)
}

#[inline]
fn add(sum: &mut u64, value: u64) {
    *sum = sum.saturating_add(value);
}
