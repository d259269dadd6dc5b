//! All tests of a comparison together: corrected for their number, then weighed against the least change that matters.

use super::figures::factor;
use super::model::{Change, Status, Test};
use super::settings::Settings;
use super::stats::adjusted;

/// A change whose tests stand for themselves.
#[derive(Debug)]
pub(super) struct Raw {
    pub(super) change: Change,
    /// By latency: the factor between two estimates that may be one value.
    pub(super) resolutions: Vec<f64>,
}

/// Judges every element; returns how many tests there were.
pub(super) fn all(raws: &mut [Raw], settings: &Settings) -> u64 {
    let ps: Vec<f64> = raws
        .iter_mut()
        .flat_map(|raw| tests(&mut raw.change))
        .map(|test| test.p)
        .collect();
    let all = raws.iter_mut().flat_map(|raw| tests(&mut raw.change));
    for (test, p_adjusted) in all.zip(adjusted(&ps)) {
        test.p_adjusted = p_adjusted;
    }
    for raw in raws {
        judge(raw, settings);
    }
    ps.len() as u64
}

fn tests(change: &mut Change) -> impl Iterator<Item = &mut Test> {
    let of_latencies = change.latencies.iter_mut().map(|l| l.test.as_mut());
    let of_figures = [
        change.rate_per_s.test.as_mut(),
        change.failed_ratio.test.as_mut(),
    ];
    of_figures.into_iter().chain(of_latencies).flatten()
}

fn judge(raw: &mut Raw, settings: &Settings) {
    let change = &mut raw.change;
    let alone = match (change.base, change.head) {
        (None, _) => Some(Status::Added),
        (_, None) => Some(Status::Removed),
        _ => None,
    };
    let grown = factor(change.rate_per_s.base, change.rate_per_s.head);
    let enough = alone.is_some() || grown >= 1.0 + settings.min_rate_change;
    decide(change.rate_per_s.test.as_mut(), enough, settings);
    let moved = change.failed_ratio.difference().unwrap_or(0.0).abs();
    let enough = moved >= settings.min_failed_change;
    decide(change.failed_ratio.test.as_mut(), enough, settings);
    for (latency, resolution) in change.latencies.iter_mut().zip(&raw.resolutions) {
        let least = (1.0 + settings.min_latency_change).max(*resolution);
        let enough = latency.largest_factor() >= least;
        decide(latency.test.as_mut(), enough, settings);
    }
    let significant = tests(change).any(|test| test.changed);
    change.significant = significant;
    change.status = match alone {
        Some(status) => status,
        None if significant => Status::Changed,
        None => Status::Same,
    };
}

fn decide(test: Option<&mut Test>, enough: bool, settings: &Settings) {
    if let Some(test) = test {
        test.changed = enough && test.p_adjusted <= settings.alpha;
    }
}
