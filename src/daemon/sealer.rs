//! Seals the open second just after it ended, and hands it to the history and the totals. At a stop it seals the last, partial one.

use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinHandle;
use tokio::time::sleep;
use tracing::error;

use super::build::Parts;
use crate::clock::{Clock, Timestamp};
use crate::core::Core;
use crate::history::History;
use crate::net::{Shutdown, Stop};
use crate::proto::Law;
use crate::topology::series::Totals;

/// The task that seals.
#[derive(Debug)]
pub(super) struct Sealer {
    task: JoinHandle<Law>,
    stop: Stop,
}

/// What sealing needs.
#[derive(Debug, Clone)]
struct Seals {
    core: Arc<Core>,
    history: Arc<History>,
    totals: Arc<Totals>,
    clock: Clock,
}

const SECOND_NS: u64 = 1_000_000_000;

/// After the boundary: a timer that fires early would find the second still open and wait a whole one more.
const AFTER_BOUNDARY: Duration = Duration::from_millis(3);

// === impl Sealer ===

impl Sealer {
    pub(super) fn start(parts: &Parts) -> Self {
        let (stop, shutdown) = Stop::new();
        let seals = Seals {
            core: Arc::clone(&parts.core),
            history: Arc::clone(&parts.history),
            totals: Arc::clone(&parts.totals),
            clock: parts.clock.clone(),
        };
        let task = tokio::spawn(seals.run(shutdown));
        Self { task, stop }
    }

    /// Completes when the task does, which before [`Sealer::finish`] it must not.
    pub(super) async fn ended(&mut self) {
        let _ = (&mut self.task).await;
    }

    /// Seals what is open, and returns the law's terms since start; `None` when the task had died.
    pub(super) async fn finish(self) -> Option<Law> {
        self.stop.begin();
        self.task.await.ok()
    }
}

// === impl Seals ===

impl Seals {
    async fn run(self, mut shutdown: Shutdown) -> Law {
        loop {
            let wait = until_next_second(self.clock.now());
            let stopped = tokio::select! {
                () = shutdown.begun() => true,
                () = sleep(wait) => false,
            };
            let seals = self.clone();
            // Sealing takes every shard in turn: not something to do on a thread that serves connections.
            let done = tokio::task::spawn_blocking(move || seals.seal(stopped)).await;
            if let Err(error) = done {
                // The second is lost, and the law checker will say so; the next ones need not be.
                error!(%error, "sealing a slice failed");
            }
            if stopped {
                return self.core.totals();
            }
        }
    }

    fn seal(&self, last: bool) {
        let now = self.clock.now();
        let sealed = if last {
            self.core.finish(now)
        } else {
            self.core.advance(now)
        };
        for slice in &sealed {
            self.history.push(slice);
            let oldest = self.history.oldest_unix_s().unwrap_or_default();
            self.totals.add(&slice.bytes, oldest);
        }
    }
}

/// By the wall clock, read anew each time: after a step the next boundary is the new clock's.
fn until_next_second(now: Timestamp) -> Duration {
    Duration::from_nanos(SECOND_NS - now.wall_ns % SECOND_NS) + AFTER_BOUNDARY
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_wakes_just_after_the_boundary() {
        let wait = |ns| until_next_second(Timestamp::from_unix_ns(ns));
        assert_eq!(wait(7 * SECOND_NS), Duration::from_millis(1_003));
        assert_eq!(
            wait(7 * SECOND_NS + 400_000_000),
            Duration::from_millis(603)
        );
        assert_eq!(
            wait(8 * SECOND_NS - 1),
            AFTER_BOUNDARY + Duration::from_nanos(1)
        );
    }
}
