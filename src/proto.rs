//! Our own messages, generated from `proto/` by `build.rs`; slice.proto holds the table of merge operators.

#![allow(
    missing_docs,
    unreachable_pub,
    clippy::pedantic,
    unused_qualifications,
    clippy::allow_attributes_without_reason,
    clippy::clone_on_ref_ptr,
    reason = "generated code"
)]

tonic::include_proto!("spangraph.v1");

/// Descriptors of all of them, encoded.
pub const FILE_DESCRIPTOR_SET: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/descriptors.bin"));
