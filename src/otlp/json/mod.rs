//! OTLP/JSON: the same spans through the same walk.
//!
//! The document is checked whole, what the walker looks for is written in protobuf's wire form to a buffer that is
//! used again, and that is walked. Not the hot path: about an order of magnitude slower than protobuf, most of it
//! scanning text; but linear, without recursion, and with one rule set for both encodings.

mod number;
mod scanner;
mod transcode;
mod writer;

use super::{Chunk, Counts, KEPT_BYTES, Malformed, ResourceKeys, Scratch, walk};
use transcode::Transcoder;

/// Room for one request in protobuf's form.
#[derive(Debug, Default)]
pub(super) struct Room(writer::Writer);

/// Walks a whole OTLP/JSON `ExportTraceServiceRequest`, as [`walk`] does its protobuf form. Byte ranges and offsets of
/// its spans are those of the chunk's own copy; [`Malformed::offset`] is that of the JSON, except for invalid UTF-8.
///
/// Beyond the standard mapping it accepts a byte order mark, `null` for any field, enum names, whole numbers in any
/// notation bare or quoted, and ids of any case; an id that is not hex rejects its span. Members that no rule uses may
/// be anything that is JSON, at most 512 levels deep.
pub fn walk_json(
    request: &[u8],
    keys: &ResourceKeys,
    scratch: &mut Scratch,
    chunk: &mut dyn FnMut(Chunk<'_>),
) -> Result<Counts, Malformed> {
    let mut room = std::mem::take(&mut scratch.json);
    room.0.bytes.clear();
    let enum_names = Transcoder::new(request, keys, &mut room.0).run();
    let counts = enum_names.and_then(|enum_names| {
        let counts = walk(&room.0.bytes, keys, scratch, chunk)?;
        Ok(Counts {
            enum_names,
            ..counts
        })
    });
    if room.0.bytes.capacity() <= KEPT_BYTES {
        scratch.json = room;
    }
    counts
}
