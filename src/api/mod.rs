//! The read API: routes, parameters, caching, problems, probes and own metrics, over HTTP and gRPC on one port.
//!
//! Everything served comes from a [`crate::topology::Topology`] of resolved, sealed slices, or from what the daemon
//! says of itself through [`Status`] and [`Metrics`]. Read-only; never reads a clock; knows nothing about spans.

mod answers;
mod caching;
mod coding;
mod compat;
mod cors;
mod diff;
mod element;
mod format;
mod graphs;
mod grpc;
mod guard;
mod hidden;
mod host;
mod layouts;
mod memo;
mod metrics;
mod names;
mod openapi;
mod page;
mod probes;
mod problem;
mod questions;
mod reflection;
mod snapshot;
mod source;
mod status;
mod stream;
mod tokens;
mod unpaired;
mod window;
mod windowed;

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use axum::routing::get;
use http::Uri;
use parking_lot::Mutex;
use tokio::sync::watch;
use tower_http::compression::CompressionLayer;
use tower_http::compression::predicate::{NotForContentType, Predicate as _, SizeAbove};

use crate::bearer::Gate;
use crate::clock::Timestamp;
use crate::net::Shutdown;
use crate::topology::Thresholds;
use crate::topology::series::Totals;

pub use guard::{Api, Bind};
pub use metrics::{Families, Kind, Metrics, Value};
pub use problem::Problem;
pub use snapshot::Asked;
pub use source::Source;
pub use status::{BuildInfo, Check, Effective, Limit, Status, StatusReport};

/// What the API needs from the daemon.
#[derive(Clone)]
pub struct ApiState {
    /// Sealed slices.
    pub source: Arc<dyn Source>,
    /// What the daemon says of itself.
    pub status: Arc<dyn Status>,
    /// Every part that counts.
    pub metrics: Vec<Arc<dyn Metrics>>,
    /// The graph's series.
    pub totals: Arc<Totals>,
    /// The time.
    pub now: Arc<dyn Fn() -> Timestamp + Send + Sync>,
    /// Random at process start, so that no validator outlives the process.
    pub epoch: String,
    /// Where health changes.
    pub thresholds: Thresholds,
    /// Serve the facades at `/` too.
    pub compat_root: bool,
    /// Begins when the daemon stops: from then on gRPC health says `NOT_SERVING`.
    pub draining: Shutdown,
    /// Resource attributes that split services, which a query may group by.
    pub dimensions: Vec<String>,
    /// How far the listener can be reached.
    pub bind: Bind,
    /// Hosts that requests may name besides the local ones; without port.
    pub hosts: Vec<String>,
    /// Who may ask, where not everybody may.
    pub tokens: Option<Gate>,
    /// Origins whose pages may read answers, as browsers write them: `https://grafana.example`.
    pub cors_origins: Vec<String>,
    /// Most bytes of remembered bodies; a body beyond is built each time it is asked for.
    pub cache_bytes: usize,
    /// Most bodies built at once; others wait, and beyond 64 keys are refused.
    pub max_builds: usize,
    /// When it begins, streams end.
    pub ending: Shutdown,
}

/// State of all handlers.
struct Shared {
    state: ApiState,
    hosts: host::Hosts,
    memo: Arc<memo::Memo>,
    questions: questions::Questions,
    /// Of the source.
    versions: watch::Receiver<u64>,
    hub: Arc<stream::Hub>,
    layouts: layouts::Layouts,
    openapi: openapi::Document,
    /// Answers by route and status code.
    requests: Mutex<BTreeMap<(&'static str, u16), u64>>,
}

/// Every HTTP route there is.
static ROUTES: LazyLock<Vec<String>> = LazyLock::new(|| {
    let others = OTHER_ROUTES.into_iter().map(str::to_owned);
    graphs::paths().chain(others).collect()
});

/// Those that do not answer with a graph.
const OTHER_ROUTES: [&str; 23] = [
    "/",
    "/ui",
    "/ui/",
    PAGE_FILES,
    "/api/v1/node",
    "/api/v1/edge",
    "/api/v1/services",
    "/api/v1/namespaces",
    "/api/v1/unpaired",
    "/api/v1/stream",
    "/api/v1/openapi.json",
    "/api/v1/status",
    "/api/v1/windows",
    "/livez",
    "/readyz",
    "/healthz",
    "/version",
    "/metrics",
    "/metrics/graph",
    "/compat/jaeger/api/dependencies",
    "/compat/jaeger/api/services",
    "/compat/zipkin/api/v2/dependencies",
    "/compat/zipkin/api/v2/services",
];

/// The files of the page, by name.
const PAGE_FILES: &str = "/ui/{file}";

/// Bodies below are sent as they are.
const MIN_COMPRESSED_BYTES: u64 = 1_024;

/// The whole API as one service.
pub fn router(state: ApiState) -> Api {
    let shared = Arc::new(Shared {
        hosts: host::Hosts::new(state.bind, &state.hosts),
        memo: memo::Memo::new(state.cache_bytes, state.max_builds),
        hub: Arc::default(),
        questions: questions::Questions::default(),
        layouts: layouts::Layouts::default(),
        openapi: openapi::Document::default(),
        requests: Mutex::default(),
        versions: state.source.versions(),
        state,
    });
    // A compressor would hold events back until it has enough of them.
    let compressible = SizeAbove::new(MIN_COMPRESSED_BYTES).and(NotForContentType::SSE);
    let at_root = shared.state.compat_root;
    let http = graphs::routes()
        .merge(compat::routes(at_root))
        .route("/", get(page::root))
        .route("/ui", get(page::to_page))
        .route("/ui/", get(page::index))
        .route(PAGE_FILES, get(page::file))
        .route("/api/v1/node", get(element::node))
        .route("/api/v1/edge", get(element::edge))
        .route("/api/v1/services", get(names::services))
        .route("/api/v1/namespaces", get(names::namespaces))
        .route("/api/v1/unpaired", get(unpaired::unpaired))
        .route("/api/v1/stream", get(stream::stream))
        .route("/api/v1/openapi.json", get(openapi::openapi))
        .route("/api/v1/status", get(status::status))
        .route("/api/v1/windows", get(status::windows))
        .route("/livez", get(probes::livez))
        .route("/healthz", get(probes::livez))
        .route("/readyz", get(probes::readyz))
        .route("/version", get(status::version))
        .route("/metrics", get(metrics::metrics))
        .route("/metrics/graph", get(metrics::graph))
        .method_not_allowed_fallback(async move |uri: Uri| {
            compat::refuse(at_root, uri.path(), Problem::MethodNotAllowed)
        })
        .fallback(async move |uri: Uri| compat::refuse(at_root, uri.path(), Problem::no_route()))
        .with_state(Arc::clone(&shared))
        .layer(CompressionLayer::new().compress_when(compressible));
    Api::new(guard::Entrance {
        grpc: grpc::routes(Arc::clone(&shared)),
        http,
        shared,
    })
}

/// The route that a path takes, in the words of [`ROUTES`].
fn route_of(path: &str) -> Option<&'static str> {
    let of_page = path.strip_prefix("/ui/").filter(|file| !file.is_empty());
    if of_page.is_some_and(|file| !file.contains('/')) {
        return Some(PAGE_FILES);
    }
    let route = ROUTES.iter().find(|route| *route == path);
    route.map(String::as_str)
}

// === impl ApiState ===

impl std::fmt::Debug for ApiState {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ApiState")
            .field("epoch", &self.epoch)
            .field("thresholds", &self.thresholds)
            .field("bind", &self.bind)
            .field("hosts", &self.hosts)
            .finish_non_exhaustive()
    }
}
