//! The totals behind their lock: one slice taken in, step by step.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::sync::Arc;

use ahash::RandomState;
use hashbrown::HashMap;

use super::Gauges;
use super::counted::{Counted, Node};
use super::labels::{Borrowed, Labels};
use super::places::{Bounds, Waiting, cost, displaces};
use super::services::Known;
use super::sums::Series;
use crate::proto;
use crate::topology::model::NodeKind;

/// Everything kept.
#[derive(Debug)]
pub(super) struct State {
    bounds: Bounds,
    /// The overflow series among them, once it has calls.
    pub(super) series: HashMap<Arc<Labels>, Arc<Series>, RandomState>,
    series_bytes: usize,
    known: Known,
    waiting: Waiting,
    pub(super) gauges: Gauges,
    pub(super) version: u64,
    oldest_s: u64,
}

/// When a slice was.
#[derive(Clone, Copy)]
struct When {
    start_s: u64,
    end_s: u64,
}

// === impl State ===

impl State {
    pub(super) fn new(bounds: Bounds) -> Self {
        Self {
            bounds,
            series: HashMap::default(),
            series_bytes: 0,
            known: Known::default(),
            waiting: Waiting::default(),
            gauges: Gauges::default(),
            version: 0,
            oldest_s: 0,
        }
    }

    pub(super) fn gauges(&self) -> Gauges {
        let bytes = self.series_bytes + self.known.bytes() + self.waiting.bytes();
        Gauges {
            series: self.own_series() as u64,
            bytes: bytes as u64,
            ..self.gauges
        }
    }

    /// Ends what the history no longer holds.
    pub(super) fn expire(&mut self, oldest_s: u64) {
        if oldest_s <= self.oldest_s {
            return;
        }
        self.oldest_s = oldest_s;
        self.known.forget(oldest_s);
        let bytes = &mut self.series_bytes;
        self.series.retain(|labels, series| {
            let keep = series.seen_until_s > oldest_s;
            if !keep {
                *bytes -= cost(labels.borrow());
            }
            keep
        });
    }

    /// Adds a slice; `None`, and nothing is added, when it contradicts itself.
    pub(super) fn add(&mut self, slice: &proto::Slice) -> Option<()> {
        let nodes: Vec<Node<'_>> = slice
            .nodes
            .iter()
            .map(|node| Node::read(node, &slice.strings))
            .collect::<Option<_>>()?;
        let ends: Vec<(&Node<'_>, &Node<'_>)> = slice
            .edges
            .iter()
            .map(|edge| {
                let end = |at: u32| nodes.get(usize::try_from(at).ok()?);
                Some((end(edge.client)?, end(edge.server)?))
            })
            .collect::<Option<_>>()?;
        let when = When {
            start_s: slice.start_unix_s,
            end_s: slice.end_unix_s,
        };
        self.meet(slice, &nodes, when);
        // Out of `self` while the edges of this slice borrow names from it.
        let known = std::mem::take(&mut self.known);
        let edges = slice.edges.iter().zip(ends);
        let edges: Vec<_> = edges
            .map(|(edge, (client, server))| {
                Counted::of(edge, client.named(), server.named(), &known)
            })
            .collect();
        self.give_places(&edges, when);
        for edge in &edges {
            self.count(edge, when);
        }
        self.known = known;
        Some(())
    }

    /// Notes the services of a slice. When there are new ones, external nodes may turn out to be them.
    fn meet(&mut self, slice: &proto::Slice, nodes: &[Node<'_>], when: When) {
        let mut new = false;
        for (node, read) in slice.nodes.iter().zip(nodes) {
            if read.kind == NodeKind::Service {
                let id = usize::try_from(node.id_ref).ok();
                let id = id.and_then(|at| slice.strings.get(at));
                let id = id.map_or("", String::as_str);
                let most = self.bounds.service_bytes;
                new |= self.known.see(id, read.named(), when.end_s, most);
            }
        }
        self.known.refresh();
        if new {
            self.rename();
        }
    }

    /// Makes the series of external nodes that are known as services now, whole, the series of these services. One whose
    /// edges differ in what its labels do not say stays: only a part of it might be the service.
    fn rename(&mut self) {
        let known = std::mem::take(&mut self.known);
        let series = self.series.values();
        let mut renamed: Vec<_> = series
            .filter_map(|series| {
                let was = series.ends()?;
                let is = was.folded(&known)?;
                let kinds = (was.kinds(), is.kinds());
                Some((Arc::clone(series), is.labels().to_owned(), kinds))
            })
            .collect();
        // The oldest first, so that a series made of several begins when the first of them did.
        renamed.sort_by_key(|(gone, ..)| gone.created_s);
        for (gone, labels, (was, is)) in renamed {
            self.remove(&gone.labels);
            let mut sums = gone.sums.clone();
            sums.fold(was, is);
            let series = self.begin(labels.borrow(), gone.created_s);
            series.add(&sums, is, gone.seen_until_s);
        }
        self.known = known;
    }

    /// Counts an edge in its series, or as overflow when it has none.
    fn count(&mut self, edge: &Counted<'_>, when: When) {
        let mut labels = edge.labels;
        if !self.series.contains_key(&labels) && labels != Borrowed::OVERFLOW {
            labels = Borrowed::OVERFLOW;
            let calls = &mut self.gauges.overflow_calls;
            *calls = calls.saturating_add(edge.sums.calls());
        }
        let series = self.begin(labels, when.start_s);
        series.add(&edge.sums, edge.kinds, when.end_s);
    }

    /// Begins series for edges without one, those with the most calls first, as long as there are places. All this comes
    /// before the slice is counted, so that a series which gives its place away ends with what it last showed.
    fn give_places(&mut self, edges: &[Counted<'_>], when: When) {
        // Several edges may have the same labels.
        let mut homeless: BTreeMap<Borrowed<'_>, u64> = BTreeMap::new();
        for Counted { labels, sums, .. } in edges {
            if !self.series.contains_key(labels) && *labels != Borrowed::OVERFLOW {
                let calls = homeless.entry(*labels).or_default();
                *calls = calls.saturating_add(sums.calls());
            }
        }
        let mut homeless: Vec<_> = homeless.into_iter().collect();
        homeless.sort_by_key(|(_, calls)| Reverse(*calls));
        let mut waiting = Vec::new();
        for (labels, calls) in homeless {
            if self.has_room(labels) {
                self.begin(labels, when.start_s);
            } else {
                let so_far = self.waiting.count(labels, calls, &self.bounds);
                waiting.push((so_far, labels));
            }
        }
        self.displace(waiting, when);
    }

    /// Puts the busiest of those that wait in the places of series with far fewer calls.
    fn displace(&mut self, mut waiting: Vec<(u64, Borrowed<'_>)>, when: When) {
        waiting.sort_unstable_by_key(|(calls, labels)| (Reverse(*calls), *labels));
        let Some((busiest, _)) = waiting.first().copied() else {
            return;
        };
        let series = self.series.values();
        let mut least: Vec<_> = series
            .filter(|series| !series.is_overflow() && !series.is_new())
            .map(|series| (series.sums.calls(), Arc::clone(&series.labels)))
            .filter(|(calls, _)| displaces(busiest, *calls))
            .collect();
        least.sort_unstable();
        for ((calls, labels), (fewest, old)) in waiting.into_iter().zip(least) {
            if !displaces(calls, fewest) {
                return;
            }
            self.remove(&old);
            self.gauges.displaced += 1;
            if self.has_room(labels) {
                self.begin(labels, when.start_s);
                self.waiting.remove(labels);
            }
        }
    }

    /// The series of these labels; begun at 0 if there is none.
    fn begin(&mut self, labels: Borrowed<'_>, created_s: u64) -> &mut Series {
        if !self.series.contains_key(&labels) {
            self.series_bytes += cost(labels);
            let labels = Arc::new(labels.to_owned());
            let series = Series::new(Arc::clone(&labels), created_s);
            self.series.insert(labels, Arc::new(series));
        }
        // A snapshot that is being read keeps what it has; the sums go on in a copy.
        let series = self.series.get_mut(&labels);
        Arc::make_mut(series.expect("it was there or has just been put there"))
    }

    fn remove(&mut self, labels: &Labels) {
        if self.series.remove(&labels.borrow()).is_some() {
            self.series_bytes -= cost(labels.borrow());
        }
    }

    /// Whether a series of these labels fits, and the overflow series besides.
    fn has_room(&self, labels: Borrowed<'_>) -> bool {
        let overflow = if self.has_overflow() {
            0
        } else {
            cost(Borrowed::OVERFLOW)
        };
        let bytes = self.series_bytes + cost(labels) + overflow;
        self.own_series() < self.bounds.series && bytes <= self.bounds.series_bytes
    }

    fn own_series(&self) -> usize {
        self.series.len() - usize::from(self.has_overflow())
    }

    fn has_overflow(&self) -> bool {
        self.series.contains_key(&Borrowed::OVERFLOW)
    }
}
