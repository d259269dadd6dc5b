//! Interned span names and topics. Never released: 10,000 of each, then `other`.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use ahash::RandomState;
use dashmap::{DashMap, Entry};

use super::TextId;
use super::names::clip;
use super::table::Table;

/// Most distinct texts of one kind, `other` not counted.
pub const MAX_TEXTS: u32 = 10_000;

/// What a text beyond [`MAX_TEXTS`] is called.
const OTHER: &str = "other";

/// Span names and topics by text, and all of them by id.
#[derive(Debug)]
pub(super) struct Texts {
    span_names: Kind,
    topics: Kind,
    peers: Kind,
    addresses: Kind,
    by_id: Table<OnceLock<Box<str>>>,
    next: AtomicU32,
}

#[derive(Debug, Default)]
struct Kind {
    by_text: DashMap<Box<str>, TextId, RandomState>,
    count: AtomicU32,
}

// === impl Texts ===

impl Texts {
    const OTHER: TextId = TextId(1);

    pub(super) fn new() -> Self {
        let by_id = Table::<OnceLock<Box<str>>>::default();
        by_id
            .row(u32::from(TextId::default().0))
            .get_or_init(Box::default);
        by_id
            .row(u32::from(Self::OTHER.0))
            .get_or_init(|| OTHER.into());
        Self {
            span_names: Kind::default(),
            topics: Kind::default(),
            peers: Kind::default(),
            addresses: Kind::default(),
            by_id,
            next: AtomicU32::new(u32::from(TextId::NO_ROOM.0) + 1),
        }
    }

    pub(super) fn span_name(&self, name: &[u8]) -> TextId {
        self.intern(&self.span_names, &String::from_utf8_lossy(name))
    }

    pub(super) fn topic(&self, name: &str) -> TextId {
        self.intern(&self.topics, name)
    }

    /// Unlike span names and topics, peers without room are not lumped under a name that a real one may have.
    pub(super) fn peer(&self, name: &str) -> TextId {
        self.exact(&self.peers, name, TextId::NO_ROOM)
    }

    /// Nor are addresses: one without room is none.
    pub(super) fn address(&self, address: &str) -> TextId {
        self.exact(&self.addresses, address, TextId::default())
    }

    /// The text of `id`; empty for "none" and for ids never given out.
    pub(super) fn text(&self, id: TextId) -> &str {
        self.by_id
            .row(u32::from(id.0))
            .get()
            .map_or("", |text| text)
    }

    /// Distinct span names, topics, peers and addresses held.
    pub(super) fn counts(&self) -> [u32; 4] {
        let kinds = [&self.span_names, &self.topics, &self.peers, &self.addresses];
        kinds.map(|kind| kind.count.load(Ordering::Relaxed))
    }

    fn exact(&self, kind: &Kind, text: &str, no_room: TextId) -> TextId {
        let text = clip(text);
        match kind.by_text.get(text).map(|id| *id) {
            Some(id) => id,
            None if text.is_empty() => TextId::default(),
            None => self.add(kind, text, no_room),
        }
    }

    fn intern(&self, kind: &Kind, text: &str) -> TextId {
        match clip(text) {
            "" => TextId::default(),
            OTHER => Self::OTHER,
            text => match kind.by_text.get(text).map(|id| *id) {
                Some(id) => id,
                None => self.add(kind, text, Self::OTHER),
            },
        }
    }

    #[cold]
    fn add(&self, kind: &Kind, text: &str, no_room: TextId) -> TextId {
        if kind.count.load(Ordering::Relaxed) >= MAX_TEXTS {
            return no_room;
        }
        match kind.by_text.entry(text.into()) {
            Entry::Occupied(known) => *known.get(),
            Entry::Vacant(place) => {
                if !reserve(&kind.count, MAX_TEXTS) {
                    return no_room;
                }
                let next = self.next.fetch_add(1, Ordering::Relaxed);
                let id = TextId(u16::try_from(next).expect("no kind holds more than `MAX_TEXTS`"));
                self.by_id.row(next).get_or_init(|| text.into());
                *place.insert(id)
            }
        }
    }
}

/// Adds one to `count` unless it has reached `most`; exact under any number of threads.
pub(super) fn reserve(count: &AtomicU32, most: u32) -> bool {
    count
        .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |n| {
            (n < most).then_some(n + 1)
        })
        .is_ok()
}
