//! What follows from the figures of two windows: differences, ratios, and which quantile moved furthest.

use super::model::{LatencyChange, Measure};
use crate::topology::Latency;

/// The larger over the smaller; 1 when they are equal or one is unknown.
pub(super) fn factor(a: Option<f64>, b: Option<f64>) -> f64 {
    match a.zip(b) {
        Some((a, b)) if a < b => b / a,
        Some((a, b)) if a > b => a / b,
        _ => 1.0,
    }
}

// === impl Measure ===

impl Measure {
    /// `head` − `base`.
    pub fn difference(&self) -> Option<f64> {
        Some(self.head? - self.base?)
    }

    /// `head` ÷ `base`; `None` when there is no base to divide by.
    pub fn ratio(&self) -> Option<f64> {
        let base = self.base.filter(|base| *base > 0.0)?;
        self.head.map(|head| head / base)
    }

    /// Whether it changed.
    pub fn changed(&self) -> bool {
        self.test.is_some_and(|test| test.changed)
    }
}

// === impl LatencyChange ===

impl LatencyChange {
    /// Whether it changed.
    pub fn changed(&self) -> bool {
        self.test.is_some_and(|test| test.changed)
    }

    /// The values of one quantile, by its position in [`super::Diff::quantiles`], in ms.
    pub fn quantile(&self, at: usize) -> Measure {
        self.value(|l| l.quantiles_ms.get(at).copied())
    }

    /// The means, in ms.
    pub fn mean(&self) -> Measure {
        self.value(|l| Some(l.mean_ms))
    }

    /// The slowest calls, in ms.
    pub fn max(&self) -> Measure {
        self.value(|l| Some(l.max_ms))
    }

    /// The judged quantile that moved furthest, by its position; of equal ones the highest.
    pub fn furthest(&self) -> Option<usize> {
        let furthest = |at: &usize| {
            let quantile = self.quantile(*at);
            factor(quantile.base, quantile.head)
        };
        (0..self.judged).max_by(|a, b| furthest(a).total_cmp(&furthest(b)))
    }

    /// How far it did, as a factor of at least 1.
    pub(super) fn largest_factor(&self) -> f64 {
        let furthest = self.furthest().map(|at| self.quantile(at));
        furthest.map_or(1.0, |q| factor(q.base, q.head))
    }

    fn value(&self, value: impl Fn(&Latency) -> Option<f64>) -> Measure {
        Measure {
            base: self.base.as_ref().and_then(&value),
            head: self.head.as_ref().and_then(&value),
            test: None,
        }
    }
}
