//! One format, one file, one `write` function, each over the same sorted [`crate::topology::Topology`]; [`Format`] is
//! the table of them all. Renderers neither filter nor compute: whatever two formats both show is equal in both.

pub mod dot;
mod format;
pub mod json;
mod picture;
pub(crate) mod text;

pub use format::{Format, View, WriteError};
pub use picture::{Picture, RankDir, Theme};
