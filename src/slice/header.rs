//! What a slice says about itself as a whole: its time, its configuration, and the terms of the law.

use prost::Message;

use super::wire::{Field, Malformed};
use super::{Join, MergeError, SCHEMA};
use crate::proto;

/// The merged header of all slices so far.
#[derive(Debug)]
pub(super) struct Header {
    join: Join,
    /// `None` until a slice with any time in it was added.
    pub(super) times: Option<Times>,
    pub(super) law: proto::Law,
    pub(super) through_offset: u64,
}

/// When, and under which configuration.
#[derive(Debug, Clone, Default)]
pub(super) struct Times {
    pub(super) start_unix_s: u64,
    pub(super) end_unix_s: u64,
    pub(super) monotonic_ns: u64,
    pub(super) covered_ns: u64,
    pub(super) first_sequence: u64,
    pub(super) last_sequence: u64,
    pub(super) config_digest: String,
}

/// The header of one slice.
#[derive(Debug, Clone, Default)]
pub(super) struct OneHeader {
    schema: u64,
    times: Times,
    law: proto::Law,
    through_offset: u64,
}

// === impl Header ===

impl Header {
    pub(super) fn new(join: Join) -> Self {
        Self {
            join,
            times: None,
            law: proto::Law {
                rejected: Some(proto::Rejected::default()),
                outcomes: Some(proto::Outcomes::default()),
                calls: Some(proto::CallClasses::default()),
                ..proto::Law::default()
            },
            through_offset: 0,
        }
    }

    /// Joins one more; refuses a schema this build does not know, and in `beside` another configuration.
    pub(super) fn join(&mut self, one: OneHeader) -> Result<(), MergeError> {
        if one.schema != u64::from(SCHEMA) {
            return Err(MergeError::Malformed(format!(
                "schema {} is not known here",
                one.schema
            )));
        }
        let empty = one.times.end_unix_s == 0;
        if !empty {
            match &mut self.times {
                None => {
                    self.law.pending_before = one.law.pending_before;
                    self.law.pending_after = one.law.pending_after;
                    self.times = Some(one.times);
                }
                Some(times) if self.join == Join::Then => {
                    times.then(&one.times, &mut self.law, &one.law);
                }
                Some(times) => times.beside(one.times, &mut self.law, &one.law)?,
            }
        }
        add_counts(&mut self.law, &one.law);
        self.through_offset = self.through_offset.max(one.through_offset);
        Ok(())
    }
}

// === impl OneHeader ===

impl OneHeader {
    /// Takes one field of a slice, if it is one of the header's.
    pub(super) fn take(&mut self, field: Field<'_>) -> Result<(), Malformed> {
        match field {
            Field::Number(1, v) => self.schema = v,
            Field::Number(3, v) => self.times.start_unix_s = v,
            Field::Number(4, v) => self.times.end_unix_s = v,
            Field::Number(5, v) => self.times.monotonic_ns = v,
            Field::Number(6, v) => self.times.covered_ns = v,
            Field::Number(7, v) => self.times.first_sequence = v,
            Field::Number(8, v) => self.times.last_sequence = v,
            Field::Bytes(9, digest) => {
                let digest =
                    str::from_utf8(digest).map_err(|_| Malformed("the digest is not UTF-8"))?;
                digest.clone_into(&mut self.times.config_digest);
            }
            Field::Bytes(11, law) => {
                self.law =
                    proto::Law::decode(law).map_err(|_| Malformed("the law does not decode"))?;
            }
            Field::Number(16, v) => self.through_offset = v,
            Field::Number(..) | Field::Bytes(..) => {}
        }
        Ok(())
    }
}

// === impl Times ===

impl Times {
    /// Earlier and later are told by the seconds alone, never by the order of adding.
    fn then(&mut self, other: &Self, law: &mut proto::Law, one: &proto::Law) {
        let (mine, its) = (
            (self.start_unix_s, law.pending_before),
            (other.start_unix_s, one.pending_before),
        );
        law.pending_before = mine.min(its).1;
        let (mine, its) = (
            (self.end_unix_s, law.pending_after),
            (other.end_unix_s, one.pending_after),
        );
        law.pending_after = mine.max(its).1;
        if (other.end_unix_s, &other.config_digest) > (self.end_unix_s, &self.config_digest) {
            self.config_digest.clone_from(&other.config_digest);
        }
        self.monotonic_ns = self.monotonic_ns.saturating_add(other.monotonic_ns);
        self.covered_ns = self.covered_ns.saturating_add(other.covered_ns);
        self.widen(other);
    }

    fn beside(
        &mut self,
        other: Self,
        law: &mut proto::Law,
        one: &proto::Law,
    ) -> Result<(), MergeError> {
        if self.config_digest != other.config_digest {
            return Err(MergeError::ConfigDigest {
                a: self.config_digest.clone(),
                b: other.config_digest,
            });
        }
        law.pending_before = law.pending_before.saturating_add(one.pending_before);
        law.pending_after = law.pending_after.saturating_add(one.pending_after);
        self.monotonic_ns = self.monotonic_ns.max(other.monotonic_ns);
        self.covered_ns = self.covered_ns.max(other.covered_ns);
        self.widen(&other);
        Ok(())
    }

    fn widen(&mut self, other: &Self) {
        self.start_unix_s = self.start_unix_s.min(other.start_unix_s);
        self.end_unix_s = self.end_unix_s.max(other.end_unix_s);
        self.first_sequence = self.first_sequence.min(other.first_sequence);
        self.last_sequence = self.last_sequence.max(other.last_sequence);
    }
}

/// Adds every term of the law but the two pendings, which depend on the join.
pub(crate) fn add_counts(sum: &mut proto::Law, one: &proto::Law) {
    macro_rules! add {
        ($to:expr, $from:expr, $($field:ident),+) => {
            $($to.$field = $to.$field.saturating_add($from.$field);)+
        };
    }
    add!(
        sum,
        one,
        decoded,
        accepted,
        negative_duration,
        negative_gap,
        clock_skew
    );
    add!(sum, one, unresolved_links, overflow_calls, evicted);
    if let Some(from) = &one.rejected {
        let to = sum.rejected.get_or_insert_default();
        add!(to, from, trace_id, span_id, parent_span_id);
    }
    if let Some(from) = &one.outcomes {
        let to = sum.outcomes.get_or_insert_default();
        add!(to, from, paired, r#virtual, internal, root, unpaired_client);
        add!(to, from, unpaired_server, filtered, duplicate, late);
    }
    if let Some(from) = &one.calls {
        let to = sum.calls.get_or_insert_default();
        add!(
            to,
            from,
            paired,
            entry,
            linked,
            virtual_server,
            virtual_client
        );
    }
}
