//! Two shares: failed calls of all calls, in two windows.

use super::discrete::two_sided;
use super::{MAX_EXACT_VARIANCE, float, normal_p, within};

/// `hits` of `of`; `hits` beyond `of` are read as `of`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::topology::diff) struct Share {
    /// Failed calls.
    pub(in crate::topology::diff) hits: u64,
    /// Calls.
    pub(in crate::topology::diff) of: u64,
}

/// The two-sided p-value of "both have the same share"; `None` when one of them has no calls.
///
/// Fisher's exact test where the hypergeometric distribution is narrow (R. A. Fisher, *Statistical Methods for
/// Research Workers*, section 21.02): it holds its level however few calls there are, at the price of some power.
/// (Boschloo's test has more, but needs a search over the nuisance share for each of thousands of edges.) Elsewhere
/// the z-test with pooled variance, to which Fisher's converges (A. Agresti, *Categorical Data Analysis*, 3rd ed.,
/// section 3.2.3).
pub(in crate::topology::diff) fn shares_p(base: Share, head: Share) -> Option<f64> {
    if base.of == 0 || head.of == 0 {
        return None;
    }
    let (base, head) = (base.sane(), head.sane());
    let hits = base.hits.saturating_add(head.hits);
    let (n1, n2, k) = (float(base.of), float(head.of), float(hits));
    let n = n1 + n2;
    if hits == 0 || k >= n {
        return Some(1.0);
    }
    let variance = k * (n - k) / n * (n1 / n) * (n2 / (n - 1.0));
    if variance > MAX_EXACT_VARIANCE {
        let (p1, p2) = (float(base.hits) / n1, float(head.hits) / n2);
        let pooled = k / n;
        let deviation = (pooled * (1.0 - pooled) * (1.0 / n1 + 1.0 / n2)).sqrt();
        return Some(normal_p((p2 - p1) / deviation));
    }
    let range = hits.saturating_sub(base.of)..=hits.min(head.of);
    let up = |x: u64| {
        let x = float(x);
        (k - x) * (n2 - x) / ((x + 1.0) * (n1 - k + x + 1.0))
    };
    let mode = whole((n2 + 1.0) * (k + 1.0) / (n + 2.0));
    Some(within(two_sided(&range, mode, head.hits, up)))
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "saturates, and no count is negative; the walk may start a step beside the mode"
)]
pub(super) fn whole(value: f64) -> u64 {
    value as u64
}

// === impl Share ===

impl Share {
    fn sane(self) -> Self {
        Self {
            hits: self.hits.min(self.of),
            of: self.of,
        }
    }
}
