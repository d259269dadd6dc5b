//! The accept loop. It ends only with a shutdown: no error of `accept` does.

use std::hash::{BuildHasher as _, RandomState};
use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::task::{JoinError, JoinSet};
use tokio::time::{sleep, timeout};
use tracing::{info, warn};

use super::connection::{self, Service};
use super::counters::{NetCounters, count};
use super::{Accept, Limits, Shutdown};

/// How a listener ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Drained {
    /// Connections that were still busy at the deadline and were cut.
    pub cut: usize,
}

/// First pause after an error that is not about one connection; it doubles up to [`MAX_BACKOFF`].
const MIN_BACKOFF: Duration = Duration::from_millis(10);
const MAX_BACKOFF: Duration = Duration::from_millis(100);

/// Serves every connection of `listener` until `shutdown` begins; then takes no more, lets open requests finish, and
/// returns when all connections are closed or `limits.drain_timeout` is over.
pub async fn serve<A: Accept, S: Service>(
    mut listener: A,
    service: S,
    limits: Limits,
    counters: Arc<NetCounters>,
    mut shutdown: Shutdown,
) -> Drained {
    let limits = Arc::new(limits);
    let jitter = RandomState::new();
    let watch = shutdown.clone();
    let mut backoff = Backoff::default();
    let mut open = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            biased;
            () = shutdown.begun() => break,
            Some(ended) = open.join_next() => {
                note_end(&counters, &ended);
                continue;
            }
            accepted = listener.accept() => accepted,
        };
        let io = match accepted {
            Ok((io, _peer)) => io,
            Err(error) => {
                count(&counters.accept_errors);
                if let Some(pause) = backoff.after(&error) {
                    tokio::select! {
                        () = shutdown.begun() => break,
                        () = sleep(pause) => {}
                    }
                }
                continue;
            }
        };
        backoff = Backoff::default();
        let Some(slot) = limits.slots.take() else {
            count(&counters.refused);
            continue;
        };
        let number = counters.snapshot().opened;
        count(&counters.opened);
        let max_age = limits
            .max_age
            .map(|age| jittered(age, jitter.hash_one(number)));
        let (service, limits) = (service.clone(), Arc::clone(&limits));
        let (counters, watch) = (Arc::clone(&counters), watch.clone());
        open.spawn(async move {
            let _slot = slot;
            let _closed = CountOnDrop(&counters);
            connection::run(io, service, &limits, max_age, &counters, watch).await;
        });
    }
    drop(listener);
    drain(open, limits.drain_timeout, &counters).await
}

/// Pauses between failed attempts. Out of file descriptors, `accept` fails at once every time: without a pause that
/// is a busy loop.
#[derive(Debug, Default)]
struct Backoff {
    last: Option<Duration>,
}

/// Counts a connection as closed however its task ends.
struct CountOnDrop<'a>(&'a NetCounters);

// === impl Backoff ===

impl Backoff {
    /// The pause before the next attempt; none where the error was about one connection only.
    fn after(&mut self, error: &io::Error) -> Option<Duration> {
        use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset, Interrupted};
        if matches!(
            error.kind(),
            ConnectionAborted | ConnectionRefused | ConnectionReset | Interrupted
        ) {
            return None;
        }
        if self.last.is_none() {
            warn!(%error, "cannot accept connections, trying again");
        }
        let pause = self
            .last
            .map_or(MIN_BACKOFF, |last| (last * 2).min(MAX_BACKOFF));
        self.last = Some(pause);
        Some(pause)
    }
}

impl Drop for CountOnDrop<'_> {
    fn drop(&mut self) {
        count(&self.0.closed);
    }
}

async fn drain(mut open: JoinSet<()>, deadline: Duration, counters: &NetCounters) -> Drained {
    let all_closed = async {
        while let Some(ended) = open.join_next().await {
            note_end(counters, &ended);
        }
    };
    if timeout(deadline, all_closed).await.is_ok() {
        return Drained::default();
    }
    let cut = open.len();
    info!(cut, "connections were still busy at the drain deadline");
    for _ in 0..cut {
        count(&counters.drain_cut);
    }
    open.shutdown().await;
    Drained { cut }
}

fn note_end(counters: &NetCounters, ended: &Result<(), JoinError>) {
    if ended.as_ref().is_err_and(JoinError::is_panic) {
        count(&counters.panics);
    }
}

/// `age` moved by up to ± 10 %, by `random`.
fn jittered(age: Duration, random: u64) -> Duration {
    let permille = u32::try_from(random % 201).unwrap_or(100);
    age * (900 + permille) / 1000
}
