//! A span's links, checked while walking and read again on demand.

use super::Malformed;
use super::wire::{Reader, fixed32, len, varint};
use crate::span::{LinkTarget, Links, SpanId, TraceId};

/// Most links of one span that are looked at (pairing R12).
pub const MAX_LINKS: u32 = 128;

/// The key of `Span.links`.
pub(super) const LINK: u32 = len(13);

const KNOWN: u32 = 0b111_1110;
const TRACE_ID: u32 = len(1);
const SPAN_ID: u32 = len(2);
const TRACE_STATE: u32 = len(3);
const ATTRIBUTE: u32 = len(4);
const DROPPED_ATTRIBUTES: u32 = varint(5);
const FLAGS: u32 = fixed32(6);

/// Checks every link in a run of span fields.
pub(super) fn check(mut run: Reader<'_>) -> Result<(), Malformed> {
    while run.more() {
        match run.key()? {
            LINK => drop(read(run.message()?)?),
            key => run.skip(key)?,
        }
    }
    Ok(())
}

/// `None` for a link whose ids are zero or of the wrong length.
fn read(mut link: Reader<'_>) -> Result<Option<LinkTarget>, Malformed> {
    let (mut trace, mut span, mut flags): (&[u8], &[u8], u32) = (b"", b"", 0);
    while link.more() {
        match link.key()? {
            TRACE_ID => trace = link.bytes()?,
            SPAN_ID => span = link.bytes()?,
            TRACE_STATE | ATTRIBUTE => drop(link.bytes()?),
            DROPPED_ATTRIBUTES => drop(link.varint()?),
            FLAGS => flags = link.fixed32()?,
            key => link.skip_unknown(key, KNOWN)?,
        }
    }
    let ids = TraceId::new(trace).zip(SpanId::new(span));
    Ok(ids.map(|(trace, span)| LinkTarget { trace, span, flags }))
}

// === impl Links ===

impl<'a> Links<'a> {
    /// How many links stand behind those that [`Links::targets`] looks at.
    pub fn unread(self) -> u64 {
        u64::from(self.count).saturating_sub(u64::from(MAX_LINKS))
    }

    /// The targets of the first [`MAX_LINKS`] links in the order sent, repeats included; those with an invalid id are
    /// left out but counted among the first.
    pub fn targets(self) -> impl Iterator<Item = LinkTarget> + use<'a> {
        let mut run = Reader::new(self.encoded);
        std::iter::from_fn(move || next_link(&mut run))
            .take(MAX_LINKS as usize)
            .filter_map(|link| read(link).ok()?)
    }
}

/// The next link of a run that was checked: errors cannot happen, and would simply end it.
fn next_link<'a>(run: &mut Reader<'a>) -> Option<Reader<'a>> {
    while run.more() {
        match run.key().ok()? {
            LINK => return run.message().ok(),
            key => run.skip(key).ok()?,
        }
    }
    None
}
