//! Whether a saved snapshot agrees with itself. What is asked here holds in every snapshot that a daemon prints, whatever
//! its filters (design: the law of a body); a file in which it does not was changed since, and would be judged wrongly.

use std::collections::{BTreeMap, HashSet};

use super::body::{Body, EdgeBody, HistogramBody, NodeBody, Views};
use super::law;
use crate::render::text::echoed;
use crate::topology::Window;

/// Figures have nine digits.
const FIGURE_ERROR: f64 = 1e-6;
/// Slots are as long as the clock made them: a window may be covered for a little longer than it is.
const SLACK_S: u64 = 2;

/// Fails with the element and what is wrong with it.
pub(super) fn check(body: &Body, window: &Window) -> Result<(), String> {
    let covered_s = covered(window)?;
    let nodes: Vec<&NodeBody> = body.nodes.iter().filter(|n| !n.idle).collect();
    let edges: Vec<&EdgeBody> = body.edges.iter().filter(|e| !e.idle).collect();
    let calls = nodes.iter().map(|n| n.all_calls());
    if covered_s == 0.0 && calls.chain(edges.iter().map(|e| e.calls)).any(|n| n > 0) {
        return Err("there are calls, but of its window 0 s are covered".to_owned());
    }
    once(body.nodes.iter().map(|n| (&n.id, n.title())))?;
    once(body.edges.iter().map(|e| (&e.id, e.title())))?;
    let known: HashSet<&str> = body.nodes.iter().map(|n| n.id.as_str()).collect();
    for node in &nodes {
        node.check(covered_s)
            .map_err(|why| format!("{}: {why}", node.title()))?;
    }
    for edge in &edges {
        let whole = edge.check(&known, covered_s);
        whole.map_err(|why| format!("{}: {why}", edge.title()))?;
    }
    law::check(body, &nodes, &edges)
}

/// Seconds of the window that are covered.
#[expect(
    clippy::cast_precision_loss,
    reason = "lengths of windows are far below 2^53 ns"
)]
fn covered(window: &Window) -> Result<f64, String> {
    let Some(length_s) = window.end_unix_s.checked_sub(window.start_unix_s) else {
        return Err("its window ends before it starts".to_owned());
    };
    let most_s = length_s + length_s / 50 + SLACK_S;
    if window.covered_ns / 1_000_000_000 > most_s {
        let covered_s = window.covered_ns / 1_000_000_000;
        return Err(format!(
            "of its window, {length_s} s long, {covered_s} s are covered"
        ));
    }
    Ok(window.covered_ns as f64 / 1e9)
}

fn once<'a>(mut elements: impl Iterator<Item = (&'a String, String)>) -> Result<(), String> {
    let mut met = HashSet::new();
    let twice = elements.find(|(id, _)| !met.insert(*id));
    twice.map_or(Ok(()), |(_, title)| Err(format!("{title} is there twice")))
}

// === impl NodeBody ===

impl NodeBody {
    pub(super) fn title(&self) -> String {
        format!("node `{}`", echoed(&self.id))
    }

    fn all_calls(&self) -> u64 {
        total(&self.calls_from)
    }

    fn check(&self, covered_s: f64) -> Result<(), String> {
        let calls = self.all_calls();
        if let Some(stated) = self.calls.filter(|stated| *stated != calls) {
            return Err(format!(
                "it states {stated} calls, and `calls_from` sums to {calls}"
            ));
        }
        figures(
            (calls, self.failed),
            (self.rate_per_s, self.failed_ratio),
            covered_s,
        )?;
        samples(self.histograms.as_ref(), calls)
    }
}

// === impl EdgeBody ===

impl EdgeBody {
    pub(super) fn title(&self) -> String {
        let [client, server, id] = [&self.client, &self.server, &self.id].map(|text| echoed(text));
        format!("edge `{client}` to `{server}` (`{id}`)")
    }

    /// Its calls before they were weighted.
    pub(super) fn raw(&self) -> u64 {
        self.raw_calls.unwrap_or(self.calls)
    }

    fn check(&self, known: &HashSet<&str>, covered_s: f64) -> Result<(), String> {
        for end in [&self.client, &self.server] {
            if !known.contains(end.as_str()) {
                return Err(format!("`{}` is not among the nodes", echoed(end)));
            }
        }
        let (raw, seen) = (self.raw(), total(&self.seen));
        if seen != raw {
            return Err(format!("it states {raw} calls, and `seen` sums to {seen}"));
        }
        let told = (self.rate_per_s, self.failed_ratio);
        figures((self.calls, self.failed), told, covered_s)?;
        samples(self.histograms.as_ref(), raw)
    }
}

pub(super) fn total(counts: &BTreeMap<String, u64>) -> u64 {
    counts.values().fold(0, |sum, n| sum.saturating_add(*n))
}

/// Failed calls are calls, and what is derived from the counts is derived from these.
#[expect(clippy::cast_precision_loss, reason = "compared to nine digits")]
fn figures(
    (calls, failed): (u64, u64),
    (rate_per_s, failed_ratio): (Option<f64>, Option<f64>),
    covered_s: f64,
) -> Result<(), String> {
    if failed > calls {
        return Err(format!("{failed} of {calls} calls failed"));
    }
    let derived = [
        ("rate_per_s", rate_per_s, calls as f64, covered_s),
        ("failed_ratio", failed_ratio, failed as f64, calls as f64),
    ];
    for (name, stated, part, whole) in derived {
        let Some(stated) = stated else { continue };
        if (stated * whole - part).abs() > FIGURE_ERROR * part.max(FIGURE_ERROR) {
            return Err(format!(
                "its `{name}` is {stated}, and its counts say {}",
                part / whole
            ));
        }
    }
    Ok(())
}

/// Each histogram has the samples it states, and no more than there were calls.
fn samples(views: Option<&Views<HistogramBody>>, calls: u64) -> Result<(), String> {
    let Some(v) = views else { return Ok(()) };
    let sides = [
        ("client", &v.client),
        ("server", &v.server),
        ("gap", &v.gap),
        ("queue", &v.queue),
    ];
    for (side, histogram) in sides {
        let Some(h) = histogram else { continue };
        let stated = h.count;
        let held = h
            .counts
            .iter()
            .fold(h.zero_count, |sum, n| sum.saturating_add(*n));
        if held != stated {
            return Err(format!(
                "its {side} histogram states {stated} samples and holds {held}"
            ));
        }
        if stated > calls {
            return Err(format!(
                "its {side} histogram has {stated} samples of {calls} calls"
            ));
        }
        if h.min_s > h.max_s {
            let (least, most) = (h.min_s, h.max_s);
            return Err(format!(
                "its {side} histogram is from {least} s to {most} s"
            ));
        }
    }
    Ok(())
}
