//! Pairs the elements of two topologies by id, measures each pair, and has all of them judged together.

use std::collections::{BTreeMap, BTreeSet};

use crate::topology::{Echo, Edge, Node, Quantile, Topology};

use super::judge::{self, Raw};
use super::measure::change;
use super::model::{Change, Diff, EdgeDiff, LatencyChange, NodeDiff, Side, Status, Tally};
use super::sample::{Sample, Sampler};
use super::settings::Settings;

/// Compares two windows that were asked the same question. `query` of the result is the head's.
pub fn compare(base: &Topology, head: &Topology, settings: Settings) -> Diff {
    let nodes = pairs(&base.nodes, &head.nodes, |n: &Node| &n.counted.id);
    let edges = pairs(&base.edges, &head.edges, |e: &Edge| &e.id);
    let samplers = (Sampler::of(base), Sampler::of(head));
    let mut changes = measured(&nodes, &samplers, &head.quantiles, Sampler::node);
    changes.extend(measured(&edges, &samplers, &head.quantiles, Sampler::edge));
    let tests = judge::all(&mut changes, &settings);
    let mut changes = changes.into_iter().map(|raw| raw.change);
    let nodes: Vec<NodeDiff> = nodes
        .into_iter()
        .zip(&mut changes)
        .filter_map(|((b, h), change)| Some(node(h.or(b)?, change)))
        .collect();
    let edges: Vec<EdgeDiff> = edges
        .into_iter()
        .zip(changes)
        .filter_map(|((b, h), change)| Some(edge(h.or(b)?, change)))
        .collect();
    let latency_compared = all(&nodes, &edges).all(|c| c.latencies.iter().all(is_tested));
    let diff = Diff {
        base: side(base),
        head: side(head),
        query: repeated(&head.query, &settings),
        settings,
        tests,
        latency_compared,
        quantiles: head.quantiles.clone(),
        node_tally: tally(nodes.iter().map(|n| &n.change)),
        edge_tally: tally(edges.iter().map(|e| &e.change)),
        nodes,
        edges,
    };
    listed(diff)
}

fn all<'a>(nodes: &'a [NodeDiff], edges: &'a [EdgeDiff]) -> impl Iterator<Item = &'a Change> {
    let of_nodes = nodes.iter().map(|n| &n.change);
    of_nodes.chain(edges.iter().map(|e| &e.change))
}

/// Whether a latency that both windows have was tested.
fn is_tested(latency: &LatencyChange) -> bool {
    latency.test.is_some() || latency.base.is_none() || latency.head.is_none()
}

/// What was asked of a window, and what of the comparison is shown; what it is judged by stands with the tests.
fn repeated(query: &[(&'static str, Echo)], settings: &Settings) -> Vec<(&'static str, Echo)> {
    let same = settings.with_same.then(|| vec!["same".to_owned()]);
    let include = same.map(|words| ("include", Echo::List(words)));
    query.iter().cloned().chain(include).collect()
}

/// Leaves out what is the same, but for the ends of what is not.
fn listed(mut diff: Diff) -> Diff {
    if diff.settings.with_same {
        return diff;
    }
    diff.edges.retain(|e| e.change.status != Status::Same);
    let ends = diff.edges.iter().flat_map(|e| [&e.client, &e.server]);
    let ends: BTreeSet<String> = ends.cloned().collect();
    diff.nodes
        .retain(|n| n.change.status != Status::Same || ends.contains(&n.id));
    diff
}

type Pair<'a, T> = (Option<&'a T>, Option<&'a T>);

/// Tests each pair by itself.
fn measured<'a, T>(
    pairs: &[Pair<'a, T>],
    (base, head): &(Sampler<'a>, Sampler<'a>),
    quantiles: &[Quantile],
    sample: impl Fn(&Sampler<'a>, &'a T) -> Sample<'a>,
) -> Vec<Raw> {
    let absent = (base.nothing(), head.nothing());
    let measured = pairs.iter().map(|(b, h)| {
        let samples = (b.map(|b| sample(base, b)), h.map(|h| sample(head, h)));
        change(samples, absent, quantiles)
    });
    measured.collect()
}

/// Sorted by id.
fn pairs<'a, T>(base: &'a [T], head: &'a [T], id: impl Fn(&T) -> &String) -> Vec<Pair<'a, T>> {
    let mut pairs: BTreeMap<&str, Pair<'a, T>> = BTreeMap::new();
    for element in base {
        pairs.entry(id(element)).or_default().0 = Some(element);
    }
    for element in head {
        pairs.entry(id(element)).or_default().1 = Some(element);
    }
    pairs.into_values().collect()
}

fn node(node: &Node, change: Change) -> NodeDiff {
    let c = &node.counted;
    NodeDiff {
        id: c.id.clone(),
        name: c.name.clone(),
        namespace: c.namespace.clone(),
        kind: c.kind,
        change,
    }
}

fn edge(edge: &Edge, change: Change) -> EdgeDiff {
    EdgeDiff {
        id: edge.id.clone(),
        client: edge.client.clone(),
        server: edge.server.clone(),
        connection_type: edge.counted.connection_type,
        change,
    }
}

fn side(topology: &Topology) -> Side {
    Side {
        generated_unix_s: topology.generated_unix_s,
        epoch: topology.epoch.clone(),
        window: topology.window.clone(),
        law: topology.law,
        sampling_adjusted: topology.sampling_adjusted,
        hidden: topology.hidden,
    }
}

fn tally<'a>(changes: impl Iterator<Item = &'a Change>) -> Tally {
    let mut tally = Tally::default();
    changes.for_each(|change| tally.count(change));
    tally
}
