//! The service graph as Prometheus series under the names and labels that Grafana's service graph view asks for.

use std::sync::Arc;

use super::exposition::{Dialect, Exemplar, Exposition, Kind, label_set, seconds};
use crate::topology::connection_name;
use crate::topology::series::{BOUNDS, Classic, Labels, Sample, Series, Sums};

/// Upper bounds in seconds: 2^-10 … 2^5, and all. The same texts in both dialects, so that a scrape that changes its
/// mind does not begin new series.
const LE: [&str; BOUNDS + 1] = [
    "0.0009765625",
    "0.001953125",
    "0.00390625",
    "0.0078125",
    "0.015625",
    "0.03125",
    "0.0625",
    "0.125",
    "0.25",
    "0.5",
    "1.0",
    "2.0",
    "4.0",
    "8.0",
    "16.0",
    "32.0",
    "+Inf",
];

/// Bytes of one series in text, about: forty lines.
const SERIES_BYTES: usize = 6_000;

/// A histogram of the graph.
struct Histogram {
    name: &'static str,
    help: &'static str,
    of: fn(&Sums) -> Option<&Classic>,
}

const HISTOGRAMS: [Histogram; 3] = [
    Histogram {
        name: "traces_service_graph_request_server_seconds",
        help: "Duration of calls as the server saw them; as the client did where the server is virtual.",
        of: |sums| sums.server.as_deref(),
    },
    Histogram {
        name: "traces_service_graph_request_client_seconds",
        help: "Duration of calls as the client saw them.",
        of: |sums| sums.client.as_deref(),
    },
    Histogram {
        name: "traces_service_graph_request_messaging_system_seconds",
        help: "Time from the end of the producer to the start of the consumer.",
        of: |sums| sums.queue.as_deref(),
    },
];

/// A series with its labels as they are written, without the closing brace.
struct Labelled {
    series: Arc<Series>,
    open: String,
    closed: String,
}

/// Writes all series, in their order. A side that was never seen has no histogram, so never a zero.
pub fn write(series: Vec<Arc<Series>>, dialect: Dialect) -> String {
    let mut out = Exposition::new(dialect, series.len() * SERIES_BYTES);
    let labelled: Vec<Labelled> = series.into_iter().map(Labelled::new).collect();
    counter(
        &mut out,
        "traces_service_graph_request_total",
        "Calls from client to server.",
        &labelled,
        |sums| (sums.calls(), None),
    );
    counter(
        &mut out,
        "traces_service_graph_request_failed_total",
        "Calls that failed.",
        &labelled,
        |sums| (sums.failed(), sums.failed_exemplar.as_ref()),
    );
    for histogram in HISTOGRAMS {
        write_histogram(&mut out, &histogram, &labelled);
    }
    out.finish()
}

// === impl Labelled ===

impl Labelled {
    fn new(series: Arc<Series>) -> Self {
        let closed = labels(&series.labels);
        let open = closed.trim_end_matches('}').to_owned();
        Self {
            series,
            open,
            closed,
        }
    }
}

fn labels(labels: &Labels) -> String {
    let mut pairs = vec![
        ("client", &*labels.client),
        ("server", &*labels.server),
        ("connection_type", connection_name(labels.connection_type)),
    ];
    let namespaces = [
        ("client_service_namespace", &labels.client_namespace),
        ("server_service_namespace", &labels.server_namespace),
    ];
    for (name, namespace) in namespaces {
        pairs.extend(namespace.as_deref().map(|namespace| (name, namespace)));
    }
    label_set(&pairs)
}

fn counter(
    out: &mut Exposition,
    name: &str,
    help: &str,
    labelled: &[Labelled],
    of: impl Fn(&Sums) -> (u64, Option<&Sample>),
) {
    out.family(name, Kind::Counter, None, help);
    let family = name.strip_suffix("_total").unwrap_or(name);
    for one in labelled {
        let (value, sample) = of(&one.series.sums);
        let exemplar = sample.map(|sample| exemplar(sample, "1.0"));
        out.sample(name, &one.closed, &value.to_string(), exemplar);
        out.created(family, &one.closed, one.series.created_s);
    }
}

fn write_histogram(out: &mut Exposition, histogram: &Histogram, labelled: &[Labelled]) {
    let name = histogram.name;
    out.family(name, Kind::Histogram, Some("seconds"), histogram.help);
    let [bucket, sum, count] = ["bucket", "sum", "count"].map(|end| format!("{name}_{end}"));
    let mut with_le = String::new();
    for one in labelled {
        let Some(classic) = (histogram.of)(&one.series.sums) else {
            continue;
        };
        for (le, (below, sample)) in LE.iter().zip(classic.cumulative()) {
            with_le.clear();
            with_le.extend([&one.open, ",le=\"", le, "\"}"]);
            let duration = sample.map(|sample| seconds(sample.duration_ns));
            let exemplar = sample
                .zip(duration.as_deref())
                .map(|(sample, duration)| exemplar(sample, duration));
            out.sample(&bucket, &with_le, &below.to_string(), exemplar);
        }
        out.sample(&sum, &one.closed, &seconds(classic.sum_ns()), None);
        out.sample(&count, &one.closed, &classic.count().to_string(), None);
        out.created(name, &one.closed, one.series.created_s);
    }
}

fn exemplar<'a>(sample: &'a Sample, value: &'a str) -> Exemplar<'a> {
    Exemplar {
        trace: &sample.trace,
        span: &sample.span,
        value,
        second: sample.second,
    }
}
