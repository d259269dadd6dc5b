//! An encoded slice as a [`Model`], through prost's own decoder.

use std::collections::BTreeMap;

use prost::Message;
use spangraph::proto;

use crate::slice_model::{Edge, Histogram, Model, Node, Set, Times};

pub(crate) fn read(encoded: &[u8]) -> Model {
    let slice = proto::Slice::decode(encoded).unwrap();
    assert!(
        slice.strings.is_sorted_by(|a, b| a < b),
        "strings are sorted and distinct"
    );
    let reader = Reader(&slice);
    let ids: Vec<String> = slice
        .nodes
        .iter()
        .map(|node| reader.text(node.id_ref))
        .collect();
    assert!(ids.is_sorted_by(|a, b| a < b), "nodes are sorted by id");
    let ends = |edge: &proto::Edge| (edge.client, edge.server, edge.connection_type);
    assert!(
        slice.edges.is_sorted_by(|a, b| ends(a) < ends(b)),
        "edges are sorted"
    );
    let law = slice.law.unwrap_or_default();
    let times = (slice.end_unix_s > 0).then(|| Times {
        start: slice.start_unix_s,
        end: slice.end_unix_s,
        monotonic: slice.monotonic_ns,
        covered: slice.covered_ns,
        sequence: (slice.first_sequence, slice.last_sequence),
        digest: slice.config_digest.clone(),
    });
    Model {
        times,
        origins: slice
            .origins
            .iter()
            .map(|o| {
                (
                    o.instance.clone(),
                    o.role.clone(),
                    o.epoch.clone(),
                    o.partition,
                )
            })
            .collect(),
        pending: (law.pending_before, law.pending_after),
        law: terms(&law),
        nodes: ids
            .iter()
            .cloned()
            .zip(slice.nodes.iter().map(|node| reader.node(node)))
            .collect(),
        edges: slice
            .edges
            .iter()
            .map(|edge| {
                let end = |at: u32| ids[at as usize].clone();
                (
                    (end(edge.client), end(edge.server), edge.connection_type),
                    reader.edge(edge),
                )
            })
            .collect(),
        unpaired: slice
            .unpaired
            .iter()
            .map(|row| {
                let name = (!row.further_names).then(|| reader.text(row.span_name_ref));
                let reason = reader.text(row.reason_ref);
                let key = (ids[row.node as usize].clone(), row.kind, name, reason);
                (
                    key,
                    (
                        row.count,
                        row.sample_trace_id.as_slice().try_into().unwrap(),
                    ),
                )
            })
            .collect(),
        unpaired_other: slice.unpaired_other,
        through_offset: slice.through_offset,
    }
}

struct Reader<'a>(&'a proto::Slice);

impl Reader<'_> {
    fn text(&self, at: u32) -> String {
        self.0.strings[at as usize].clone()
    }

    fn node(&self, n: &proto::Node) -> Node {
        Node {
            name: (self.text(n.name_ref), self.text(n.namespace_ref), n.r#type),
            sums: [
                n.calls_edges,
                n.calls_no_caller,
                n.calls_unpaired,
                n.failed,
                n.self_time_ns,
                n.calls_without_sample,
            ],
            latency: n.latency.as_ref().map(Histogram::read),
            sets: [&n.versions, &n.instances, &n.addresses].map(|set| self.set(set.as_ref())),
            dimensions: self.counts(&n.dimensions),
            seen: (n.first_seen_s, n.last_seen_s),
        }
    }

    fn edge(&self, e: &proto::Edge) -> Edge {
        let classes = e.classes.unwrap_or_default();
        let exemplar = |x: &proto::Exemplar| {
            (
                x.trace_id.as_slice().try_into().unwrap(),
                x.span_id.as_slice().try_into().unwrap(),
            )
        };
        Edge {
            sums: [
                e.seen_both,
                e.seen_client,
                e.seen_server,
                e.failed,
                e.client_failed,
                e.server_failed,
                e.logical_peer_calls,
                e.calls_without_client_sample,
                e.calls_without_server_sample,
                e.weighted_calls,
                e.weighted_failed,
            ],
            classes: [
                classes.paired,
                classes.entry,
                classes.linked,
                classes.virtual_server,
                classes.virtual_client,
            ],
            histograms: [&e.client_latency, &e.server_latency, &e.gap, &e.queue]
                .map(|h| h.as_ref().map(Histogram::read)),
            counts: [self.counts(&e.protocols), self.counts(&e.statuses)],
            sets: [&e.destinations, &e.addresses].map(|set| self.set(set.as_ref())),
            slowest: e
                .slowest
                .as_ref()
                .map(|x| (x.duration_ns, exemplar(x).0, exemplar(x).1, x.second)),
            failed: e
                .failed_exemplar
                .as_ref()
                .map(|x| (x.second, exemplar(x).0, exemplar(x).1, x.duration_ns)),
            seen: (e.first_seen_s, e.last_seen_s),
        }
    }

    fn set(&self, set: Option<&proto::StringSet>) -> Set {
        set.map_or_else(Set::default, |set| Set {
            texts: set.string_refs.iter().map(|at| self.text(*at)).collect(),
            more: set.more,
        })
    }

    fn counts(&self, counts: &[proto::StringCount]) -> BTreeMap<String, u64> {
        counts
            .iter()
            .map(|entry| (self.text(entry.string_ref), entry.count))
            .collect()
    }
}

fn terms(law: &proto::Law) -> BTreeMap<&'static str, u64> {
    let rejected = law.rejected.unwrap_or_default();
    let o = law.outcomes.unwrap_or_default();
    let calls = law.calls.unwrap_or_default();
    BTreeMap::from([
        ("decoded", law.decoded),
        ("accepted", law.accepted),
        ("rejected.trace_id", rejected.trace_id),
        ("rejected.span_id", rejected.span_id),
        ("rejected.parent_span_id", rejected.parent_span_id),
        ("paired", o.paired),
        ("virtual", o.r#virtual),
        ("internal", o.internal),
        ("root", o.root),
        ("unpaired_client", o.unpaired_client),
        ("unpaired_server", o.unpaired_server),
        ("filtered", o.filtered),
        ("duplicate", o.duplicate),
        ("late", o.late),
        ("calls.paired", calls.paired),
        ("calls.entry", calls.entry),
        ("calls.linked", calls.linked),
        ("calls.virtual_server", calls.virtual_server),
        ("calls.virtual_client", calls.virtual_client),
        ("negative_duration", law.negative_duration),
        ("negative_gap", law.negative_gap),
        ("clock_skew", law.clock_skew),
        ("unresolved_links", law.unresolved_links),
        ("overflow_calls", law.overflow_calls),
        ("evicted", law.evicted),
    ])
}
