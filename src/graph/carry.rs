//! An open slice taken along: written as a slice without time, which any seal may be merged with (slice.proto), and
//! joined into the slice of the same second when that is sealed elsewhere.

use bytes::Bytes;
use prost::Message as _;

use super::shared::Shared;
use super::{LiveSlice, SealInfo, seal};
use crate::proto::Slice;
use crate::slice::{Accumulator, Join, MergeError};

/// Everything `live` holds, itself carried or not.
pub(super) fn carry(shared: &Shared, live: &LiveSlice) -> Vec<u8> {
    let slice = seal::write(shared, &live.copy(), live.second(), &SealInfo::default());
    let timeless = Slice {
        origins: Vec::new(),
        start_unix_s: 0,
        end_unix_s: 0,
        config_digest: String::new(),
        ..slice
    };
    // Even alone, so that it is written alike whether or not it was carried before.
    joined(&timeless, live.carried().as_deref()).encode_to_vec()
}

/// The slice, with what was carried into its second.
pub(super) fn join(slice: Slice, carried: Option<Bytes>) -> Slice {
    match carried {
        None => slice,
        Some(carried) => joined(&slice, Some(&carried)),
    }
}

/// Refuses what [`join`] could not join.
pub(super) fn check(carried: &[u8]) -> Result<Bytes, MergeError> {
    Accumulator::new(Join::Then).add(carried)?;
    Ok(Bytes::copy_from_slice(carried))
}

fn joined(slice: &Slice, carried: Option<&[u8]>) -> Slice {
    let mut sum = Accumulator::new(Join::Then);
    let slice = slice.encode_to_vec();
    for part in [Some(&*slice), carried].into_iter().flatten() {
        sum.add(part)
            .expect("our own, or checked when it was taken");
    }
    sum.finish()
}
