//! Unpaired spans of one second, by where they belong.

use super::call::Reason;
use super::shared::Shared;
use super::{NodeId, TextId};
use crate::slice::{Row, RowKey, Rows, smallest};
use crate::span::SpanKind;

/// Most keys of unpaired rows in one live slice, and as many more without the span name; the spans of any further key
/// are only counted.
pub const MAX_UNPAIRED_KEYS: usize = 4096;

/// Unpaired spans by where they belong.
#[derive(Debug, Clone, Default)]
pub(super) struct Unpaired {
    rows: Rows<UnpairedKey>,
    /// Spans whose key found no room.
    other: u64,
}

/// The rows of a slice.
#[derive(Debug)]
pub(super) struct Kept {
    /// Sorted by their texts.
    pub(super) rows: Vec<(UnpairedKey, Row)>,
    /// Spans in none of them.
    pub(super) other: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct UnpairedKey {
    pub(super) node: NodeId,
    pub(super) kind: SpanKind,
    /// `None` for all names without a row of their own.
    pub(super) name: Option<TextId>,
    pub(super) reason: Reason,
}

// === impl UnpairedKey ===

impl RowKey for UnpairedKey {
    fn is_named(self) -> bool {
        self.name.is_some()
    }

    fn without_name(self) -> Self {
        Self { name: None, ..self }
    }
}

// === impl Unpaired ===

impl Unpaired {
    pub(super) fn add(&mut self, key: UnpairedKey, trace: [u8; 16]) {
        let row = Row { count: 1, trace };
        let counted = self.add_to(key, row, MAX_UNPAIRED_KEYS)
            || self.add_to(key.without_name(), row, 2 * MAX_UNPAIRED_KEYS);
        self.other += u64::from(!counted);
    }

    /// Whether there was a row, or room for one among so many.
    fn add_to(&mut self, key: UnpairedKey, row: Row, most: usize) -> bool {
        if let Some(known) = self.rows.get_mut(&key) {
            known.absorb(row);
        } else if self.rows.len() < most {
            self.rows.insert(key, row);
        } else {
            return false;
        }
        true
    }

    /// The rows that a slice has room for.
    pub(super) fn kept(self, shared: &Shared) -> Kept {
        let (rows, cut) = smallest(self.rows, |key| {
            let node = shared.nodes.info(key.node).map(|node| node.id.clone());
            let name = key.name.map(|name| shared.texts.text(name));
            (
                node,
                key.kind as u32,
                name.is_none(),
                name,
                word(key.reason),
            )
        });
        Kept {
            rows,
            other: self.other + cut,
        }
    }
}

/// A reason as slices spell it.
pub(super) fn word(reason: Reason) -> &'static str {
    match reason {
        Reason::ParentNotSeen => "parent_not_seen",
        Reason::NoServerSpan => "no_server_span",
        Reason::ArrivedLate => "arrived_late",
        Reason::Evicted => "evicted",
    }
}
