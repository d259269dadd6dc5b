//! What the API is told of the daemon: where slices are, who may ask, and how the daemon is doing.

use std::net::SocketAddr;
use std::sync::Arc;

use super::build::{Parts, whole_seconds};
use super::counts::Counting;
use super::exposed::is_public;
use crate::api::{
    Api, ApiState, Bind, BuildInfo, Check, Effective, Limit, Metrics, Status, StatusReport, router,
};
use crate::bearer::Gate;
use crate::config;
use crate::history::History;
use crate::net::{Shutdown, Slots};
use crate::pairing::ShortBy;
use crate::topology::Thresholds;

/// Answers for the whole daemon.
#[derive(Debug)]
struct Report {
    parts: Arc<Parts>,
    slots: Slots,
    draining: Shutdown,
}

/// Of the graph's share, what remembered bodies may take; registries and live slices have the rest.
const CACHE_PERCENT: u64 = 25;

/// The service of the API port. It stops being ready the moment `draining` begins; its streams end with `ending`.
pub(super) fn service(
    parts: &Arc<Parts>,
    counting: Vec<Counting>,
    tokens: Option<Gate>,
    slots: Slots,
    draining: Shutdown,
    ending: Shutdown,
    address: SocketAddr,
) -> Api {
    let clock = parts.clock.clone();
    let report = Report {
        parts: Arc::clone(parts),
        slots,
        draining: draining.clone(),
    };
    let health = &parts.config.health;
    let cache = parts.config.limits.graph.percent(CACHE_PERCENT);
    router(ApiState {
        source: Arc::<History>::clone(&parts.history),
        status: Arc::new(report),
        metrics: counting
            .into_iter()
            .map(|part| Arc::new(part) as Arc<dyn Metrics>)
            .collect(),
        totals: Arc::clone(&parts.totals),
        now: Arc::new(move || clock.now()),
        epoch: parts.epoch.clone(),
        thresholds: Thresholds {
            degraded_failed_ratio: health.degraded_failed_ratio,
            failing_failed_ratio: health.failing_failed_ratio,
        },
        compat_root: parts.config.api.compat_root,
        draining,
        dimensions: parts.config.graph.dimensions.0.clone(),
        bind: if is_public(address) {
            Bind::Public
        } else {
            Bind::Loopback
        },
        hosts: parts.config.api.hosts.clone(),
        tokens,
        cors_origins: parts.config.api.cors_origins.0.clone(),
        cache_bytes: usize::try_from(cache.0).unwrap_or(usize::MAX),
        ending,
        max_builds: std::thread::available_parallelism().map_or(1, usize::from),
    })
}

/// `wait`, `messaging_wait` and `retain`, as configured and as memory allows them to be now.
pub(super) fn effective(configured: &config::Pairing, short_by: ShortBy) -> [Effective; 3] {
    let of = |duration, short_by_s| Effective {
        configured_s: whole_seconds(duration),
        effective_s: whole_seconds(duration).saturating_sub(short_by_s),
    };
    [
        of(configured.wait, short_by.wait_s),
        of(configured.messaging_wait, short_by.messaging_wait_s),
        of(configured.retain, short_by.retain_s),
    ]
}

// === impl Report ===

impl Status for Report {
    fn report(&self) -> StatusReport {
        let Parts {
            config,
            core,
            history,
            admission,
            totals,
            ..
        } = &*self.parts;
        let (graph, pairing) = (core.graph().gauges(), core.gauges().pairing);
        let slots: u64 = history.levels().iter().map(|level| level.bytes).sum();
        let held = slots + history.index_bytes();
        let limit = |name, unit, used, max| Limit {
            name,
            unit,
            used,
            max,
        };
        let [wait, messaging_wait, retain] = effective(&config.pairing, pairing.short_by);
        StatusReport {
            law: core.totals(),
            sampling_adjusted: config.pairing.sampling,
            limits: vec![
                limit(
                    "limits.pairing",
                    "bytes",
                    pairing.bytes,
                    config.limits.pairing.0,
                ),
                limit("limits.history", "bytes", held, config.limits.history.0),
                limit(
                    "metrics.max_edges",
                    "edges",
                    totals.gauges().series,
                    config.metrics.max_edges.into(),
                ),
                limit(
                    "limits.in_flight",
                    "bytes",
                    admission.in_flight(),
                    admission.budget(),
                ),
                limit(
                    "limits.max_connections",
                    "connections",
                    self.slots.open() as u64,
                    self.slots.max() as u64,
                ),
                limit(
                    "graph.max_nodes",
                    "nodes",
                    graph.nodes.into(),
                    config.graph.max_nodes.into(),
                ),
                limit(
                    "graph.max_edges",
                    "edges",
                    graph.edges.into(),
                    config.graph.max_edges.into(),
                ),
            ],
            wait,
            messaging_wait,
            retain,
            config_digest: self.parts.digest.clone(),
            started_unix_s: self.parts.started_unix_s,
        }
    }

    fn readiness(&self) -> Vec<Check> {
        // Listeners are bound before anything is served.
        vec![
            Check {
                name: "first slice",
                ready: self.parts.history.newest_unix_s().is_some(),
            },
            Check {
                name: "not draining",
                ready: !self.draining.is_begun(),
            },
        ]
    }

    fn build(&self) -> BuildInfo {
        let features = [
            ("gzip", cfg!(feature = "gzip")),
            ("mimalloc", cfg!(feature = "mimalloc")),
            ("zstd", cfg!(feature = "zstd")),
        ];
        BuildInfo {
            version: env!("CARGO_PKG_VERSION"),
            commit: option_env!("SPANGRAPH_COMMIT"),
            features: features
                .iter()
                .filter(|(_, on)| *on)
                .map(|(name, _)| *name)
                .collect(),
        }
    }
}
