//! R12: a receive gives way to whoever of its service takes the message for good, so that one delivery is one call.
//!
//! Asked when the receive's deadline closes, once all links of that second are where they lead: for each producer it links
//! to, and, where no link of it is resolved, for the parent that would be its caller.

use super::parent::{self, Parent};
use super::probe::{Linker, Target, consumes, is_creation_context};
use super::record::{Flags, Record, Seen};
use super::shard::{Context, Shard};
use crate::graph::Graph;

// === impl Shard ===

impl Shard {
    /// Whether `x`, if it is a receive whose deadline is now, gives way for its parent: a creation context, whether or not
    /// that still accepts it, or an unseen one that R10 treats as a link that was not seen.
    pub(super) fn gives_way_below(
        &mut self,
        cx: &Context<'_>,
        trace: u32,
        x: &Record,
        parent: &Parent,
    ) -> bool {
        if !x.flags.receives() {
            return false;
        }
        let span = match parent {
            Parent::Is(p) | Parent::Closed(p) if is_creation_context(p, x.service) => p.span,
            Parent::NotSeen if x.flags.has(Flags::BROKERED) => x.parent,
            _ => return false,
        };
        let trace = self.store.id(trace);
        let receive = Linker::new(trace, x);
        self.gives_way(cx.graph, Target { trace, span }, &receive)
    }

    /// R12: whether a receive whose deadline is now gives way for the producer `target`: it sees a CONSUMER of its service
    /// that is no receive and links to that or has it as its outbound parent, whether or not that still accepts it.
    pub(super) fn gives_way(&mut self, graph: &Graph, target: Target, receive: &Linker) -> bool {
        let (service, since) = (receive.service, receive.arrived);
        if let Some(&known) = self.work.gives_way.get(&(target, service, since)) {
            return known;
        }
        let gives_way = self.probes.consumed_by(target, service, since)
            || self.has_consumer_below(graph, target, receive);
        let key = (target, service, since);
        self.work.gives_way.insert(key, gives_way);
        gives_way
    }

    fn has_consumer_below(&mut self, graph: &Graph, target: Target, receive: &Linker) -> bool {
        let (service, since) = (receive.service, receive.arrived);
        let Some(trace) = self.store.lookup(target.trace) else {
            return false;
        };
        let mut children = std::mem::take(&mut self.work.linked);
        children.clear();
        self.store
            .below_in(trace, target.span, service, &mut children);
        // One that shares its producer's id is called by it all the same.
        self.store.named(trace, target.span, &mut children);
        let in_time = |c: &Seen| c.until >= since && c.arrived <= receive.deadline;
        children.retain(|c| c.service == service && consumes(c.flags) && in_time(c));
        let found = children.iter().any(|c| {
            self.store.look_around(trace, c, &mut self.near);
            self.near.seen_since(since);
            let parent = parent::choose(graph, c, &self.near);
            matches!(
                parent,
                Parent::Is(p) | Parent::Closed(p)
                    if p.span == target.span && is_creation_context(&p, service)
            )
        });
        self.work.linked = children;
        found
    }
}
