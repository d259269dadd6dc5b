//! From when on a difference is a change, and the parameters that say so.

use crate::topology::Params;
use crate::topology::query::not_negative;

/// From when on a difference is a change: beyond chance **and** by enough to matter.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Settings {
    /// Adjusted p-values up to this are beyond chance; in (0, 1).
    pub alpha: f64,
    /// A rate must grow by this factor above 1, or shrink by as much; at least 0.
    pub min_rate_change: f64,
    /// A failed ratio must move by so much in absolute terms; at least 0.
    pub min_failed_change: f64,
    /// Some quantile must grow by this factor above 1, or shrink by as much; at least 0. Never finer than what the
    /// buckets tell apart.
    pub min_latency_change: f64,
    /// Elements that are the same are listed too.
    pub with_same: bool,
}

// === impl Settings ===

impl Default for Settings {
    /// One comparison in a hundred of unchanged windows may show something; a rate must move by 20 %, a failed ratio
    /// by the percentage point at which health first changes, a quantile by 10 %, twice its greatest error.
    fn default() -> Self {
        Self {
            alpha: 0.01,
            min_rate_change: 0.2,
            min_failed_change: 0.01,
            min_latency_change: 0.1,
            with_same: false,
        }
    }
}

impl Settings {
    /// Takes its parameters out of `params`, noting what is wrong there.
    pub fn take(params: &mut Params) -> Self {
        let default = Self::default();
        let include = params.read_list("include", |text| match text {
            "same" => Ok(()),
            _ => Err("must be `same`".to_owned()),
        });
        let mut change = |name: &str, value: f64| params.read(name, not_negative).unwrap_or(value);
        Self {
            min_rate_change: change("min_rate_change", default.min_rate_change),
            min_failed_change: change("min_failed_change", default.min_failed_change),
            min_latency_change: change("min_latency_change", default.min_latency_change),
            alpha: params.read("alpha", level).unwrap_or(default.alpha),
            with_same: !include.is_empty(),
        }
    }

    /// One text per meaning.
    pub fn canonical(&self) -> String {
        format!("{self:?}")
    }
}

fn level(text: &str) -> Result<f64, String> {
    let level = text.parse().ok().filter(|a: &f64| *a > 0.0 && *a < 1.0);
    level.ok_or_else(|| "must be a number in (0,1), such as 0.01".to_owned())
}
