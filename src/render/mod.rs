//! One format, one file, one `write` function, each over the same sorted [`crate::topology::Topology`]; [`Format`] is
//! the table of them all. Renderers neither filter nor compute: whatever two formats both show is equal in both.

mod callers;
pub mod csv;
pub mod dependencies;
pub mod diff;
pub mod dot;
pub mod exposition;
mod facts;
mod flat;
mod format;
pub mod grafana;
pub mod graph_series;
pub mod graphml;
pub mod json;
mod look;
pub mod mermaid;
pub mod node_link;
mod picture;
pub mod plantuml;
pub mod svg;
pub(crate) mod text;
mod xml;

pub use format::{Format, Undrawn, View, WriteError, Written};
pub use picture::{Picture, RankDir, Theme};
