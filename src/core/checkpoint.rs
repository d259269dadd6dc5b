//! Handing over: everything that decides what later slices say, as bytes for the core that goes on in this one's place.
//!
//! In them (checkpoint.proto): the open slice, slices sealed and not yet fetched, the totals, waiting and remembered
//! spans, links. Not in them: shards, small ids, the resources seen, how much was released: those are a process's own.
//! Meant for one process to hand to the next of the same configuration; no command does that yet.
//!
//! Whatever the moment, the slices sealed before and those sealed by the restored core are, while no bound is hit, byte
//! for byte those of a core that was never interrupted. Of a wall clock that was set since the open slice began, the restored
//! core knows nothing: it takes the wall time that passed since then for monotonic time.

use std::sync::Arc;

use prost::Message as _;
use sha2::{Digest as _, Sha256};

use super::{Core, CoreConfig, SECOND_NS, Sealing, Start};
use crate::clock::Timestamp;
use crate::pairing::Unreadable;
use crate::proto::{self, Origin};
use crate::slice::{self, Join, MergeError, Sealed};

/// The schema of checkpoints this build writes, and the only one it reads.
const SCHEMA: u32 = 2;

/// Most monotonic time that may have passed since the open slice began. By then everything that waited or was remembered
/// is long gone; of more, the seconds are skipped as after a forward step of the wall clock, or a month on the shelf would
/// become millions of empty slices.
const LONGEST_PAUSE_NS: u64 = 6 * 3600 * SECOND_NS;

/// The last second, tick and sequence that leave room to go on from.
const LATEST: (u64, u32, u64) = (1 << 33, 1 << 31, 1 << 62);

/// Why bytes are not restored.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RestoreError {
    /// They are no checkpoint, or not whole.
    #[error("not a checkpoint: {0}")]
    Malformed(String),
    /// They were written by a build whose checkpoints mean something else.
    #[error("a checkpoint of schema {found}; this build reads {SCHEMA}")]
    Schema {
        /// The schema they name.
        found: u32,
    },
    /// They were written under another configuration, by which spans are paired otherwise.
    #[error("a checkpoint of configuration `{found}`; this is `{expected}`")]
    ConfigDigest {
        /// The digest they name.
        found: String,
        /// That of the configuration given.
        expected: String,
    },
}

// === impl Core ===

impl Core {
    /// Everything that decides what later slices say, as bytes for [`Core::restore`]. Leaves the core as it is; equal
    /// states are equal bytes.
    ///
    /// About 75 bytes for each span that is held whole, 35 for each that is remembered, 30 for each trace and 90 for each
    /// link, besides two slices or so; while it is written, some five times as much is in use. Nothing is taken in or
    /// sealed meanwhile.
    pub fn checkpoint(&self) -> Vec<u8> {
        let mut sealing = self.sealing.lock();
        let open = loop {
            self.close_over(&mut sealing);
            let open = self.open.write();
            if self.over.lock().is_empty() {
                break open;
            }
        };
        let (waiting, carried) = self.pairing.checkpoint(&self.graph, open.tick, &open.live);
        let state = proto::CoreState {
            config_digest: self.graph.config_digest().to_owned(),
            second: open.second,
            tick: open.tick,
            sequence: sealing.sequence,
            pending: sealing.pending,
            totals: Some(self.totals()),
            sealed: sealing.outbox.iter().map(write_sealed).collect(),
            waiting: Some(waiting),
            open: carried,
        };
        drop((open, sealing));
        let state = state.encode_to_vec();
        let checkpoint = proto::Checkpoint {
            schema: SCHEMA,
            sha256: Sha256::digest(&state).to_vec(),
            state,
        };
        checkpoint.encode_to_vec()
    }

    /// The core that goes on from a checkpoint, `at` the present time of this process. Its slices are those of `origin`,
    /// the open one whole. All or nothing.
    ///
    /// The monotonic clock of `at` may be another than that of the checkpoint: what passed since is told by the wall
    /// clock, at most six hours of it.
    pub fn restore(
        config: CoreConfig,
        origin: Origin,
        bytes: &[u8],
        at: Timestamp,
    ) -> Result<Self, RestoreError> {
        let state = read(bytes, &config.digest)?;
        let start = Start {
            second: state.second,
            tick: state.tick,
            began_mono_ns: 0,
        };
        check_times(&state)?;
        let core = Self {
            mono_offset_ns: mono_offset_ns(start, at),
            ..Self::start(config, origin, start)
        };
        let waiting = state.waiting.unwrap_or_default();
        let pending = core.pairing.restore(&core.graph, &waiting, state.tick)?;
        check_open(&state.open, state.pending, pending)?;
        core.open.write().live = Arc::new(core.graph.reopen(state.second, &state.open)?);
        *core.sealing.lock() = Sealing {
            sequence: state.sequence,
            pending: state.pending,
            outbox: state
                .sealed
                .into_iter()
                .map(|sealed| read_sealed(sealed, state.second))
                .collect::<Result<_, _>>()?,
            looked: state.tick,
        };
        *core.totals.lock() = state.totals.unwrap_or_default();
        Ok(core)
    }
}

/// The state in a checkpoint that is whole, of this schema and of this configuration.
fn read(bytes: &[u8], digest: &str) -> Result<proto::CoreState, RestoreError> {
    let checkpoint = proto::Checkpoint::decode(bytes).map_err(|error| undecodable(&error))?;
    if checkpoint.schema != SCHEMA {
        let found = checkpoint.schema;
        return Err(RestoreError::Schema { found });
    }
    if *Sha256::digest(&checkpoint.state) != *checkpoint.sha256 {
        return Err(Unreadable("its digest is another than it says").into());
    }
    let state =
        proto::CoreState::decode(&*checkpoint.state).map_err(|error| undecodable(&error))?;
    if state.config_digest != digest {
        return Err(RestoreError::ConfigDigest {
            found: state.config_digest,
            expected: digest.to_owned(),
        });
    }
    Ok(state)
}

fn undecodable(error: &prost::DecodeError) -> RestoreError {
    RestoreError::Malformed(error.to_string())
}

fn check_times(state: &proto::CoreState) -> Result<(), Unreadable> {
    let (second, tick, sequence) = LATEST;
    let possible =
        state.second <= second && (1..=tick).contains(&state.tick) && state.sequence <= sequence;
    possible
        .then_some(())
        .ok_or(Unreadable("a time that never comes"))
}

/// What is added to this process's monotonic time so that the open slice began at 0.
fn mono_offset_ns(start: Start, at: Timestamp) -> u64 {
    let passed = at.wall_ns.saturating_sub(start.second * SECOND_NS);
    passed.min(LONGEST_PAUSE_NS).wrapping_sub(at.mono_ns)
}

/// The law over the open slice so far: what waited before and what came is what was decided and what waits now.
fn check_open(open: &[u8], before: u64, now: u64) -> Result<(), RestoreError> {
    let open = proto::Slice::decode(open).map_err(|error| undecodable(&error))?;
    if open.end_unix_s != 0 || !open.origins.is_empty() {
        return Err(Unreadable("an open slice that is sealed").into());
    }
    let law = open.law.unwrap_or_default();
    let decided = slice::law::outcomes(&law);
    match (before.checked_add(law.accepted), decided.checked_add(now)) {
        (Some(came), Some(went)) if came == went => Ok(()),
        _ => Err(Unreadable("its spans do not add up").into()),
    }
}

fn write_sealed(sealed: &Sealed) -> proto::SealedSlice {
    proto::SealedSlice {
        start_unix_s: sealed.start_unix_s,
        end_unix_s: sealed.end_unix_s,
        slice: sealed.bytes.to_vec(),
    }
}

/// A slice that was complete before the unix second `second`.
fn read_sealed(sealed: proto::SealedSlice, second: u64) -> Result<Sealed, RestoreError> {
    let proto::SealedSlice {
        start_unix_s,
        end_unix_s,
        slice,
    } = sealed;
    if start_unix_s >= end_unix_s || end_unix_s > second {
        return Err(Unreadable("a sealed slice of another time").into());
    }
    slice::join(Join::Then, [&*slice])?;
    Ok(Sealed {
        start_unix_s,
        end_unix_s,
        bytes: slice.into(),
    })
}

// === impl RestoreError ===

impl From<Unreadable> for RestoreError {
    fn from(Unreadable(why): Unreadable) -> Self {
        Self::Malformed(why.to_owned())
    }
}

impl From<MergeError> for RestoreError {
    fn from(error: MergeError) -> Self {
        Self::Malformed(error.to_string())
    }
}
