//! The law block.

use serde::Serialize;
use serde::ser::Serializer;

use crate::proto::Law;

/// The law as bodies show it, `sampling_adjusted` included.
pub fn law(law: &Law, sampling_adjusted: bool) -> impl Serialize + use<> {
    LawBody::of(law, sampling_adjusted)
}

#[derive(Serialize)]
struct LawBody {
    decoded: u64,
    accepted: u64,
    rejected: Counts<3>,
    pending_before: u64,
    pending_after: u64,
    outcomes: Counts<9>,
    calls: Counts<5>,
    negative_duration: u64,
    negative_gap: u64,
    clock_skew: u64,
    unresolved_links: u64,
    overflow_calls: u64,
    evicted: u64,
    sampling_adjusted: bool,
}

/// Names with counts, in a fixed order.
struct Counts<const N: usize>([(&'static str, u64); N]);

// === impl LawBody ===

impl LawBody {
    fn of(law: &Law, sampling_adjusted: bool) -> Self {
        let rejected = law.rejected.unwrap_or_default();
        let outcomes = law.outcomes.unwrap_or_default();
        let calls = law.calls.unwrap_or_default();
        Self {
            decoded: law.decoded,
            accepted: law.accepted,
            rejected: Counts([
                ("trace_id", rejected.trace_id),
                ("span_id", rejected.span_id),
                ("parent_span_id", rejected.parent_span_id),
            ]),
            pending_before: law.pending_before,
            pending_after: law.pending_after,
            outcomes: Counts([
                ("paired", outcomes.paired),
                ("virtual", outcomes.r#virtual),
                ("internal", outcomes.internal),
                ("root", outcomes.root),
                ("unpaired_client", outcomes.unpaired_client),
                ("unpaired_server", outcomes.unpaired_server),
                ("filtered", outcomes.filtered),
                ("duplicate", outcomes.duplicate),
                ("late", outcomes.late),
            ]),
            calls: Counts([
                ("paired", calls.paired),
                ("entry", calls.entry),
                ("linked", calls.linked),
                ("virtual_server", calls.virtual_server),
                ("virtual_client", calls.virtual_client),
            ]),
            negative_duration: law.negative_duration,
            negative_gap: law.negative_gap,
            clock_skew: law.clock_skew,
            unresolved_links: law.unresolved_links,
            overflow_calls: law.overflow_calls,
            evicted: law.evicted,
            sampling_adjusted,
        }
    }
}

impl<const N: usize> Serialize for Counts<N> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0)
    }
}
