//! All spans that are not copies, when each is there to be seen, and who is whose parent (R0, R1, R3).

use std::collections::BTreeMap;

use spangraph::proto::NodeType;
use spangraph::semconv::{self, VirtualName};
use spangraph::span::{Side, SpanKind};

use super::input::{Options, Span, UserNode};
use super::seen::Seen;

/// What R3 finds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Parent {
    Is(At),
    /// There are only spans that had stopped accepting children.
    Closed(At),
    NotSeen,
    /// It has none.
    None,
}

/// What a decision sees: what was not forgotten when the deciding span arrived and had arrived by another second, not
/// before `now`, the close at which it is made.
///
/// *Reading*: "accepts the children that *arrive* by its own deadline" and "settles from what has *arrived*" leave no
/// room for a third time: what is forgotten between the arrival of a span and its decision was seen when it came. So it
/// is with every decision, an outbound span's too: "afterwards it was never seen" is said to what arrives afterwards.
#[derive(Debug, Clone, Copy)]
pub(super) struct Then {
    pub since: u64,
    pub arrived_by: u64,
    pub now: u64,
}

/// Every span; others are named by their place here.
pub(super) struct World<'a> {
    pub spans: Vec<Seen>,
    pub options: &'a Options,
}

/// Index of a span in [`World::spans`].
pub(super) type At = usize;

// === impl Then ===

impl Then {
    /// What a span sees at the close of this second.
    pub(super) fn of(span: &Seen, now: u64) -> Self {
        Self {
            since: span.arrival,
            arrived_by: now,
            now,
        }
    }
}

fn node_id(node_type: NodeType, name: &str) -> String {
    let prefix = match node_type {
        NodeType::Service => return name.to_owned(),
        NodeType::Database => "database",
        NodeType::Messaging => "messaging",
        NodeType::External => "external",
        NodeType::User => "user",
        NodeType::Overflow => "overflow",
    };
    format!("{prefix}:{name}")
}

/// The id of a node that attributes name; only an external one has a namespace.
fn virtual_id(named: &VirtualName<'_>) -> String {
    let name = named.name.to_string();
    let within = |namespace| format!("{namespace}/{name}");
    node_id(
        named.node_type,
        &named.namespace.map_or(name.clone(), within),
    )
}

// === impl World ===

impl<'a> World<'a> {
    /// All spans but the copies (R1), and how many copies there were. A copy of a span that is still remembered is a
    /// duplicate; later it is a new span. `held` says until when a span was undecided, as far as known: by its place
    /// among the sent ones in order of arrival.
    pub(super) fn new(
        sent: &[Span],
        options: &'a Options,
        held: &BTreeMap<usize, u64>,
    ) -> (Self, u64) {
        let mut sent: Vec<&Span> = sent.iter().collect();
        sent.sort_by_key(|span| span.second);
        let mut spans: Vec<Seen> = Vec::new();
        let mut duplicates = 0;
        for (place, span) in sent.into_iter().enumerate() {
            let held = held.get(&place).copied().unwrap_or(0);
            let span = Seen {
                place,
                ..Seen::new(span, options, held)
            };
            let key = |s: &Seen| (s.trace, s.id, s.side, s.service, s.start_ms);
            let copied = |kept: &Seen| kept.remembered >= span.arrival && key(kept) == key(&span);
            if spans.iter().any(copied) {
                duplicates += 1;
            } else {
                spans.push(span);
            }
        }
        (Self { spans, options }, duplicates)
    }

    /// The node and connection type R11 gives for an outbound span.
    pub(super) fn virtual_server(&self, x: At) -> Option<(String, i32)> {
        let span = &self.spans[x];
        let named = semconv::virtual_server(&span.attrs, span.kind, &self.options.naming)?;
        Some((virtual_id(&named), named.connection.into()))
    }

    /// The node and connection type R10 gives for an inbound span without a caller; what pulls messages is treated as a
    /// consumer.
    pub(super) fn virtual_client(&self, x: At) -> Option<(String, i32)> {
        let span = &self.spans[x];
        let kind = match span.side {
            Side::In => span.kind,
            Side::Out | Side::None => SpanKind::Consumer,
        };
        let named = semconv::virtual_client(&span.attrs, kind, &self.options.naming)?;
        if named.node_type == NodeType::User {
            let user = match self.options.user_node {
                UserNode::Shared => "user:user".to_owned(),
                UserNode::PerService => format!("user:{}", span.service),
                UserNode::Off => return None,
            };
            return Some((user, named.connection.into()));
        }
        Some((virtual_id(&named), named.connection.into()))
    }

    pub(super) fn all(&self) -> std::ops::Range<At> {
        0..self.spans.len()
    }

    /// Every span with this trace and id that is there to be seen.
    pub(super) fn with_id(&self, trace: (u64, u64), id: u64, then: Then) -> Vec<At> {
        let is_it = |y: &At| {
            let span = &self.spans[*y];
            let seen = span.arrival <= then.arrived_by && span.remembered >= then.since;
            span.trace == trace && span.id == id && seen
        };
        self.all().filter(is_it).collect()
    }

    /// Everything else in the trace of `x` that is there to be seen.
    pub(super) fn around(&self, x: At, then: Then) -> impl Iterator<Item = At> + '_ {
        let trace = self.spans[x].trace;
        self.all().filter(move |y| {
            let span = &self.spans[*y];
            *y != x
                && span.trace == trace
                && span.arrival <= then.arrived_by
                && span.remembered >= then.since
        })
    }

    /// R3 (1): outbound spans with the own id of an inbound `x`.
    pub(super) fn sharers(&self, x: At, then: Then) -> Vec<At> {
        let (own, inbound) = (self.spans[x].id, self.spans[x].side == Side::In);
        let shares =
            |y: &At| inbound && self.spans[*y].id == own && self.spans[*y].side == Side::Out;
        self.around(x, then).filter(shares).collect()
    }

    /// Spans with the parent id of `x`.
    pub(super) fn named(&self, x: At, then: Then) -> Vec<At> {
        let parent = self.spans[x].parent;
        let is_named = |y: &At| Some(self.spans[*y].id) == parent;
        self.around(x, then).filter(is_named).collect()
    }

    /// R3: the parent of `x`.
    ///
    /// *Reading*: the best of those that accept it; only where none does, the best of those that no longer do.
    pub(super) fn parent(&self, x: At, then: Then) -> Parent {
        let (sharers, named) = (self.sharers(x, then), self.named(x, then));
        let open = |all: &[At]| -> Vec<At> {
            let accepting = all.iter().filter(|y| self.accepts(**y, x));
            accepting.copied().collect()
        };
        let is = self.best_sharer(x, &open(&sharers));
        if let Some(parent) = is.or_else(|| self.best_named(x, &open(&named))) {
            return Parent::Is(parent);
        }
        let closed = self.best_named(x, &named);
        match closed.or_else(|| self.best_sharer(x, &sharers)) {
            Some(parent) => Parent::Closed(parent),
            None if self.spans[x].parent.is_some() => Parent::NotSeen,
            None => Parent::None,
        }
    }

    /// Another service first, then the smallest name.
    fn best_sharer(&self, x: At, candidates: &[At]) -> Option<At> {
        let service = self.spans[x].service;
        candidates.iter().copied().min_by_key(|y| {
            let y = &self.spans[*y];
            (y.service == service, y.service)
        })
    }

    /// Same service and inbound, then same service, then inbound, then any; ties: outbound first, then smallest name.
    ///
    /// *Reading*: of several spans with one id, service and side, the one with the smallest kind.
    fn best_named(&self, x: At, candidates: &[At]) -> Option<At> {
        let service = self.spans[x].service;
        candidates.iter().copied().min_by_key(|y| {
            let y = &self.spans[*y];
            let tier = match (y.service == service, y.side == Side::In) {
                (true, true) => 0,
                (true, false) => 1,
                (false, true) => 2,
                (false, false) => 3,
            };
            (tier, y.side != Side::Out, y.service, y.kind)
        })
    }

    /// Whether `parent` accepts `x` as a child: it came by the parent's deadline, or it is inbound and the parent, not
    /// outbound, was still remembered. That it was, whoever asks has seen to.
    ///
    /// *Reading*: what an ignore rule took waits for nothing and is only remembered, so it accepts while it is.
    pub(super) fn accepts(&self, parent: At, x: At) -> bool {
        let (parent, x) = (&self.spans[parent], &self.spans[x]);
        x.arrival <= parent.deadline
            || (x.side == Side::In && parent.side != Side::Out)
            || parent.ignored
    }

    /// Whether `x` is nested in `outer`: below it in its service, with no inbound span
    /// and no other service between. A span is not nested in itself, whatever the cycle.
    pub(super) fn is_nested(&self, x: At, outer: At, then: Then) -> bool {
        let service = self.spans[outer].service;
        if x == outer || self.spans[x].service != service {
            return false;
        }
        let mut passed = vec![x];
        loop {
            let above = match self.parent(passed[passed.len() - 1], then) {
                Parent::Is(above) | Parent::Closed(above) => above,
                Parent::NotSeen | Parent::None => return false,
            };
            if above == outer {
                return true;
            }
            let span = &self.spans[above];
            if span.service != service || span.side == Side::In || passed.contains(&above) {
                return false;
            }
            passed.push(above);
        }
    }
}
