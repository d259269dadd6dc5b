//! What the daemon says about itself: law, limits, readiness, build. The daemon provides, the API shows.

use std::sync::Arc;

use axum::extract::{RawQuery, State};
use axum::response::Response;
use http::HeaderMap;
use serde::Serialize;
use serde_json::json;

use super::format::welcome;
use super::problem::Problem;
use super::stream::{MAX_QUERIES, MAX_STREAMS};
use super::{Shared, answers};
use crate::history::LevelInfo;
use crate::proto::Law;
use crate::render;
use crate::topology::Params;
use crate::topology::times::rfc3339;

/// Asked on each request to `/api/v1/status`, `/readyz` and `/version`; must be cheap and must not block.
pub trait Status: Send + Sync {
    /// Law, limits and effective times as of now.
    fn report(&self) -> StatusReport;
    /// Everything that must hold before traffic may come; empty means ready.
    fn readiness(&self) -> Vec<Check>;
    /// What was built.
    fn build(&self) -> BuildInfo;
}

/// The state of the daemon.
#[derive(Debug, Clone, Default)]
pub struct StatusReport {
    /// The law's terms since start, as of the newest sealed slice.
    pub law: Law,
    /// Calls are weighted by sampling.
    pub sampling_adjusted: bool,
    /// Everything that can fill up, with how full it is.
    pub limits: Vec<Limit>,
    /// Seconds an ordinary span waits.
    pub wait: Effective,
    /// Seconds a PRODUCER or CONSUMER waits.
    pub messaging_wait: Effective,
    /// Seconds a span is remembered after its deadline.
    pub retain: Effective,
    /// Digest of the configuration, as slices carry it.
    pub config_digest: String,
    /// Unix second of the start.
    pub started_unix_s: u64,
}

/// Something that can fill up.
#[derive(Debug, Clone, Serialize)]
pub struct Limit {
    /// The configuration's word where there is one, e.g. `max_nodes`.
    pub name: &'static str,
    /// `bytes`, `nodes`, `connections`, ...
    pub unit: &'static str,
    /// In use now.
    pub used: u64,
    /// The bound.
    pub max: u64,
}

/// A time that shrinks when memory is short.
#[derive(Debug, Clone, Copy, Default, Serialize)]
pub struct Effective {
    /// As configured, seconds.
    pub configured_s: u32,
    /// As it is now, seconds.
    pub effective_s: u32,
}

/// One condition of readiness.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// A word such as `receiver` or `draining`.
    pub name: &'static str,
    /// Whether it holds.
    pub ready: bool,
}

/// What was built.
#[derive(Debug, Clone, Default, Serialize)]
pub struct BuildInfo {
    /// The version of the package.
    pub version: &'static str,
    /// The commit, when the build knew it.
    pub commit: Option<&'static str>,
    /// Compiled-in features.
    pub features: Vec<&'static str>,
}

pub(super) async fn status(
    State(shared): State<Arc<Shared>>,
    RawQuery(raw): RawQuery,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    plain(raw.as_deref(), &headers)?;
    let state = &shared.state;
    let report = state.status.report();
    let checks = state.status.readiness();
    let (bodies, body_bytes) = shared.memo.size();
    let (streams, queries) = shared.hub.size();
    Ok(answers::json(&json!({
        "epoch": state.epoch,
        "started_at": rfc3339(report.started_unix_s),
        "ready": checks.iter().all(|c| c.ready),
        "checks": checks.iter().map(|c| json!({"name": c.name, "ready": c.ready})).collect::<Vec<_>>(),
        "law": render::json::law(&report.law, report.sampling_adjusted),
        "limits": report.limits,
        "wait": report.wait,
        "messaging_wait": report.messaging_wait,
        "retain": report.retain,
        "cached_bodies": {"bodies": bodies, "bytes": body_bytes, "max_bytes": shared.memo.max_bytes()},
        "streams": {"open": streams, "max": MAX_STREAMS, "queries": queries, "max_queries": MAX_QUERIES},
        "config_digest": report.config_digest,
        "build": state.status.build(),
    })))
}

pub(super) async fn windows(
    State(shared): State<Arc<Shared>>,
    RawQuery(raw): RawQuery,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    plain(raw.as_deref(), &headers)?;
    let levels = shared.state.source.levels();
    let oldest = levels.iter().filter_map(|l| l.oldest_unix_s).min();
    Ok(answers::json(&json!({
        "oldest": oldest.map(rfc3339),
        "newest": shared.state.source.newest_unix_s().map(rfc3339),
        "bytes": levels.iter().map(|l| l.bytes).sum::<u64>(),
        "levels": levels.iter().map(level).collect::<Vec<_>>(),
    })))
}

pub(super) async fn version(
    State(shared): State<Arc<Shared>>,
    RawQuery(raw): RawQuery,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    plain(raw.as_deref(), &headers)?;
    Ok(answers::json(&json!(shared.state.status.build())))
}

fn level(level: &LevelInfo) -> serde_json::Value {
    json!({
        "resolution_s": level.resolution_s,
        "slots": level.slots,
        "capacity": level.capacity,
        "oldest": level.oldest_unix_s.map(rfc3339),
        "newest": level.newest_unix_s.map(rfc3339),
        "bytes": level.bytes,
    })
}

/// Makes sure that nothing is asked of a JSON document that is always whole, and that JSON is welcome.
pub(super) fn plain(raw: Option<&str>, headers: &HeaderMap) -> Result<(), Problem> {
    no_parameters(raw)?;
    welcome(headers, "application/json")
}

/// Refuses every parameter.
pub(super) fn no_parameters(raw: Option<&str>) -> Result<(), Problem> {
    let params = Params::decode(raw.unwrap_or_default());
    params.finish().map_err(Problem::InvalidParameters)
}
