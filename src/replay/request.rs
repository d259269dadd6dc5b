//! One request looked at before its turn: is it well formed, and when do its spans end.

use super::error::Bad;
use super::framing::{MAX_BYTES, ZSTD_MAGIC, is_json};
use super::pace::median;
use crate::otlp::{self, Counts, Encoding, ResourceKeys, Scratch};

/// A request that can be applied.
#[derive(Debug)]
pub(super) struct Held {
    pub(super) bytes: Vec<u8>,
    pub(super) encoding: Encoding,
    pub(super) ends: Ends,
}

/// When the accepted spans of one request ended, unix nanoseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Ends {
    pub(super) median: u64,
    /// The first and the last that is within ten minutes of the median.
    pub(super) first: u64,
    pub(super) last: u64,
}

/// Farther from the others of its request a span's end is a broken clock's, not a time of recording.
pub(super) const NEAR_NS: u64 = 600_000_000_000;

/// Reads requests ahead; room for one at a time.
#[derive(Debug)]
pub(super) struct Reader {
    /// As the core's: the protobuf form of JSON holds nothing else.
    keys: ResourceKeys,
    scratch: Scratch,
    ends_ns: Vec<u64>,
}

/// What a request says before it is applied.
#[derive(Debug)]
pub(super) struct Said {
    pub(super) counts: Counts,
    /// `None` without an accepted span.
    pub(super) held: Option<Held>,
}

// === impl Reader ===

impl Reader {
    pub(super) fn new(keys: ResourceKeys) -> Self {
        Self {
            keys,
            scratch: Scratch::default(),
            ends_ns: Vec::new(),
        }
    }

    /// Walks a request as it was stored. JSON is kept in the protobuf form the walk has made of it where that is the
    /// smaller, which it nearly always is: the core then need not read JSON again.
    pub(super) fn read(&mut self, stored: Vec<u8>, framed: bool) -> Result<Said, Bad> {
        let bytes = if framed && stored.starts_with(&ZSTD_MAGIC) {
            inflate(&stored)?
        } else {
            stored
        };
        let encoding = if !framed || (bytes.starts_with(b"{") && is_json(&bytes)) {
            Encoding::Json
        } else {
            Encoding::Protobuf
        };
        self.ends_ns.clear();
        let mut walked = None;
        let (keys, scratch) = (&self.keys, &mut self.scratch);
        let counts = otlp::read(&bytes, encoding, keys, scratch, &mut |chunk| {
            self.ends_ns.extend(chunk.spans().map(|span| span.end_ns));
            if encoding == Encoding::Json && walked.is_none() {
                walked = Some(chunk.request().to_vec());
            }
        })?;
        let (bytes, encoding) = match walked.filter(|walked| walked.len() <= bytes.len()) {
            Some(walked) => (walked, Encoding::Protobuf),
            None => (bytes, encoding),
        };
        let held = Ends::of(&mut self.ends_ns).map(|ends| Held {
            bytes,
            encoding,
            ends,
        });
        Ok(Said { counts, held })
    }
}

// === impl Ends ===

impl Ends {
    fn of(ends_ns: &mut [u64]) -> Option<Self> {
        let median_ns = median(ends_ns);
        let near = ends_ns
            .iter()
            .copied()
            .filter(|end| end.abs_diff(median_ns) <= NEAR_NS);
        Some(Self {
            median: median_ns,
            first: near.clone().min()?,
            last: near.max()?,
        })
    }
}

/// The Collector's file exporter compresses each frame by itself.
#[cfg(feature = "zstd")]
fn inflate(stored: &[u8]) -> Result<Vec<u8>, Bad> {
    use std::io::Read as _;

    let mut bytes = Vec::new();
    let decoder = zstd::stream::read::Decoder::new(stored).map_err(Bad::Zstd)?;
    decoder
        .take(MAX_BYTES as u64 + 1)
        .read_to_end(&mut bytes)
        .map_err(Bad::Zstd)?;
    if bytes.len() > MAX_BYTES {
        return Err(Bad::TooLong);
    }
    Ok(bytes)
}

#[cfg(not(feature = "zstd"))]
fn inflate(_: &[u8]) -> Result<Vec<u8>, Bad> {
    let _ = MAX_BYTES;
    Err(Bad::Zstd(std::io::Error::other("this build reads none")))
}
