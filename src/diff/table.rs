//! A diff as a table for people: what is certain first, then what may be chance.

use std::fmt::Write as _;

use super::report::{Pair, Report, Row, Side, Tally};
use crate::render::text::{duration_ms, percent, rate};
use crate::snapshot::text::{fit, width};

/// No name is shown longer.
const MOST_NAME: usize = 64;
/// Shown in place of what is not known.
const ABSENT: &str = "-";
/// Follows a figure that changed.
const MARK: &str = " *";

/// Everything that differs; ends with a line break.
pub(super) fn text(report: &Report) -> String {
    let mut out = String::new();
    side("base", &report.base, &mut out);
    side("head", &report.head, &mut out);
    tally("edges", &report.summary.edges, &mut out);
    tally("nodes", &report.summary.nodes, &mut out);
    for note in notes(report) {
        line(&mut out, format_args!("note   {note}"));
    }
    let mut rows: Vec<&Row> = report.all().filter(|row| row.status != "same").collect();
    rows.sort_by_key(|row| (!row.significant, row.status.clone(), name(row)));
    if !rows.is_empty() {
        out.push('\n');
        table(&rows, &mut out);
    }
    out
}

fn line(out: &mut String, words: std::fmt::Arguments<'_>) {
    writeln!(out, "{words}").expect("writing to a string cannot fail");
}

fn side(name: &str, side: &Side, out: &mut String) {
    let w = &side.window;
    let (start, end) = (fit(&w.start, MOST_NAME).text, fit(&w.end, MOST_NAME).text);
    let held = format!("{} of {} s covered", w.covered_s, w.effective_s);
    line(out, format_args!("{name}   {start} to {end}, {held}"));
}

fn tally(name: &str, tally: &Tally, out: &mut String) {
    let Tally {
        added,
        removed,
        changed,
        same,
    } = tally;
    line(
        out,
        format_args!(
            "{name}  {added} added, {removed} removed, {changed} changed, {same} the same"
        ),
    );
}

/// What keeps the comparison from being whole.
fn notes(report: &Report) -> Vec<String> {
    let mut notes = Vec::new();
    if !report.tests.latency_compared {
        notes.push("latency was not compared: a snapshot has no histograms; save it with --query include=histograms".to_owned());
    }
    notes.extend(report.warnings());
    if report.overlap_s > 0 {
        notes.push(format!(
            "the windows share {} s, so there is more difference than is seen",
            report.overlap_s
        ));
    }
    let sides = [("base", &report.base), ("head", &report.head)];
    for (name, side) in sides {
        #[expect(clippy::cast_precision_loss, reason = "a day of seconds is exact")]
        if side.window.covered_s < side.window.effective_s as f64 * 0.99 {
            notes.push(format!(
                "{name} is covered only in part; rates are per covered second"
            ));
        }
        if side.hidden.edges > 0 {
            notes.push(format!(
                "filters hide {} edges of {name}",
                side.hidden.edges
            ));
        }
    }
    let (made, alpha) = (report.tests.made, report.tests.alpha);
    notes.push(format!(
        "* beyond chance (adjusted p of {made} tests at most {alpha}) and large enough to matter; ? may be chance"
    ));
    notes
}

fn table(rows: &[&Row], out: &mut String) {
    let cells: Vec<[String; 5]> = rows.iter().map(|row| cells(row)).collect();
    let titles = ["", "WHAT", "RATE", "ERRORS", "LATENCY"].map(str::to_owned);
    let widths: Vec<usize> = (0..titles.len())
        .map(|at| {
            let all = std::iter::once(&titles).chain(&cells);
            all.map(|row| width(&row[at])).max().unwrap_or(0)
        })
        .collect();
    for row in std::iter::once(&titles).chain(&cells) {
        let padded = row.iter().zip(&widths).map(|(cell, room)| {
            let cell = fit(cell, *room);
            format!("{}{}", cell.text, " ".repeat(room - cell.width))
        });
        let padded: Vec<String> = padded.collect();
        line(out, format_args!("{}", padded.join("  ").trim_end()));
    }
}

fn cells(row: &Row) -> [String; 5] {
    let doubt = if row.significant { "" } else { " ?" };
    let latency = row.latency().and_then(|(side, view)| {
        let (quantile, pair) = view.quantile()?;
        let quantile = quantile.replace('_', ".");
        let mark = if view.changed { MARK } else { "" };
        let values = from_to(pair, duration_ms);
        Some(format!("p{quantile} {values} {side}{mark}"))
    });
    [
        format!("{}{doubt}", fit(&row.status, MOST_NAME).text),
        name(row),
        marked(row.rate_per_s, rate),
        marked(row.failed_ratio, percent),
        latency.unwrap_or_else(|| ABSENT.to_owned()),
    ]
}

fn name(row: &Row) -> String {
    let short = |text: &str| fit(text, MOST_NAME).text;
    match (&row.client, &row.server) {
        (Some(client), Some(server)) => format!("{} → {}", short(client), short(server)),
        _ => short(&row.id),
    }
}

fn marked(pair: Pair, show: fn(f64) -> String) -> String {
    let mark = if pair.changed { MARK } else { "" };
    format!("{}{mark}", from_to(pair, show))
}

fn from_to(pair: Pair, show: fn(f64) -> String) -> String {
    let show = |value: Option<f64>| value.map_or_else(|| ABSENT.to_owned(), show);
    format!("{} → {}", show(pair.base), show(pair.head))
}
