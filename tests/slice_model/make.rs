//! Random slices, as an origin might seal them: from few names, so that they overlap.

use std::collections::{BTreeMap, BTreeSet};

use spangraph::proto;

/// A small generator of repeatable numbers (splitmix64).
#[derive(Debug, Clone)]
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Below `n`.
    pub(crate) fn below(&mut self, n: u64) -> u64 {
        self.next() % n
    }

    /// Mostly small, now and then of many bytes.
    fn count(&mut self) -> u64 {
        let bits = if self.below(8) == 0 { 40 } else { 7 };
        self.below(1 << bits)
    }

    fn small(&mut self, n: u64) -> u32 {
        u32::try_from(self.below(n)).unwrap()
    }

    fn signed(&mut self, from: i32, below: i32) -> i32 {
        from + self
            .small(u64::from((below - from).unsigned_abs()))
            .cast_signed()
    }

    fn trace(&mut self) -> Vec<u8> {
        [[0_u8; 8], self.below(4).to_be_bytes()].concat()
    }
}

/// A slice of second `second`, from few names.
pub(crate) fn slice(seed: u64, second: u64, digest: &str) -> proto::Slice {
    let mut r = Random(seed);
    let ids: BTreeSet<String> = (0..r.below(6))
        .map(|_| format!("node-{}", r.below(8)))
        .collect();
    let topics: BTreeSet<String> = (0..r.below(24))
        .map(|_| format!("topic-{:02}", r.below(40)))
        .collect();
    let words: BTreeSet<String> = ids
        .iter()
        .chain(&topics)
        .cloned()
        .chain([String::new()])
        .collect();
    let strings: Vec<String> = if ids.is_empty() {
        Vec::new()
    } else {
        words.into_iter().collect()
    };
    let at = |text: &String| u32::try_from(strings.binary_search(text).unwrap()).unwrap();
    let topics: Vec<u32> = if ids.is_empty() {
        Vec::new()
    } else {
        topics.iter().map(at).collect()
    };
    let nodes: Vec<_> = ids
        .iter()
        .map(|id| node(&mut r, at(id), &topics, second))
        .collect();
    let count = nodes.len() as u64;
    proto::Slice {
        schema: 1,
        origins: vec![proto::Origin {
            instance: format!("pod-{}", r.below(3)),
            ..proto::Origin::default()
        }],
        start_unix_s: second,
        end_unix_s: second + 1,
        monotonic_ns: 1_000_000_000 + r.below(1000),
        covered_ns: 1_000_000_000,
        first_sequence: second,
        last_sequence: second,
        config_digest: digest.to_owned(),
        law: Some(law(&mut r)),
        edges: if count == 0 {
            Vec::new()
        } else {
            edges(&mut r, count, &topics, second)
        },
        unpaired: if count == 0 {
            Vec::new()
        } else {
            unpaired(&mut r, count, &topics)
        },
        unpaired_other: r.below(4),
        through_offset: r.below(50),
        strings,
        nodes,
    }
}

fn node(r: &mut Random, id: u32, topics: &[u32], second: u64) -> proto::Node {
    proto::Node {
        id_ref: id,
        name_ref: id,
        calls_edges: r.count(),
        calls_no_caller: r.count(),
        calls_unpaired: r.count(),
        failed: r.count(),
        latency: histogram(r),
        self_time_ns: r.count(),
        versions: set(r, topics),
        instances: set(r, topics),
        addresses: set(r, topics),
        first_seen_s: second,
        last_seen_s: second,
        calls_without_sample: r.count(),
        dimensions: counts(r, topics),
        ..proto::Node::default()
    }
}

fn edges(r: &mut Random, nodes: u64, topics: &[u32], second: u64) -> Vec<proto::Edge> {
    let mut edges = BTreeMap::new();
    for _ in 0..r.below(8) {
        let (client, server, connection_type) = (r.small(nodes), r.small(nodes), r.signed(0, 4));
        let edge = proto::Edge {
            client,
            server,
            connection_type,
            ..edge(r, topics, second)
        };
        edges.insert((client, server, connection_type), edge);
    }
    edges.into_values().collect()
}

fn edge(r: &mut Random, topics: &[u32], second: u64) -> proto::Edge {
    proto::Edge {
        seen_both: r.count(),
        seen_client: r.count(),
        seen_server: r.count(),
        failed: r.count(),
        client_failed: r.count(),
        server_failed: r.count(),
        client_latency: histogram(r),
        server_latency: histogram(r),
        gap: histogram(r),
        queue: histogram(r),
        protocols: counts(r, topics),
        statuses: counts(r, topics),
        destinations: set(r, topics),
        slowest: exemplar(r, second),
        failed_exemplar: exemplar(r, second),
        first_seen_s: second,
        last_seen_s: second,
        classes: Some(proto::CallClasses {
            paired: r.count(),
            entry: r.count(),
            ..proto::CallClasses::default()
        }),
        addresses: set(r, topics),
        logical_peer_calls: r.count(),
        calls_without_client_sample: r.count(),
        calls_without_server_sample: r.count(),
        weighted_calls: r.count(),
        weighted_failed: r.count(),
        ..proto::Edge::default()
    }
}

pub(crate) fn histogram(r: &mut Random) -> Option<proto::Histogram> {
    if r.below(4) == 0 {
        return None;
    }
    let scale = if r.below(4) == 0 { r.signed(-1, 7) } else { 4 };
    let spread = if scale >= 2 { 20 << (scale - 2) } else { 10 };
    let zero_count = r.below(3);
    let long = r.below(8) == 0;
    let length = r.below(if long { 321 } else { 24 });
    let mut counts: Vec<u64> = (0..length).map(|_| r.count()).collect();
    // As written, the first and the last bucket are filled.
    for end in [0, counts.len().saturating_sub(1)] {
        if let Some(count) = counts.get_mut(end) {
            *count += 1;
        }
    }
    // Many buckets at a coarse scale would be longer than time.
    if scale < 3 {
        counts.truncate(20);
        if let Some(last) = counts.last_mut() {
            *last += 1;
        }
    }
    let count = counts.iter().sum::<u64>() + zero_count;
    (count > 0).then(|| proto::Histogram {
        scale,
        count,
        sum_ns: r.count(),
        min_ns: r.count(),
        max_ns: r.count(),
        zero_count,
        offset: if counts.is_empty() {
            0
        } else {
            r.signed(-spread, spread)
        },
        counts,
    })
}

fn set(r: &mut Random, topics: &[u32]) -> Option<proto::StringSet> {
    let mut string_refs: Vec<u32> = topics.iter().copied().filter(|_| r.below(2) == 0).collect();
    let more = string_refs.len() > 16;
    string_refs.truncate(16);
    (!string_refs.is_empty()).then_some(proto::StringSet { string_refs, more })
}

fn counts(r: &mut Random, topics: &[u32]) -> Vec<proto::StringCount> {
    let chosen: Vec<u32> = topics.iter().copied().filter(|_| r.below(4) == 0).collect();
    chosen
        .into_iter()
        .map(|string_ref| proto::StringCount {
            string_ref,
            count: 1 + r.count(),
        })
        .collect()
}

fn exemplar(r: &mut Random, second: u64) -> Option<proto::Exemplar> {
    (r.below(2) == 0).then(|| proto::Exemplar {
        trace_id: r.trace(),
        span_id: r.below(3).to_be_bytes().to_vec(),
        duration_ns: r.below(3),
        second,
    })
}

fn unpaired(r: &mut Random, nodes: u64, topics: &[u32]) -> Vec<proto::UnpairedRow> {
    let mut rows = BTreeMap::new();
    for _ in 0..r.below(6) {
        let Some(span_name_ref) = topics.first().copied() else {
            break;
        };
        let (node, kind) = (r.small(nodes), r.small(6));
        let row = proto::UnpairedRow {
            node,
            kind,
            span_name_ref,
            reason_ref: 0,
            count: 1 + r.count(),
            sample_trace_id: r.trace(),
            further_names: r.below(4) == 0,
        };
        rows.insert((node, kind), row);
    }
    rows.into_values().collect()
}

fn law(r: &mut Random) -> proto::Law {
    proto::Law {
        decoded: r.count(),
        accepted: r.count(),
        rejected: Some(proto::Rejected {
            trace_id: r.count(),
            ..proto::Rejected::default()
        }),
        pending_before: r.below(9),
        pending_after: r.below(9),
        outcomes: Some(proto::Outcomes {
            paired: r.count(),
            late: r.count(),
            ..proto::Outcomes::default()
        }),
        calls: Some(proto::CallClasses {
            paired: r.count(),
            ..proto::CallClasses::default()
        }),
        negative_gap: r.count(),
        ..proto::Law::default()
    }
}
