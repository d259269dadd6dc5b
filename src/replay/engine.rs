//! The core under the clock of the data, and the sum of what it seals.

use bytes::Bytes;

use crate::clock::Timestamp;
use crate::core::{Core, CoreConfig, Scratch};
use crate::otlp::Malformed;
use crate::proto::{Origin, Slice};
use crate::slice::{Accumulator, Join, MergeError};

use super::request::{Ends, Held, NEAR_NS};

/// The core from the second of the first arrival on.
#[derive(Debug)]
pub(super) struct Engine {
    core: Core,
    scratch: Scratch,
    sum: Sum,
    /// The second that is open.
    now_s: u64,
    /// Seconds that were passed over: wall time without monotonic time.
    skipped_s: u64,
    /// Seconds of pauses in which nothing was being recorded.
    paused_s: u64,
    /// The first and the last second in which the input was being recorded.
    first_s: u64,
    last_s: u64,
    /// The longest any span can wait for its outcome.
    patience_s: u64,
}

/// Slices joined as they come.
#[derive(Debug)]
struct Sum {
    slices: Accumulator,
    /// Bytes added since it was last reduced to what it names, and bytes it had then.
    added: usize,
    reduced: usize,
    reduce_after: usize,
}

const SECOND_NS: u64 = 1_000_000_000;

/// Longest time without a request that counts as recorded; rates leave longer ones out.
const LONGEST_PAUSE_S: u64 = 600;

/// Bytes of slices after which the sum is reduced, at least: a few times the size of a large graph.
const REDUCE_AFTER: usize = 64 << 20;

// === impl Engine ===

impl Engine {
    /// Begins in the second of `at_ns`.
    pub(super) fn new(config: CoreConfig, at_ns: u64) -> Self {
        let rules = &config.rules;
        // An outbound span waits for callees that came during its own wait, each with a wait of its own.
        let patience_s = 2 * u64::from(rules.wait.max(rules.messaging_wait)) + 2;
        let origin = Origin {
            instance: "replay".to_owned(),
            role: "replay".to_owned(),
            ..Origin::default()
        };
        let now_s = at_ns / SECOND_NS;
        Self {
            core: Core::new(config, origin, Timestamp::from_unix_ns(now_s * SECOND_NS)),
            scratch: Scratch::default(),
            sum: Sum::new(REDUCE_AFTER),
            now_s,
            skipped_s: 0,
            paused_s: 0,
            first_s: now_s,
            last_s: now_s,
            patience_s,
        }
    }

    /// Lets time run to `at_ns`.
    pub(super) fn reach(&mut self, at_ns: u64) -> Result<(), MergeError> {
        let second = at_ns / SECOND_NS;
        let pause_s = second.saturating_sub(self.now_s);
        if pause_s > LONGEST_PAUSE_S {
            self.paused_s += pause_s - 1;
            self.pass_over(second)?;
        }
        self.last_s = self.last_s.max(second);
        self.seal_before(second)
    }

    /// Applies a request that arrives now.
    pub(super) fn apply(&mut self, request: &Held) -> Result<(), Malformed> {
        let (bytes, encoding) = (&request.bytes, request.encoding);
        self.widen(request.ends);
        let now = self.at(self.now_s);
        self.core
            .apply(bytes, encoding, &mut self.scratch, now)
            .map(drop)
    }

    /// Lets every wait elapse and joins everything: the slice of the whole input.
    pub(super) fn finish(mut self) -> Result<Slice, MergeError> {
        let patience_ends = self.now_s + self.patience_s;
        self.seal_before(self.now_s + 1)?;
        while self.core.gauges().pairing.held > 0 && self.now_s < patience_ends {
            self.seal_before(self.now_s + 1)?;
        }
        let mut slice = self.sum.slices.finish();
        slice.start_unix_s = slice.start_unix_s.min(self.first_s);
        slice.end_unix_s = slice.end_unix_s.max(self.last_s + 1);
        slice.covered_ns = (self.last_s + 1 - self.first_s - self.paused_s) * SECOND_NS;
        Ok(slice)
    }

    /// What was recorded began and ended with the spans themselves: the times of arrival are medians, and those of a
    /// short input lie close together. A request whose clock is broken has no say.
    fn widen(&mut self, ends: Ends) {
        if (ends.median / SECOND_NS).abs_diff(self.now_s) * SECOND_NS <= NEAR_NS {
            self.first_s = self.first_s.min(ends.first / SECOND_NS);
            self.last_s = self.last_s.max(ends.last / SECOND_NS);
        }
    }

    /// Seals only as long as anything waits or is remembered. After that the seconds before `second` would all be
    /// empty, so the wall clock steps over them, which the core knows as a clock that was set.
    fn pass_over(&mut self, second: u64) -> Result<(), MergeError> {
        let busy = |core: &Core| {
            let pairing = core.gauges().pairing;
            pairing.held + pairing.tombstones > 0
        };
        while self.now_s + 1 < second && busy(&self.core) {
            self.seal_before(self.now_s + 1)?;
        }
        self.skipped_s += second - self.now_s - 1;
        Ok(())
    }

    fn seal_before(&mut self, second: u64) -> Result<(), MergeError> {
        for sealed in self.core.advance(self.at(second)) {
            self.sum.add(&sealed.bytes)?;
        }
        self.now_s = second;
        Ok(())
    }

    fn at(&self, second: u64) -> Timestamp {
        Timestamp {
            wall_ns: second * SECOND_NS,
            mono_ns: (second - self.skipped_s) * SECOND_NS,
        }
    }
}

// === impl Sum ===

impl Sum {
    fn new(reduce_after: usize) -> Self {
        Self {
            reduce_after,
            slices: Accumulator::new(Join::Then),
            added: 0,
            reduced: 0,
        }
    }

    /// Adds a slice. Now and then what no longer belongs to the sum is dropped: strings that were named once and are
    /// not among the 16 smallest of a set.
    fn add(&mut self, slice: &Bytes) -> Result<(), MergeError> {
        self.slices.add(slice)?;
        self.added += slice.len();
        if self.added > self.reduce_after.max(4 * self.reduced) {
            let slices = std::mem::replace(&mut self.slices, Accumulator::new(Join::Then));
            let reduced = slices.finish_encoded();
            self.slices.add(&reduced)?;
            (self.added, self.reduced) = (0, reduced.len());
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use prost::Message as _;

    use super::*;
    use crate::graph::{Graph, GraphConfig, SealInfo};

    /// Seconds of a service whose instances come and go.
    fn slices() -> Vec<Bytes> {
        let config = GraphConfig {
            max_nodes: 10,
            max_edges: 10,
            idle_s: u64::MAX,
        };
        let graph = Graph::new(config, Origin::default(), String::new());
        let service = graph.service(None, "shop", 0);
        let seal = |second: u64| {
            let live = graph.open(second);
            live.saw_service(service, Some(&format!("shop-{second}")), Some("1.0"));
            let info = SealInfo {
                pending_before: 0,
                pending_after: 0,
                end_unix_s: second + 1,
                monotonic_ns: SECOND_NS,
                sequence: second,
            };
            graph.seal(&live, &info).0
        };
        (1..200).map(seal).collect()
    }

    /// Guarantees: reducing the sum, however often, changes nothing in it.
    #[test]
    fn a_sum_that_is_reduced_is_the_same_sum() {
        let sum = |reduce_after: usize| {
            let mut sum = Sum::new(reduce_after);
            for slice in slices() {
                sum.add(&slice).unwrap();
            }
            (sum.reduced, sum.slices.finish().encode_to_vec())
        };
        let (never, whole) = sum(usize::MAX);
        let (often, reduced) = sum(0);
        assert!(never == 0 && often > 0);
        assert_eq!(whole, reduced);
    }
}
