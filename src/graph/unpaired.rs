//! Unpaired spans of one second, by where they belong.

use super::call::Reason;
use super::shared::Shared;
use super::{NodeId, TextId};
use crate::slice::{Row, RowKey, Rows, smallest};
use crate::span::SpanKind;

/// Keys of rows in one live slice, above which those that no slice has room for are summed away.
const PRUNE_ABOVE: usize = 4096;

/// Unpaired spans by where they belong.
#[derive(Debug, Clone, Default)]
pub(super) struct Unpaired {
    rows: Rows<UnpairedKey>,
    /// Spans in none of them.
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
    pub(super) fn add(&mut self, key: UnpairedKey, trace: [u8; 16], shared: &Shared) {
        let row = Row { count: 1, trace };
        self.rows.entry(key).or_default().absorb(row);
        if self.rows.len() > PRUNE_ABOVE {
            let Kept { rows, other } = std::mem::take(self).kept(shared);
            self.rows = rows.into_iter().collect();
            self.other = other;
        }
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
