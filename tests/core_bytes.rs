//! What a span costs while it waits and once it is remembered, indexes and free lists included, in traces of eight.

#![allow(unreachable_pub, clippy::unwrap_used, reason = "test code")]
#![allow(dead_code, reason = "the driver offers more than is needed here")]

#[path = "common/cases.rs"]
mod cases;
#[path = "common/drive.rs"]
mod drive;
#[path = "common/otlp_gen.rs"]
mod otlp_gen;
#[path = "common/said.rs"]
mod said;

use spangraph::core::{Core, Scratch};
use spangraph::otlp::Encoding;
use spangraph::pairing::{Gauges, Rules};

/// Places in the table of traces; it takes seven eighths as many.
const PLACES: usize = 4_096;

/// A core after so many traces of eight spans, all of the same wait, that arrived in one second.
fn filled(traces: usize) -> Core {
    let rules = Rules {
        wait: 10,
        messaging_wait: 10,
        retain: 60,
        ..Rules::default()
    };
    let core = drive::core_of(rules, 1, 1 << 30);
    let mut scratch = Scratch::default();
    for request in otlp_gen::whole_traces(1, traces) {
        core.apply(
            &request,
            Encoding::Protobuf,
            &mut scratch,
            drive::at_ms(500),
        )
        .unwrap();
    }
    core
}

/// Guarantees: at most 96 bytes for each waiting span and 32 for each that is remembered, right before the table of traces
/// grows and right after.
#[test]
#[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
fn a_waiting_span_takes_96_bytes_and_a_remembered_one_32() {
    let full = PLACES * 7 / 8;
    for traces in [full * 15 / 16, full * 17 / 16] {
        let spans = traces as u64 * 8;
        let core = filled(traces);
        let waiting = core.gauges().pairing;
        assert_eq!((waiting.held, waiting.tombstones), (spans, 0));
        core.advance(drive::at_ms(15_000));
        let remembered = core.gauges().pairing;
        assert_eq!((remembered.held, remembered.tombstones), (0, spans));
        let each = |gauges: Gauges| gauges.bytes as f64 / spans as f64;
        said::say(&format!(
            "{spans} spans: {:.1} bytes for each that waits, {:.1} remembered",
            each(waiting),
            each(remembered)
        ));
        let within = |gauges: Gauges, each: u64| {
            assert!(gauges.bytes <= each * spans, "{gauges:?} of {spans}");
        };
        within(waiting, 96);
        within(remembered, 32);
    }
}
