//! The two ways an OTLP request is written, and the one call that reads either.

use super::{Chunk, Counts, Malformed, ResourceKeys, Scratch, walk, walk_json};

/// How a request is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// `application/x-protobuf`, and always on gRPC.
    Protobuf,
    /// `application/json`.
    Json,
}

/// [`walk`] or [`walk_json`], as `encoding` says.
pub fn read(
    request: &[u8],
    encoding: Encoding,
    keys: &ResourceKeys,
    scratch: &mut Scratch,
    chunk: &mut dyn FnMut(Chunk<'_>),
) -> Result<Counts, Malformed> {
    match encoding {
        Encoding::Protobuf => walk(request, keys, scratch, chunk),
        Encoding::Json => walk_json(request, keys, scratch, chunk),
    }
}
