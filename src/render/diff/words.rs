//! What pictures say of a change, in words: the lines under a name or on an edge.

use crate::render::text::{duration_ms, percent, rate};
use crate::topology::diff::{Change, Diff, LatencyChange, Measure, Status, Tally};

/// The lines of one element: its status and figures, or what changed from what to what. Nothing when it is the same.
pub(in crate::render) fn lines(change: &Change, diff: &Diff) -> Vec<String> {
    match change.status {
        Status::Same => Vec::new(),
        Status::Added => alone(change, "added", change.rate_per_s.head),
        Status::Removed => alone(change, "removed", change.rate_per_s.base),
        Status::Changed => changes(change, diff),
    }
}

/// All that is known of an element's calls, for tooltips: who it is, how it differs, what was counted. A virtual node
/// reports no calls, its edges tell them.
pub(in crate::render) fn facts(who: String, change: &Change, reported: bool) -> Vec<String> {
    let mut told = vec![who, change.status.name().to_owned()];
    let sides = [("base", change.base), ("head", change.head)];
    let counted = sides.iter().filter_map(|(side, counts)| {
        let counts = counts.as_ref().filter(|_| reported)?;
        let (calls, failed) = (counts.calls, counts.failed);
        Some(format!("{side}: {calls} calls, {failed} failed"))
    });
    told.extend(counted);
    told
}

/// `1 added, 2 removed, 0 changed, 17 the same`.
pub(in crate::render) fn summary(tally: Tally) -> String {
    format!(
        "{} added, {} removed, {} changed, {} the same",
        tally.added, tally.removed, tally.changed, tally.same
    )
}

fn alone(change: &Change, word: &str, per_s: Option<f64>) -> Vec<String> {
    let mut lines = vec![match per_s.filter(|r| *r > 0.0) {
        Some(per_s) => format!("{word}, {}", rate(per_s)),
        None => word.to_owned(),
    }];
    if !change.significant {
        lines.push("may be chance".to_owned());
    }
    lines
}

fn changes(change: &Change, diff: &Diff) -> Vec<String> {
    let mut lines = Vec::new();
    if change.rate_per_s.changed() {
        lines.push(from_to(&change.rate_per_s, rate));
    }
    if change.failed_ratio.changed() {
        lines.push(format!("{} failed", from_to(&change.failed_ratio, percent)));
    }
    let latencies = change.latencies.iter().filter(|l| l.changed());
    lines.extend(latencies.filter_map(|l| latency(l, diff)));
    lines
}

/// The quantile that moved furthest, with the side that measured it.
fn latency(latency: &LatencyChange, diff: &Diff) -> Option<String> {
    let at = latency.furthest()?;
    let quantile = diff.quantiles.get(at)?.label();
    let values = from_to(&latency.quantile(at), duration_ms);
    Some(format!("{quantile} {values} {}", latency.of.name()))
}

fn from_to(measure: &Measure, show: fn(f64) -> String) -> String {
    let show = |value: Option<f64>| value.map_or_else(|| "none".to_owned(), show);
    format!("{} → {}", show(measure.base), show(measure.head))
}
