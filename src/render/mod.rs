//! One format, one file, one `write` function, each over the same sorted [`crate::topology::Topology`].
//! Renderers neither filter nor compute: whatever two formats both show is equal in both.

pub mod dot;
pub mod json;
mod picture;
pub(crate) mod text;

pub use picture::{Picture, RankDir, Theme};
