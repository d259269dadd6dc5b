//! Makes room in a shard (R2): what is remembered goes first, then the oldest waits are cut
//! short.

use super::shard::{Context, Shard};
use super::sweep::SWEPT_AT_ONCE;
use super::{Rules, ShortBy};
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

    /// What is shorter than configured for what arrives in the open `tick`.
    pub(super) fn short_by(self, tick: u32) -> ShortBy {
        let short = |cut: u32| cut.saturating_add(1).saturating_sub(tick);
        ShortBy {
            wait_s: short(self.wait),
            messaging_wait_s: short(self.messaging_wait),
            retain_s: short(self.retain),
        }
    }

    /// Notes that what was to be remembered until `tick` is forgotten.
    fn memories_until(&mut self, tick: u32) {
        self.retain = tick.max(self.retain);
    }
}

/// What ends at a tick, and about when that began.
#[derive(Debug, Clone, Copy)]
struct Begun {
    at: u32,
    ends: u32,
}

// === impl Shard ===

impl Shard {
    /// Makes room (R2) until at most `budget` bytes are in use: forgets what is only remembered, oldest first; then cuts
    /// the oldest waits short, and with them the links that came as early. Returns the spans whose wait was cut short.
    pub(super) fn shed(&mut self, cx: &Context<'_>, budget: u64, fx: &mut Effects) -> u64 {
        self.insert_put_off(cx, fx);
        self.settle_closing(cx, fx);
        // Also what was said of the tick before, which does not know the spans of this one.
        self.give_back(0);
        while self.bytes() > budget && self.forget_oldest() {}
        while self.bytes() > budget && self.forget_oldest_group() {}
        while self.bytes() > budget && self.forget_oldest_settled(cx, fx) {}
        let before = self.store.held();
        while self.bytes() > budget && self.cut_oldest(cx, fx) {
            self.forget_all();
            self.give_back(0);
        }
        before - self.store.held()
    }

    /// Cuts short what came first: spans before their links, but links that were not even asked before the spans that came
    /// with them. Returns whether there was anything.
    fn cut_oldest(&mut self, cx: &Context<'_>, fx: &mut Effects) -> bool {
        let now = cx.tick();
        let retain = cx.rules.retain;
        let spans = oldest(cx, 0, |from| self.due.first_from(from));
        let links = oldest(cx, retain, |from| self.probes.first_from(from));
        let begun = |what: Option<Begun>| what.map_or(u32::MAX, |what| what.at);
        let earliest = begun(spans).min(begun(links));
        if earliest >= now && !self.probes.outbox.is_empty() {
            fx.unresolved_links += self.probes.outbox.len() as u64;
            self.probes.outbox = Vec::new();
            return true;
        }
        match (spans, links) {
            (Some(spans), _) if spans.at == earliest => self.cut_waits(cx, spans.ends, fx),
            (_, Some(links)) => {
                let deadline = links.ends.saturating_sub(retain);
                self.cut.waits_until(deadline, now, cx.rules);
                self.cut.memories_until(links.ends);
                fx.unresolved_links += self.probes.forget_at(links.ends);
            }
            _ => return false,
        }
        true
    }

    fn cut_waits(&mut self, cx: &Context<'_>, tick: u32, fx: &mut Effects) {
        self.cut.waits_until(tick, cx.tick(), cx.rules);
        let bucket = self.due.take_at(tick);
        for traces in bucket.chunks(SWEPT_AT_ONCE) {
            for &trace in traces {
                self.sweep_trace(cx, trace, tick, fx);
            }
            self.forget_all();
        }
        self.due.recycle(bucket);
    }

    /// Forgets all that is only remembered, but for links.
    fn forget_all(&mut self) {
        while self.forget_oldest_group() {}
        while self.forget_oldest() {}
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

    /// Forgets the oldest links whose spans have settled, so that they are only remembered. Returns whether there were any.
    fn forget_oldest_settled(&mut self, cx: &Context<'_>, fx: &mut Effects) -> bool {
        let settled = cx.tick().saturating_add(cx.rules.retain);
        let oldest = self.probes.first_from(0).filter(|&tick| tick < settled);
        oldest.is_some_and(|tick| {
            self.cut.memories_until(tick);
            fx.unresolved_links += self.probes.forget_at(tick);
            true
        })
    }
}

/// What began first, of things that end a wait and `more` ticks after a span came; `first_from` is the first tick from
/// another on at which one ends. What ends later than after any short wait has a long one, so it began the longer ago.
fn oldest(cx: &Context<'_>, more: u32, first_from: impl Fn(u32) -> Option<u32>) -> Option<Begun> {
    let (one, other) = (cx.rules.wait, cx.rules.messaging_wait);
    let (short, long) = (one.min(other), one.max(other));
    let begun = |ends: u32, wait: u32| Begun {
        at: ends.saturating_sub(more.saturating_add(wait)),
        ends,
    };
    let last_short = cx.tick().saturating_add(more).saturating_add(short);
    let first =
        first_from(0).map(|ends| begun(ends, if ends <= last_short { short } else { long }));
    let first_long = first_from(last_short.saturating_add(1)).map(|ends| begun(ends, long));
    first
        .into_iter()
        .chain(first_long)
        .min_by_key(|begun| begun.at)
}
