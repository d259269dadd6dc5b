//! Finished bodies by key, and one build per key at a time.
//!
//! A build outlives the request that asked for it, so a client that goes away neither wastes it nor starts a second
//! one. Bounds: bytes and number of bodies kept (the longest unused goes), builds running, and keys being built
//! (beyond: [`Problem::Busy`]).

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use http::{HeaderName, HeaderValue};
use parking_lot::Mutex;
use tokio::sync::{Semaphore, watch};

use super::problem::Problem;

/// Bodies kept, whatever their size.
const MAX_BODIES: usize = 256;
/// Different keys being built or waiting to be.
const MAX_BUILDING: usize = 64;

/// What a build comes to.
pub(super) type Outcome = Result<Made, Problem>;

/// A finished body, and what stands in the head beside it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Made {
    pub(super) bytes: Bytes,
    /// What the body's maker says of it.
    pub(super) field: Option<Field>,
}

/// A field of a head.
pub(super) type Field = (HeaderName, HeaderValue);

/// Bodies and builds.
#[derive(Debug)]
pub(super) struct Memo {
    state: Mutex<State>,
    running: Semaphore,
    max_bytes: usize,
    counters: Counters,
}

/// What happened since start.
#[derive(Debug, Default)]
pub(super) struct Counters {
    pub(super) hits: AtomicU64,
    pub(super) builds: AtomicU64,
    pub(super) shared: AtomicU64,
    pub(super) evicted: AtomicU64,
    pub(super) refused: AtomicU64,
    pub(super) failed: AtomicU64,
}

#[derive(Debug, Default)]
struct State {
    bodies: HashMap<String, Body>,
    bytes: usize,
    /// Counts uses; the body with the smallest is the longest unused.
    uses: u64,
    building: HashMap<String, watch::Receiver<Option<Outcome>>>,
}

#[derive(Debug)]
struct Body {
    made: Made,
    used: u64,
}

/// What a key leads to.
enum Found {
    Body(Made),
    Building(watch::Receiver<Option<Outcome>>),
    Mine(
        watch::Sender<Option<Outcome>>,
        watch::Receiver<Option<Outcome>>,
    ),
    Full,
}

// === impl Memo ===

impl Memo {
    /// Keeps at most `max_bytes` of bodies and runs at most `max_running` builds at once.
    pub(super) fn new(max_bytes: usize, max_running: usize) -> Arc<Self> {
        Arc::new(Self {
            state: Mutex::default(),
            running: Semaphore::new(max_running.max(1)),
            max_bytes,
            counters: Counters::default(),
        })
    }

    /// The body of `key`: remembered, being built, or built now by `build` on a blocking thread.
    pub(super) async fn get(
        self: &Arc<Self>,
        key: &str,
        build: impl FnOnce() -> Outcome + Send + 'static,
    ) -> Outcome {
        let mut outcome = match self.find(key) {
            Found::Body(made) => {
                count(&self.counters.hits);
                return Ok(made);
            }
            Found::Full => {
                count(&self.counters.refused);
                return Err(Problem::Busy);
            }
            Found::Building(outcome) => {
                count(&self.counters.shared);
                outcome
            }
            Found::Mine(sender, outcome) => {
                count(&self.counters.builds);
                tokio::spawn(Arc::clone(self).run(key.to_owned(), sender, build));
                outcome
            }
        };
        let done = outcome.wait_for(Option::is_some).await;
        done.ok()
            .and_then(|done| done.clone())
            .unwrap_or(Err(Problem::Internal))
    }

    /// Bodies kept and their bytes.
    pub(super) fn size(&self) -> (usize, usize) {
        let state = self.state.lock();
        (state.bodies.len(), state.bytes)
    }

    /// Most bytes kept.
    pub(super) fn max_bytes(&self) -> usize {
        self.max_bytes
    }

    /// What happened since start.
    pub(super) fn counters(&self) -> &Counters {
        &self.counters
    }

    async fn run(
        self: Arc<Self>,
        key: String,
        sender: watch::Sender<Option<Outcome>>,
        build: impl FnOnce() -> Outcome + Send + 'static,
    ) {
        let outcome = match self.running.acquire().await {
            // A panic of the build is a defect of one answer, not of the daemon.
            Ok(_permit) => tokio::task::spawn_blocking(build)
                .await
                .unwrap_or(Err(Problem::Internal)),
            Err(_) => Err(Problem::Internal),
        };
        if outcome == Err(Problem::Internal) {
            count(&self.counters.failed);
        }
        self.finish(&key, &outcome);
        sender.send_replace(Some(outcome));
    }

    fn find(&self, key: &str) -> Found {
        let mut state = self.state.lock();
        state.uses += 1;
        let now = state.uses;
        if let Some(body) = state.bodies.get_mut(key) {
            body.used = now;
            return Found::Body(body.made.clone());
        }
        if let Some(outcome) = state.building.get(key) {
            return Found::Building(outcome.clone());
        }
        if state.building.len() >= MAX_BUILDING {
            return Found::Full;
        }
        let (sender, outcome) = watch::channel(None);
        state.building.insert(key.to_owned(), outcome.clone());
        Found::Mine(sender, outcome)
    }

    /// Ends a build and keeps its body in one step, so that no second build of the key can slip in between.
    fn finish(&self, key: &str, outcome: &Outcome) {
        let mut state = self.state.lock();
        state.building.remove(key);
        let Ok(made) = outcome else { return };
        let cost = key.len() + made.bytes.len();
        if cost > self.max_bytes {
            return;
        }
        while state.bodies.len() >= MAX_BODIES || state.bytes + cost > self.max_bytes {
            if !state.drop_oldest() {
                break;
            }
            count(&self.counters.evicted);
        }
        let used = state.uses;
        state.bytes += cost;
        state.bodies.insert(
            key.to_owned(),
            Body {
                made: made.clone(),
                used,
            },
        );
    }
}

// === impl Made ===

/// A body with nothing beside it.
impl From<Bytes> for Made {
    fn from(bytes: Bytes) -> Self {
        Self { bytes, field: None }
    }
}

// === impl State ===

impl State {
    fn drop_oldest(&mut self) -> bool {
        let oldest = self.bodies.iter().min_by_key(|(_, body)| body.used);
        let Some(key) = oldest.map(|(key, _)| key.clone()) else {
            return false;
        };
        if let Some(body) = self.bodies.remove(&key) {
            self.bytes = self.bytes.saturating_sub(key.len() + body.made.bytes.len());
        }
        true
    }
}

pub(super) fn count(counter: &AtomicU64) {
    counter.fetch_add(1, Ordering::Relaxed);
}
