//! R9: what stands below an outbound span in its own service, and what that means for it.
//!
//! *Nested* is a span of the same service below another with no inbound span and no other service between. Everything
//! here looks only at what the deciding span sees: what was remembered when it arrived or came by its deadline. It waits
//! for the callees of what is nested in it, so these have settled; those of what it is nested in may not have.
//!
//! In one sweep of a trace what is below an id is found once, however many outbound spans stand above it: the walk is
//! Tarjan's search for strongly connected components (SIAM J. Comput. 1 (2), 1972), since hostile parents form cycles
//! and all ids on a cycle have the same spans below them. A chain of outbound spans thus costs its length, not its square.

mod below;
mod carried;
mod matched;

use ahash::HashMap;

use super::ignore::missed_by;
use super::parent::{self, Parent};
use super::probe::Target;
use super::probes::Probes;
use super::record::{Flags, Place, Seen};
use super::room;
use super::store::{Near, Store};
use crate::graph::call::Outcome;
use crate::graph::{Graph, NodeId};
use below::Below;
use carried::parent_in;

/// Where a walk looks.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sight<'a> {
    pub(super) graph: &'a Graph,
    pub(super) store: &'a Store,
    pub(super) probes: &'a Probes,
}

/// What an outbound span's surroundings say about it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Surroundings {
    /// The first tick at which a callee that names it, or a span nested in it, may settle; `None` when all have.
    pub(super) open_until: Option<u32>,
    /// A nested span has a call of its own, or a nested outbound span (not transport) is nameable.
    pub(super) covered: bool,
    /// A callee was settled without having seen it: it is late, or filtered if one of those was ignored.
    pub(super) missed: Option<Outcome>,
    /// It is itself transport.
    pub(super) transport: bool,
}

/// Reused room for walks, and what this sweep of this trace found so far.
#[derive(Debug, Default)]
pub(super) struct Walk {
    near: Near,
    /// What stands near a callee.
    callee: Near,
    trace: u32,
    /// The tick whose close is being swept.
    horizon: u32,
    /// When the deciding span arrived, and its deadline, up to which arrivals count; what was found holds for these only.
    since: u32,
    deadline: u32,
    found: HashMap<Key, State>,
    carried: HashMap<Place, bool>,
    /// See [`Walk::is_matched`].
    matched: HashMap<Place, bool>,
    /// Open frames, their nested children, and the ids whose component is open.
    frames: Vec<Frame>,
    children: Vec<Seen>,
    component: Vec<Key>,
    path: Vec<Place>,
}

/// A span to look below: in which service, and whether plain outbound spans there are transport. Below an inbound span
/// nothing is nested; only its callees count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Key {
    at: Place,
    span: u64,
    service: NodeId,
    carrier: bool,
    inbound: bool,
}

#[derive(Debug, Clone, Copy)]
enum State {
    Open(u32),
    Done(Below),
}

#[derive(Debug, Clone, Copy)]
struct Frame {
    key: Key,
    /// Its nested children end here in `Walk::children`; they begin where the frame below ends.
    next_child: usize,
    first_child: usize,
    order: u32,
    lowest: u32,
    below: Below,
}

// === impl Walk ===

impl Walk {
    /// Bytes of its lists.
    pub(super) fn bytes(&self) -> u64 {
        let found = room::of_map(&self.found);
        let said = room::of_map(&self.carried) + room::of_map(&self.matched);
        let lists = room::of_list(&self.frames)
            + room::of_list(&self.children)
            + room::of_list(&self.component)
            + room::of_list(&self.path);
        found + said + lists + self.near.bytes() + self.callee.bytes()
    }

    /// Forgets what other sweeps found.
    pub(super) fn begin(&mut self, trace: u32, horizon: u32) {
        (self.trace, self.horizon) = (trace, horizon);
        self.forget();
    }

    fn forget(&mut self) {
        if !self.found.is_empty() {
            self.found.clear();
        }
        for known in [&mut self.carried, &mut self.matched] {
            if !known.is_empty() {
                known.clear();
            }
        }
    }

    /// Looks at everything below the outbound span `p`, and above it for what it may be transport of.
    pub(super) fn look(&mut self, sight: Sight<'_>, p: &Seen) -> Surroundings {
        if (self.since, self.deadline) != (p.arrived, p.deadline) {
            (self.since, self.deadline) = (p.arrived, p.deadline);
            self.forget();
        }
        let carried = self.is_carried(sight, p);
        let plain = !p.flags.has(Flags::DB) && !p.flags.has(Flags::MESSAGING);
        let key = Key {
            at: p.at,
            span: p.span,
            service: p.service,
            carrier: carried || self.carries(sight, p),
            inbound: false,
        };
        let below = self.search(sight, key);
        Surroundings {
            open_until: below.open_until,
            covered: below.covers.iter().flatten().any(|place| *place != p.at),
            missed: self.missed(sight.store, p),
            transport: plain && carried,
        }
    }

    /// What becomes of `p` because a callee that names it was settled before it came.
    fn missed(&mut self, store: &Store, p: &Seen) -> Option<Outcome> {
        store.look(self.trace, p.span, 0, &mut self.near);
        self.near.seen_since(self.since);
        let Near { same, children, .. } = &self.near;
        let awaiting = |s: &&Seen| s.flags.has(Flags::AWAITING);
        let shares =
            |s: &&Seen| s.flags.inbound() && (awaiting(s) || s.flags.has(Flags::OVERTAKEN));
        let below = |s: &&Seen| awaiting(s) && (s.flags.inbound() || s.service != p.service);
        let called = same
            .iter()
            .filter(shares)
            .chain(children.iter().filter(below));
        let missed = called.filter(|s| s.arrived <= p.deadline);
        missed.map(|s| missed_by(s.flags)).max()
    }

    fn search(&mut self, sight: Sight<'_>, root: Key) -> Below {
        if let Some(State::Done(below)) = self.found.get(&root) {
            return *below;
        }
        self.children.clear();
        self.component.clear();
        self.open(sight, root);
        loop {
            let top = self.frames.len() - 1;
            let Frame {
                key, next_child, ..
            } = self.frames[top];
            if next_child < self.children.len() {
                self.frames[top].next_child += 1;
                let child = self.children[next_child];
                self.visit(sight, top, key, &child);
                continue;
            }
            let frame = self.close();
            let Some(above) = self.frames.last_mut() else {
                return frame.below;
            };
            above.below.merge(frame.below);
            above.lowest = above.lowest.min(frame.lowest);
        }
    }

    /// Goes down to a nested child, or takes what is known below it.
    fn visit(&mut self, sight: Sight<'_>, top: usize, key: Key, child: &Seen) {
        let below = Key {
            at: child.at,
            span: child.span,
            carrier: key.carrier || self.carries(sight, child),
            inbound: child.flags.inbound(),
            ..key
        };
        if self.covers(sight, child, key.carrier) {
            self.frames[top].below.cover(child.at);
        }
        match self.found.get(&below) {
            None => self.open(sight, below),
            Some(State::Open(order)) => {
                self.frames[top].lowest = self.frames[top].lowest.min(*order);
            }
            Some(State::Done(known)) => self.frames[top].below.merge(*known),
        }
    }

    /// Starts on an id: notes the callees that name it, lists the spans nested below it.
    fn open(&mut self, sight: Sight<'_>, key: Key) {
        let order = u32::try_from(self.found.len()).unwrap_or(u32::MAX);
        self.found.insert(key, State::Open(order));
        self.component.push(key);
        sight.store.look(self.trace, key.span, 0, &mut self.near);
        self.near.seen_since(self.since);
        let first_child = self.children.len();
        let mut below = Below::default();
        let target = Target {
            trace: sight.store.id(self.trace),
            span: key.span,
        };
        if let Some(until) = sight.probes.open_until(target, self.deadline) {
            below.wait_for(until);
        }
        let (since, deadline) = (self.since, self.deadline);
        let Near { same, children, .. } = &self.near;
        let in_time = |s: &&Seen| s.arrived <= deadline;
        let may_nest = |s: &Seen| !key.inbound && s.service == key.service;
        let inbound = same.iter().chain(children).filter(in_time);
        for callee in inbound.filter(|s| s.flags.inbound()) {
            below.note_callee(callee);
            if may_nest(callee) && callee.at != key.at {
                let seen = (since, deadline);
                let parent = parent_in(sight, self.trace, callee, seen, &mut self.callee);
                if matches!(parent, Parent::Is(of) | Parent::Closed(of) if of.at == key.at) {
                    self.children.push(*callee);
                }
            }
        }
        let others = children.iter().filter(in_time);
        for child in others.filter(|s| !s.flags.inbound()) {
            if child.service != key.service {
                below.note_entry(child, self.horizon);
            } else if may_nest(child)
                && parent::is_below(sight.graph, child, same, key.at, deadline)
            {
                self.children.push(*child);
            }
        }
        self.frames.push(Frame {
            key,
            next_child: first_child,
            first_child,
            order,
            lowest: order,
            below,
        });
    }

    /// Ends with an id; if its component is complete, all ids on it have what was found below it.
    fn close(&mut self) -> Frame {
        let frame = self.frames.pop().expect("only an open frame is closed");
        self.children.truncate(frame.first_child);
        if frame.lowest == frame.order {
            while let Some(member) = self.component.pop() {
                self.found.insert(member, State::Done(frame.below));
                if member == frame.key {
                    break;
                }
            }
        }
        frame
    }
}
