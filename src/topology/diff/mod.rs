//! Two windows of one service graph become a [`Diff`]: what came, what went, and what changed beyond chance.
//!
//! Fed by two [`Topology`]s of the same query, or by two merged slices and a query; renderers and the API serve what
//! comes out. Knows nothing about times, formats or HTTP. It compares two windows and no more: there is no learning,
//! no season, no forecast, and so an ordinary evening differs from an ordinary night.
//!
//! [`Topology`]: crate::topology::Topology

mod compare;
mod figures;
mod judge;
mod measure;
mod model;
mod pick;
mod reason;
mod sample;
mod settings;
mod stats;

pub use compare::compare;
pub use model::{
    Change, Counts, Diff, EdgeDiff, LatencyChange, Measure, NodeDiff, Shape, Side, Status, Tally,
    Test, Viewpoint,
};
pub use pick::{Windowed, build};
pub use reason::{Reason, Way};
pub use settings::Settings;
