//! The merged slice as plain data: nodes, edges and strings in their final order.

use super::accumulator::Accumulator;
use super::parts::{Edge, Node};
use super::sets::{StringCounts, StringSet};
use super::signs::Exemplar;
use super::strings::{StringId, Strings};
use super::{SCHEMA, unpaired};
use crate::proto;

/// Final places: of strings by id, and of nodes by their place in the accumulator.
struct Places {
    strings: Vec<u32>,
    nodes: Vec<u32>,
}

/// A string that the result does not name.
const UNUSED: u32 = u32::MAX;

pub(super) fn finish(merged: Accumulator) -> proto::Slice {
    let Accumulator {
        header,
        origins,
        strings,
        mut nodes,
        mut edges,
        unpaired,
        ..
    } = merged;
    let unpaired::Listed { rows, other } = unpaired.listed(&strings, &nodes);
    let (table, string_places) = string_table(&strings, &nodes, &edges, &rows);

    let mut order: Vec<u32> = (0..).take(nodes.len()).collect();
    order.sort_unstable_by_key(|&at| string_places[nodes[at as usize].name.id as usize]);
    let mut places = Places {
        strings: string_places,
        nodes: vec![0; nodes.len()],
    };
    for (place, &at) in (0..).zip(&order) {
        places.nodes[at as usize] = place;
    }
    nodes.sort_unstable_by_key(|node| places.strings[node.name.id as usize]);
    edges.sort_unstable_by_key(|edge| {
        (
            places.node(edge.ends.client),
            places.node(edge.ends.server),
            edge.ends.kind,
        )
    });
    let mut origins: Vec<_> = origins.into_iter().collect();
    origins.sort_unstable();
    let times = header.times.unwrap_or_default();
    proto::Slice {
        schema: SCHEMA,
        origins: origins
            .into_iter()
            .map(|(instance, role, epoch, partition)| proto::Origin {
                instance,
                role,
                epoch,
                partition,
            })
            .collect(),
        start_unix_s: times.start_unix_s,
        end_unix_s: times.end_unix_s,
        monotonic_ns: times.monotonic_ns,
        covered_ns: times.covered_ns,
        first_sequence: times.first_sequence,
        last_sequence: times.last_sequence,
        config_digest: times.config_digest,
        strings: table,
        law: Some(header.law),
        nodes: nodes
            .into_iter()
            .map(|node| places.write_node(node))
            .collect(),
        edges: edges
            .into_iter()
            .map(|edge| places.write_edge(edge))
            .collect(),
        unpaired: rows
            .iter()
            .map(|(key, row)| places.write_row(*key, *row))
            .collect(),
        unpaired_other: other,
        through_offset: header.through_offset,
    }
}

/// The strings the result names, sorted, and the place of each by its id.
fn string_table(
    strings: &Strings,
    nodes: &[Node],
    edges: &[Edge],
    rows: &[(unpaired::Key, unpaired::Row)],
) -> (Vec<String>, Vec<u32>) {
    let mut named = vec![false; strings.len()];
    let mut name = |id: StringId| named[id as usize] = true;
    for node in nodes {
        [node.name.id, node.name.name, node.name.namespace]
            .into_iter()
            .for_each(&mut name);
        for set in [&node.versions, &node.instances, &node.addresses] {
            set.ids.iter().copied().for_each(&mut name);
        }
        node.dimensions.counts.iter().for_each(|(id, _)| name(*id));
    }
    for edge in edges {
        for counts in [&edge.protocols, &edge.statuses] {
            counts.counts.iter().for_each(|(id, _)| name(*id));
        }
        for set in [&edge.destinations, &edge.addresses] {
            set.ids.iter().copied().for_each(&mut name);
        }
    }
    for (key, _) in rows {
        key.span_name.into_iter().for_each(&mut name);
        name(key.reason);
    }
    let mut ids: Vec<StringId> = (0..)
        .zip(&named)
        .filter_map(|(id, named)| named.then_some(id))
        .collect();
    ids.sort_unstable_by_key(|id| strings.text(*id));
    let mut places = vec![UNUSED; strings.len()];
    for (place, id) in (0..).zip(&ids) {
        places[*id as usize] = place;
    }
    (
        ids.iter().map(|id| strings.text(*id).to_owned()).collect(),
        places,
    )
}

// === impl Places ===

impl Places {
    fn node(&self, at: u32) -> u32 {
        self.nodes[at as usize]
    }

    fn string(&self, id: StringId) -> u32 {
        self.strings[id as usize]
    }

    fn write_node(&self, node: Node) -> proto::Node {
        let sum = |field: usize| node.sums[field];
        proto::Node {
            id_ref: self.string(node.name.id),
            name_ref: self.string(node.name.name),
            namespace_ref: self.string(node.name.namespace),
            r#type: node.name.kind,
            calls_edges: sum(5),
            calls_no_caller: sum(6),
            calls_unpaired: sum(7),
            failed: sum(8),
            latency: node.latency.into_proto(),
            self_time_ns: sum(10),
            versions: self.set(&node.versions),
            instances: self.set(&node.instances),
            addresses: self.set(&node.addresses),
            first_seen_s: node.seen.first_s,
            last_seen_s: node.seen.last_s,
            calls_without_sample: sum(16),
            dimensions: self.counts(&node.dimensions),
        }
    }

    fn write_edge(&self, edge: Edge) -> proto::Edge {
        let [client_latency, server_latency, gap, queue] =
            edge.histograms.map(super::buckets::Buckets::into_proto);
        let [paired, entry, linked, virtual_server, virtual_client] = edge.classes;
        let sum = |field: usize| edge.sums[field];
        proto::Edge {
            client: self.node(edge.ends.client),
            server: self.node(edge.ends.server),
            connection_type: edge.ends.kind.cast_signed(),
            seen_both: sum(4),
            seen_client: sum(5),
            seen_server: sum(6),
            failed: sum(7),
            client_failed: sum(8),
            server_failed: sum(9),
            client_latency,
            server_latency,
            gap,
            queue,
            protocols: self.counts(&edge.protocols),
            statuses: self.counts(&edge.statuses),
            destinations: self.set(&edge.destinations),
            slowest: edge
                .slowest
                .map(|exemplar| exemplar.by_duration().to_proto()),
            failed_exemplar: edge.failed.map(Exemplar::to_proto),
            first_seen_s: edge.seen.first_s,
            last_seen_s: edge.seen.last_s,
            classes: Some(proto::CallClasses {
                paired,
                entry,
                linked,
                virtual_server,
                virtual_client,
            }),
            addresses: self.set(&edge.addresses),
            logical_peer_calls: sum(23),
            calls_without_client_sample: sum(24),
            calls_without_server_sample: sum(25),
            weighted_calls: sum(26),
            weighted_failed: sum(27),
        }
    }

    fn write_row(&self, key: unpaired::Key, row: unpaired::Row) -> proto::UnpairedRow {
        proto::UnpairedRow {
            node: self.node(key.node),
            kind: key.kind,
            span_name_ref: key.span_name.map_or(0, |name| self.string(name)),
            reason_ref: self.string(key.reason),
            count: row.count,
            sample_trace_id: row.trace.to_vec(),
            further_names: key.span_name.is_none(),
        }
    }

    fn set(&self, set: &StringSet) -> Option<proto::StringSet> {
        (!set.ids.is_empty() || set.more).then(|| proto::StringSet {
            string_refs: set.ids.iter().map(|id| self.string(*id)).collect(),
            more: set.more,
        })
    }

    fn counts(&self, counts: &StringCounts) -> Vec<proto::StringCount> {
        let mut written: Vec<_> = counts
            .counts
            .iter()
            .map(|(id, count)| proto::StringCount {
                string_ref: self.string(*id),
                count: *count,
            })
            .collect();
        written.sort_unstable_by_key(|entry| entry.string_ref);
        written
    }
}
