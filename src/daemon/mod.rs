//! Build, bind, serve, drain: the life of the daemon, and the one place that sees both arms and the configuration.
//!
//! Nothing is bound before everything that can refuse was built; addresses are known before the first connection.
//! A stop has an order: not ready any more, no new spans, requests in flight, the last slice, then the readers.

mod build;
mod counts;
mod engine;
mod exposed;
mod files;
mod read_side;
mod running;
mod safety;
mod sealer;
mod signals;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use tokio::sync::mpsc;
use tracing::{info, warn};

use crate::config::{ConfigError, Resolved};
use crate::health::reachable;
use crate::net::{BindError, Bound};
use crate::proto::Law;

pub use build::core_config;

use build::Parts;
pub(crate) use build::hex;
use running::Running;
use safety::Safety;
pub(crate) use signals::stops;

/// Why the daemon ended badly. All of these are exit code 1, but for a wrong configuration.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// A file that the configuration names is of no use.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// No threads, no signal handlers.
    #[error("cannot start: {0}")]
    Start(#[from] io::Error),
    /// An address is taken or not ours.
    #[error(transparent)]
    Bind(#[from] BindError),
    /// Requests outlived `shutdown.drain`; their senders got no answer.
    #[error("{cut} connections were still busy when shutdown.drain was over, and were cut")]
    DrainDeadline {
        /// Connections.
        cut: usize,
    },
    /// Somebody did not want to wait for the drain.
    #[error("stopped by a second signal before the drain was over")]
    SecondSignal,
    /// A task that must never end did: a defect of ours.
    #[error("the {0} ended unexpectedly")]
    TaskEnded(&'static str),
}

/// Everything built and bound, before the first connection.
#[derive(Debug)]
pub struct Daemon {
    parts: Arc<Parts>,
    safety: Safety,
    grpc: Bound,
    http: Bound,
    api: Bound,
}

/// Where it listens, with the real ports.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Addresses {
    /// OTLP over gRPC.
    pub grpc: SocketAddr,
    /// OTLP over HTTP.
    pub http: SocketAddr,
    /// The API.
    pub api: SocketAddr,
}

/// Whether the files that the configuration names can be used: what `serve` would find out before it binds.
pub fn check(resolved: &Resolved) -> Result<(), ConfigError> {
    Safety::load(&resolved.config.api).map(drop)
}

/// Runs until SIGTERM or SIGINT, on a runtime of its own, and logs what a supervisor wants to know.
pub fn run(resolved: &Resolved) -> Result<(), RunError> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    let ended = runtime.block_on(async {
        let stops = stops()?;
        let daemon = Daemon::bind(resolved).await?;
        announce(resolved, daemon.addresses());
        daemon.serve(stops).await
    });
    // A second signal or the deadline leaves tasks behind; nobody waits for them.
    runtime.shutdown_background();
    log_drained(&ended?);
    Ok(())
}

// === impl Daemon ===

impl Daemon {
    /// Builds every part and takes the three addresses.
    pub async fn bind(resolved: &Resolved) -> Result<Self, RunError> {
        let config = &resolved.config;
        Ok(Self {
            safety: Safety::load(&config.api)?,
            grpc: Bound::bind(config.grpc.listen).await?,
            http: Bound::bind(config.http.listen).await?,
            api: Bound::bind(config.api.listen).await?,
            parts: Arc::new(Parts::build(resolved)),
        })
    }

    /// Where it listens.
    pub fn addresses(&self) -> Addresses {
        Addresses {
            grpc: self.grpc.address(),
            http: self.http.address(),
            api: self.api.address(),
        }
    }

    /// Serves until the first message of `stops`, then drains; a second one gives up. Returns the law's terms since start.
    pub async fn serve(self, mut stops: mpsc::Receiver<()>) -> Result<Law, RunError> {
        let mut running = Running::start(self);
        tokio::select! {
            _ = stops.recv() => {}
            ended = running.ended() => return Err(ended),
        }
        tokio::select! {
            law = running.drain() => law,
            Some(()) = stops.recv() => Err(RunError::SecondSignal),
        }
    }
}

/// Says in the log where it listens and what might surprise.
pub(crate) fn announce(resolved: &Resolved, at: Addresses) {
    if !resolved.ignored_env.is_empty() {
        warn!(names = ?resolved.ignored_env, "environment variables look like settings but name no key");
    }
    exposed::warn_of(&resolved.config.api, at);
    let scheme = resolved.config.api.scheme();
    let page = format!("{scheme}://{}/ui/", reachable(at.api));
    info!(version = env!("CARGO_PKG_VERSION"), grpc = %at.grpc, http = %at.http, api = %at.api, page, "listening");
}

/// The last line of a good end: what came in, and that all of it is accounted for.
pub(crate) fn log_drained(law: &Law) {
    let rejected = law
        .rejected
        .map_or(0, |r| r.trace_id + r.span_id + r.parent_span_id);
    let outcomes = law.outcomes.map_or(0, |o| {
        [
            o.paired,
            o.r#virtual,
            o.internal,
            o.root,
            o.unpaired_client,
            o.unpaired_server,
            o.filtered,
            o.duplicate,
            o.late,
        ]
        .iter()
        .sum()
    });
    let calls = law.calls.map_or(0, |c| {
        c.paired + c.entry + c.linked + c.virtual_server + c.virtual_client
    });
    info!(
        decoded = law.decoded,
        accepted = law.accepted,
        rejected,
        pending = law.pending_after,
        outcomes,
        calls,
        "drained"
    );
}
