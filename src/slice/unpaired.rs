//! Rows of unpaired spans, merged: those of the smallest keys by text. Of the rest only the span name is given up, so that
//! a service that makes span names from ids hides no other.

use std::hash::Hash;

use ahash::RandomState;
use hashbrown::HashMap;

use super::parts::Node;
use super::sets::Refs;
use super::strings::{StringId, Strings};
use super::wire::{Field, Malformed, Reader, narrow};
use super::{MAX_SPAN_NAMES, MAX_UNPAIRED_ROWS};

/// Rows held while merging; see [`Tally::prune`].
const PRUNE_ABOVE: usize = 8 * MAX_UNPAIRED_ROWS;

/// Rows being counted, and the spans in none of them.
#[derive(Debug, Clone)]
pub(crate) struct Tally<K> {
    rows: HashMap<K, Row, RandomState>,
    other: u64,
}

/// The rows that a slice has room for, sorted.
#[derive(Debug)]
pub(crate) struct Listed<K> {
    pub(crate) rows: Vec<(K, Row)>,
    /// Spans in none of them.
    pub(crate) other: u64,
}

/// Spans, and the greatest of their trace ids.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Row {
    pub(crate) count: u64,
    pub(crate) trace: [u8; 16],
}

/// What a row counts, with a span name or for all names that have no row of their own.
pub(crate) trait RowKey: Copy + Eq + Hash {
    fn is_named(self) -> bool;

    /// The same for the further names.
    fn without_name(self) -> Self;
}

/// Merged rows.
#[derive(Debug, Default)]
pub(super) struct Unpaired(Tally<Key>);

/// Node (place in the accumulator), span kind, span name, reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Key {
    pub(super) node: u32,
    pub(super) kind: u32,
    /// `None` for all further names.
    pub(super) span_name: Option<StringId>,
    pub(super) reason: StringId,
}

// === impl Row ===

impl Row {
    pub(crate) fn absorb(&mut self, other: Self) {
        self.count = self.count.saturating_add(other.count);
        self.trace = self.trace.max(other.trace);
    }
}

// === impl Tally ===

impl<K> Default for Tally<K> {
    fn default() -> Self {
        Self {
            rows: HashMap::default(),
            other: 0,
        }
    }
}

impl<K: RowKey> Tally<K> {
    pub(crate) fn add(&mut self, key: K, row: Row) {
        self.rows.entry(key).or_default().absorb(row);
    }

    /// With more rows than `most`, sums away those that no slice has room for. They could never come back: the smaller keys
    /// that displaced them stay.
    pub(crate) fn prune<T: Ord>(&mut self, most: usize, text: impl Fn(&K) -> T) {
        if self.rows.len() > most {
            let Listed { rows, other } = std::mem::take(self).listed(text);
            self.rows = rows.into_iter().collect();
            self.other = other;
        }
    }

    /// Of the named rows those of the smallest keys stay, at most [`MAX_SPAN_NAMES`] alike but for the name; what is cut
    /// of them counts in rows without a name, of which again those of the smallest keys stay. A key that is cut from a
    /// part would be cut from the whole, so merging stays associative.
    pub(crate) fn listed<T: Ord>(self, text: impl Fn(&K) -> T) -> Listed<K> {
        let (mut named, further): (Vec<_>, Vec<_>) =
            self.rows.into_iter().partition(|(key, _)| key.is_named());
        named.sort_by_cached_key(|(key, _)| text(key));
        let mut sums: HashMap<K, Row, RandomState> = further.into_iter().collect();
        let mut alike: HashMap<K, usize, RandomState> = HashMap::default();
        let mut rows = Vec::new();
        for (key, row) in named {
            let so_far = alike.entry(key.without_name()).or_default();
            if *so_far < MAX_SPAN_NAMES && rows.len() < MAX_UNPAIRED_ROWS {
                *so_far += 1;
                rows.push((key, row));
            } else {
                sums.entry(key.without_name()).or_default().absorb(row);
            }
        }
        rows.extend(sums);
        rows.sort_by_cached_key(|(key, _)| text(key));
        let (mut further, mut other) = (0, self.other);
        rows.retain(|(key, row)| {
            further += usize::from(!key.is_named());
            let kept = key.is_named() || further <= MAX_UNPAIRED_ROWS;
            if !kept {
                other = other.saturating_add(row.count);
            }
            kept
        });
        Listed { rows, other }
    }
}

// === impl Key ===

impl RowKey for Key {
    fn is_named(self) -> bool {
        self.span_name.is_some()
    }

    fn without_name(self) -> Self {
        Self {
            span_name: None,
            ..self
        }
    }
}

// === impl Unpaired ===

impl Unpaired {
    pub(super) fn add_other(&mut self, spans: u64) {
        self.0.other = self.0.other.saturating_add(spans);
    }

    pub(super) fn add(
        &mut self,
        messages: &[&[u8]],
        refs: Refs<'_>,
        places: &[u32],
        strings: &Strings,
        nodes: &[Node],
    ) -> Result<(), Malformed> {
        for message in messages {
            let (key, row) = read(message, refs, places)?;
            self.0.add(key, row);
        }
        self.0.prune(PRUNE_ABOVE, |key| text(*key, strings, nodes));
        Ok(())
    }

    pub(super) fn listed(self, strings: &Strings, nodes: &[Node]) -> Listed<Key> {
        self.0.listed(|key| text(*key, strings, nodes))
    }
}

/// What rows are sorted by: those for further names come after the named ones of their node and kind.
fn text<'a>(key: Key, strings: &'a Strings, nodes: &[Node]) -> impl Ord + use<'a> {
    let node = strings.text(nodes[key.node as usize].name.id);
    let name = key.span_name.map(|name| strings.text(name));
    (
        node,
        key.kind,
        name.is_none(),
        name,
        strings.text(key.reason),
    )
}

fn read(message: &[u8], refs: Refs<'_>, places: &[u32]) -> Result<(Key, Row), Malformed> {
    let (mut node, mut kind, mut span_name, mut reason, mut further) = (0, 0, 0, 0, 0);
    let mut row = Row::default();
    let mut reader = Reader::new(message);
    while let Some(field) = reader.field()? {
        match field {
            Field::Number(1, v) => node = v,
            Field::Number(2, v) => kind = v,
            Field::Number(3, v) => span_name = v,
            Field::Number(4, v) => reason = v,
            Field::Number(5, v) => row.count = v,
            Field::Bytes(6, id) => {
                row.trace = id
                    .try_into()
                    .map_err(|_| Malformed("a sample's trace id has the wrong length"))?;
            }
            Field::Number(7, v) => further = v,
            Field::Number(..) | Field::Bytes(..) => {}
        }
    }
    let place = usize::try_from(node).ok().and_then(|node| places.get(node));
    let span_name = (further == 0).then(|| refs.get(span_name)).transpose()?;
    let key = Key {
        node: *place.ok_or(Malformed("an unpaired row's node lies outside the nodes"))?,
        kind: narrow(kind)?,
        span_name,
        reason: refs.get(reason)?,
    };
    Ok((key, row))
}
