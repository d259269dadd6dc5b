//! A source that serves one slice, and a daemon around it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use spangraph::api::{
    ApiState, Bind, BuildInfo, Check, Effective, Limit, Source, Status, StatusReport,
};
use spangraph::clock::Timestamp;
use spangraph::history::{Ends, LevelInfo, Resolved, WindowError};
use spangraph::net::Shutdown;
use spangraph::proto::{Law, Slice};
use spangraph::slice::MergeError;
use spangraph::topology::Thresholds;
use spangraph::topology::series::Totals;

use tokio::sync::watch;

use super::{END, START};

/// Serves one slice for every window inside the hour before [`END`]; counts merges.
pub struct Fixed {
    pub slice: Slice,
    pub newest: Option<u64>,
    pub merges: AtomicU64,
    /// Runs inside each merge.
    pub during_merge: Box<dyn Fn() + Send + Sync>,
    versions: watch::Sender<u64>,
}

impl Fixed {
    pub fn new(slice: Slice) -> Self {
        Self {
            slice,
            newest: Some(END),
            merges: AtomicU64::new(0),
            during_merge: Box::new(|| {}),
            versions: watch::Sender::new(0),
        }
    }
}

impl Source for Fixed {
    fn resolve(&self, window_s: u64, end_unix_s: Option<u64>) -> Result<Resolved, WindowError> {
        let newest = self.newest.ok_or(WindowError::NotReady)?;
        if window_s > 86_400 {
            return Err(WindowError::TooLong {
                asked_s: window_s,
                longest_s: 86_400,
            });
        }
        let end = end_unix_s.unwrap_or(newest);
        let oldest = END - 3_600;
        if end <= oldest {
            return Err(WindowError::Expired {
                oldest_unix_s: oldest,
            });
        }
        Ok(Resolved {
            slots: Vec::new(),
            start_unix_s: end - window_s,
            end_unix_s: end,
            resolution_s: 10,
            revision: 0,
            steady_until_unix_s: u64::MAX,
        })
    }

    fn resolve_pair(&self, window_s: u64, ends: Ends) -> Result<[Resolved; 2], WindowError> {
        let head = self.resolve(window_s, ends.head)?;
        let base = self.resolve(window_s, ends.base.or(Some(head.start_unix_s)))?;
        Ok([base, head])
    }

    fn merge(&self, _resolved: &Resolved) -> Result<Slice, MergeError> {
        self.merges.fetch_add(1, Ordering::SeqCst);
        (self.during_merge)();
        Ok(self.slice.clone())
    }

    fn levels(&self) -> Vec<LevelInfo> {
        vec![LevelInfo {
            resolution_s: 1,
            slots: 120,
            capacity: 120,
            oldest_unix_s: Some(END - 120),
            newest_unix_s: Some(END),
            bytes: 4_096,
        }]
    }

    fn newest_unix_s(&self) -> Option<u64> {
        self.newest
    }

    fn versions(&self) -> watch::Receiver<u64> {
        self.versions.subscribe()
    }
}

/// A daemon that is ready or not.
pub struct Daemon {
    pub ready: bool,
}

impl Status for Daemon {
    fn report(&self) -> StatusReport {
        StatusReport {
            law: Law {
                decoded: 9,
                accepted: 9,
                ..Law::default()
            },
            limits: vec![Limit {
                name: "max_nodes",
                unit: "nodes",
                used: 8,
                max: 10_000,
            }],
            wait: Effective {
                configured_s: 10,
                effective_s: 9,
            },
            config_digest: "c0ffee".to_owned(),
            started_unix_s: START,
            ..StatusReport::default()
        }
    }

    fn readiness(&self) -> Vec<Check> {
        vec![
            Check {
                name: "receiver",
                ready: true,
            },
            Check {
                name: "first-slice",
                ready: self.ready,
            },
        ]
    }

    fn build(&self) -> BuildInfo {
        BuildInfo {
            version: "0.1.0",
            ..BuildInfo::default()
        }
    }
}

/// A state over `source`, one half second after the newest slice.
pub fn state(source: Arc<dyn Source>) -> ApiState {
    ApiState {
        source,
        status: Arc::new(Daemon { ready: true }),
        metrics: Vec::new(),
        totals: Arc::new(Totals::new(100, 1 << 20)),
        now: Arc::new(|| Timestamp::from_unix_ns(END * 1_000_000_000 + 500_000_000)),
        epoch: "9f2c61".to_owned(),
        thresholds: Thresholds::default(),
        compat_root: false,
        draining: Shutdown::never(),
        dimensions: vec!["cluster".to_owned()],
        bind: Bind::Public,
        hosts: Vec::new(),
        tokens: None,
        cors_origins: Vec::new(),
        cache_bytes: 1 << 20,
        max_builds: 2,
        ending: Shutdown::never(),
    }
}
