//! Spans on their way into the shards: a chunk's, shard by shard, and copies of those that must wait to be taken in.

use std::ops::Range;

use super::probe::Target;
use super::probes::LINK;
use super::record::Record;
use super::texts::Texts;
use crate::span::TraceId;

/// A span ready to be indexed.
#[derive(Debug, Clone)]
pub(super) struct Incoming {
    /// Keyed hash of `trace`.
    pub(super) hash: u64,
    pub(super) trace: TraceId,
    pub(super) record: Record,
    /// Where its batch has what it links to.
    pub(super) links: Range<u32>,
}

/// Spans on their way into the shards. Reused: a steady stream allocates nothing.
#[derive(Debug, Default)]
pub struct Batch {
    pub(super) incoming: Vec<Incoming>,
    /// What they link to, span after span.
    pub(super) links: Vec<Target>,
    /// Indexes into `incoming`, shard after shard, in arrival order within each.
    order: Vec<u32>,
    pub(super) texts: Texts,
    /// Where each shard's run in `order` ends.
    ends: Vec<u32>,
}

/// Bytes that a span takes that is kept whole, its links apart: for each of these as many are counted as it takes later.
const WHOLE: u64 = (size_of::<Incoming>() + size_of::<u32>()) as u64;

/// Bytes that are counted for a span that is put off: as many as it takes once it is taken in, in a trace of its own.
const PUT_OFF: u64 = 400;

const _: () = assert!(PUT_OFF >= 2 * WHOLE && LINK >= 2 * size_of::<Target>() as u64);

/// The spans of a batch that fall to one shard.
#[derive(Debug, Clone, Copy)]
pub(super) struct Run<'a> {
    incoming: &'a [Incoming],
    links: &'a [Target],
    order: &'a [u32],
}

/// Spans that are kept whole until they can be taken in, with what they link to.
#[derive(Debug, Default)]
pub(super) struct Kept {
    incoming: Vec<Incoming>,
    links: Vec<Target>,
    order: Vec<u32>,
}

// === impl Batch ===

impl Batch {
    /// Number of spans.
    pub fn len(&self) -> usize {
        self.incoming.len()
    }

    /// Whether it has none.
    pub fn is_empty(&self) -> bool {
        self.incoming.is_empty()
    }

    /// Hands each shard its spans, in arrival order, and leaves the batch empty.
    pub(super) fn each_shard(&mut self, shards: usize, mut visit: impl FnMut(usize, Run<'_>)) {
        self.sort(shards);
        let mut start = 0;
        for (shard, &end) in self.ends.iter().enumerate() {
            let order = &self.order[start..end as usize];
            if !order.is_empty() {
                visit(shard, Run::new(&self.incoming, &self.links, order));
            }
            start = end as usize;
        }
        self.incoming.clear();
        self.links.clear();
    }

    /// A counting sort by shard.
    fn sort(&mut self, shards: usize) {
        self.ends.clear();
        self.ends.resize(shards, 0);
        for span in &self.incoming {
            self.ends[shard_of(span.hash, shards)] += 1;
        }
        let mut start = 0;
        for end in &mut self.ends {
            (*end, start) = (start, start + *end);
        }
        self.order.clear();
        self.order.resize(self.incoming.len(), 0);
        for (index, span) in (0_u32..).zip(&self.incoming) {
            let next = &mut self.ends[shard_of(span.hash, shards)];
            self.order[*next as usize] = index;
            *next += 1;
        }
    }
}

/// The shard of a keyed hash, for any number of shards (Lemire, "Fast random integer generation in an interval", 2019).
/// Not by the hash's lowest bits and not by its highest seven: the trace tables use those.
pub(super) fn shard_of(hash: u64, shards: usize) -> usize {
    let bits = (hash >> 24) & u64::from(u32::MAX);
    ((bits * shards as u64) >> 32) as usize
}

// === impl Run ===

impl<'a> Run<'a> {
    /// The spans of `incoming` in this order, with their links.
    pub(super) fn new(incoming: &'a [Incoming], links: &'a [Target], order: &'a [u32]) -> Self {
        Self {
            incoming,
            links,
            order,
        }
    }

    pub(super) fn len(self) -> usize {
        self.order.len()
    }

    pub(super) fn iter(self) -> impl Iterator<Item = &'a Incoming> {
        self.order
            .iter()
            .map(move |&index| &self.incoming[index as usize])
    }

    /// The first spans of it, so many at most, and the others.
    pub(super) fn split_at(self, spans: usize) -> (Self, Self) {
        let (first, rest) = self.order.split_at(spans.min(self.len()));
        let of = |order| Self { order, ..self };
        (of(first), of(rest))
    }

    /// Bytes that are counted for a copy of it.
    pub(super) fn bytes(self) -> u64 {
        let links = self.iter().map(|span| span.links.len() as u64);
        self.len() as u64 * WHOLE + links.sum::<u64>() * LINK
    }

    /// What one of its spans links to.
    pub(super) fn links(self, span: &Incoming) -> &'a [Target] {
        &self.links[span.links.start as usize..span.links.end as usize]
    }
}

// === impl Kept ===

impl Kept {
    /// Keeps a copy.
    pub(super) fn push(&mut self, span: &Incoming, links: &[Target]) {
        let start = end_of(&self.links);
        self.links.extend_from_slice(links);
        self.order.push(end_of(&self.incoming));
        self.incoming.push(Incoming {
            links: start..end_of(&self.links),
            ..span.clone()
        });
    }

    pub(super) fn run(&self) -> Run<'_> {
        Run::new(&self.incoming, &self.links, &self.order)
    }

    pub(super) fn len(&self) -> usize {
        self.incoming.len()
    }

    /// Bytes that are counted for it when it is added to.
    pub(super) fn bytes(&self) -> u64 {
        self.incoming.len() as u64 * PUT_OFF + self.links.len() as u64 * LINK
    }
}

impl From<Run<'_>> for Kept {
    fn from(run: Run<'_>) -> Self {
        let mut kept = Self {
            incoming: Vec::with_capacity(run.len()),
            order: Vec::with_capacity(run.len()),
            links: Vec::new(),
        };
        run.iter().for_each(|span| kept.push(span, run.links(span)));
        kept
    }
}

/// Where the next thing would stand.
pub(super) fn end_of<T>(things: &[T]) -> u32 {
    u32::try_from(things.len()).expect("a chunk and a memory share have fewer than 2^32")
}
