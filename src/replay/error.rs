//! Why a replay ends without a graph, worded for whoever typed the command.

use std::io;

use crate::otlp::Malformed;
use crate::render::WriteError;
use crate::slice::MergeError;
use crate::topology::BuildError;

/// Why there is no graph. All but [`ReplayError::Query`] are exit code 1.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    /// `--query` or `--format`; a mistake in usage.
    #[error("--query: {0}")]
    Query(String),
    /// A file.
    #[error("cannot read {name}: {source}")]
    Read {
        /// As typed.
        name: String,
        /// Why not.
        source: io::Error,
    },
    /// A file that is compressed as a whole.
    #[error("{name} is compressed; try: {tool} {name} | spangraph replay -")]
    Compressed {
        /// As typed.
        name: String,
        /// A command that takes it apart.
        tool: &'static str,
    },
    /// A file that is none of what is read.
    #[error(
        "{name} looks neither like JSON lines nor like length-delimited protobuf; if it is, say --framing"
    )]
    Unknown {
        /// As typed.
        name: String,
    },
    /// `--strict`; the place was named before.
    #[error("stopped at the first bad one, as --strict says")]
    Strict,
    /// Nothing to draw.
    #[error("no span was accepted, so there is no graph")]
    Nothing,
    /// What was asked is not in the graph.
    #[error(transparent)]
    Build(#[from] BuildError),
    /// A defect.
    #[error("a defect: the graph cannot be written: {0}")]
    Write(#[from] WriteError),
    /// A defect.
    #[error("a defect: the sealed slices cannot be merged: {0}")]
    Merge(#[from] MergeError),
    /// A defect.
    #[error("a defect: a request that was read before cannot be read: {0}")]
    Apply(#[from] Malformed),
    /// Standard output.
    #[error("cannot write the output: {0}")]
    Output(io::Error),
}

/// Why one line or frame does not count; the rest does.
#[derive(Debug, thiserror::Error)]
pub(super) enum Bad {
    #[error("longer than 64 MiB")]
    TooLong,
    #[error("cut off by the end of the input")]
    CutOff,
    #[error("its length makes no sense, so what follows cannot be found")]
    Length,
    #[error("zstd: {0}")]
    Zstd(io::Error),
    #[error(transparent)]
    Malformed(#[from] Malformed),
}
