//! Ignore rules: spans that draw nothing, nor do the other halves of their calls.
//!
//! What costs time, matching globs, is done once per resource and once per span name that a worker meets; a span costs
//! two ands. An ignored span waits and is remembered like any other, since its other half may come later.

use super::linked::Answered;
use super::probe::Linker;
use super::record::{Flags, Place, Record, Seen};
use super::shard::Shard;
use crate::glob::Glob;
use crate::graph::call::{Effects, Outcome};
use crate::span::{Side, SpanKind};

/// The longest part of a span name that is looked at, in bytes: as much as is kept of it.
const MAX_NAME: usize = crate::graph::MAX_NAME_BYTES;

/// One rule; a span must match all it says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct IgnoreRule {
    /// Over the service's name, or over `namespace/name`.
    pub service: Option<Glob>,
    /// Over the span's name, in which `/` means nothing.
    pub span_name: Option<Glob>,
    /// Over the name of its kind after R0.
    pub kind: Option<Glob>,
}

/// All rules, of which one suffices.
#[derive(Debug, Clone, Default)]
pub struct Ignore {
    rules: Vec<IgnoreRule>,
    by_kind: [Matches; 6],
}

/// Rules that are not against it, one bit each.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Matches(u64);

// === impl Ignore ===

impl Ignore {
    /// Most rules.
    pub const MOST: usize = 64;

    /// Takes the first [`Ignore::MOST`] of these rules.
    pub fn new(rules: impl IntoIterator<Item = IgnoreRule>) -> Self {
        let rules: Vec<IgnoreRule> = rules.into_iter().take(Self::MOST).collect();
        let kinds = [
            SpanKind::Unspecified,
            SpanKind::Internal,
            SpanKind::Server,
            SpanKind::Client,
            SpanKind::Producer,
            SpanKind::Consumer,
        ];
        let mut ignore = Self {
            rules,
            by_kind: [Matches::default(); 6],
        };
        ignore.by_kind = kinds.map(|kind| {
            let named = |glob: &Glob| glob.matches_text(kind.name());
            ignore.all(|rule| rule.kind.as_ref().is_none_or(named))
        });
        ignore
    }

    /// Rules that spans of this service may match.
    pub(super) fn service(&self, namespace: Option<&str>, name: &str) -> Matches {
        let long = namespace.map(|namespace| format!("{namespace}/{name}"));
        let named = |glob: &Glob| {
            glob.matches(name) || long.as_deref().is_some_and(|long| glob.matches(long))
        };
        self.all(|rule| rule.service.as_ref().is_none_or(named))
    }

    /// Rules that spans of this name may match.
    pub(super) fn span_name(&self, name: &[u8]) -> Matches {
        if self.rules.is_empty() {
            return Matches::default();
        }
        // A few bytes more, so that a character cut in two is not what is looked at.
        let text = String::from_utf8_lossy(&name[..name.len().min(MAX_NAME + 4)]);
        let text = &text[..text.floor_char_boundary(MAX_NAME)];
        let named = |glob: &Glob| glob.matches_text(text);
        self.all(|rule| rule.span_name.as_ref().is_none_or(named))
    }

    /// Whether a rule takes such a span.
    pub(super) fn takes(&self, service: Matches, span_name: Matches, kind: SpanKind) -> bool {
        service.0 & span_name.0 & self.by_kind[kind as usize].0 != 0
    }

    fn all(&self, matches: impl Fn(&IgnoreRule) -> bool) -> Matches {
        let bits = (0..).zip(&self.rules);
        Matches(bits.fold(0, |bits, (at, rule)| bits | u64::from(matches(rule)) << at))
    }
}

/// What becomes of a caller that came after this callee was settled. Of several the last of these outweighs the others: one
/// that is not ignored is missing.
pub(super) fn missed_by(callee: Flags) -> Outcome {
    if callee.has(Flags::IGNORED) {
        Outcome::Filtered
    } else {
        Outcome::Late
    }
}

// === impl Shard ===

impl Shard {
    /// Filters the inbound span `at`, which would be a call of `parent`, if a rule ignores one of the two.
    pub(super) fn filter_pair(&mut self, at: u32, parent: &Seen, fx: &mut Effects) -> bool {
        let ignored = self.store.record(at).flags.has(Flags::IGNORED);
        if !ignored && !parent.flags.has(Flags::IGNORED) {
            return false;
        }
        self.filter_call(parent);
        self.decide(at, Outcome::Filtered, fx);
        true
    }

    /// Filters the call of a link, if a rule ignores one of the two.
    pub(super) fn filter_link(&mut self, from: &Linker, p: &Seen) -> bool {
        if !from.flags.has(Flags::IGNORED) && !p.flags.has(Flags::IGNORED) {
            return false;
        }
        self.filter_call(p);
        true
    }

    /// Notes with a span that links that one of its calls is left out: others may still be drawn, its parent is not
    /// asked any more.
    pub(super) fn filter_linked(&mut self, at: u32) {
        if self.store.record(at).flags.inbound() {
            self.store.mark(Place::Waiting(at), Flags::FILTERED);
        } else {
            self.note(at, Answered::Called);
        }
    }

    /// Filters the entry (R5) of an ignored span that is not inbound.
    pub(super) fn filter_entry(&mut self, at: u32, x: &Record, parent: &Seen) -> bool {
        if !x.flags.has(Flags::IGNORED) {
            return false;
        }
        self.filter_call(parent);
        self.store.mark(Place::Waiting(at), Flags::ENTERED);
        true
    }

    /// Notes that a member of an R5 group entered its service, and that an ignored caller filters it: an INTERNAL span
    /// altogether, an outbound one keeps its role as caller.
    pub(super) fn mark_entered(&mut self, member: Place, side: Side, parent: &Seen) {
        self.store.mark(member, Flags::ENTERED);
        if parent.flags.has(Flags::IGNORED) && side == Side::None {
            self.store.mark(member, Flags::FILTERED);
        }
    }

    /// Notes that a call of `parent` is left out. For what it is nested in, it had one.
    pub(super) fn filter_call(&mut self, parent: &Seen) {
        self.store.mark(parent.at, Flags::HAS_CALL);
        if parent.flags.outbound() {
            self.store.mark(parent.at, Flags::FILTERED);
        }
    }
}
