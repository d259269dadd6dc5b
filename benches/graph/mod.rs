//! A busy graph of 500 nodes and 3,000 edges, second by second.
#![allow(
    dead_code,
    unreachable_pub,
    missing_docs,
    reason = "each bench uses its part"
)]

use std::collections::HashMap;

use spangraph::history::History;
use spangraph::proto;
use spangraph::slice::Sealed;

pub const FIRST_SECOND: u64 = 1_700_000_003;
pub const NODES: u32 = 500;
pub const EDGES: u32 = 3_000;
const BUCKETS: u64 = 20;

/// The slots in a ring, as a daemon holds them.
pub fn ring(slots: &[Vec<u8>]) -> History {
    let ring = History::new(u64::MAX);
    for (second, slot) in (FIRST_SECOND..).zip(slots) {
        ring.push(&Sealed {
            start_unix_s: second,
            end_unix_s: second + 1,
            bytes: slot.clone().into(),
        });
    }
    ring
}

/// One second of a busy graph, every count a little different from second to second.
pub fn slot(second: u64) -> proto::Slice {
    let mut strings: Vec<String> = (0..NODES).map(|n| format!("shop/service-{n:04}")).collect();
    strings.extend(["http", "http:ok", "http:5xx", "shop"].map(str::to_owned));
    strings.sort_unstable();
    let places: HashMap<String, u32> = strings.iter().cloned().zip(0..).collect();
    let at = |text: &str| places[text];
    let names = (at("http"), at("http:ok"), at("http:5xx"), at("shop"));
    let nodes = (0..NODES)
        .map(|n| node(second, at(&format!("shop/service-{n:04}")), names.3))
        .collect();
    let edges = (0..EDGES)
        .map(|n| edge(second, n, (names.0, names.1, names.2)))
        .collect();
    proto::Slice {
        schema: 1,
        start_unix_s: second + FIRST_SECOND,
        end_unix_s: second + FIRST_SECOND + 1,
        strings,
        nodes,
        edges,
        ..proto::Slice::default()
    }
}

fn node(second: u64, id: u32, namespace: u32) -> proto::Node {
    proto::Node {
        id_ref: id,
        name_ref: id,
        namespace_ref: namespace,
        calls_edges: 300,
        latency: Some(histogram(second, id)),
        first_seen_s: second + FIRST_SECOND,
        last_seen_s: second + FIRST_SECOND,
        ..proto::Node::default()
    }
}

fn edge(second: u64, n: u32, (protocol, ok, failed): (u32, u32, u32)) -> proto::Edge {
    let trace_id = [second.to_be_bytes(), u64::from(n).to_be_bytes()].concat();
    proto::Edge {
        client: n / 6,
        server: (n / 6 + 1 + n % 6 * 37) % NODES,
        seen_both: 200,
        client_latency: Some(histogram(second, n)),
        server_latency: Some(histogram(second, n + 1)),
        gap: Some(histogram(second, n + 2)),
        protocols: vec![proto::StringCount {
            string_ref: protocol,
            count: 200,
        }],
        statuses: vec![
            proto::StringCount {
                string_ref: ok,
                count: 199,
            },
            proto::StringCount {
                string_ref: failed,
                count: 1,
            },
        ],
        slowest: Some(proto::Exemplar {
            trace_id,
            span_id: vec![7; 8],
            duration_ns: 400_000_000 + u64::from(n) + second,
            second: second + FIRST_SECOND,
        }),
        first_seen_s: second + FIRST_SECOND,
        last_seen_s: second + FIRST_SECOND,
        classes: Some(proto::CallClasses {
            paired: 200,
            ..proto::CallClasses::default()
        }),
        ..proto::Edge::default()
    }
}

/// About 20 buckets; a few counts need two bytes.
fn histogram(second: u64, n: u32) -> proto::Histogram {
    let mut counts: Vec<u64> = (0..BUCKETS)
        .map(|at| 1 + (at * (BUCKETS - at) + second + u64::from(n)) % 23)
        .collect();
    if n.is_multiple_of(8) {
        counts[10] = 150;
    }
    proto::Histogram {
        scale: 4,
        count: counts.iter().sum(),
        sum_ns: 2_345_678_901 + u64::from(n),
        min_ns: 1_234_567 + second,
        max_ns: 400_000_000 + u64::from(n),
        zero_count: 0,
        offset: -130 + (n % 7).cast_signed(),
        counts,
    }
}
