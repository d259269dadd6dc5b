//! Rows of unpaired spans, merged: the smallest keys by text, the rest only counted.

use ahash::RandomState;
use hashbrown::HashMap;

use super::MAX_UNPAIRED_ROWS;
use super::parts::Node;
use super::sets::Refs;
use super::strings::{StringId, Strings};
use super::wire::{Field, Malformed, Reader, narrow};

/// Rows held while merging, above which those beyond the smallest are summed away. They could never come back: the
/// smaller keys that displaced them stay.
const PRUNE_ABOVE: usize = 8 * MAX_UNPAIRED_ROWS;

/// Merged rows.
#[derive(Debug, Default)]
pub(super) struct Unpaired {
    rows: HashMap<Key, Row, RandomState>,
    other: u64,
}

/// What a row counts: node (place in the accumulator), span kind, span name, reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Key {
    pub(super) node: u32,
    pub(super) kind: u32,
    pub(super) span_name: StringId,
    pub(super) reason: StringId,
}

/// Its spans, and the greatest of their trace ids.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Row {
    pub(super) count: u64,
    pub(super) trace: [u8; 16],
}

// === impl Unpaired ===

impl Unpaired {
    pub(super) fn add_other(&mut self, spans: u64) {
        self.other = self.other.saturating_add(spans);
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
            let sum = self.rows.entry(key).or_default();
            sum.count = sum.count.saturating_add(row.count);
            sum.trace = sum.trace.max(row.trace);
        }
        if self.rows.len() > PRUNE_ABOVE {
            let (kept, other) = std::mem::take(self).smallest(strings, nodes);
            self.rows = kept.into_iter().collect();
            self.other = other;
        }
        Ok(())
    }

    /// The rows of the smallest keys, sorted by key text, and the spans of all others.
    pub(super) fn smallest(self, strings: &Strings, nodes: &[Node]) -> (Vec<(Key, Row)>, u64) {
        let mut rows: Vec<(Key, Row)> = self.rows.into_iter().collect();
        let text = |key: &Key| {
            let node = strings.text(nodes[key.node as usize].name.id);
            (
                node,
                key.kind,
                strings.text(key.span_name),
                strings.text(key.reason),
            )
        };
        rows.sort_unstable_by(|(a, _), (b, _)| text(a).cmp(&text(b)));
        let cut = rows.iter().skip(MAX_UNPAIRED_ROWS);
        let other = cut.fold(self.other, |sum, (_, row)| sum.saturating_add(row.count));
        rows.truncate(MAX_UNPAIRED_ROWS);
        (rows, other)
    }
}

fn read(message: &[u8], refs: Refs<'_>, places: &[u32]) -> Result<(Key, Row), Malformed> {
    let (mut node, mut kind, mut span_name, mut reason) = (0, 0, 0, 0);
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
            Field::Number(..) | Field::Bytes(..) => {}
        }
    }
    let place = usize::try_from(node).ok().and_then(|node| places.get(node));
    let key = Key {
        node: *place.ok_or(Malformed("an unpaired row's node lies outside the nodes"))?,
        kind: narrow(kind)?,
        span_name: refs.get(span_name)?,
        reason: refs.get(reason)?,
    };
    Ok((key, row))
}
