//! Unpaired spans of one second, by where they belong.

use super::call::Reason;
use super::shared::Shared;
use super::{NodeId, TextId};
use crate::slice::{Listed, Row, RowKey, Tally};
use crate::span::SpanKind;

/// Keys of rows in one live slice; see [`Tally::prune`].
const PRUNE_ABOVE: usize = 4096;

/// Unpaired spans by where they belong.
#[derive(Debug, Clone, Default)]
pub(super) struct Unpaired(Tally<UnpairedKey>);

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
        self.0.add(key, Row { count: 1, trace });
        self.0.prune(PRUNE_ABOVE, |key| text(*key, shared));
    }

    pub(super) fn listed(self, shared: &Shared) -> Listed<UnpairedKey> {
        self.0.listed(|key| text(*key, shared))
    }
}

/// What rows are sorted by, as in merged slices.
fn text(key: UnpairedKey, shared: &Shared) -> impl Ord {
    let node = shared.nodes.info(key.node).map(|node| node.id.clone());
    let name = key.name.map(|name| shared.texts.text(name));
    (
        node,
        key.kind as u32,
        name.is_none(),
        name,
        word(key.reason),
    )
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
