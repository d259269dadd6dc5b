//! The pairing oracle (`common/oracle`) against the pairing cases, without a core: what random systems are measured by
//! is itself right about every case that was worked out by hand.

#![allow(
    dead_code,
    unused_imports,
    unreachable_pub,
    clippy::unwrap_used,
    reason = "test code, parts of which other tests use"
)]

#[path = "common/asked.rs"]
mod asked;
#[path = "common/cases.rs"]
mod cases;
#[path = "common/oracle/mod.rs"]
mod oracle;
#[path = "common/said.rs"]
mod said;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use asked::Asked;
use cases::{Case, CaseSpan, ExpectedEdge};
use oracle::Answer;

const CONNECTIONS: [&str; 4] = ["", "virtual_node", "messaging_system", "database"];

/// Names of client and server, connection type.
type Key = (String, String, String);

/// What a case says of an edge.
#[derive(Debug, Default)]
struct Edge {
    calls: u64,
    failed: u64,
    topics: BTreeSet<String>,
    samples: BTreeMap<String, u64>,
}

/// The plain name of a node, and whether it may stand for a real service.
fn name(id: &str) -> (&str, bool) {
    let external = id.strip_prefix("external:");
    let other = || {
        ["database:", "messaging:", "user:"]
            .iter()
            .find_map(|of| id.strip_prefix(of))
    };
    // No external node of the cases has a slash in its name: what stands before one is the peer's namespace.
    let named = external.map(|name| name.rsplit_once('/').map_or(name, |(_, name)| name));
    (named.or_else(other).unwrap_or(id), external.is_some())
}

/// The edges of an answer, folded as reading folds them (R11): external nodes into the services whose name they have,
/// and into the only service behind their address.
fn edges(answer: &Answer, asked: &Asked) -> BTreeMap<Key, Edge> {
    let ids = answer
        .edges
        .keys()
        .flat_map(|(client, server, _)| [client, server]);
    let services: BTreeSet<&String> = ids.filter(|id| !id.contains(':')).collect();
    let mut edges: BTreeMap<Key, Edge> = BTreeMap::new();
    for ((client, server, connection), sums) in &answer.edges {
        let fold = |id: &str| match name(id) {
            (name, true) if services.contains(&name.to_owned()) => Some(name.to_owned()),
            (name, true) => asked.alias(name),
            _ => None,
        };
        let folded = (fold(client), fold(server));
        let connection = if folded == (None, None) {
            CONNECTIONS[usize::try_from(*connection).unwrap()]
        } else {
            ""
        };
        let plain = |id: &str| name(id).0.to_owned();
        let key = (
            folded.0.unwrap_or_else(|| plain(client)),
            folded.1.unwrap_or_else(|| plain(server)),
            connection.to_owned(),
        );
        add(edges.entry(key).or_default(), sums, asked.sampling());
    }
    edges
}

/// Weighted calls stay in fixed point.
fn add(edge: &mut Edge, sums: &oracle::EdgeSums, sampling: bool) {
    let raw = sums.seen_both + sums.seen_client + sums.seen_server;
    edge.calls += if sampling { sums.weighted_calls } else { raw };
    edge.failed += if sampling {
        sums.weighted_failed
    } else {
        sums.failed
    };
    edge.topics.extend(sums.destinations.iter().cloned());
    let counts = [
        ("client", sums.client.count),
        ("server", sums.server.count),
        ("gap", sums.gap.count),
        ("queue", sums.queue.count),
    ];
    for (of, count) in counts {
        *edge.samples.entry(of.to_owned()).or_default() += count;
    }
}

/// Rounded to whole calls.
fn whole(calls: u64, sampling: bool) -> u64 {
    if sampling {
        calls.saturating_add(1 << 19) >> 20
    } else {
        calls
    }
}

fn counter(answer: &Answer, name: &str) -> u64 {
    match name {
        "duplicates" => answer.outcomes.get("duplicate").copied(),
        "unresolved_links" => Some(answer.unresolved_links),
        "negative_duration" => Some(answer.negative_duration),
        "negative_gap" => Some(answer.negative_gap),
        "clock_skew" => Some(answer.clock_skew),
        "linked" | "entry" => answer.classes.get(name).copied(),
        outcome => answer.outcomes.get(outcome).copied(),
    }
    .unwrap_or_default()
}

/// What differs, in lines; empty when nothing does.
fn difference(case: &Case, spans: &[CaseSpan]) -> String {
    let asked = Asked::new(case, spans);
    let answer = asked.answer();
    let edges = edges(&answer, &asked);
    let mut wrong = String::new();
    let got: BTreeSet<ExpectedEdge> = edges
        .iter()
        .map(|((client, server, connection_type), edge)| ExpectedEdge {
            client: client.clone(),
            server: server.clone(),
            connection_type: connection_type.clone(),
            calls: whole(edge.calls, asked.sampling()),
            failed: whole(edge.failed, asked.sampling()),
        })
        .collect();
    let expected: BTreeSet<ExpectedEdge> = case.expect.edges.iter().cloned().collect();
    if got != expected {
        write!(wrong, "\n  expected {expected:#?}\n  got {got:#?}").unwrap();
    }
    for (name, expected) in &case.expect.counters {
        let got = counter(&answer, name);
        if got != *expected {
            write!(wrong, "\n  {name}: expected {expected}, got {got}").unwrap();
        }
    }
    for ((client, server, _), edge) in &edges {
        let edge_name = format!("{client}->{server}");
        let topics = case.expect.destinations.get(&edge_name);
        if topics.is_some_and(|topics| *topics != edge.topics) {
            write!(wrong, "\n  {edge_name}: topics {:?}", edge.topics).unwrap();
        }
        let samples = case.expect.samples.get(&edge_name);
        if samples.is_some_and(|samples| *samples != edge.samples) {
            write!(wrong, "\n  {edge_name}: samples {:?}", edge.samples).unwrap();
        }
    }
    wrong
}

/// In order of arrival, and in reverse but for what arrives at other times.
fn orders(case: &Case) -> [Vec<CaseSpan>; 2] {
    let mut forward = case.spans.clone();
    forward.sort_by_key(|span| span.at_ms);
    let mut reversed: Vec<CaseSpan> = case.spans.iter().rev().cloned().collect();
    reversed.sort_by_key(|span| span.at_ms);
    [forward, reversed]
}

/// Scenario: every case, forward and reversed, put to the oracle alone.
/// Guarantees: the edges, counters, topics and samples that the case expects.
#[test]
fn the_oracle_gives_every_case_what_it_expects() {
    let (mut tried, mut wrong) = (0, String::new());
    for file in ["pairing.json", "pairing_more.json", "rules.json"] {
        for case in cases::load_from(file) {
            tried += 1;
            for (order, spans) in ["forward", "reversed"].iter().zip(orders(&case)) {
                let difference = difference(&case, &spans);
                if !difference.is_empty() {
                    write!(wrong, "\n{} ({order}){difference}", case.name).unwrap();
                }
            }
        }
    }
    said::say(&format!(
        "{tried} pairing cases, forward and reversed, by the oracle"
    ));
    assert!(wrong.is_empty(), "{wrong}");
}
