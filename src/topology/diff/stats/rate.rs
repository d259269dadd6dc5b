//! Two rates: calls per covered second, in two windows that need not be covered for the same time.

use super::discrete::two_sided;
use super::share::whole;
use super::{MAX_EXACT_VARIANCE, float, normal_p, within};

/// Calls, and for how long they were looked for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(in crate::topology::diff) struct Exposed {
    /// Calls seen.
    pub(in crate::topology::diff) calls: u64,
    /// Covered time, in any unit as long as both windows have the same.
    pub(in crate::topology::diff) time: f64,
}

/// The two-sided p-value of "both have the same rate"; `None` without calls, or when one window was not covered.
///
/// The conditional test (J. Przyborowski, H. Wilenski, *Homogeneity of results in testing samples from Poisson
/// series*, Biometrika 31, 1940): of all calls, those in `head` are binomial with its share of the covered time. Exact
/// where that is narrow, its normal approximation elsewhere.
///
/// It takes calls for independent of each other. Real ones come in bursts and one request makes several, so p-values
/// of rates are too small; a minimum effect stands beside them for that.
pub(in crate::topology::diff) fn rates_p(base: Exposed, head: Exposed) -> Option<f64> {
    let calls = base.calls.saturating_add(head.calls);
    let share = head.time / (base.time + head.time);
    if calls == 0 || !(share > 0.0 && share < 1.0) {
        return None;
    }
    let n = float(calls);
    let variance = n * share * (1.0 - share);
    if variance > MAX_EXACT_VARIANCE {
        return Some(normal_p((float(head.calls) - n * share) / variance.sqrt()));
    }
    let odds = share / (1.0 - share);
    let up = |x: u64| (n - float(x)) / (float(x) + 1.0) * odds;
    let mode = whole((n + 1.0) * share);
    Some(within(two_sided(&(0..=calls), mode, head.calls, up)))
}
