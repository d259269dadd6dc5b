//! Signs of life of nodes and edges, merged: first and last second, and single calls to look at.

use super::wire::{Field, Malformed, Reader};
use crate::proto;

/// First and last second with a sign of life.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Seen {
    pub(super) first_s: u64,
    pub(super) last_s: u64,
}

/// One call to look at. `rank` is what the greatest is chosen by, before trace, span and `other`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Exemplar {
    pub(super) rank: u64,
    pub(super) trace: [u8; 16],
    pub(super) span: [u8; 8],
    /// Of (duration, second) the one that is not the rank.
    pub(super) other: u64,
}

// === impl Seen ===

impl Seen {
    /// The identity of [`Seen::merge`].
    pub(super) const NEVER: Self = Self {
        first_s: u64::MAX,
        last_s: 0,
    };

    pub(super) fn merge(&mut self, other: Self) {
        self.first_s = self.first_s.min(other.first_s);
        self.last_s = self.last_s.max(other.last_s);
    }
}

// === impl Exemplar ===

impl Exemplar {
    /// Reads one, ranked by its second.
    pub(super) fn read(message: &[u8]) -> Result<Self, Malformed> {
        let mut read = Self {
            rank: 0,
            trace: [0; 16],
            span: [0; 8],
            other: 0,
        };
        let wrong = |_| Malformed("an exemplar's id has the wrong length");
        let mut reader = Reader::new(message);
        while let Some(field) = reader.field()? {
            match field {
                Field::Bytes(1, id) => read.trace = id.try_into().map_err(wrong)?,
                Field::Bytes(2, id) => read.span = id.try_into().map_err(wrong)?,
                Field::Number(3, duration_ns) => read.other = duration_ns,
                Field::Number(4, second) => read.rank = second,
                Field::Number(..) | Field::Bytes(..) => {}
            }
        }
        Ok(read)
    }

    /// The same, ranked by its duration.
    pub(super) fn by_duration(self) -> Self {
        Self {
            rank: self.other,
            other: self.rank,
            ..self
        }
    }

    /// Of one ranked by its second.
    pub(super) fn to_proto(self) -> proto::Exemplar {
        proto::Exemplar {
            trace_id: self.trace.to_vec(),
            span_id: self.span.to_vec(),
            duration_ns: self.other,
            second: self.rank,
        }
    }
}
