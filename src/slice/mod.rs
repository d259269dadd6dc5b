//! Slices at rest: encoding, merging, and the law they keep. The waist between the two arms.
//!
//! Merging follows the table in slice.proto. [`Accumulator`] is the one merger: it reads encoded slices and yields one
//! merged [`crate::proto::Slice`]; [`then`] and [`beside`] are it, applied to two.

mod accumulator;
mod buckets;
mod finish;
mod header;
mod ids;
pub mod law;
mod parts;
pub mod quantile;
mod seen;
mod sets;
mod signs;
mod strings;
mod unpaired;
mod wire;

use bytes::Bytes;

pub use accumulator::Accumulator;
pub(crate) use header::add_counts;
pub use ids::node_ids;
pub use seen::{Sightings, sightings};
pub(crate) use unpaired::{Listed, Row, RowKey, Tally};

/// The schema of slices this build writes, and the only one it reads.
pub const SCHEMA: u32 = 1;

/// Most buckets of one histogram: 20 octaves at scale 4, 10 µs to 10 s. Beyond, it is downscaled.
pub const MAX_BUCKETS: usize = 320;

/// Most rows of unpaired spans with a span name in one slice, merged or not; and most for further names.
pub const MAX_UNPAIRED_ROWS: usize = 1000;

/// Most of these that are alike but for the span name: so that a service which makes span names from ids leaves room.
pub const MAX_SPAN_NAMES: usize = 100;

/// A complete second (or longer, after a backward step of the wall clock): never changes again.
#[derive(Debug, Clone)]
pub struct Sealed {
    /// First unix second.
    pub start_unix_s: u64,
    /// First unix second after.
    pub end_unix_s: u64,
    /// The encoded `spangraph.v1.Slice`.
    pub bytes: Bytes,
}

/// How slices are joined.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Join {
    /// In time: slices of one origin (or of one already joined set of origins), seconds after seconds.
    Then,
    /// Side by side: slices of the same seconds from several origins.
    Beside,
}

/// Why slices do not merge.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum MergeError {
    /// The bytes are no slice of a schema this build knows.
    #[error("not a slice: {0}")]
    Malformed(String),
    /// `beside` refuses slices made under different configurations, since their counts mean different things.
    #[error("slices of different configurations: `{a}` and `{b}`")]
    ConfigDigest {
        /// One digest.
        a: String,
        /// The other.
        b: String,
    },
}

/// Joins two slices in time.
pub fn then(a: &[u8], b: &[u8]) -> Result<Bytes, MergeError> {
    join(Join::Then, [a, b])
}

/// Joins two slices of the same time from different origins.
pub fn beside(a: &[u8], b: &[u8]) -> Result<Bytes, MergeError> {
    join(Join::Beside, [a, b])
}

/// Joins any number of encoded slices into one encoded slice.
pub fn join<'a>(
    join: Join,
    slices: impl IntoIterator<Item = &'a [u8]>,
) -> Result<Bytes, MergeError> {
    let mut merged = Accumulator::new(join);
    for slice in slices {
        merged.add(slice)?;
    }
    Ok(merged.finish_encoded())
}
