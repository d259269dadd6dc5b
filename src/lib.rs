//! Spangraph turns OpenTelemetry traces into a live service dependency graph.
//!
//! ```text
//!             write arm                          the waist                    read arm
//!  exporters ──▶ receiver ──▶ otlp ──▶ pairing ──▶ graph ──▶ history ──▶ topology ──▶ render ──▶ api ──▶ people, tools
//!    gRPC        admit        walk      halves      live       sealed      merge a      DOT …     HTTP
//!    HTTP        bytes        bytes     to calls    slice      slices      window       JSON
//!                             to spans
//!                             └────────── core ──────────┘
//! ```
//!
//! The slice is the one currency: everything the graph learned in one second of arrival time. Nothing right of
//! [`history`] knows about spans; nothing left of it knows about windows. The two arms never import each other;
//! `tests/layering.rs` holds this. `docs/ARCHITECTURE.md` has the map.

pub mod access;
pub mod api;
pub mod bearer;
mod bounded;
pub mod cli;
pub mod clock;
pub mod config;
pub mod core;
pub mod daemon;
pub mod demo;
pub mod diff;
pub mod glob;
pub mod graph;
pub mod health;
pub mod history;
pub mod net;
pub mod otlp;
pub mod pairing;
pub mod proto;
pub mod receiver;
pub mod render;
pub mod replay;
pub mod semconv;
pub mod slice;
pub mod snapshot;
pub mod span;
mod sync;
pub mod telemetry;
pub mod topology;
