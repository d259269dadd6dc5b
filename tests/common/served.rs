//! What a core makes of a random system, summed over its slices by names.

use std::collections::{BTreeMap, BTreeSet};

use prost::Message as _;
use spangraph::clock::Timestamp;
use spangraph::core::{Core, CoreConfig, Scratch};
use spangraph::glob::Glob;
use spangraph::otlp::{Encoding, ResourceKeys};
use spangraph::pairing::{Ignore, IgnoreRule, Rules, SharedIds, UserNode};
use spangraph::proto::{CallClasses, Edge, Histogram, Law, Origin, Slice, StringSet};
use spangraph::slice::{Sealed, law};

use crate::oracle::{self, Answer, EdgeSums, NodeSums, Samples};
use crate::systems::{self, Sent, System, Way};

/// Unix second in which every system begins.
const BEGIN_S: u64 = 1_795_395_600;

/// What the core makes of a system that comes in this way.
pub fn served(system: &System, way: &Way) -> Answer {
    let mut answer = Answer::default();
    let (sealed, pending) = sealed(system, way, |_| true);
    for slice in sealed {
        let slice = Slice::decode(slice.bytes).unwrap();
        assert_eq!(law::check(&slice), Vec::<String>::new());
        add(&mut answer, &slice);
    }
    if pending > 0 {
        answer.outcomes.insert("pending", pending);
    }
    answer
}

/// The slices of a core that gets only the spans that `takes` takes, until all of the whole system are decided; and how
/// many of its spans then have no outcome.
pub fn sealed(system: &System, way: &Way, takes: impl Fn(&Sent) -> bool) -> (Vec<Sealed>, u64) {
    let core = core(system, way);
    let all = 0..system.spans.len();
    let mut order: Vec<usize> = all.filter(|&at| takes(&system.spans[at])).collect();
    order.sort_by_key(|&at| (system.spans[at].second, shuffled(at, way)));
    let encoding = if way.json {
        Encoding::Json
    } else {
        Encoding::Protobuf
    };
    let mut scratch = Scratch::default();
    for second in order.chunk_by(|&a, &b| system.spans[a].second == system.spans[b].second) {
        for request in second.chunks(way.spans_per_request) {
            let spans: Vec<&Sent> = request.iter().map(|&at| &system.spans[at]).collect();
            let bytes = systems::request(&spans, encoding, BEGIN_S);
            let at = at_second(spans[0].second);
            core.apply(&bytes, encoding, &mut scratch, at).unwrap();
        }
    }
    let last = system.spans.iter().map(|span| span.second).max();
    let waits = system.options.waits;
    let all_decided = last.unwrap_or(0) + 3 * waits.wait.max(waits.messaging_wait) + waits.retain;
    let sealed = core.advance(at_second(all_decided));
    (sealed, core.totals().pending_after)
}

fn shuffled(at: usize, way: &Way) -> u64 {
    (at as u64 + 1)
        .wrapping_mul(way.order | 1)
        .rotate_left(29)
        .wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

fn core(system: &System, way: &Way) -> Core {
    let config = CoreConfig {
        resource_keys: ResourceKeys::default().sampled_by(Some(systems::RATIO_KEY.to_owned())),
        idle_s: 15 * 60,
        rules: rules(system),
        pairing_bytes: 64 << 20,
        shards: way.shards,
        max_nodes: 1_000,
        max_edges: 1_000,
        digest: "test".to_owned(),
    };
    Core::new(config, Origin::default(), at_second(0))
}

/// The rules under which a system is served.
pub fn rules(system: &System) -> Rules {
    let options = &system.options;
    let waits = options.waits;
    let seconds = |s: u64| u32::try_from(s).unwrap();
    Rules {
        wait: seconds(waits.wait),
        messaging_wait: seconds(waits.messaging_wait),
        retain: seconds(waits.retain),
        match_low64: options.match_low64,
        naming: options.naming,
        user_node: match options.user_node {
            oracle::UserNode::Shared => UserNode::Shared,
            oracle::UserNode::PerService => UserNode::PerService,
            oracle::UserNode::Off => UserNode::Off,
        },
        shared_ids: match options.shared_ids {
            oracle::SharedIds::Auto => SharedIds::Auto,
            oracle::SharedIds::Never => SharedIds::Never,
            oracle::SharedIds::Always => SharedIds::Always,
        },
        sampling: options.sampling,
        ignore: Ignore::new(options.ignore.iter().map(ignore_rule)),
        ..Rules::default()
    }
}

fn ignore_rule(rule: &oracle::Ignore) -> IgnoreRule {
    let glob = |text: &Option<String>| text.as_deref().map(|text| Glob::new(text).unwrap());
    IgnoreRule {
        service: glob(&rule.service),
        span_name: glob(&rule.span_name),
        kind: glob(&rule.kind),
    }
}

fn at_second(second: u64) -> Timestamp {
    Timestamp::from_unix_ns((BEGIN_S + second) * 1_000_000_000)
}

/// Adds one slice to the sums.
fn add(answer: &mut Answer, slice: &Slice) {
    let id = |node: u32| {
        let node = &slice.nodes[node as usize];
        slice.strings[node.id_ref as usize].clone()
    };
    for edge in &slice.edges {
        let key = (id(edge.client), id(edge.server), edge.connection_type);
        let sums = answer.edges.entry(key).or_default();
        add_edge(sums, edge);
        add_strings(&mut sums.destinations, slice, edge.destinations.as_ref());
    }
    for (at, node) in (0..).zip(&slice.nodes) {
        let sums: &mut NodeSums = answer.nodes.entry(id(at)).or_default();
        sums.from_edges += node.calls_edges;
        sums.no_caller += node.calls_no_caller;
        sums.unpaired += node.calls_unpaired;
        sums.failed += node.failed;
        add_samples(&mut sums.latency, node.latency.as_ref());
    }
    answer.nodes.retain(|_, sums| *sums != NodeSums::default());
    let law = slice.law.unwrap();
    add_law(answer, &law);
    let mut classes = BTreeMap::new();
    add_classes(&mut classes, law.calls.as_ref());
    let second = slice.start_unix_s - BEGIN_S;
    let classes = classes.into_iter();
    let seconds = classes.map(|(class, calls)| ((second, class), calls));
    answer.seconds.extend(seconds);
}

fn add_edge(sums: &mut EdgeSums, edge: &Edge) {
    sums.seen_both += edge.seen_both;
    sums.seen_client += edge.seen_client;
    sums.seen_server += edge.seen_server;
    sums.failed += edge.failed;
    sums.client_failed += edge.client_failed;
    sums.server_failed += edge.server_failed;
    sums.weighted_calls += edge.weighted_calls;
    sums.weighted_failed += edge.weighted_failed;
    add_classes(&mut sums.classes, edge.classes.as_ref());
    add_samples(&mut sums.client, edge.client_latency.as_ref());
    add_samples(&mut sums.server, edge.server_latency.as_ref());
    add_samples(&mut sums.gap, edge.gap.as_ref());
    add_samples(&mut sums.queue, edge.queue.as_ref());
}

fn add_law(answer: &mut Answer, law: &Law) {
    answer.negative_duration += law.negative_duration;
    answer.negative_gap += law.negative_gap;
    answer.clock_skew += law.clock_skew;
    answer.unresolved_links += law.unresolved_links;
    add_classes(&mut answer.classes, law.calls.as_ref());
    let outcomes = law.outcomes.unwrap_or_default();
    let named = [
        ("paired", outcomes.paired),
        ("virtual", outcomes.r#virtual),
        ("internal", outcomes.internal),
        ("root", outcomes.root),
        ("unpaired_client", outcomes.unpaired_client),
        ("unpaired_server", outcomes.unpaired_server),
        ("filtered", outcomes.filtered),
        ("duplicate", outcomes.duplicate),
        ("late", outcomes.late),
    ];
    add_named(&mut answer.outcomes, &named);
}

fn add_classes(sums: &mut BTreeMap<&'static str, u64>, classes: Option<&CallClasses>) {
    let classes = classes.copied().unwrap_or_default();
    let named = [
        ("paired", classes.paired),
        ("entry", classes.entry),
        ("linked", classes.linked),
        ("virtual_server", classes.virtual_server),
        ("virtual_client", classes.virtual_client),
    ];
    add_named(sums, &named);
}

fn add_named(sums: &mut BTreeMap<&'static str, u64>, more: &[(&'static str, u64)]) {
    for (name, count) in more.iter().filter(|(_, count)| *count > 0) {
        *sums.entry(name).or_default() += count;
    }
}

fn add_strings(all: &mut BTreeSet<String>, slice: &Slice, set: Option<&StringSet>) {
    let refs = set.map_or(&[][..], |set| &set.string_refs);
    all.extend(refs.iter().map(|at| slice.strings[*at as usize].clone()));
}

fn add_samples(sums: &mut Samples, histogram: Option<&Histogram>) {
    let Some(histogram) = histogram else { return };
    assert_eq!(histogram.scale, 4, "no system has more buckets than fit");
    sums.count += histogram.count;
    sums.sum_ns += histogram.sum_ns;
    sums.zero += histogram.zero_count;
    for (bucket, count) in (histogram.offset..).zip(&histogram.counts) {
        if *count > 0 {
            *sums.buckets.entry(bucket).or_default() += count;
        }
    }
}
