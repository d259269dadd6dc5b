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
