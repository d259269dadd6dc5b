//! What one slice learned about one edge or one node. Every field is a sum, a maximum or a bounded smallest set, so the
//! order of recording never shows.

use super::TextId;
use super::call::{Call, CallClass, CalledFrom, NodeCall, Sample};
use super::histogram::Histogram;
use super::names::clip;
use super::pool::BlockPool;
use super::status;
use super::texts::Texts;

/// Most destinations, versions or instances listed; the smallest ones stay.
pub(super) const MAX_LISTED: usize = 16;

/// Calls from one node to another.
#[derive(Debug, Clone, Default)]
pub(super) struct EdgeStats {
    /// By [`CallClass`].
    pub(super) classes: [u64; 5],
    pub(super) failed: u64,
    pub(super) client_failed: u64,
    pub(super) server_failed: u64,
    /// Fixed point 2^-20; 0 unless sampling is adjusted.
    pub(super) weighted_calls: u64,
    pub(super) weighted_failed: u64,
    pub(super) client: Histogram,
    pub(super) server: Histogram,
    pub(super) gap: Histogram,
    pub(super) queue: Histogram,
    pub(super) without_client_sample: u64,
    pub(super) without_server_sample: u64,
    pub(super) protocols: [u64; status::PROTOCOLS.len()],
    pub(super) statuses: [u64; status::STATUSES.len()],
    pub(super) destinations: Listed,
    /// Of an external virtual edge, when aliases are learned.
    pub(super) addresses: Listed,
    /// Likewise.
    pub(super) logical_peer_calls: u64,
    pub(super) slowest: Option<Exemplar>,
    pub(super) failed_exemplar: Option<Exemplar>,
}

/// Calls as the called node saw them, and who it is.
#[derive(Debug, Clone, Default)]
pub(super) struct NodeStats {
    /// By [`CalledFrom`].
    pub(super) calls: [u64; 3],
    pub(super) failed: u64,
    pub(super) latency: Histogram,
    pub(super) without_sample: u64,
    pub(super) versions: Smallest,
    pub(super) instances: Smallest,
    /// Where calls met it, when aliases are learned.
    pub(super) addresses: Listed,
}

/// One call of an edge to look at. Ordered as slices merge it: by `rank`, then trace, then span.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Exemplar {
    /// The duration of a slowest call, 0 for a failed one (its second is the slice's).
    rank: u64,
    pub(super) trace: [u8; 16],
    pub(super) span: u64,
    /// 0 when unknown.
    pub(super) duration_ns: u64,
}

/// The smallest of some interned texts, sorted by text.
#[derive(Debug, Clone, Default)]
pub(super) struct Listed {
    ids: [TextId; MAX_LISTED],
    len: usize,
    pub(super) more: bool,
}

/// The smallest strings seen, sorted.
#[derive(Debug, Clone, Default)]
pub(super) struct Smallest {
    pub(super) texts: Vec<Box<str>>,
    pub(super) more: bool,
}

/// What samples say against the clocks; counted in the law.
#[derive(Debug, Default)]
pub(super) struct Negatives {
    pub(super) duration: u64,
    pub(super) gap: u64,
    pub(super) clock_skew: u64,
}

// === impl EdgeStats ===

impl EdgeStats {
    pub(super) fn record(
        &mut self,
        call: &Call,
        texts: &Texts,
        pool: &BlockPool,
        negatives: &mut Negatives,
    ) {
        self.classes[call.class as usize] += 1;
        self.failed += u64::from(call.failed);
        self.client_failed += u64::from(call.client_failed);
        self.server_failed += u64::from(call.server_failed);
        self.weighted_calls = self.weighted_calls.saturating_add(call.weight);
        self.weighted_failed = self.weighted_failed.saturating_add(call.weighted_failed);
        self.sample(call, pool, negatives);
        self.protocols[call.status.protocol as usize] += 1;
        if let Some(class) = status::class(call.status) {
            self.statuses[class] += 1;
        }
        self.destinations.insert(call.destination, texts);
        self.addresses.insert(call.address, texts);
        self.logical_peer_calls += u64::from(call.logical);
        self.exemplify(call);
    }

    fn sample(&mut self, call: &Call, pool: &BlockPool, negatives: &mut Negatives) {
        match call.client {
            Sample::Ns(ns) => self.client.record(ns, pool),
            Sample::None => self.without_client_sample += 1,
            Sample::Negative => {
                self.without_client_sample += 1;
                negatives.duration += 1;
            }
        }
        match call.server {
            Sample::Ns(ns) => self.server.record(ns, pool),
            Sample::None | Sample::Negative => self.without_server_sample += 1,
        }
        match call.gap {
            Sample::Ns(ns) => self.gap.record(ns, pool),
            Sample::None => {}
            Sample::Negative => negatives.gap += 1,
        }
        match call.queue {
            Sample::Ns(ns) => self.queue.record(ns, pool),
            Sample::None => {}
            Sample::Negative => negatives.clock_skew += 1,
        }
    }

    fn exemplify(&mut self, call: &Call) {
        let duration = match call.duration {
            Sample::Ns(ns) => Some(ns),
            Sample::None | Sample::Negative => None,
        };
        let exemplar = |rank| Exemplar {
            rank,
            trace: *call.trace.bytes(),
            span: call.span,
            duration_ns: duration.unwrap_or(0),
        };
        if let Some(ns) = duration {
            self.slowest = self.slowest.max(Some(exemplar(ns)));
        }
        if call.failed > 0 || call.client_failed > 0 || call.server_failed {
            self.failed_exemplar = self.failed_exemplar.max(Some(exemplar(0)));
        }
    }

    /// Calls by the sides that reported them: both, client, server.
    pub(super) fn seen(&self) -> [u64; 3] {
        let class = |class: CallClass| self.classes[class as usize];
        let both = class(CallClass::Paired) + class(CallClass::Entry) + class(CallClass::Linked);
        [
            both,
            class(CallClass::VirtualServer),
            class(CallClass::VirtualClient),
        ]
    }

    /// Gives the histograms' blocks back.
    pub(super) fn release(&mut self, pool: &BlockPool) {
        for histogram in [
            &mut self.client,
            &mut self.server,
            &mut self.gap,
            &mut self.queue,
        ] {
            histogram.release(pool);
        }
    }
}

// === impl NodeStats ===

impl NodeStats {
    pub(super) fn record(
        &mut self,
        call: &NodeCall,
        texts: &Texts,
        pool: &BlockPool,
        negatives: &mut Negatives,
    ) {
        self.addresses.insert(call.address, texts);
        self.calls[call.from as usize] += 1;
        self.failed += u64::from(call.failed);
        match call.server {
            Sample::Ns(ns) => self.latency.record(ns, pool),
            Sample::None => self.without_sample += 1,
            Sample::Negative => {
                self.without_sample += 1;
                negatives.duration += 1;
            }
        }
    }

    pub(super) fn calls(&self, from: CalledFrom) -> u64 {
        self.calls[from as usize]
    }
}

// === impl Listed ===

impl Listed {
    pub(super) fn ids(&self) -> &[TextId] {
        &self.ids[..self.len]
    }

    /// Adds a text, unless it is "none".
    fn insert(&mut self, id: TextId, texts: &Texts) {
        if id == TextId::default() || self.ids().contains(&id) {
            return;
        }
        let text = texts.text(id);
        let at = self
            .ids()
            .partition_point(|known| texts.text(*known) < text);
        if self.len == MAX_LISTED {
            self.more = true;
            if at == MAX_LISTED {
                return;
            }
        } else {
            self.len += 1;
        }
        self.ids[at..self.len].rotate_right(1);
        self.ids[at] = id;
    }
}

// === impl Smallest ===

impl Smallest {
    /// Adds `text`; allocates only when it was not listed yet. Empty texts are none.
    pub(super) fn insert(&mut self, text: &str) {
        let text = clip(text);
        if text.is_empty() {
            return;
        }
        let Err(at) = self.texts.binary_search_by(|known| (**known).cmp(text)) else {
            return;
        };
        if self.texts.len() == MAX_LISTED {
            self.more = true;
            if at == MAX_LISTED {
                return;
            }
            self.texts.pop();
        }
        self.texts.insert(at, text.into());
    }
}
