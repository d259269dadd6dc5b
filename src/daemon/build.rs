//! From the configuration to the parts: each is told what it needs and nothing more.

use std::fmt::Write as _;
use std::hash::{BuildHasher as _, RandomState};
use std::sync::Arc;
use std::time::Duration;

use sha2::{Digest as _, Sha256};
use tokio::runtime::{Handle, RuntimeFlavor};

use super::engine::Engine;
use crate::clock::Clock;
use crate::config::{self, Config, Resolved};
use crate::core::{Core, CoreConfig};
use crate::history::History;
use crate::net::{Admission, Shutdown};
use crate::otlp::ResourceKeys;
use crate::pairing::{Ignore, IgnoreRule, Rules, SharedIds, UserNode};
use crate::proto::Origin;
use crate::receiver::Receiver;
use crate::semconv::{DbNodeName, NamingConfig};
use crate::topology::series::Totals;

/// Everything that lives as long as the daemon.
#[derive(Debug)]
pub(super) struct Parts {
    pub(super) config: Config,
    pub(super) clock: Clock,
    pub(super) core: Arc<Core>,
    pub(super) history: Arc<History>,
    pub(super) totals: Arc<Totals>,
    pub(super) admission: Arc<Admission>,
    /// Digest of what slices depend on.
    pub(super) digest: String,
    /// Another one for each process.
    pub(super) epoch: String,
    /// Unix second of the start.
    pub(super) started_unix_s: u64,
}

/// How long the graph keeps the places of a node or an edge that has no calls.
const IDLE_S: u64 = 15 * 60;

/// Of the graph's share, what the totals of `/metrics/graph` may take.
const TOTALS_PERCENT: u64 = 25;

/// Least bytes of the pairing share for each shard (see [`CoreConfig::pairing_bytes`]).
const LEAST_OF_A_SHARD: u64 = 128 << 10;

/// Grows by one whenever the pairing rules change what a slice says.
const RULES_VERSION: u32 = 3;

// === impl Parts ===

impl Parts {
    pub(super) fn build(resolved: &Resolved) -> Self {
        let config = resolved.config.clone();
        let clock = Clock::start();
        let now = clock.now();
        let digest = digest(resolved);
        // Seeded by the system anew for each process.
        let epoch = format!("{:016x}", RandomState::new().hash_one(now.wall_ns));
        let core = Core::new(core_config(resolved), origin(&epoch), now).waiting_by(wait);
        Self {
            clock,
            core: Arc::new(core),
            history: Arc::new(History::new(config.limits.history.0)),
            totals: Arc::new(totals(&config)),
            admission: Admission::new(config.limits.in_flight.0),
            digest,
            epoch,
            started_unix_s: now.second(),
            config,
        }
    }

    /// The receiver in front of the core; from the beginning of `shutdown` it asks senders to come back later.
    pub(super) fn receiver(&self, shutdown: Shutdown) -> Receiver {
        let engine = Engine::new(Arc::clone(&self.core), self.clock.clone());
        Receiver::new(Arc::new(engine), Arc::clone(&self.admission), shutdown)
    }
}

fn totals(config: &Config) -> Totals {
    let whole = |number: u64| usize::try_from(number).unwrap_or(usize::MAX);
    let bytes = config.limits.graph.percent(TOTALS_PERCENT);
    Totals::new(whole(config.metrics.max_edges.into()), whole(bytes.0))
}

/// What the core is told: the same for the daemon and for whatever else runs a core by a configuration.
pub fn core_config(resolved: &Resolved) -> CoreConfig {
    let Config {
        ingest,
        pairing,
        graph,
        limits,
        ..
    } = &resolved.config;
    let sampled_by = pairing.sampling_attribute.0.as_ref();
    let sampled_by = sampled_by.filter(|_| pairing.sampling);
    CoreConfig {
        resource_keys: ResourceKeys::namespace_from(graph.namespace_from.0.iter().cloned())
            .sampled_by(sampled_by.cloned())
            .split_by(graph.dimensions.0.iter().cloned()),
        rules: rules(pairing, graph, ignore(ingest)),
        pairing_bytes: limits.pairing.0,
        shards: shards(limits.pairing.0),
        max_nodes: graph.max_nodes,
        max_edges: graph.max_edges,
        idle_s: IDLE_S,
        digest: digest(resolved),
    }
}

fn rules(pairing: &config::Pairing, graph: &config::Graph, ignore: Ignore) -> Rules {
    Rules {
        ignore,
        wait: whole_seconds(pairing.wait),
        messaging_wait: whole_seconds(pairing.messaging_wait),
        retain: whole_seconds(pairing.retain),
        match_low64: pairing.match_low64,
        sampling: pairing.sampling,
        learn_aliases: pairing.learn_aliases,
        shared_ids: match pairing.shared_ids {
            config::SharedIds::Auto => SharedIds::Auto,
            config::SharedIds::Never => SharedIds::Never,
            config::SharedIds::Always => SharedIds::Always,
        },
        user_node: match pairing.user_node {
            config::UserNode::Shared => UserNode::Shared,
            config::UserNode::PerService => UserNode::PerService,
            config::UserNode::Off => UserNode::Off,
        },
        naming: NamingConfig {
            ip_nodes: pairing.ip_nodes,
            unknown_peer_node: pairing.unknown_peer_node,
            db_node_name: match pairing.db_node_name {
                config::DbNodeName::Host => DbNodeName::Host,
                config::DbNodeName::Namespace => DbNodeName::Namespace,
            },
            other_namespaces: graph.namespace_from.0 != ["service.namespace"],
        },
    }
}

fn ignore(ingest: &config::Ingest) -> Ignore {
    let rule = |rule: &config::IgnoreRule| IgnoreRule {
        service: rule.service.clone(),
        span_name: rule.span_name.clone(),
        kind: rule.kind.clone(),
    };
    Ignore::new(ingest.ignore.0.iter().map(rule))
}

/// Fractions round up: nobody waits less than was asked for.
pub(super) fn whole_seconds(duration: Duration) -> u32 {
    u32::try_from(duration.as_millis().div_ceil(1000)).unwrap_or(u32::MAX)
}

/// A few for each thread, so that two rarely want the same one; fewer if each would have too little of the share to keep
/// to it.
fn shards(pairing_bytes: u64) -> usize {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let wanted = (threads * 4).next_power_of_two().clamp(1, 256);
    let room = usize::try_from(pairing_bytes / LEAST_OF_A_SHARD).unwrap_or(usize::MAX);
    wanted.min(room.max(1))
}

/// Equal exactly for daemons whose slices mean the same: every key that can change what a slice says, and the rules.
fn digest(resolved: &Resolved) -> String {
    let mut text = format!("rules={RULES_VERSION}");
    let meaningful = |path: &str| {
        let sections = ["ingest.", "pairing.", "graph."];
        sections.iter().any(|section| path.starts_with(section))
    };
    for setting in resolved.settings.iter().filter(|s| meaningful(s.path)) {
        let _ = write!(text, "\n{}={}", setting.path, setting.value);
    }
    hex(&Sha256::digest(text)[..8])
}

fn origin(epoch: &str) -> Origin {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let name = name.trim();
    Origin {
        instance: if name.is_empty() { "spangraph" } else { name }.to_owned(),
        role: "collector".to_owned(),
        epoch: epoch.to_owned(),
        partition: 0,
    }
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// Has another thread serve the connections of this one meanwhile. On a runtime of one thread there is none.
fn wait(wait: &mut dyn FnMut()) {
    let several = |runtime: Handle| runtime.runtime_flavor() == RuntimeFlavor::MultiThread;
    if Handle::try_current().is_ok_and(several) {
        tokio::task::block_in_place(wait);
    } else {
        wait();
    }
}
