//! Texts a worker interned lately, so that the span names, topics and peers that keep coming cost no shared lookup.

use std::fmt::Write as _;

use ahash::RandomState;

use super::ignore::{Ignore, Matches};
use crate::graph::{Graph, TextId, is_plain_peer, join_peer};
use crate::semconv::{PeerName, VirtualName};

/// Slots; one text each, the newest wins.
const SLOTS: usize = 1024;

/// Which of the graph's texts one is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Kind {
    SpanName,
    Topic,
    Peer,
    Address,
}

/// A small cache in front of the graph's texts. Ids are never taken back, so nothing in it grows stale.
#[derive(Debug)]
pub(super) struct Texts {
    hasher: RandomState,
    slots: Box<[Slot]>,
    /// Where a peer's name is put together.
    joined: String,
}

#[derive(Debug, Clone, Default)]
struct Slot {
    kind: Option<Kind>,
    text: Vec<u8>,
    id: TextId,
    /// Of a span name.
    ignored: Matches,
}

// === impl Texts ===

impl Texts {
    /// A span name, and the ignore rules that take it.
    pub(super) fn span_name(
        &mut self,
        graph: &Graph,
        ignore: &Ignore,
        name: &[u8],
    ) -> (TextId, Matches) {
        let new = || (graph.span_name(name), ignore.span_name(name));
        let slot = self.slot(Kind::SpanName, name, new);
        (slot.id, slot.ignored)
    }

    pub(super) fn topic(&mut self, graph: &Graph, topic: &str) -> TextId {
        self.id(Kind::Topic, topic.as_bytes(), || graph.topic(topic))
    }

    /// Who is called, or calls.
    pub(super) fn peer(&mut self, graph: &Graph, named: &VirtualName<'_>) -> TextId {
        let plain = named.name.plain();
        if let Some(name) = plain.filter(|name| is_plain_peer(named.namespace, name)) {
            return self.id(Kind::Peer, name.as_bytes(), || graph.peer(name));
        }
        let join = |text: &mut String| join_peer(named.namespace, text);
        self.joined(Kind::Peer, named.name, join, |text| graph.peer(text))
    }

    pub(super) fn address(&mut self, graph: &Graph, address: PeerName<'_>) -> TextId {
        if let Some(plain) = address.plain() {
            return self.id(Kind::Address, plain.as_bytes(), || graph.address(plain));
        }
        self.joined(Kind::Address, address, |_| (), |text| graph.address(text))
    }

    /// A text that has to be put together first.
    fn joined(
        &mut self,
        kind: Kind,
        name: PeerName<'_>,
        join: impl Fn(&mut String),
        intern: impl Fn(&str) -> TextId,
    ) -> TextId {
        let mut joined = std::mem::take(&mut self.joined);
        joined.clear();
        write!(joined, "{name}").expect("a String takes everything");
        join(&mut joined);
        let id = self.id(kind, joined.as_bytes(), || intern(&joined));
        self.joined = joined;
        id
    }

    /// The id of `text`, from the cache or else from `intern`.
    fn id(&mut self, kind: Kind, text: &[u8], intern: impl FnOnce() -> TextId) -> TextId {
        self.slot(kind, text, || (intern(), Matches::default())).id
    }

    /// The slot of `text`, filled from `new` if it holds another.
    fn slot(&mut self, kind: Kind, text: &[u8], new: impl FnOnce() -> (TextId, Matches)) -> &Slot {
        let hash = self.hasher.hash_one((kind, text));
        #[expect(clippy::cast_possible_truncation, reason = "reduced to a slot number")]
        let slot = &mut self.slots[hash as usize % SLOTS];
        if slot.kind != Some(kind) || slot.text != text {
            (slot.id, slot.ignored) = new();
            slot.kind = Some(kind);
            slot.text.clear();
            slot.text.extend_from_slice(text);
        }
        slot
    }
}

impl Default for Texts {
    fn default() -> Self {
        Self {
            hasher: RandomState::new(),
            slots: vec![Slot::default(); SLOTS].into(),
            joined: String::new(),
        }
    }
}
