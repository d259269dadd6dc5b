//! What can be wrong with a configuration, worded for whoever wrote it. All of these end the program with exit code 78.

use std::fmt;
use std::path::PathBuf;

/// Who said a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// Nobody: the table's default.
    Default,
    /// Nobody: worked out from the machine or from other keys.
    Derived,
    /// The file, on that line.
    File {
        /// From 1.
        line: u64,
    },
    /// An environment variable.
    Env(String),
    /// A `--set`.
    Set,
    /// A flag of its own.
    Flag(&'static str),
}

/// A configuration that cannot run.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("cannot read the configuration file {path}: {source}")]
    Read {
        /// As given.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The file is no YAML.
    #[error("the configuration file {path} is not valid YAML: {detail}")]
    Yaml {
        /// As given.
        path: PathBuf,
        /// With line and column.
        detail: String,
    },
    /// No such key.
    #[error("unknown key `{key}` ({origin}); {known}")]
    UnknownKey {
        /// Dotted path.
        key: String,
        /// Where it was written.
        origin: Origin,
        /// What there is instead.
        known: String,
    },
    /// The file has a key twice.
    #[error("`{key}` is written twice (lines {first} and {again})")]
    Twice {
        /// Dotted path.
        key: String,
        /// From 1.
        first: u64,
        /// From 1.
        again: u64,
    },
    /// A section was given a plain value.
    #[error("`{section}` ({origin}) is a section; {known}")]
    SectionWithValue {
        /// Dotted path.
        section: String,
        /// Where it was written.
        origin: Origin,
        /// Its keys.
        known: String,
    },
    /// A key was given a value it cannot take.
    #[error("bad value `{value}` for `{key}` ({origin}): {why}")]
    BadValue {
        /// Dotted path.
        key: String,
        /// As written.
        value: String,
        /// Where it was written.
        origin: Origin,
        /// What is wrong with it.
        why: String,
    },
    /// A file that a key names is of no use.
    #[error("`{key}` ({}): {why}", .path.display())]
    BadFile {
        /// Dotted path.
        key: &'static str,
        /// As given.
        path: PathBuf,
        /// What is wrong, never with what it holds.
        why: String,
    },
    /// A `--set` without `=`.
    #[error("`--set {text}` must look like `--set pairing.wait=10s`")]
    NotAnAssignment {
        /// As given.
        text: String,
    },
    /// Values that are each fine but not together.
    #[error("{0}")]
    Contradiction(String),
}

// === impl Origin ===

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::Derived => f.write_str("derived"),
            Self::File { line } => write!(f, "file, line {line}"),
            Self::Env(name) => write!(f, "environment variable {name}"),
            Self::Set => f.write_str("--set"),
            Self::Flag(name) => f.write_str(name),
        }
    }
}
