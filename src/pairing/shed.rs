//! Makes room when a shard has more than its share (R2): what is remembered goes first, then the oldest waits are cut
//! short.

use super::Rules;
use super::shard::{Context, Shard};
use crate::graph::call::Effects;

/// The last ticks at which something should have ended that was cut short for want of memory.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Cut {
    /// Waits of ordinary spans.
    pub(super) wait: u32,
    /// Waits of PRODUCERs and CONSUMERs.
    pub(super) messaging_wait: u32,
    /// Memories.
    pub(super) retain: u32,
}

// === impl Cut ===

impl Cut {
    /// Notes that the waits that end at `tick` are cut short in the tick `now`.
    fn waits_until(&mut self, tick: u32, now: u32, rules: &Rules) {
        for (cut, wait) in [
            (&mut self.wait, rules.wait),
            (&mut self.messaging_wait, rules.messaging_wait),
        ] {
            if tick <= now.saturating_add(wait) {
                *cut = tick.max(*cut);
            }
        }
    }

    /// Notes that what was to be remembered until `tick` is forgotten.
    fn memories_until(&mut self, tick: u32) {
        self.retain = tick.max(self.retain);
    }
}

// === impl Shard ===

impl Shard {
    /// Makes room (R2): forgets tombstones before their time, oldest first, then cuts the oldest waits short, until at
    /// most `budget` bytes are in use. Returns the spans whose wait was cut short.
    pub(super) fn shed(&mut self, cx: &Context<'_>, budget: u64, fx: &mut Effects) -> u64 {
        self.settle_closing(cx, fx);
        self.closing = Vec::new();
        // What was said of the tick before does not know the spans of this one.
        self.work.gives_way.clear();
        while self.bytes() > budget && self.forget_oldest() {}
        while self.bytes() > budget && self.forget_oldest_group() {}
        self.shed_links(budget, fx);
        let before = self.store.held();
        while self.bytes() > budget
            && let Some(tick) = self.next_to_cut(cx)
        {
            self.cut.waits_until(tick, cx.tick(), cx.rules);
            let bucket = self.due.take_at(tick);
            for &trace in &bucket {
                self.sweep_trace(cx, trace, tick, fx);
            }
            self.due.recycle(bucket);
            while self.forget_oldest_group() {}
            while self.forget_oldest() {}
        }
        before - self.store.held()
    }

    /// When the waits end of the spans that arrived first. A wait that ends later than any short one can is a long one,
    /// so it began the longer ago.
    fn next_to_cut(&self, cx: &Context<'_>) -> Option<u32> {
        let (one, other) = (cx.rules.wait, cx.rules.messaging_wait);
        let (short, long) = (one.min(other), one.max(other));
        let first = self.due.first_from(0)?;
        let first_long = self
            .due
            .first_from(cx.tick().saturating_add(short).saturating_add(1));
        let is_older = |tick: &u32| tick.saturating_add(short) < first.saturating_add(long);
        first_long.filter(is_older).or(Some(first))
    }

    /// Forgets before their time, and whoever still needs them, the tombstones that are to be looked at first. Returns
    /// whether there were any.
    fn forget_oldest(&mut self) -> bool {
        let Some((tick, bucket)) = self.expiring.pop(u32::MAX - 1) else {
            return false;
        };
        for &trace in &bucket {
            self.store.forget(trace, tick, None);
        }
        self.expiring.recycle(bucket);
        self.cut.memories_until(tick);
        true
    }

    fn forget_oldest_group(&mut self) -> bool {
        let forgotten = self.groups.forget_oldest();
        forgotten.is_some_and(|tick| {
            self.cut.memories_until(tick);
            true
        })
    }

    /// Makes room among the links: first the remembered, oldest first, then those that were not even asked. One whose
    /// span has not settled is unresolved.
    fn shed_links(&mut self, budget: u64, fx: &mut Effects) {
        while self.bytes() > budget {
            let Some((open, tick)) = self.probes.forget_oldest() else {
                break;
            };
            self.cut.memories_until(tick);
            fx.unresolved_links += open;
            self.probes.shrink();
        }
        if self.bytes() > budget {
            fx.unresolved_links += self.probes.outbox.len() as u64;
            self.probes.outbox = Vec::new();
        }
    }
}
