//! Slices as plain maps by string keys, and their merge as slice.proto's table words it. Slow and obvious.

#![allow(dead_code, reason = "each test crate uses its part")]

use std::collections::{BTreeMap, BTreeSet};

use spangraph::proto;
use spangraph::slice::Join;

pub(crate) type Trace = [u8; 16];

/// Node, kind, span name unless it stands for further ones, reason.
pub(crate) type RowKey = (String, u32, Option<String>, String);

#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Model {
    pub(crate) times: Option<Times>,
    pub(crate) origins: BTreeSet<(String, String, String, u32)>,
    pub(crate) law: BTreeMap<&'static str, u64>,
    pub(crate) pending: (u64, u64),
    pub(crate) nodes: BTreeMap<String, Node>,
    pub(crate) edges: BTreeMap<(String, String, i32), Edge>,
    pub(crate) unpaired: BTreeMap<RowKey, (u64, Trace)>,
    pub(crate) unpaired_other: u64,
    pub(crate) through_offset: u64,
}

#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Times {
    pub(crate) start: u64,
    pub(crate) end: u64,
    pub(crate) monotonic: u64,
    pub(crate) covered: u64,
    pub(crate) sequence: (u64, u64),
    pub(crate) digest: String,
}

#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Node {
    pub(crate) name: (String, String, i32),
    pub(crate) sums: [u64; 6],
    pub(crate) latency: Option<Histogram>,
    pub(crate) sets: [Set; 3],
    pub(crate) dimensions: BTreeMap<String, u64>,
    pub(crate) seen: (u64, u64),
}

#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Edge {
    pub(crate) sums: [u64; 11],
    pub(crate) classes: [u64; 5],
    pub(crate) histograms: [Option<Histogram>; 4],
    pub(crate) counts: [BTreeMap<String, u64>; 2],
    pub(crate) sets: [Set; 2],
    /// (duration, trace, span, second)
    pub(crate) slowest: Option<(u64, Trace, [u8; 8], u64)>,
    /// (second, trace, span, duration)
    pub(crate) failed: Option<(u64, Trace, [u8; 8], u64)>,
    pub(crate) seen: (u64, u64),
}

#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Set {
    pub(crate) texts: BTreeSet<String>,
    pub(crate) more: bool,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Histogram {
    pub(crate) scale: i32,
    pub(crate) count: u64,
    pub(crate) sum: u64,
    pub(crate) min: u64,
    pub(crate) max: u64,
    pub(crate) zero: u64,
    pub(crate) buckets: BTreeMap<i32, u64>,
}

// === impl Model ===

impl Model {
    /// Takes rows away one by one, the greatest first, until there are few enough.
    fn cut_unpaired(&mut self) {
        let mut alike: BTreeMap<RowKey, Vec<RowKey>> = BTreeMap::new();
        for key in self.unpaired.keys().filter(|key| key.2.is_some()) {
            let group = (key.0.clone(), key.1, None, key.3.clone());
            alike.entry(group).or_default().push(key.clone());
        }
        for cut in alike
            .into_values()
            .flat_map(|keys| keys.into_iter().skip(100))
        {
            self.give_up_name(&cut);
        }
        for named in [true, false] {
            let of_kind = |key: &&RowKey| key.2.is_some() == named;
            let keys: Vec<RowKey> = self.unpaired.keys().filter(of_kind).cloned().collect();
            for last in keys.into_iter().skip(1000).rev() {
                if named {
                    self.give_up_name(&last);
                } else {
                    self.unpaired_other += self.unpaired.remove(&last).unwrap().0;
                }
            }
        }
    }

    fn give_up_name(&mut self, key: &RowKey) {
        let (count, trace) = self.unpaired.remove(key).unwrap();
        let further = (key.0.clone(), key.1, None, key.3.clone());
        let row = self.unpaired.entry(further).or_default();
        *row = (row.0 + count, row.1.max(trace));
    }

    /// Merges as the table says.
    pub(crate) fn merge(mut self, other: Self, join: Join) -> Self {
        if let (Some(a), Some(b)) = (&self.times, &other.times) {
            let (p, q) = (self.pending, other.pending);
            self.pending = match join {
                Join::Then => (
                    (a.start, p.0).min((b.start, q.0)).1,
                    (a.end, p.1).max((b.end, q.1)).1,
                ),
                Join::Beside => (p.0 + q.0, p.1 + q.1),
            };
            self.times = Some(a.merge(b, join));
        } else if self.times.is_none() {
            (self.times, self.pending) = (other.times, other.pending);
        }
        self.origins.extend(other.origins);
        for (term, n) in other.law {
            *self.law.entry(term).or_default() += n;
        }
        for (id, node) in other.nodes {
            let mine = self.nodes.remove(&id);
            self.nodes
                .insert(id, mine.map_or(node.clone(), |mine| mine.merge(node)));
        }
        for (key, edge) in other.edges {
            let mine = self.edges.remove(&key);
            self.edges
                .insert(key, mine.map_or(edge.clone(), |mine| mine.merge(edge)));
        }
        for (key, (count, trace)) in other.unpaired {
            let row = self.unpaired.entry(key).or_default();
            *row = (row.0 + count, row.1.max(trace));
        }
        self.unpaired_other += other.unpaired_other;
        self.cut_unpaired();
        self.through_offset = self.through_offset.max(other.through_offset);
        self
    }
}

impl Times {
    fn merge(&self, b: &Self, join: Join) -> Self {
        let length = |x: u64, y: u64| if join == Join::Then { x + y } else { x.max(y) };
        Self {
            start: self.start.min(b.start),
            end: self.end.max(b.end),
            monotonic: length(self.monotonic, b.monotonic),
            covered: length(self.covered, b.covered),
            sequence: (
                self.sequence.0.min(b.sequence.0),
                self.sequence.1.max(b.sequence.1),
            ),
            digest: (self.end, &self.digest).max((b.end, &b.digest)).1.clone(),
        }
    }
}

impl Node {
    fn merge(mut self, other: Self) -> Self {
        self.sums
            .iter_mut()
            .zip(other.sums)
            .for_each(|(a, b)| *a += b);
        self.latency = Histogram::merge(self.latency, other.latency);
        self.sets
            .iter_mut()
            .zip(other.sets)
            .for_each(|(a, b)| a.merge(b));
        add_counts(&mut self.dimensions, other.dimensions);
        self.seen = (self.seen.0.min(other.seen.0), self.seen.1.max(other.seen.1));
        self
    }
}

impl Edge {
    fn merge(mut self, other: Self) -> Self {
        self.sums
            .iter_mut()
            .zip(other.sums)
            .for_each(|(a, b)| *a += b);
        self.classes
            .iter_mut()
            .zip(other.classes)
            .for_each(|(a, b)| *a += b);
        let theirs = other.histograms.into_iter();
        self.histograms
            .iter_mut()
            .zip(theirs)
            .for_each(|(a, b)| *a = Histogram::merge(a.take(), b));
        self.counts
            .iter_mut()
            .zip(other.counts)
            .for_each(|(a, b)| add_counts(a, b));
        self.sets
            .iter_mut()
            .zip(other.sets)
            .for_each(|(a, b)| a.merge(b));
        self.slowest = self.slowest.max(other.slowest);
        self.failed = self.failed.max(other.failed);
        self.seen = (self.seen.0.min(other.seen.0), self.seen.1.max(other.seen.1));
        self
    }
}

impl Set {
    fn merge(&mut self, other: Self) {
        self.texts.extend(other.texts);
        self.more |= other.more || self.texts.len() > 16;
        while self.texts.len() > 16 {
            self.texts.pop_last();
        }
    }
}

impl Histogram {
    fn merge(a: Option<Self>, b: Option<Self>) -> Option<Self> {
        let (Some(a), Some(b)) = (&a, &b) else {
            return a.or(b);
        };
        let mut scale = a.scale.min(b.scale);
        loop {
            let mut buckets = BTreeMap::new();
            for h in [a, b] {
                for (index, count) in &h.buckets {
                    *buckets
                        .entry(index.div_euclid(1 << (h.scale - scale)))
                        .or_default() += count;
                }
            }
            let span = buckets
                .keys()
                .next_back()
                .map_or(0, |hi| hi - buckets.keys().next().unwrap() + 1);
            if span <= 320 {
                return Some(Self {
                    scale,
                    count: a.count + b.count,
                    sum: a.sum + b.sum,
                    min: a.min.min(b.min),
                    max: a.max.max(b.max),
                    zero: a.zero + b.zero,
                    buckets,
                });
            }
            scale -= 1;
        }
    }

    pub(crate) fn read(h: &proto::Histogram) -> Self {
        let buckets = (h.offset..).zip(&h.counts).filter(|(_, count)| **count > 0);
        Self {
            scale: h.scale,
            count: h.count,
            sum: h.sum_ns,
            min: h.min_ns,
            max: h.max_ns,
            zero: h.zero_count,
            buckets: buckets.map(|(index, count)| (index, *count)).collect(),
        }
    }
}

pub(crate) fn add_counts(a: &mut BTreeMap<String, u64>, b: BTreeMap<String, u64>) {
    for (text, count) in b {
        *a.entry(text).or_default() += count;
    }
}
