//! A complete slice in its encoded form: sorted, with its own sorted string table.

use std::sync::Arc;

use ahash::RandomState;
use bytes::Bytes;
use hashbrown::{HashMap, HashSet};
use prost::Message;

use super::call::CalledFrom;
use super::carry;
use super::counters::classes;
use super::edges::EdgeKey;
use super::live::Drained;
use super::nodes::NodeInfo;
use super::shared::Shared;
use super::stats::{EdgeStats, Exemplar, Listed, NodeStats};
use super::status;
use super::unpaired::{UnpairedKey, word};
use super::{LiveSlice, NodeId, SealInfo, TextId};
use crate::proto;
use crate::slice::law;
use crate::slice::{Row, SCHEMA};

/// Positions of strings and nodes in the slice being written.
struct Writer<'a> {
    shared: &'a Shared,
    second: u64,
    strings: HashMap<&'a str, u32, RandomState>,
    nodes: HashMap<NodeId, u32, RandomState>,
}

/// Encodes what `live` holds and empties it; its law comes beside it.
pub(super) fn seal(shared: &Shared, live: &LiveSlice, info: &SealInfo) -> (Bytes, proto::Law) {
    let mut drained = live.drain();
    let slice = write(shared, &drained, live.second(), info);
    let slice = carry::join(slice, live.take_carried());
    for (_, edge) in &mut drained.edges {
        edge.release(&shared.pool);
    }
    for (_, node) in &mut drained.nodes {
        node.latency.release(&shared.pool);
    }
    let violations = if cfg!(debug_assertions) {
        law::check(&slice)
    } else {
        law::check_totals(&slice)
    };
    shared.note_violations(&slice, &violations);
    let bytes = slice.encode_to_vec().into();
    (bytes, slice.law.unwrap_or_default())
}

pub(super) fn write(
    shared: &Shared,
    drained: &Drained,
    second: u64,
    info: &SealInfo,
) -> proto::Slice {
    let edges: Vec<(EdgeKey, &EdgeStats)> = drained
        .edges
        .iter()
        .map(|(id, stats)| (shared.edges.key(*id), &**stats))
        .collect();
    let infos = node_infos(shared, drained, &edges);
    let strings = string_table(shared, drained, &infos);
    let writer = Writer {
        shared,
        second,
        nodes: (0..).zip(&infos).map(|(at, (id, _))| (*id, at)).collect(),
        strings: (0..).zip(&strings).map(|(at, text)| (*text, at)).collect(),
    };
    let stats: HashMap<NodeId, &NodeStats, RandomState> = drained
        .nodes
        .iter()
        .map(|(id, stats)| (*id, &**stats))
        .collect();
    let unseen = NodeStats::default();
    proto::Slice {
        schema: SCHEMA,
        origins: vec![shared.origin.clone()],
        start_unix_s: second,
        end_unix_s: info.end_unix_s.max(second.saturating_add(1)),
        monotonic_ns: info.monotonic_ns,
        covered_ns: info.monotonic_ns,
        first_sequence: info.sequence,
        last_sequence: info.sequence,
        config_digest: shared.config_digest.clone(),
        law: Some(proto::Law {
            pending_before: info.pending_before,
            pending_after: info.pending_after,
            ..drained.law
        }),
        nodes: infos
            .iter()
            .map(|(id, info)| writer.node(info, stats.get(id).copied().unwrap_or(&unseen)))
            .collect(),
        edges: writer.edges(&edges),
        unpaired: writer.unpaired(&drained.unpaired.rows),
        unpaired_other: drained.unpaired.other,
        through_offset: 0,
        strings: strings.iter().map(|text| (*text).to_owned()).collect(),
    }
}

/// Every node the slice names, sorted by id text.
fn node_infos(
    shared: &Shared,
    drained: &Drained,
    edges: &[(EdgeKey, &EdgeStats)],
) -> Vec<(NodeId, Arc<NodeInfo>)> {
    let mut ids: HashSet<NodeId, RandomState> = drained.nodes.iter().map(|(id, _)| *id).collect();
    ids.extend(edges.iter().flat_map(|(key, _)| [key.client, key.server]));
    ids.extend(drained.unpaired.rows.iter().map(|(key, _)| key.node));
    let mut infos: Vec<_> = ids
        .into_iter()
        .filter_map(|id| shared.nodes.info(id).map(|info| (id, info)))
        .collect();
    infos.sort_unstable_by(|(_, a), (_, b)| a.id.cmp(&b.id));
    infos
}

/// Every string the slice names, sorted, once.
fn string_table<'a>(
    shared: &'a Shared,
    drained: &'a Drained,
    infos: &'a [(NodeId, Arc<NodeInfo>)],
) -> Vec<&'a str> {
    let mut strings: Vec<&str> = infos
        .iter()
        .flat_map(|(_, info)| [&*info.id, &*info.name, &*info.namespace])
        .collect();
    let pairs = infos.iter().flat_map(|(_, info)| &info.dimensions);
    strings.extend(pairs.map(|pair| &**pair));
    for (_, stats) in &drained.nodes {
        strings.extend(
            stats
                .versions
                .texts
                .iter()
                .chain(&stats.instances.texts)
                .map(|text| &**text),
        );
        let addresses = stats.addresses.ids().iter();
        strings.extend(addresses.map(|id| shared.texts.text(*id)));
    }
    for (_, stats) in &drained.edges {
        let listed = [stats.destinations.ids(), stats.addresses.ids()];
        strings.extend(listed.concat().iter().map(|id| shared.texts.text(*id)));
        strings.extend(counted(&stats.protocols, &status::PROTOCOLS).map(|(name, _)| name));
        strings.extend(counted(&stats.statuses, &status::STATUSES).map(|(name, _)| name));
    }
    for (key, _) in &drained.unpaired.rows {
        strings.extend(key.name.map(|name| shared.texts.text(name)));
        strings.push(word(key.reason));
    }
    strings.sort_unstable();
    strings.dedup();
    strings
}

// === impl Writer ===

impl Writer<'_> {
    fn text(&self, text: &str) -> u32 {
        self.strings.get(text).copied().unwrap_or_default()
    }

    fn node(&self, info: &NodeInfo, stats: &NodeStats) -> proto::Node {
        let set = |list: &super::stats::Smallest| {
            (!list.texts.is_empty()).then(|| proto::StringSet {
                string_refs: list.texts.iter().map(|text| self.text(text)).collect(),
                more: list.more,
            })
        };
        proto::Node {
            id_ref: self.text(&info.id),
            name_ref: self.text(&info.name),
            namespace_ref: self.text(&info.namespace),
            r#type: info.kind.into(),
            calls_edges: stats.calls(CalledFrom::Edges),
            calls_no_caller: stats.calls(CalledFrom::NoCaller),
            calls_unpaired: stats.calls(CalledFrom::Unpaired),
            failed: stats.failed,
            latency: stats.latency.to_proto(),
            versions: set(&stats.versions),
            instances: set(&stats.instances),
            addresses: self.listed(&stats.addresses),
            first_seen_s: self.second,
            last_seen_s: self.second,
            calls_without_sample: stats.without_sample,
            dimensions: self.dimensions(info),
            ..proto::Node::default()
        }
    }

    /// Sorted by their place in the table, as their merge keeps them.
    fn dimensions(&self, info: &NodeInfo) -> Vec<proto::StringCount> {
        let pair = |text: &str| proto::StringCount {
            string_ref: self.text(text),
            count: 0,
        };
        let mut pairs: Vec<_> = info.dimensions.iter().map(|text| pair(text)).collect();
        pairs.sort_unstable_by_key(|pair| pair.string_ref);
        pairs
    }

    fn edges(&self, edges: &[(EdgeKey, &EdgeStats)]) -> Vec<proto::Edge> {
        let mut written: Vec<_> = edges
            .iter()
            .map(|(key, stats)| self.edge(*key, stats))
            .collect();
        written.sort_unstable_by_key(|edge| (edge.client, edge.server, edge.connection_type));
        written
    }

    fn edge(&self, key: EdgeKey, stats: &EdgeStats) -> proto::Edge {
        let [seen_both, seen_client, seen_server] = stats.seen();
        proto::Edge {
            client: self.nodes.get(&key.client).copied().unwrap_or_default(),
            server: self.nodes.get(&key.server).copied().unwrap_or_default(),
            connection_type: key.kind.into(),
            seen_both,
            seen_client,
            seen_server,
            failed: stats.failed,
            client_failed: stats.client_failed,
            server_failed: stats.server_failed,
            client_latency: stats.client.to_proto(),
            server_latency: stats.server.to_proto(),
            gap: stats.gap.to_proto(),
            queue: stats.queue.to_proto(),
            protocols: self.counts(&stats.protocols, &status::PROTOCOLS),
            statuses: self.counts(&stats.statuses, &status::STATUSES),
            destinations: self.listed(&stats.destinations),
            slowest: stats.slowest.map(|exemplar| self.exemplar(exemplar)),
            failed_exemplar: stats
                .failed_exemplar
                .map(|exemplar| self.exemplar(exemplar)),
            first_seen_s: self.second,
            last_seen_s: self.second,
            classes: Some(classes(&stats.classes)),
            calls_without_client_sample: stats.without_client_sample,
            calls_without_server_sample: stats.without_server_sample,
            weighted_calls: stats.weighted_calls,
            weighted_failed: stats.weighted_failed,
            addresses: self.listed(&stats.addresses),
            logical_peer_calls: stats.logical_peer_calls,
        }
    }

    fn listed(&self, listed: &Listed) -> Option<proto::StringSet> {
        let ids = listed.ids();
        let text = |id: &TextId| self.text(self.shared.texts.text(*id));
        (!ids.is_empty()).then(|| proto::StringSet {
            string_refs: ids.iter().map(text).collect(),
            more: listed.more,
        })
    }

    fn counts(&self, counts: &[u64], names: &[&'static str]) -> Vec<proto::StringCount> {
        let mut written: Vec<_> = counted(counts, names)
            .map(|(name, count)| proto::StringCount {
                string_ref: self.text(name),
                count,
            })
            .collect();
        written.sort_unstable_by_key(|entry| entry.string_ref);
        written
    }

    fn exemplar(&self, exemplar: Exemplar) -> proto::Exemplar {
        proto::Exemplar {
            trace_id: exemplar.trace.to_vec(),
            span_id: exemplar.span.to_be_bytes().to_vec(),
            duration_ns: exemplar.duration_ns,
            second: self.second,
        }
    }

    fn unpaired(&self, rows: &[(UnpairedKey, Row)]) -> Vec<proto::UnpairedRow> {
        let rows = rows.iter().map(|(key, row)| {
            let name = key.name.map(|name| self.shared.texts.text(name));
            proto::UnpairedRow {
                node: self.nodes.get(&key.node).copied().unwrap_or_default(),
                kind: key.kind as u32,
                span_name_ref: name.map_or(0, |name| self.text(name)),
                reason_ref: self.text(word(key.reason)),
                count: row.count,
                sample_trace_id: row.trace.to_vec(),
                further_names: name.is_none(),
            }
        });
        rows.collect()
    }
}

/// Names with a count above zero; the unnamed are left out.
fn counted<'a>(
    counts: &'a [u64],
    names: &'a [&'static str],
) -> impl Iterator<Item = (&'static str, u64)> + 'a {
    names
        .iter()
        .zip(counts)
        .filter(|(name, count)| !name.is_empty() && **count > 0)
        .map(|(n, c)| (*n, *c))
}
