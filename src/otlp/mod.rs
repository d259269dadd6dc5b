//! OTLP bytes to spans: the protobuf wire walker and the JSON reader. Pure: no I/O, no clock.
//!
//! All or nothing: a request is walked to its end before any of its spans is handed out, so a malformed request
//! counts nothing. No allocation per span: rows live in a [`Scratch`] that is used again.
//!
//! Reads what prost's full decode of `ExportTraceServiceRequest` reads, with two differences, both in favour of the
//! sender: strings that no rule uses are not checked for UTF-8, and messages that no rule uses (events, scopes, array
//! values, the attributes of spans whose kind needs none) are skipped without a look inside, however deep or broken.

mod attributes;
mod chunk;
mod encoding;
mod fields;
mod json;
mod links;
mod resource;
mod value;
mod walker;
mod wire;

pub use chunk::Chunk;
pub use encoding::{Encoding, read};
pub use json::walk_json;
pub use links::MAX_LINKS;
pub use resource::ResourceKeys;

/// Reusable room for one chunk's worth of rows (offsets into the request, no borrowed data).
///
/// Holds at most [`CHUNK_SPANS`] spans, 22 attributes each; beyond that only the copy of resources that a sender
/// split in pieces and the protobuf form of a JSON request; each is within thrice the request and given back when it
/// was larger than a mebibyte.
#[derive(Debug, Default)]
pub struct Scratch {
    rows: chunk::Rows,
    slots: attributes::Slots,
    json: json::Room,
}

/// Why a request is malformed. Worded for whoever sent it.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("{what} at byte {offset}")]
pub struct Malformed {
    /// What is wrong there.
    pub what: &'static str,
    /// Where in the request.
    pub offset: usize,
}

/// What one walked chunk, or a whole request, holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// Spans read, the rejected included.
    pub decoded: u64,
    /// Rejected for their trace id, span id, parent span id, in this order; each span counts once, first reason.
    pub rejected: [u64; 3],
    /// Enum values sent by name, which OTLP/JSON forbids but which are understood. Of whole JSON requests only.
    pub enum_names: u64,
}

/// Spans per chunk: the scratch's bound, and the longest hold of the core's guard.
pub const CHUNK_SPANS: usize = 2048;

/// Room for copies that is kept between requests; a larger one was one sender's doing.
const KEPT_BYTES: usize = 1 << 20;

/// Walks a whole protobuf `ExportTraceServiceRequest` and calls `chunk` for every [`CHUNK_SPANS`] spans (and the last
/// few), after the end of the request was reached once without an error. A request without spans calls nothing. Of
/// resources it reads what `keys` name.
pub fn walk(
    request: &[u8],
    keys: &ResourceKeys,
    scratch: &mut Scratch,
    chunk: &mut dyn FnMut(Chunk<'_>),
) -> Result<Counts, Malformed> {
    if u32::try_from(request.len()).is_err() {
        return Err(Malformed {
            what: "request of 4 GiB or more",
            offset: 0,
        });
    }
    let counts = walk_twice(request, keys, scratch, chunk);
    if scratch.rows.joined.capacity() > KEPT_BYTES {
        scratch.rows.joined = Vec::new();
    }
    counts
}

/// The first pass alone suffices when all spans fitted in one chunk.
fn walk_twice(
    request: &[u8],
    keys: &ResourceKeys,
    scratch: &mut Scratch,
    chunk: &mut dyn FnMut(Chunk<'_>),
) -> Result<Counts, Malformed> {
    let (mut before, mut counts) = walker::Pass::new(request, keys, scratch, None).run()?;
    if before != Counts::default() {
        (before, counts) = walker::Pass::new(request, keys, scratch, Some(&mut *chunk)).run()?;
    }
    if counts.decoded > 0 {
        chunk(Chunk::of(request, &scratch.rows, counts));
    }
    before += counts;
    Ok(before)
}

// === impl Counts ===

impl std::ops::AddAssign for Counts {
    fn add_assign(&mut self, other: Self) {
        self.decoded += other.decoded;
        self.enum_names += other.enum_names;
        for (mine, theirs) in self.rejected.iter_mut().zip(other.rejected) {
            *mine += theirs;
        }
    }
}
