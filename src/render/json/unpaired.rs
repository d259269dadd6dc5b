//! Why an edge is missing: unpaired spans with reasons, and what to do about each.

use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};

use super::head::Head;
use super::law;
use crate::topology::Unpaired;
use crate::topology::ident::hex;

/// What the body calls its own shape.
const SCHEMA: &str = "spangraph.unpaired/1";

/// Every reason a slice may give: the word, what it means, what to do. Sorted by the word.
pub const REASONS: [(&str, &str, &str); 4] = [
    (
        "arrived_late",
        "The span came after its partner had been settled without it.",
        "Raise `pairing.wait` (`pairing.messaging_wait` for messages), or shorten the batch delay of the exporters.",
    ),
    (
        "evicted",
        "Its wait was cut short for want of memory.",
        "Raise `limits.memory` or `limits.pairing`.",
    ),
    (
        "no_server_span",
        "No span of the called side came within the wait, and no attribute names the called side.",
        "Instrument the called service, and let the call carry the trace context. Where it cannot be instrumented, set \
         `service.peer.name` or `server.address` on the calling span; `pairing.ip_nodes` takes addresses for names.",
    ),
    (
        "parent_not_seen",
        "The span names a parent that did not come within the wait.",
        "The caller does not export, is sampled away, or exports elsewhere: look for the parent in the sample trace, and \
         send all spans of a trace to one daemon. Where `evicted` counts too, memory was short and the parent forgotten.",
    ),
];

/// Writes the unpaired spans of a window.
pub fn write_unpaired(unpaired: &Unpaired, out: &mut Vec<u8>) -> serde_json::Result<()> {
    serde_json::to_writer(out, &Body(unpaired))
}

struct Body<'a>(&'a Unpaired);

#[derive(Serialize)]
struct Row<'a> {
    service: &'a str,
    kind: &'static str,
    span_name: Option<&'a str>,
    reason: &'a str,
    count: u64,
    sample_trace_id: Option<String>,
}

#[derive(Serialize)]
struct Why<'a> {
    reason: &'a str,
    count: u64,
    meaning: &'static str,
    hint: &'static str,
}

#[derive(Serialize)]
struct Hidden {
    rows: u64,
    count: u64,
}

impl Serialize for Body<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let u = self.0;
        let rows = u.rows.iter().map(|row| Row {
            service: &row.service,
            kind: row.kind,
            span_name: row.span_name.as_deref(),
            reason: &row.reason,
            count: row.count,
            sample_trace_id: (!row.sample_trace_id.is_empty()).then(|| hex(&row.sample_trace_id)),
        });
        let hidden = Hidden {
            rows: u.hidden_rows,
            count: u.hidden_spans,
        };
        let mut body = serializer.serialize_map(None)?;
        Head::from(u).write(SCHEMA, &mut body)?;
        body.serialize_entry("law", &law(&u.law, u.sampling_adjusted))?;
        body.serialize_entry("rows", &rows.collect::<Vec<_>>())?;
        body.serialize_entry("other", &u.other)?;
        body.serialize_entry("hidden", &hidden)?;
        body.serialize_entry("reasons", &REASONS.map(|reason| summed(u, reason)))?;
        body.end()
    }
}

/// A reason with the spans of the rows that give it.
fn summed(
    u: &Unpaired,
    (reason, meaning, hint): (&'static str, &'static str, &'static str),
) -> Why<'static> {
    let rows = u.rows.iter().filter(|row| row.reason == reason);
    Why {
        reason,
        count: rows.fold(0, |sum, row| sum.saturating_add(row.count)),
        meaning,
        hint,
    }
}
