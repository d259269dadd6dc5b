//! Unpaired spans of one second, by where they belong.

use ahash::RandomState;
use hashbrown::HashMap;

use super::call::Reason;
use super::shared::Shared;
use super::{NodeId, TextId};
use crate::slice::MAX_UNPAIRED_ROWS;
use crate::span::SpanKind;

/// Most keys of unpaired rows in one live slice; the spans of any further key are only counted.
pub const MAX_UNPAIRED_KEYS: usize = 4096;

/// Unpaired spans by where they belong, with the greatest trace id of each key.
#[derive(Debug, Clone, Default)]
pub(super) struct Unpaired {
    pub(super) rows: HashMap<UnpairedKey, (u64, [u8; 16]), RandomState>,
    /// Spans whose key found no room.
    pub(super) other: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct UnpairedKey {
    pub(super) node: NodeId,
    pub(super) kind: SpanKind,
    pub(super) name: TextId,
    pub(super) reason: Reason,
}

// === impl Unpaired ===

impl Unpaired {
    pub(super) fn add(&mut self, key: UnpairedKey, trace: [u8; 16]) {
        if let Some((count, sample)) = self.rows.get_mut(&key) {
            *count += 1;
            *sample = trace.max(*sample);
        } else if self.rows.len() < MAX_UNPAIRED_KEYS {
            self.rows.insert(key, (1, trace));
        } else {
            self.other += 1;
        }
    }

    /// The rows that a slice has room for, those of the smallest keys by their texts; the spans of the rest are counted.
    pub(super) fn smallest(mut self, shared: &Shared) -> Self {
        if self.rows.len() > MAX_UNPAIRED_ROWS {
            let mut rows: Vec<_> = self.rows.into_iter().collect();
            rows.sort_by_cached_key(|(key, _)| {
                let node = shared.nodes.info(key.node);
                (
                    node.map(|node| node.id.clone()),
                    key.kind as u32,
                    shared.texts.text(key.name),
                    word(key.reason),
                )
            });
            let cut = rows.split_off(MAX_UNPAIRED_ROWS);
            self.other += cut.iter().map(|(_, (count, _))| count).sum::<u64>();
            self.rows = rows.into_iter().collect();
        }
        self
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
