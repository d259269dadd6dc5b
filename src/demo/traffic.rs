//! Visits at a rate, in real time: each span is handed out once it has ended, with the others of its process, as an
//! SDK's batch processor does. Time is an argument.

use std::collections::BTreeMap;
use std::time::Duration;

use super::dice::Dice;
use super::spans::{Export, Made};
use super::visit;
use super::weather::Weather;
use crate::clock::Timestamp;

/// Makes the shop's spans.
#[derive(Debug)]
pub(super) struct Traffic {
    dice: Dice,
    rate_per_s: u32,
    /// Monotonic time of the first and of the last call, in nanoseconds.
    began_ns: u64,
    reached_ns: u64,
    /// Spans that are due but not made yet, in billionths of a span; below zero after a visit with many.
    credit: i64,
    /// Spans by the slot of monotonic time in which they end. As many as the rate times the longest visit, seconds.
    underway: BTreeMap<u64, Vec<Made>>,
}

/// Spans that end in the same slot are exported together, as after an SDK's delay.
const SLOT_NS: u64 = 200_000_000;

/// After a pause of the process, this much is caught up at most.
const MOST_CREDIT_NS: u64 = 500_000_000;

// === impl Traffic ===

impl Traffic {
    /// A shop that opens `now` and makes about `rate_per_s` spans a second. The seed says all but the time.
    pub(super) fn new(seed: u64, rate_per_s: u32, now: Timestamp) -> Self {
        Self {
            dice: Dice::new(seed),
            rate_per_s,
            began_ns: now.mono_ns,
            reached_ns: now.mono_ns,
            credit: 0,
            underway: BTreeMap::new(),
        }
    }

    /// Lets visitors come until `now`, and returns what ended before.
    pub(super) fn until(&mut self, now: Timestamp) -> Vec<Export> {
        self.visit_until(now);
        let still = self.underway.split_off(&(now.mono_ns / SLOT_NS));
        let ended = std::mem::replace(&mut self.underway, still);
        exports(ended.into_values().flatten())
    }

    fn visit_until(&mut self, now: Timestamp) {
        let passed = now.mono_ns.saturating_sub(self.reached_ns);
        self.reached_ns = self.reached_ns.max(now.mono_ns);
        let passed = passed.min(MOST_CREDIT_NS);
        let earned = i64::try_from(u64::from(self.rate_per_s) * passed).unwrap_or(i64::MAX);
        self.credit = self.credit.saturating_add(earned);
        let weather = Weather::after(Duration::from_nanos(self.reached_ns - self.began_ns));
        let mut made = Vec::new();
        while self.credit > 0 {
            let ago = self.dice.below(passed);
            let start = now.wall_ns.saturating_sub(ago);
            visit::play(&mut self.dice, weather, start, &mut made);
            self.credit -= i64::try_from(made.len()).unwrap_or(i64::MAX) * 1_000_000_000;
            self.file(now, made.drain(..));
        }
    }

    /// Spans tell wall time; when to export them is counted on the clock that never steps.
    fn file(&mut self, now: Timestamp, made: impl Iterator<Item = Made>) {
        for one in made {
            let ahead = one.span.end_time_unix_nano.saturating_sub(now.wall_ns);
            let slot = (now.mono_ns + ahead) / SLOT_NS;
            self.underway.entry(slot).or_default().push(one);
        }
    }
}

/// One for each process that has something to export, in the order of their names.
fn exports(ended: impl Iterator<Item = Made>) -> Vec<Export> {
    let mut by_process = BTreeMap::new();
    for Made {
        service,
        instance,
        span,
    } in ended
    {
        let (_, spans) = by_process
            .entry((service.name, instance))
            .or_insert_with(|| (service, Vec::new()));
        spans.push(span);
    }
    let by_process = by_process.into_iter();
    by_process
        .map(|((_, instance), (service, spans))| Export::of(service, instance, spans))
        .collect()
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
    use opentelemetry_proto::tonic::trace::v1::Span;
    use prost::Message as _;

    use super::*;
    use crate::demo::shop::SERVICES;

    const START_NS: u64 = 1_800_000_000_000_000_000;

    /// Looks every 50 ms, from `from_s` to `to_s` after the start.
    fn exports(traffic: &mut Traffic, from_s: u64, to_s: u64) -> Vec<Export> {
        let times = (from_s * 20..to_s * 20).map(|tick| Timestamp {
            wall_ns: START_NS + tick * 50_000_000,
            mono_ns: tick * 50_000_000,
        });
        times.flat_map(|now| traffic.until(now)).collect()
    }

    fn spans(exports: &[Export]) -> Vec<(String, Span)> {
        let decoded = exports.iter().map(|export| {
            let request = ExportTraceServiceRequest::decode(export.body.clone()).unwrap();
            let [of_process] = request.resource_spans.try_into().unwrap();
            let resource = of_process.resource.unwrap();
            let name = resource.attributes[0].value.clone().unwrap();
            let [scope] = of_process.scope_spans.try_into().unwrap();
            assert_eq!(scope.spans.len() as u64, export.spans);
            scope
                .spans
                .into_iter()
                .map(move |span| (format!("{name:?}"), span))
        });
        decoded.flatten().collect()
    }

    fn new(seed: u64) -> Traffic {
        Traffic::new(
            seed,
            2_000,
            Timestamp {
                wall_ns: START_NS,
                mono_ns: 0,
            },
        )
    }

    #[test]
    fn a_seed_says_everything_but_the_time() {
        let bodies = |seed| -> Vec<_> {
            exports(&mut new(seed), 0, 2)
                .into_iter()
                .map(|export| export.body)
                .collect()
        };
        assert_eq!(bodies(5), bodies(5));
        assert_ne!(bodies(5), bodies(6));
    }

    /// Guarantees: about the rate that was asked for, from every service, and after a pause no flood.
    #[test]
    fn the_rate_is_the_one_asked_for() {
        let mut traffic = new(1);
        let spans = spans(&exports(&mut traffic, 0, 10));
        assert!((18_500..20_500).contains(&spans.len()), "{}", spans.len());
        let services: BTreeSet<_> = spans.iter().map(|(service, _)| service).collect();
        assert_eq!(services.len(), SERVICES.len());
        let paused = self::spans(&exports(&mut traffic, 600, 601));
        assert!(paused.len() < 3_500, "{}", paused.len());
    }

    /// Guarantees: a span is exported soon after it ended and never before; ids are unique; every parent exists.
    #[test]
    fn spans_are_whole_and_on_time() {
        let mut traffic = new(1);
        let mut all: Vec<(String, Span)> = Vec::new();
        for second in 0..12 {
            let ended = spans(&exports(&mut traffic, second, second + 1));
            let late_ns = START_NS + second.saturating_sub(1) * 1_000_000_000;
            for (_, span) in &ended {
                assert!(span.start_time_unix_nano < span.end_time_unix_nano);
                assert!(span.end_time_unix_nano < START_NS + (second + 1) * 1_000_000_000);
                assert!(span.end_time_unix_nano > late_ns, "{second} {}", span.name);
            }
            all.extend(ended);
        }
        let by_id: BTreeMap<_, _> = all.iter().map(|(_, span)| (&span.span_id, span)).collect();
        assert_eq!(by_id.len(), all.len());
        // Who has not ended is not here yet.
        let last = START_NS + 8_000_000_000;
        let children = all
            .iter()
            .filter(|(_, span)| !span.parent_span_id.is_empty() && span.end_time_unix_nano < last);
        for (_, child) in children {
            let parent = by_id[&child.parent_span_id];
            assert_eq!(parent.trace_id, child.trace_id);
            assert!(parent.start_time_unix_nano <= child.start_time_unix_nano);
        }
    }

    /// Guarantees: payments fail rarely on a good day, mostly in the burst, and the card processor is asked again.
    #[test]
    fn the_burst_fails_payments() {
        let mut traffic = new(1);
        let mut failed_share = |from_s, to_s| {
            let all = spans(&exports(&mut traffic, from_s, to_s));
            let charges = all
                .iter()
                .filter(|(_, span)| span.name == "payments.v1.Payments/Charge" && span.kind == 2);
            let failed: Vec<bool> = charges
                .map(|(_, span)| span.status.as_ref().is_some_and(|status| status.code == 2))
                .collect();
            let failures = failed.iter().filter(|failed| **failed).count();
            (100 * failures / failed.len(), all)
        };
        let (calm, _) = failed_share(0, 10);
        let (burst, spans) = failed_share(11, 20);
        assert!(calm < 2 && burst > 50, "{calm} {burst}");
        let resent = |(_, span): &&(String, Span)| {
            span.attributes
                .iter()
                .any(|a| a.key == "http.request.resend_count")
        };
        assert!(spans.iter().filter(resent).count() > 20);
    }
}
