//! Everybody's counters as the API writes them: those of the transports, the law's, and how full each part is.

use std::sync::Arc;

use super::build::Parts;
use super::read_side::effective;
use crate::api::{Families, Kind, Metrics};
use crate::net::{self, Metric, NetCounters};
use crate::proto::Law;
use crate::receiver::ReceiverCounters;
use crate::topology::series::Gauges;

/// One part that counts.
#[derive(Debug)]
pub(super) enum Counting {
    /// A listener's connections.
    Listener(Arc<NetCounters>),
    /// OTLP requests.
    Receiver(Arc<ReceiverCounters>),
    /// The rest: admission, core, graph, history.
    Core(Arc<Parts>),
}

// === impl Counting ===

impl Metrics for Counting {
    fn collect(&self, out: &mut Families) {
        match self {
            Self::Listener(counters) => add_readings(out, &counters.metrics()),
            Self::Receiver(counters) => add_readings(out, &counters.metrics()),
            Self::Core(parts) => {
                add_readings(out, &parts.admission.metrics());
                add_law(out, parts);
                add_gauges(out, parts);
                add_series(out, &parts.totals.gauges());
            }
        }
    }
}

fn add_readings(out: &mut Families, readings: &[Metric]) {
    for reading in readings {
        let kind = match reading.kind {
            net::Kind::Counter => Kind::Counter,
            net::Kind::Gauge => Kind::Gauge,
        };
        out.add(
            reading.name,
            reading.help,
            kind,
            &reading.labels,
            reading.value,
        );
    }
}

/// The law's terms, all as of the newest sealed slice: on one scrape they add up.
fn add_law(out: &mut Families, parts: &Parts) {
    let law = parts.core.totals();
    let violations = parts.core.graph().gauges().law_violations;
    let mut counter = |name, help, value| out.add(name, help, Kind::Counter, &[], value);
    counter(
        "spangraph_decoded_spans_total",
        "Spans read: accepted and rejected.",
        law.decoded,
    );
    counter(
        "spangraph_accepted_spans_total",
        "Spans accepted; each gets one outcome.",
        law.accepted,
    );
    counter(
        "spangraph_negative_durations_total",
        "Spans that end before they start.",
        law.negative_duration,
    );
    counter(
        "spangraph_negative_gaps_total",
        "Pairs whose server took longer than their client.",
        law.negative_gap,
    );
    counter(
        "spangraph_clock_skews_total",
        "Consumers that began before their producer ended.",
        law.clock_skew,
    );
    counter(
        "spangraph_unresolved_links_total",
        "Links to spans that were not seen.",
        law.unresolved_links,
    );
    counter(
        "spangraph_overflow_calls_total",
        "Calls of edges beyond graph.max_edges.",
        law.overflow_calls,
    );
    counter(
        "spangraph_evicted_spans_total",
        "Spans decided early for want of memory.",
        law.evicted,
    );
    counter(
        "spangraph_law_violations_total",
        "Slices whose sums did not hold: a defect of ours.",
        violations,
    );
    out.add(
        "spangraph_pending_spans",
        "Accepted spans without an outcome yet.",
        Kind::Gauge,
        &[],
        law.pending_after,
    );
    add_law_classes(out, &law);
}

/// Those of its terms that are split by a label.
fn add_law_classes(out: &mut Families, law: &Law) {
    let rejected = law.rejected.unwrap_or_default();
    let reasons = [
        ("trace_id", rejected.trace_id),
        ("span_id", rejected.span_id),
        ("parent_span_id", rejected.parent_span_id),
    ];
    let o = law.outcomes.unwrap_or_default();
    let outcomes = [
        ("paired", o.paired),
        ("virtual", o.r#virtual),
        ("internal", o.internal),
        ("root", o.root),
        ("unpaired_client", o.unpaired_client),
        ("unpaired_server", o.unpaired_server),
        ("filtered", o.filtered),
        ("duplicate", o.duplicate),
        ("late", o.late),
    ];
    let c = law.calls.unwrap_or_default();
    let classes = [
        ("paired", c.paired),
        ("entry", c.entry),
        ("linked", c.linked),
        ("virtual_server", c.virtual_server),
        ("virtual_client", c.virtual_client),
    ];
    let mut split = |name, help, label, values: &[(&str, u64)]| {
        for (word, value) in values {
            out.add(name, help, Kind::Counter, &[(label, *word)], *value);
        }
    };
    split(
        "spangraph_rejected_spans_total",
        "Spans rejected.",
        "reason",
        &reasons,
    );
    split(
        "spangraph_span_outcomes_total",
        "Accepted spans by outcome.",
        "outcome",
        &outcomes,
    );
    split(
        "spangraph_calls_total",
        "Calls drawn, by how they were found.",
        "class",
        &classes,
    );
}

fn add_gauges(out: &mut Families, parts: &Parts) {
    let (core, graph) = (parts.core.gauges(), parts.core.graph().gauges());
    let [wait, messaging_wait, retain] = effective(&parts.config.pairing, core.pairing.short_by);
    let gauges = [
        (
            "spangraph_pairing_effective_wait_seconds",
            "Seconds an ordinary span waits: pairing.wait, or less when memory is short.",
            wait.effective_s.into(),
        ),
        (
            "spangraph_pairing_effective_messaging_wait_seconds",
            "Seconds a PRODUCER or CONSUMER waits: pairing.messaging_wait, or less when memory is short.",
            messaging_wait.effective_s.into(),
        ),
        (
            "spangraph_pairing_effective_retain_seconds",
            "Seconds a span is remembered after its wait: pairing.retain, or less when memory is short.",
            retain.effective_s.into(),
        ),
        (
            "spangraph_pairing_held_spans",
            "Spans held whole.",
            core.pairing.held,
        ),
        (
            "spangraph_pairing_tombstones",
            "Spans remembered after their wait.",
            core.pairing.tombstones,
        ),
        (
            "spangraph_pairing_door_spans",
            "Spans, of those held, that came for a shard which is being swept.",
            core.pairing.at_doors,
        ),
        (
            "spangraph_pairing_bytes",
            "Bytes of all of these.",
            core.pairing.bytes,
        ),
        (
            "spangraph_unsealed_seconds",
            "Seconds that are over and not sealed yet.",
            core.unsealed_s,
        ),
        ("spangraph_graph_nodes", "Nodes held.", graph.nodes.into()),
        ("spangraph_graph_edges", "Edges held.", graph.edges.into()),
        (
            "spangraph_graph_span_names",
            "Distinct span names held, of at most 10,000.",
            graph.span_names.into(),
        ),
        (
            "spangraph_graph_topics",
            "Distinct topics held, of at most 10,000.",
            graph.topics.into(),
        ),
        (
            "spangraph_graph_peers",
            "Distinct names of peers held, of at most 10,000.",
            graph.peers.into(),
        ),
        (
            "spangraph_graph_addresses",
            "Distinct addresses of peers held, of at most 10,000.",
            graph.addresses.into(),
        ),
    ];
    for (name, help, value) in gauges {
        out.add(name, help, Kind::Gauge, &[], value);
    }
    out.add(
        "spangraph_ingest_waits_total",
        "Chunks of spans whose sender waited until others were taken in, seconds sealed or room was made.",
        Kind::Counter,
        &[],
        core.waited,
    );
    out.add(
        "spangraph_unread_links_total",
        "Links beyond the first 128 of a span.",
        Kind::Counter,
        &[],
        core.pairing.unread_links,
    );
    add_history(out, parts);
}

fn add_history(out: &mut Families, parts: &Parts) {
    for level in parts.history.levels() {
        let labels = [("resolution_s", &*level.resolution_s.to_string())];
        out.add(
            "spangraph_history_slots",
            "Slots held.",
            Kind::Gauge,
            &labels,
            level.slots as u64,
        );
        out.add(
            "spangraph_history_bytes",
            "Bytes of the slots held.",
            Kind::Gauge,
            &labels,
            level.bytes,
        );
    }
    out.add(
        "spangraph_history_index_bytes",
        "About the bytes of what tells since when each node and edge has been there.",
        Kind::Gauge,
        &[],
        parts.history.index_bytes(),
    );
}

fn add_series(out: &mut Families, totals: &Gauges) {
    let (gauge, counter) = (Kind::Gauge, Kind::Counter);
    let samples = [
        (
            "spangraph_series_edges",
            "Edges with series of their own at /metrics/graph, of at most metrics.max_edges.",
            gauge,
            totals.series,
        ),
        (
            "spangraph_series_bytes",
            "Bytes of their totals.",
            gauge,
            totals.bytes,
        ),
        (
            "spangraph_series_overflow_calls_total",
            "Calls counted in the overflow series for want of a place.",
            counter,
            totals.overflow_calls,
        ),
        (
            "spangraph_series_displaced_total",
            "Edges whose series ended in favour of one with more calls.",
            counter,
            totals.displaced,
        ),
        (
            "spangraph_series_unreadable_slices_total",
            "Slices that could not be added: a defect of ours.",
            counter,
            totals.unreadable,
        ),
    ];
    for (name, help, kind, value) in samples {
        out.add(name, help, kind, &[], value);
    }
}
