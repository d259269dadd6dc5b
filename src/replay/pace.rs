//! The clock of a replay: when each request arrived, told by the spans around it.
//!
//! A request's own time is the median of its spans' ends; it arrived at the median of those of the 17 requests around
//! it, eight before and eight after, and never before the one before it. So a host whose clock is wrong can neither
//! freeze time nor rush it, as long as it sends fewer than half of what stands together.

use std::collections::VecDeque;

/// Requests on either side that have a say.
const SIDE: usize = 8;

/// The latest time of arrival, in 2262: what an end of all ones must not overflow.
const LATEST_NS: u64 = 1 << 63;

/// Requests whose time is not known yet: at most nine.
#[derive(Debug)]
pub(super) struct Pace<T> {
    /// Own times: of at most eight requests before the first that waits, and of those that wait.
    own_ns: VecDeque<u64>,
    waiting: VecDeque<T>,
    last_ns: u64,
}

// === impl Pace ===

impl<T> Default for Pace<T> {
    fn default() -> Self {
        Self {
            own_ns: VecDeque::new(),
            waiting: VecDeque::new(),
            last_ns: 0,
        }
    }
}

impl<T> Pace<T> {
    /// Takes the next request and its own time; gives back the one eight before it, with the time it arrived.
    pub(super) fn push(&mut self, own_ns: u64, request: T) -> Option<(u64, T)> {
        self.own_ns.push_back(own_ns.min(LATEST_NS));
        self.waiting.push_back(request);
        if self.waiting.len() > SIDE {
            self.pop()
        } else {
            None
        }
    }

    /// After the last push: gives back the first that waits, as if nothing followed the last.
    pub(super) fn pop(&mut self) -> Option<(u64, T)> {
        let before = self.own_ns.len() - self.waiting.len();
        let request = self.waiting.pop_front()?;
        let mut around: Vec<u64> = self
            .own_ns
            .iter()
            .take(before + 1 + SIDE)
            .copied()
            .collect();
        self.last_ns = median(&mut around).max(self.last_ns);
        if before == SIDE {
            self.own_ns.pop_front();
        }
        Some((self.last_ns, request))
    }
}

/// The middle one, of two middle ones the smaller; 0 of none.
pub(super) fn median(values: &mut [u64]) -> u64 {
    match values.len().checked_sub(1) {
        None => 0,
        Some(last) => *values.select_nth_unstable(last / 2).1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arrivals(own_s: &[u64]) -> Vec<u64> {
        let mut pace = Pace::default();
        let mut out: Vec<(u64, usize)> = Vec::new();
        for (index, own) in own_s.iter().enumerate() {
            out.extend(pace.push(*own, index));
            assert!(pace.waiting.len() <= SIDE && pace.own_ns.len() <= 2 * SIDE);
        }
        out.extend(std::iter::from_fn(|| pace.pop()));
        assert!(out.iter().map(|(_, index)| *index).eq(0..own_s.len()));
        out.into_iter().map(|(at, _)| at).collect()
    }

    /// The definition, the slow way.
    fn expected(own: &[u64]) -> Vec<u64> {
        let mut last = 0;
        let at = |index: usize| {
            let mut around = own[index.saturating_sub(8)..(index + 9).min(own.len())].to_vec();
            around.sort_unstable();
            around[(around.len() - 1) / 2]
        };
        (0..own.len())
            .map(|index| {
                last = at(index).max(last);
                last
            })
            .collect()
    }

    #[test]
    fn a_request_arrives_at_the_median_of_the_17_around_it() {
        let mut seed: u64 = 7;
        for len in 0..60_usize {
            let own: Vec<u64> = (0..len as u64)
                .map(|index| {
                    seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                    index * 3 + (seed >> 59)
                })
                .collect();
            assert_eq!(arrivals(&own), expected(&own), "{own:?}");
        }
    }

    /// Scenario: every third host stands in 1970 or at the end of time.
    /// Guarantees: time runs with the others, forward only.
    #[test]
    fn a_broken_clock_neither_freezes_nor_rushes_time() {
        let own: Vec<u64> = (0..300)
            .map(|index| match index % 6 {
                1 => 0,
                4 => u64::MAX,
                _ => 1_000_000 + index,
            })
            .collect();
        let arrivals = arrivals(&own);
        assert!(arrivals.is_sorted());
        for (at, index) in arrivals.iter().zip(0_u64..) {
            assert!(at.abs_diff(1_000_000 + index) <= 8, "{at} for {index}");
        }
    }
}
