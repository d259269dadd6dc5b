//! Tests of significance on counts and histograms: how likely two windows differ so much when nothing changed.
//!
//! Pure functions of counts. What is compared, and how large a change must be to matter, is decided outside.

mod adjust;
mod discrete;
mod distribution;
mod rate;
mod share;
#[cfg(test)]
mod tests;

pub(super) use adjust::adjusted;
pub(super) use distribution::distance;
pub(super) use rate::{Exposed, rates_p};
pub(super) use share::{Share, shares_p};

/// The smallest p-value ever said: smaller ones are this. No count proves a chance of zero.
const LEAST_P: f64 = 1e-300;

/// Conditional distributions of at most this variance are summed exactly, about 900 terms; wider ones are taken for
/// normal, whose tail at z = 5 is then within a factor of 1.6 of the exact one.
const MAX_EXACT_VARIANCE: f64 = 2_500.0;

/// The two-sided p-value of a standard normal deviate.
fn normal_p(z: f64) -> f64 {
    within(libm::erfc(z.abs() / std::f64::consts::SQRT_2))
}

/// A computed probability as a p-value.
fn within(p: f64) -> f64 {
    p.clamp(LEAST_P, 1.0)
}

#[expect(clippy::cast_precision_loss, reason = "counts below 2^53 are exact")]
fn float(count: u64) -> f64 {
    count as f64
}
