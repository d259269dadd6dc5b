//! Spans that found no partner, as the slices counted them: why an edge is missing.

use super::model::{Frame, NodeCounts, Window};
use super::query::Echo;
use super::{BuildError, generated_unix_s, read, select, window};
use crate::proto::{self, Law};

/// The unpaired spans of a window.
#[derive(Debug, Clone)]
pub struct Unpaired {
    /// Seal time of the newest slot used, unix seconds.
    pub generated_unix_s: u64,
    /// Process epoch of the daemon that built it.
    pub epoch: String,
    /// The window as it was answered.
    pub window: Window,
    /// What was asked, normalised; defaults are left out.
    pub query: Vec<(&'static str, Echo)>,
    /// The law's terms of the whole window.
    pub law: Law,
    /// Whether a call of the window stands for others that sampling left out, as [`super::Topology`] says it.
    pub sampling_adjusted: bool,
    /// Sorted by service, kind, span name, reason; at most [`crate::slice::MAX_UNPAIRED_ROWS`] with a name and as many
    /// without.
    pub rows: Vec<UnpairedSpans>,
    /// Spans in no row.
    pub other: u64,
    /// Rows that the filters took away.
    pub hidden_rows: u64,
    /// Spans of those rows.
    pub hidden_spans: u64,
}

/// Spans alike in all that a user can look for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnpairedSpans {
    /// Node id of the service that sent them.
    pub service: String,
    /// `client`, `server`, ...
    pub kind: &'static str,
    /// Their name; `None` for all names beyond those that slices keep.
    pub span_name: Option<String>,
    /// Why, one word.
    pub reason: String,
    /// How many.
    pub count: u64,
    /// The trace of one of them.
    pub sample_trace_id: Vec<u8>,
}

/// Reads the unpaired spans of one window from its merged slice.
pub fn unpaired(mut merged: proto::Slice, frame: &Frame<'_>) -> Result<Unpaired, BuildError> {
    let rows = std::mem::take(&mut merged.unpaired);
    let strings = merged.strings.clone();
    let graph = read::graph(&mut merged)?;
    let sampling_adjusted = graph.edges.iter().any(|e| e.counted.weighted());
    let nodes = graph.nodes;
    let mut out = Unpaired {
        generated_unix_s: generated_unix_s(&merged, frame),
        epoch: frame.epoch.to_owned(),
        window: window(frame, merged.covered_ns),
        query: frame.query.echo(),
        law: merged.law.unwrap_or_default(),
        sampling_adjusted,
        rows: Vec::with_capacity(rows.len()),
        other: merged.unpaired_other,
        hidden_rows: 0,
        hidden_spans: 0,
    };
    for row in rows {
        let node = at(&nodes, row.node)?;
        if select::allowed(node, frame.query) {
            out.rows.push(named(row, node, &strings)?);
        } else {
            out.hidden_rows += 1;
            out.hidden_spans = out.hidden_spans.saturating_add(row.count);
        }
    }
    out.rows.sort_by(|a, b| key(a).cmp(&key(b)));
    Ok(out)
}

fn named(
    row: proto::UnpairedRow,
    node: &NodeCounts,
    strings: &[String],
) -> Result<UnpairedSpans, BuildError> {
    let named = !row.further_names;
    Ok(UnpairedSpans {
        service: node.id.clone(),
        kind: kind(row.kind),
        span_name: named
            .then(|| at(strings, row.span_name_ref).cloned())
            .transpose()?,
        reason: at(strings, row.reason_ref)?.clone(),
        count: row.count,
        sample_trace_id: row.sample_trace_id,
    })
}

fn at<T>(list: &[T], reference: u32) -> Result<&T, BuildError> {
    let index = usize::try_from(reference).unwrap_or(usize::MAX);
    list.get(index)
        .ok_or(BuildError::Malformed("an unpaired row's reference"))
}

/// What has no name comes after what has.
fn key(row: &UnpairedSpans) -> (&str, &str, bool, Option<&str>, &str) {
    let name = row.span_name.as_deref();
    (&row.service, row.kind, name.is_none(), name, &row.reason)
}

/// OTLP's span kinds, in lower case.
fn kind(kind: u32) -> &'static str {
    match kind {
        1 => "internal",
        2 => "server",
        3 => "client",
        4 => "producer",
        5 => "consumer",
        _ => "unspecified",
    }
}
