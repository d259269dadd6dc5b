//! The law in a saved snapshot: the terms that a body shows, among themselves and against its elements.

use std::collections::HashMap;

use super::body::{Body, EdgeBody, LawBody, NodeBody, get};
use super::check::total;

/// Fails with the term that does not hold, of elements that are not idle.
pub(super) fn check(body: &Body, nodes: &[&NodeBody], edges: &[&EdgeBody]) -> Result<(), String> {
    let raw = edges
        .iter()
        .fold(0_u64, |sum, e| sum.saturating_add(e.raw()));
    let terms = outcomes(&body.law).and_then(|()| all_calls(body, raw));
    terms.map_err(|why| format!("its law does not hold: {why}"))?;
    incoming(body, nodes, edges)
}

/// Every span has one outcome.
fn outcomes(law: &LawBody) -> Result<(), String> {
    let sum = |parts: &[u64]| parts.iter().fold(0_u64, |sum, n| sum.saturating_add(*n));
    let rejected = total(&law.rejected);
    let (decoded, accepted) = (law.decoded, law.accepted);
    if decoded != sum(&[accepted, rejected]) {
        return Err(format!(
            "{decoded} decoded, {accepted} accepted + {rejected} rejected spans"
        ));
    }
    let (before, after, outcomes) = (law.pending_before, law.pending_after, total(&law.outcomes));
    if sum(&[before, accepted]) != sum(&[outcomes, after]) {
        return Err(format!(
            "{before} pending + {accepted} accepted spans, {outcomes} outcomes + {after} pending"
        ));
    }
    Ok(())
}

/// The calls of all edges are the calls drawn. What filters hide is counted as shown, so weighted where calls are.
fn all_calls(body: &Body, raw: u64) -> Result<(), String> {
    let (drawn, hidden) = (total(&body.law.calls), body.hidden.calls);
    let whole = if body.law.sampling_adjusted {
        raw <= drawn
    } else {
        raw.saturating_add(hidden) == drawn
    };
    let words = format!("{drawn} calls, and its edges have {raw}, with {hidden} hidden");
    if whole { Ok(()) } else { Err(words) }
}

/// A node's calls from edges are those of its edges, when filters hide none; calls beyond the cap of edges are on none.
fn incoming(body: &Body, nodes: &[&NodeBody], edges: &[&EdgeBody]) -> Result<(), String> {
    if body.hidden.edges > 0 || body.law.overflow_calls > 0 {
        return Ok(());
    }
    let mut seen: HashMap<&str, u64> = HashMap::new();
    for edge in edges {
        let sum = seen.entry(&edge.server).or_default();
        let inbound = get(&edge.seen, "both").saturating_add(get(&edge.seen, "server"));
        *sum = sum.saturating_add(inbound);
    }
    for node in nodes {
        let told = get(&node.calls_from, "edges");
        let seen = seen.get(node.id.as_str()).copied().unwrap_or_default();
        if told != seen {
            let title = node.title();
            return Err(format!(
                "{title}: it states {told} calls from edges, and its edges have {seen}"
            ));
        }
    }
    Ok(())
}
