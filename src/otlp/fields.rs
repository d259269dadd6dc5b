//! The fields of one encoded `Span`, read in one pass; attributes and links are only located.

#![expect(
    clippy::inline_always,
    reason = "as in `value`: the fields stay in registers until the row is written"
)]

use super::Malformed;
use super::links::LINK;
use super::wire::{Place, Reader, fixed32, fixed64, len, varint};
use crate::span::{SpanId, SpanKind, TraceId};

/// A span as sent, unchecked.
#[derive(Debug, Default)]
pub(super) struct Fields<'a> {
    trace_id: &'a [u8],
    span_id: &'a [u8],
    parent_span_id: &'a [u8],
    pub(super) trace_state: Place,
    pub(super) name: Place,
    pub(super) kind: SpanKind,
    pub(super) flags: u32,
    pub(super) start_ns: u64,
    pub(super) end_ns: u64,
    pub(super) failed: bool,
    pub(super) attributes: Run,
    pub(super) links: Run,
}

/// Where the fields of one kind lie: from the first one's key to the last one's end, others perhaps between.
/// `count` is that of links; of attributes, whether there are any.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Run {
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) count: u32,
}

/// Checked ids.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ids {
    pub(super) trace: TraceId,
    pub(super) span: SpanId,
    pub(super) parent: Option<SpanId>,
}

/// Which id is bad: an index into [`Counts::rejected`](super::Counts::rejected).
#[derive(Debug, Clone, Copy)]
pub(super) enum Reject {
    Trace = 0,
    Span = 1,
    Parent = 2,
}

const KNOWN: u32 = 0x1_fffe;
const TRACE_ID: u32 = len(1);
const SPAN_ID: u32 = len(2);
const TRACE_STATE: u32 = len(3);
const PARENT_SPAN_ID: u32 = len(4);
const NAME: u32 = len(5);
const KIND: u32 = varint(6);
const START: u32 = fixed64(7);
const END: u32 = fixed64(8);
/// The key of `Span.attributes`.
pub(super) const ATTRIBUTE: u32 = len(9);
const DROPPED_ATTRIBUTES: u32 = varint(10);
const EVENT: u32 = len(11);
const DROPPED_EVENTS: u32 = varint(12);
const DROPPED_LINKS: u32 = varint(14);
const STATUS: u32 = len(15);
const FLAGS: u32 = fixed32(16);

const STATUS_KNOWN: u32 = 1 << 2 | 1 << 3;
const STATUS_MESSAGE: u32 = len(2);
const STATUS_CODE: u32 = varint(3);
const STATUS_ERROR: u32 = 2;

// === impl Fields ===

impl<'a> Fields<'a> {
    /// Reads a span. The last of a repeated scalar counts; statuses merge.
    #[inline(always)]
    pub(super) fn read(mut span: Reader<'a>) -> Result<Self, Malformed> {
        let mut fields = Self::default();
        while span.more() {
            let start = span.at();
            match span.key()? {
                TRACE_ID => fields.trace_id = span.bytes()?,
                SPAN_ID => fields.span_id = span.bytes()?,
                TRACE_STATE => fields.trace_state = span.place()?,
                PARENT_SPAN_ID => fields.parent_span_id = span.bytes()?,
                NAME => fields.name = span.place()?,
                KIND => fields.kind = SpanKind::from_otlp(u64::from(span.varint32()?)),
                START => fields.start_ns = span.fixed64()?,
                END => fields.end_ns = span.fixed64()?,
                ATTRIBUTE => {
                    // They come in one run, nearly half of a span's bytes: kept out of the match.
                    span.bytes()?;
                    while span.take_key(ATTRIBUTE) {
                        span.bytes()?;
                    }
                    fields.attributes.extend(start, span.at());
                }
                EVENT => drop(span.bytes()?),
                LINK => {
                    span.bytes()?;
                    fields.links.extend(start, span.at());
                }
                STATUS => read_status(span.message()?, &mut fields.failed)?,
                FLAGS => fields.flags = span.fixed32()?,
                DROPPED_ATTRIBUTES | DROPPED_EVENTS | DROPPED_LINKS => drop(span.varint()?),
                key => span.skip_unknown(key, KNOWN)?,
            }
        }
        Ok(fields)
    }

    /// Checks the ids (pairing R0); the first bad one is the reason.
    pub(super) fn ids(&self) -> Result<Ids, Reject> {
        let trace = TraceId::new(self.trace_id).ok_or(Reject::Trace)?;
        let span = SpanId::new(self.span_id).ok_or(Reject::Span)?;
        let parent = match self.parent_span_id.len() {
            0 | 8 => SpanId::new(self.parent_span_id).filter(|parent| *parent != span),
            _ => return Err(Reject::Parent),
        };
        Ok(Ids {
            trace,
            span,
            parent,
        })
    }
}

fn read_status(mut status: Reader<'_>, failed: &mut bool) -> Result<(), Malformed> {
    while status.more() {
        match status.key()? {
            STATUS_CODE => *failed = status.varint32()? == STATUS_ERROR,
            STATUS_MESSAGE => drop(status.bytes()?),
            key => status.skip_unknown(key, STATUS_KNOWN)?,
        }
    }
    Ok(())
}

// === impl Run ===

impl Run {
    fn extend(&mut self, start: usize, end: usize) {
        if self.count == 0 {
            self.start = start;
        }
        self.end = end;
        self.count += 1;
    }

    /// As a place.
    pub(super) fn place(self) -> Place {
        Place::new(self.start, self.end - self.start)
    }
}
