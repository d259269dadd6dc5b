//! What the table says of an edge, after its two names.

use super::model::Edge;
use super::table::Style;
use crate::render::text::{duration_ms, percent, rate};

/// One column of the table.
pub(super) struct Column {
    pub(super) title: &'static str,
    pub(super) right: bool,
    pub(super) style: fn(&Edge) -> Style,
    pub(super) text: fn(&Edge) -> String,
}

/// Shown in place of what is not known.
const ABSENT: &str = "-";

/// After the names. The first of [`DISPENSABLE`] goes first when the names want room.
pub(super) const COLUMNS: [Column; 6] = [
    Column {
        title: "TYPE",
        right: false,
        style: |_| Style::Dim,
        text: |edge| or_absent(edge.kind()),
    },
    Column {
        title: "RATE",
        right: true,
        style: |_| Style::Plain,
        text: |edge| edge.rate_per_s.map_or_else(absent, rate),
    },
    Column {
        title: "ERRORS",
        right: true,
        style: |edge| match edge.failed_ratio {
            Some(ratio) if ratio > 0.0 => health_style(edge),
            _ => Style::Dim,
        },
        text: |edge| edge.failed_ratio.map_or_else(absent, percent),
    },
    Column {
        title: "P50",
        right: true,
        style: |_| Style::Plain,
        text: |edge| edge.latency().p50_ms.map_or_else(absent, duration_ms),
    },
    Column {
        title: "P95",
        right: true,
        style: |_| Style::Plain,
        text: |edge| edge.latency().p95_ms.map_or_else(absent, duration_ms),
    },
    Column {
        title: "HEALTH",
        right: false,
        style: health_style,
        text: |edge| match edge.health.as_deref() {
            Some("ok") => "● ok".to_owned(),
            Some("degraded") => "▲ degraded".to_owned(),
            Some("failing") => "✖ failing".to_owned(),
            other => or_absent(other.unwrap_or_default()),
        },
    },
];
pub(super) const DISPENSABLE: [&str; 2] = ["TYPE", "P50"];

fn health_style(edge: &Edge) -> Style {
    match edge.health.as_deref() {
        Some("ok") => Style::Good,
        Some("degraded") => Style::Warning,
        Some("failing") => Style::Bad,
        _ => Style::Dim,
    }
}

pub(super) fn absent() -> String {
    ABSENT.to_owned()
}

fn or_absent(text: &str) -> String {
    if text.is_empty() { ABSENT } else { text }.to_owned()
}
