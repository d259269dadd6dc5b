//! What Prometheus scrapes: the daemon's own counters, to which each part contributes, and the graph's series.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::body::Body;
use axum::extract::{RawQuery, State};
use axum::response::Response;
use bytes::Bytes;
use http::header::VARY;
use http::{HeaderMap, HeaderValue};

use super::format::Accept;
use super::problem::Problem;
use super::status::no_parameters;
use super::{Shared, answers};
pub use crate::render::exposition::Kind;
use crate::render::exposition::{Dialect, Exposition, label_set};
use crate::render::graph_series;

/// A part of the daemon that counts. Asked on each scrape; must be cheap and must not block.
pub trait Metrics: Send + Sync {
    /// Adds its samples.
    fn collect(&self, families: &mut Families);
}

/// A sample's number.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Value {
    /// Written exactly.
    Whole(u64),
    /// Anything else.
    Number(f64),
}

/// Samples by metric, sorted by name.
#[derive(Debug, Default)]
pub struct Families {
    families: BTreeMap<&'static str, Family>,
}

#[derive(Debug)]
struct Family {
    help: &'static str,
    kind: Kind,
    /// By the written label set, so that a sample given twice is one.
    samples: BTreeMap<String, Value>,
}

/// The route, and so the head of its key among the remembered bodies.
const GRAPH: &str = "/metrics/graph";

// === impl Families ===

impl Families {
    /// Adds one sample. `name` begins with `spangraph_`. The first help and kind of a name stay; a sample with labels
    /// given before replaces that one.
    pub fn add(
        &mut self,
        name: &'static str,
        help: &'static str,
        kind: Kind,
        labels: &[(&str, &str)],
        value: impl Into<Value>,
    ) {
        debug_assert!(name.starts_with("spangraph_"), "{name} lacks the prefix");
        let family = self.families.entry(name).or_insert_with(|| Family {
            help,
            kind,
            samples: BTreeMap::new(),
        });
        family.samples.insert(label_set(labels), value.into());
    }

    /// The whole exposition.
    pub fn text(&self, dialect: Dialect) -> String {
        let mut out = Exposition::new(dialect, 0);
        for (name, family) in &self.families {
            out.family(name, family.kind, None, family.help);
            for (labels, value) in &family.samples {
                out.sample(name, labels, &value.text(), None);
            }
        }
        out.finish()
    }
}

// === impl Value ===

impl Value {
    fn text(self) -> String {
        match self {
            Self::Whole(n) => n.to_string(),
            Self::Number(n) if n.is_nan() => "NaN".to_owned(),
            Self::Number(n) if n.is_infinite() => {
                (if n > 0.0 { "+Inf" } else { "-Inf" }).to_owned()
            }
            Self::Number(n) => n.to_string(),
        }
    }
}

impl From<u64> for Value {
    fn from(number: u64) -> Self {
        Self::Whole(number)
    }
}

impl From<f64> for Value {
    fn from(number: f64) -> Self {
        Self::Number(number)
    }
}

const OPEN_METRICS: &str = "application/openmetrics-text";
const TEXT: &str = "text/plain";

/// `/metrics`.
pub(super) async fn metrics(
    State(shared): State<Arc<Shared>>,
    RawQuery(raw): RawQuery,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    no_parameters(raw.as_deref())?;
    let mut families = Families::default();
    own(&shared, &mut families);
    streams(&shared, &mut families);
    for part in &shared.state.metrics {
        part.collect(&mut families);
    }
    let dialect = negotiate(&headers)?;
    Ok(answered(families.text(dialect), dialect))
}

/// `/metrics/graph`. A body of five thousand edges is tens of megabytes: several scrapers in one second share one.
pub(super) async fn graph(
    State(shared): State<Arc<Shared>>,
    RawQuery(raw): RawQuery,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    no_parameters(raw.as_deref())?;
    let totals = Arc::clone(&shared.state.totals);
    let dialect = negotiate(&headers)?;
    let key = format!("{GRAPH} {dialect:?} {}", totals.version());
    let write = move || Ok(Bytes::from(graph_series::write(totals.snapshot(), dialect)).into());
    let made = shared.memo.get(&key, write).await?;
    Ok(answered(made.bytes, dialect))
}

fn answered(body: impl Into<Body>, dialect: Dialect) -> Response {
    let mut response = answers::typed(body, dialect.content_type());
    let headers = response.headers_mut();
    headers.insert(VARY, HeaderValue::from_static("Accept, Accept-Encoding"));
    response
}

/// OpenMetrics for whoever names it and does not prefer the older format, which is for all others that take it.
fn negotiate(headers: &HeaderMap) -> Result<Dialect, Problem> {
    let accept = Accept::of(headers);
    let named = accept.named(OPEN_METRICS);
    let text = accept.quality_of(TEXT);
    if named > 0.0 && named >= text {
        Ok(Dialect::OpenMetrics)
    } else if text > 0.0 {
        Ok(Dialect::Text)
    } else if accept.quality_of(OPEN_METRICS) > 0.0 {
        Ok(Dialect::OpenMetrics)
    } else {
        Err(Problem::NotAcceptable(vec![OPEN_METRICS, TEXT]))
    }
}

/// What the API itself counts.
fn own(shared: &Shared, out: &mut Families) {
    for ((route, code), requests) in shared.requests.lock().iter() {
        let labels = [("route", *route), ("code", &code.to_string())];
        out.add(
            "spangraph_api_requests_total",
            "Requests to the API.",
            Kind::Counter,
            &labels,
            *requests,
        );
    }
    if let Some(gate) = &shared.state.tokens {
        out.add(
            "spangraph_api_unauthorized_total",
            "Requests that showed no token that counts, over gRPC too.",
            Kind::Counter,
            &[],
            gate.refused(),
        );
    }
    let counters = shared.memo.counters();
    let ways = [
        ("remembered", &counters.hits),
        ("built", &counters.builds),
        ("shared", &counters.shared),
        ("refused", &counters.refused),
    ];
    for (how, count) in ways {
        let labels = [("how", how)];
        let count = count.load(Ordering::Relaxed);
        out.add(
            "spangraph_api_bodies_total",
            "Graph bodies by how they were got.",
            Kind::Counter,
            &labels,
            count,
        );
    }
    let evicted = counters.evicted.load(Ordering::Relaxed);
    let help = "Remembered bodies dropped for room.";
    out.add(
        "spangraph_api_bodies_evicted_total",
        help,
        Kind::Counter,
        &[],
        evicted,
    );
    let failed = counters.failed.load(Ordering::Relaxed);
    out.add(
        "spangraph_api_build_failures_total",
        "Bodies that could not be built.",
        Kind::Counter,
        &[],
        failed,
    );
    let (bodies, bytes) = shared.memo.size();
    out.add(
        "spangraph_api_cached_bodies",
        "Bodies remembered.",
        Kind::Gauge,
        &[],
        bodies as u64,
    );
    out.add(
        "spangraph_api_cached_bytes",
        "Bytes of remembered bodies.",
        Kind::Gauge,
        &[],
        bytes as u64,
    );
}

/// How the streams are doing.
fn streams(shared: &Shared, out: &mut Families) {
    let (open, queries) = shared.hub.size();
    let counters = shared.hub.counters();
    let read = |count: &AtomicU64| count.load(Ordering::Relaxed);
    let gauges = [
        (
            "spangraph_api_streams_open",
            "Streams open, of at most 256.",
            open,
        ),
        (
            "spangraph_api_stream_queries",
            "Different queries being streamed, of at most 16.",
            queries,
        ),
    ];
    for (name, help, value) in gauges {
        out.add(name, help, Kind::Gauge, &[], value as u64);
    }
    let refused = [
        ("streams", &counters.refused_streams),
        ("queries", &counters.refused_queries),
    ];
    for (reason, count) in refused {
        out.add(
            "spangraph_api_streams_refused_total",
            "Streams refused, by the bound that was reached.",
            Kind::Counter,
            &[("bound", reason)],
            read(count),
        );
    }
    let totals = [
        (
            "spangraph_api_streams_opened_total",
            "Streams opened.",
            &counters.opened,
        ),
        (
            "spangraph_api_stream_skips_total",
            "Times a reader was too slow for an event and got the newest state instead.",
            &counters.skipped,
        ),
    ];
    for (name, help, count) in totals {
        out.add(name, help, Kind::Counter, &[], read(count));
    }
}
