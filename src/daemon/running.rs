//! The tasks of a running daemon, and the order in which they end.

use std::sync::Arc;
use std::time::Duration;

use tokio::task::{JoinHandle, JoinSet};
use tokio::time::timeout;
use tracing::info;

use super::counts::Counting;
use super::sealer::Sealer;
use super::{Daemon, RunError, read_side};
use crate::net::{self, Accept, Drained, Limits, NetCounters, Shutdown, Slots, Stop, TlsListener};
use crate::proto::Law;

/// Three listeners, the sealer, and who looks after files.
#[derive(Debug)]
pub(super) struct Running {
    grpc: Listener,
    http: Listener,
    api: Listener,
    sealer: Sealer,
    ingest_stop: Stop,
    api_stop: Stop,
    /// Ends when it is dropped.
    _files: JoinSet<()>,
}

type Listener = JoinHandle<Drained>;

/// Readers keep no one waiting: their answers are repeatable, and a stream has no end of its own.
const API_DRAIN: Duration = Duration::from_secs(1);

/// Longer than the longest pause between two messages of a stream.
const API_IDLE: Duration = Duration::from_secs(90);

// === impl Running ===

impl Running {
    pub(super) fn start(daemon: Daemon) -> Self {
        let Daemon {
            parts,
            safety,
            grpc,
            http,
            api,
        } = daemon;
        let (ingest_stop, ingest) = Stop::new();
        let (api_stop, api_end) = Stop::new();
        let config = &parts.config;
        let drain = config.shutdown.drain;
        let slots =
            Slots::new(usize::try_from(config.limits.max_connections).unwrap_or(usize::MAX));
        let limits = |drain_timeout| Limits {
            drain_timeout,
            ..Limits::new(slots.clone())
        };
        let api_limits = Limits {
            idle_timeout: API_IDLE,
            ..limits(drain.min(API_DRAIN))
        };
        let receiver = parts.receiver(ingest.clone());
        let counters = ["grpc", "http", "api"].map(|name| Arc::new(NetCounters::new(name)));
        let mut counting = vec![
            Counting::Receiver(receiver.counters()),
            Counting::Core(Arc::clone(&parts)),
        ];
        counting.extend(counters.iter().map(|c| Counting::Listener(Arc::clone(c))));
        let readers = read_side::service(
            &parts,
            counting,
            safety.gate(),
            slots.clone(),
            ingest.clone(),
            api_end.clone(),
            api.address(),
        );
        let identity = safety.identity();
        let mut files = JoinSet::new();
        safety.follow(&mut files);
        let [grpc_counters, http_counters, api_counters] = counters;
        Self {
            sealer: Sealer::start(&parts),
            grpc: listen(
                grpc,
                receiver.grpc(),
                limits(drain),
                grpc_counters,
                ingest.clone(),
            ),
            http: listen(http, receiver.http(), limits(drain), http_counters, ingest),
            api: match identity {
                Some(identity) => {
                    let counters = Arc::clone(&api_counters);
                    let deadline = api_limits.header_timeout;
                    let tls = TlsListener::new(api, identity, deadline, counters);
                    listen(tls, readers, api_limits, api_counters, api_end)
                }
                None => listen(api, readers, api_limits, api_counters, api_end),
            },
            ingest_stop,
            api_stop,
            _files: files,
        }
    }

    /// Completes when a task ends that must not, and says which.
    pub(super) async fn ended(&mut self) -> RunError {
        let name = tokio::select! {
            _ = &mut self.grpc => "gRPC listener",
            _ = &mut self.http => "HTTP listener",
            _ = &mut self.api => "API listener",
            () = self.sealer.ended() => "sealer",
        };
        RunError::TaskEnded(name)
    }

    /// No new spans, the requests in flight, the last slice, then the readers. Returns the law's terms since start.
    pub(super) async fn drain(self) -> Result<Law, RunError> {
        self.ingest_stop.begin();
        // Whoever reads this finds the daemon not ready.
        info!("draining");
        let (grpc, http) = tokio::join!(self.grpc, self.http);
        let law = self
            .sealer
            .finish()
            .await
            .ok_or(RunError::TaskEnded("sealer"))?;
        self.api_stop.begin();
        // Past its own deadline a listener cuts what is left; this only guards against a defect.
        let _ = timeout(API_DRAIN * 2, self.api).await;
        let grpc = grpc.map_err(|_| RunError::TaskEnded("gRPC listener"))?;
        let http = http.map_err(|_| RunError::TaskEnded("HTTP listener"))?;
        match grpc.cut + http.cut {
            0 => Ok(law),
            cut => Err(RunError::DrainDeadline { cut }),
        }
    }
}

fn listen<A: Accept, S: net::Service>(
    listener: A,
    service: S,
    limits: Limits,
    counters: Arc<NetCounters>,
    shutdown: Shutdown,
) -> Listener {
    tokio::spawn(net::serve(listener, service, limits, counters, shutdown))
}
