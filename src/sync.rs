//! The locks of the engine, in one place so that a model checker can stand in for them.
//!
//! With the feature `shuttle`, which only tests turn on, every lock here is a point at which the threads of
//! `tests/core_shuttle.rs` may be switched. Locks taken below these, by maps and pools, are held for one expression and
//! stay what they are.

#[cfg(not(feature = "shuttle"))]
pub(crate) use parking_lot::{Mutex, MutexGuard, RwLock};
#[cfg(feature = "shuttle")]
pub(crate) use shuttle_parking_lot::{Mutex, MutexGuard, RwLock};
