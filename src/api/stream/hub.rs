//! Who reads which stream: one feed per distinct query, shared by its readers, and the bounds of both.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use parking_lot::Mutex;
use tokio::sync::watch;
use tokio::task::AbortHandle;

use super::feed::Newest;
use crate::api::memo::count;
use crate::api::problem::Problem;

/// Streams open at once, over HTTP and gRPC together.
pub(in crate::api) const MAX_STREAMS: usize = 256;
/// Distinct queries streamed at once; each costs a build at every event.
pub(in crate::api) const MAX_QUERIES: usize = 16;

/// All feeds.
#[derive(Debug, Default)]
pub(in crate::api) struct Hub {
    state: Mutex<State>,
    counters: Counters,
}

/// What happened since start.
#[derive(Debug, Default)]
pub(in crate::api) struct Counters {
    pub(in crate::api) opened: AtomicU64,
    /// Beyond [`MAX_STREAMS`].
    pub(in crate::api) refused_streams: AtomicU64,
    /// Beyond [`MAX_QUERIES`].
    pub(in crate::api) refused_queries: AtomicU64,
    /// Times a reader was too slow for an event and got the newest state instead.
    pub(in crate::api) skipped: AtomicU64,
}

#[derive(Debug, Default)]
struct State {
    feeds: HashMap<String, Feed>,
    streams: usize,
    /// Feeds begun so far.
    begun: u64,
}

#[derive(Debug)]
struct Feed {
    /// Which one of its key: a feed that failed is replaced while its readers still leave.
    number: u64,
    newest: watch::Receiver<Newest>,
    readers: usize,
    task: AbortHandle,
}

/// A place at a feed. Dropping it gives it up; the last one ends the feed.
#[derive(Debug)]
pub(in crate::api) struct Place {
    hub: Arc<Hub>,
    key: String,
    feed: u64,
    newest: watch::Receiver<Newest>,
}

// === impl Hub ===

impl Hub {
    /// A place at the feed of `key`, begun by `begin` when there is none.
    pub(super) fn join(
        self: &Arc<Self>,
        key: String,
        begin: impl FnOnce(watch::Sender<Newest>) -> AbortHandle,
    ) -> Result<Place, Problem> {
        let mut state = self.state.lock();
        if state.streams >= MAX_STREAMS {
            count(&self.counters.refused_streams);
            return Err(Problem::TooManyStreams(format!(
                "{MAX_STREAMS} streams are open"
            )));
        }
        state.feeds.retain(|_, feed| !feed.task.is_finished());
        let queries = state.feeds.len();
        state.begun += 1;
        let number = state.begun;
        let feed = match state.feeds.entry(key.clone()) {
            Entry::Occupied(feed) => feed.into_mut(),
            Entry::Vacant(_) if queries >= MAX_QUERIES => {
                count(&self.counters.refused_queries);
                return Err(Problem::TooManyStreams(format!(
                    "{MAX_QUERIES} different queries are being streamed"
                )));
            }
            Entry::Vacant(empty) => {
                let (sender, newest) = watch::channel(Newest::Pending);
                empty.insert(Feed {
                    number,
                    newest,
                    readers: 0,
                    task: begin(sender),
                })
            }
        };
        feed.readers += 1;
        let place = Place {
            hub: Arc::clone(self),
            key,
            feed: feed.number,
            newest: feed.newest.clone(),
        };
        state.streams += 1;
        count(&self.counters.opened);
        Ok(place)
    }

    /// Streams open, and distinct queries among them.
    pub(in crate::api) fn size(&self) -> (usize, usize) {
        let state = self.state.lock();
        (state.streams, state.feeds.len())
    }

    /// What happened since start.
    pub(in crate::api) fn counters(&self) -> &Counters {
        &self.counters
    }

    fn leave(&self, key: &str, number: u64) {
        let mut state = self.state.lock();
        state.streams -= 1;
        let Some(feed) = state.feeds.get_mut(key).filter(|f| f.number == number) else {
            return;
        };
        feed.readers -= 1;
        if feed.readers == 0 {
            feed.task.abort();
            state.feeds.remove(key);
        }
    }
}

// === impl Place ===

impl Place {
    /// Completes when there is something newer than what was looked at last; `false` when there never will be.
    pub(super) async fn changed(&mut self) -> bool {
        self.newest.changed().await.is_ok()
    }

    /// The newest state.
    pub(super) fn look(&mut self) -> Newest {
        self.newest.borrow_and_update().clone()
    }

    /// Counts that this reader missed an event.
    pub(super) fn skipped(&self) {
        count(&self.hub.counters.skipped);
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.hub.leave(&self.key, self.feed);
    }
}
