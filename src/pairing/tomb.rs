//! What is remembered of a span after its wait, in 24 bytes: enough for duplicates, late halves, nesting, and parents that
//! are not outbound.
//!
//! When its time is over follows from when it arrived and how long its kind waits, so neither time is kept whole. What
//! arrived before that sees it until it is decided itself, even later: so [`Seen::until`] says to whom it is visible, and
//! [`super::store::Store::forget`] keeps it beyond its time if somebody waits to whom it is.

use super::Rules;
use super::record::{Flags, Place, Record, Seen, short};
use crate::graph::NodeId;
use crate::span::SpanKind;

/// Low bits of the tick of arrival, which tell apart 18 hours; a span is kept for two at most.
const ARRIVED_BITS: u32 = 16;
/// As many flags as matter to a remembered span; `graph.max_nodes` leaves its service as many bits.
const FLAG_BITS: u32 = Flags::REMEMBERED;
const SERVICE_BITS: u32 = 64 - ARRIVED_BITS - FLAG_BITS;

/// A remembered span.
#[derive(Debug, Clone, Copy)]
pub(super) struct Tomb {
    /// 0 once it is forgotten.
    pub(super) span: u64,
    /// 32 bits of the parent id, see [`short`]; 0 without a parent.
    pub(super) parent32: u32,
    /// 32 bits of the start time; of what outlived its time, the tick at whose close that is over.
    start32: u32,
    /// Arrival, service and flags.
    packed: u64,
}

/// For how many ticks spans wait and are remembered, and which tick it is.
#[derive(Debug, Clone, Copy)]
pub(super) struct Waits {
    pub(super) wait: u32,
    pub(super) messaging_wait: u32,
    pub(super) retain: u32,
    /// No span arrived later.
    pub(super) now: u32,
}

// === impl Tomb ===

impl Tomb {
    /// What remains of a waiting span.
    pub(super) fn of(record: &Record) -> Self {
        let mut flags = record.flags;
        if !flags.inbound() {
            flags.clear(Flags::OUTLIVED);
        }
        Self {
            span: record.span,
            parent32: short(record.parent),
            start32: short(record.start_ns),
            packed: pack(record.arrived, record.service, flags),
        }
    }

    /// What remains of a span that was decided only in `tick`, after its time: until then everybody saw it waiting.
    pub(super) fn outlived(record: &Record, tick: u32) -> Self {
        debug_assert!(
            !record.flags.inbound(),
            "these are decided by their deadline"
        );
        let mut tomb = Self::of(record);
        tomb.set(Flags::OUTLIVED);
        tomb.start32 = tick;
        tomb
    }

    /// One as it was: its ids and start time as it keeps them, and the rest as [`Tomb::seen`] said it.
    pub(super) fn restored(
        (span, parent32, start32): (u64, u32, u32),
        arrived: u32,
        service: NodeId,
        flags: Flags,
    ) -> Self {
        Self {
            span,
            parent32,
            start32,
            packed: pack(arrived, service, flags),
        }
    }

    pub(super) fn service(&self) -> NodeId {
        let bits = (self.packed >> FLAG_BITS) & ((1 << SERVICE_BITS) - 1);
        NodeId(u32::try_from(bits).expect("SERVICE_BITS is at most 32"))
    }

    fn flags(&self) -> Flags {
        Flags::remembered(self.packed)
    }

    fn arrived(&self, now: u32) -> u32 {
        let low = u32::try_from(self.packed >> (64 - ARRIVED_BITS)).expect("ARRIVED_BITS is 16");
        now - (now.wrapping_sub(low) & ((1 << ARRIVED_BITS) - 1)).min(now)
    }

    /// The tick at whose close its time is over.
    pub(super) fn expires(&self, waits: &Waits) -> u32 {
        let flags = self.flags();
        if flags.has(Flags::OUTLIVED) && !flags.inbound() {
            return self.start32;
        }
        self.deadline(waits).saturating_add(waits.retain)
    }

    fn deadline(&self, waits: &Waits) -> u32 {
        self.arrived(waits.now)
            .saturating_add(waits.of(self.flags().kind()))
    }

    /// Marks it.
    pub(super) fn set(&mut self, flag: Flags) {
        self.packed |= flag.bits();
    }

    /// Takes a mark off it.
    pub(super) fn clear(&mut self, flag: Flags) {
        self.packed &= !flag.bits();
    }

    /// As the rules see it.
    pub(super) fn seen(&self, at: u32, waits: &Waits) -> Seen {
        Seen {
            at: Place::Remembered(at),
            span: self.span,
            parent: 0,
            parent32: self.parent32,
            start32: self.start32,
            service: self.service(),
            arrived: self.arrived(waits.now),
            deadline: self.deadline(waits),
            until: self.expires(waits),
            flags: self.flags(),
        }
    }
}

impl Default for Tomb {
    fn default() -> Self {
        Self::of(&Record::default())
    }
}

fn pack(arrived: u32, service: NodeId, flags: Flags) -> u64 {
    debug_assert!(
        service.0 >> SERVICE_BITS == 0,
        "more nodes than the cap allows"
    );
    let low = u64::from(arrived) & ((1 << ARRIVED_BITS) - 1);
    low << (64 - ARRIVED_BITS) | u64::from(service.0) << FLAG_BITS | flags.bits()
}

// === impl Waits ===

impl Waits {
    /// As configured, in the tick `now`.
    pub(super) fn new(rules: &Rules, now: u32) -> Self {
        Self {
            wait: rules.wait,
            messaging_wait: rules.messaging_wait,
            retain: rules.retain,
            now,
        }
    }

    /// How long a span of this kind waits.
    pub(super) fn of(&self, kind: SpanKind) -> u32 {
        match kind {
            SpanKind::Producer | SpanKind::Consumer => self.messaging_wait,
            _ => self.wait,
        }
    }

    /// How long spans wait, by their kind.
    pub(super) fn both(&self) -> [u32; 2] {
        [self.wait, self.messaging_wait]
    }

    /// How long a callee waits at most, and at least 1.
    pub(super) fn longest(&self) -> u32 {
        self.wait.max(self.messaging_wait).max(1)
    }

    /// How long any span waits at most: an outbound one as long again for the last of its callees.
    pub(super) fn longest_of_all(&self) -> u32 {
        self.longest().saturating_mul(2)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::span::Operation;

    /// Guarantees: what a stub is asked is what the record said, however far the ticks have gone round.
    #[test]
    fn a_remembered_span_answers_as_it_did_while_it_waited() {
        assert_eq!(size_of::<Tomb>(), 24);
        for arrived in [1, 65_535, 65_536, 70_000, 200_000] {
            let mut flags = Flags::new(SpanKind::Consumer, Operation::Receive);
            flags.set(Flags::DECIDED);
            let record = Record {
                span: 7,
                parent: 9,
                start_ns: 11,
                service: NodeId((1 << SERVICE_BITS) - 1),
                arrived,
                deadline: arrived + 60,
                flags,
                ..Record::default()
            };
            for later in [0, 60, 10_800] {
                let waits = Waits {
                    wait: 10,
                    messaging_wait: 60,
                    retain: 5,
                    now: arrived + later,
                };
                let mut tomb = Tomb::of(&record);
                tomb.set(Flags::AWAITING);
                tomb.clear(Flags::AWAITING);
                let (was, is) = (record.seen(3), tomb.seen(3, &waits));
                assert_eq!(
                    (is.span, is.parent32, is.start32),
                    (was.span, was.parent32, was.start32)
                );
                assert_eq!((is.service, is.flags), (was.service, was.flags));
                assert_eq!((is.arrived, is.deadline), (was.arrived, was.deadline));
                assert_eq!(tomb.expires(&waits), arrived + 65);
            }
        }
    }
}
