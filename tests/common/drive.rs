//! Drives a core through a case and reads what its slices say, by prost and naive sums.

use std::collections::{BTreeMap, BTreeSet};

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use prost::Message as _;
use spangraph::clock::Timestamp;
use spangraph::config::{Config, Machine, Sources};
use spangraph::core::{Core, CoreConfig, Scratch};
use spangraph::daemon::core_config;
use spangraph::otlp::{Encoding, ResourceKeys};
use spangraph::pairing::Rules;
use spangraph::proto::{ConnectionType, Edge, Law, NodeType, Origin, Slice, StringSet};
use spangraph::slice::Sealed;

use crate::cases::{self, Case, CaseSpan, ExpectedEdge, Ids};

/// Unix second in which every case begins.
const BEGIN_S: u64 = 1_795_395_600;

/// How a case is put to a core.
#[derive(Debug, Clone, Copy)]
pub struct Drive {
    pub shards: usize,
    /// Spans that arrive at the same time come in one request.
    pub whole: bool,
    /// Every resource names an SDK, so that early settling is tried.
    pub sdk: bool,
}

/// What came out, after every wait has elapsed.
#[derive(Debug, Default)]
pub struct Answer {
    pub edges: Vec<ExpectedEdge>,
    /// Topics, by `client->server`.
    pub destinations: BTreeMap<String, BTreeSet<String>>,
    /// Number of samples, by `client->server` and histogram.
    pub samples: BTreeMap<String, BTreeMap<String, u64>>,
    pub law: Law,
}

// === impl Drive ===

impl Drive {
    /// Puts the spans to a core in the order given and reads what comes out.
    pub fn run(&self, case: &Case, spans: &[CaseSpan]) -> Answer {
        Answer::read(&self.slices(case, spans))
    }

    /// Puts the spans to a core in the order given; every slice until all waits have elapsed.
    pub fn slices(&self, case: &Case, spans: &[CaseSpan]) -> Vec<Slice> {
        let core = Core::new(config(case, self.shards), Origin::default(), at_ms(0));
        // Ids are given out in the order of the case, whatever the order of arrival.
        let mut ids = Ids::default();
        cases::request(&case.spans, &mut ids, false);
        let mut scratch = Scratch::default();
        let same_time = |a: &CaseSpan, b: &CaseSpan| self.whole && a.at_ms == b.at_ms;
        for spans in spans.chunk_by(same_time) {
            let request: ExportTraceServiceRequest = cases::request(spans, &mut ids, self.sdk);
            let at = at_ms(spans[0].at_ms);
            core.apply(
                &request.encode_to_vec(),
                Encoding::Protobuf,
                &mut scratch,
                at,
            )
            .unwrap();
        }
        let end = spans.last().map_or(0, |span| span.at_ms) + 200_000;
        let sealed = core.advance(at_ms(end));
        let decode = |slice: &Sealed| Slice::decode(slice.bytes.clone()).unwrap();
        sealed.iter().map(decode).collect()
    }
}

/// A core with these rules that begins where the cases do.
pub fn core(rules: Rules, shards: usize) -> Core {
    core_of(rules, shards, 64 << 20)
}

/// One whose waiting and remembered spans may use so many bytes.
pub fn core_of(rules: Rules, shards: usize, pairing_bytes: u64) -> Core {
    let config = config_of(rules, shards, pairing_bytes);
    Core::new(config, Origin::default(), at_ms(0))
}

/// What that core is told.
pub fn config_of(rules: Rules, shards: usize, pairing_bytes: u64) -> CoreConfig {
    CoreConfig {
        resource_keys: ResourceKeys::default(),
        rules,
        pairing_bytes,
        shards,
        max_nodes: 1_000,
        max_edges: 1_000,
        idle_s: 15 * 60,
        digest: "test".to_owned(),
    }
}

/// So many milliseconds after the beginning.
pub fn at_ms(ms: u64) -> Timestamp {
    Timestamp::from_unix_ns((BEGIN_S * 1_000 + ms) * 1_000_000)
}

/// What a user who set the case's options would have.
fn config(case: &Case, shards: usize) -> CoreConfig {
    let set = case.config.iter().map(|(key, value)| {
        let section = if key == "ignore" { "ingest" } else { "pairing" };
        let text = value
            .as_str()
            .map_or_else(|| value.to_string(), str::to_owned);
        format!("{section}.{key}={text}")
    });
    let sources = Sources {
        set: set.collect(),
        ..Sources::default()
    };
    let machine = Machine {
        cgroup_memory_max: None,
        ram: None,
    };
    CoreConfig {
        shards,
        ..core_config(&Config::resolve(&sources, &machine).unwrap())
    }
}

// === impl Answer ===

impl Answer {
    /// Sums slices by names and folds external nodes into the services they name (R11), the slow and obvious way.
    pub fn read(slices: &[Slice]) -> Self {
        let mut sums: BTreeMap<(Node, Node, String), (u64, u64)> = BTreeMap::new();
        let mut services = BTreeSet::new();
        let mut addresses = Addresses::default();
        let mut answer = Self::default();
        for slice in slices {
            let nodes = (0..).zip(&slice.nodes);
            services.extend(nodes.filter_map(|(at, _)| Node::read(slice, at).service()));
            addresses.learn(slice);
            assert_eq!(spangraph::slice::law::check(slice), Vec::<String>::new());
            add_law(&mut answer.law, slice.law.as_ref().unwrap());
            for edge in &slice.edges {
                let node = |index: u32| Node::read(slice, index);
                let key = (
                    node(edge.client),
                    node(edge.server),
                    connection(edge.connection_type()),
                );
                let sum = sums.entry(key).or_default();
                let calls = edge.seen_both + edge.seen_client + edge.seen_server;
                let weighted = edge.weighted_calls > 0;
                sum.0 += if weighted {
                    edge.weighted_calls
                } else {
                    calls << 20
                };
                sum.1 += if weighted {
                    edge.weighted_failed
                } else {
                    edge.failed << 20
                };
                answer.add_details(slice, edge);
            }
        }
        let mut folded: BTreeMap<(String, String, String), (u64, u64)> = BTreeMap::new();
        for ((client, server, connection), (calls, failed)) in sums {
            let folds = [&client, &server]
                .iter()
                .any(|node| node.external && services.contains(&node.name));
            let alias = addresses
                .alias(&client, &server)
                .filter(|_| !folds && connection == "virtual_node");
            let connection = if folds || alias.is_some() {
                String::new()
            } else {
                connection
            };
            let server = alias.unwrap_or(server.name);
            let sum = folded.entry((client.name, server, connection)).or_default();
            *sum = (sum.0 + calls, sum.1 + failed);
        }
        let whole = |fixed: u64| (fixed + (1 << 19)) >> 20;
        for ((client, server, connection_type), (calls, failed)) in folded {
            answer.edges.push(ExpectedEdge {
                client,
                server,
                connection_type,
                calls: whole(calls),
                failed: whole(failed),
            });
        }
        answer.edges.sort();
        answer
    }

    fn add_details(&mut self, slice: &Slice, edge: &Edge) {
        let name = |node: u32| Node::read(slice, node).name;
        let edge_name = format!("{}->{}", name(edge.client), name(edge.server));
        let topics = edge.destinations.as_ref();
        let topics = topics.map_or(&[][..], |topics| &topics.string_refs);
        let topics = topics.iter().map(|at| slice.strings[*at as usize].clone());
        self.destinations
            .entry(edge_name.clone())
            .or_default()
            .extend(topics);
        let histograms = [
            ("client", &edge.client_latency),
            ("server", &edge.server_latency),
            ("gap", &edge.gap),
            ("queue", &edge.queue),
        ];
        let samples = self.samples.entry(edge_name).or_default();
        for (of, histogram) in histograms {
            let count = histogram.as_ref().map_or(0, |histogram| histogram.count);
            *samples.entry(of.to_owned()).or_default() += count;
        }
    }

    /// A counter by its name in the cases.
    pub fn counter(&self, name: &str) -> u64 {
        let outcomes = self.law.outcomes.unwrap_or_default();
        let classes = self.law.calls.unwrap_or_default();
        match name {
            "duplicates" => outcomes.duplicate,
            "paired" => outcomes.paired,
            "virtual" => outcomes.r#virtual,
            "internal" => outcomes.internal,
            "root" => outcomes.root,
            "unpaired_client" => outcomes.unpaired_client,
            "unpaired_server" => outcomes.unpaired_server,
            "filtered" => outcomes.filtered,
            "late" => outcomes.late,
            "entry" => classes.entry,
            "linked" => classes.linked,
            "negative_duration" => self.law.negative_duration,
            "negative_gap" => self.law.negative_gap,
            "clock_skew" => self.law.clock_skew,
            "unresolved_links" => self.law.unresolved_links,
            other => panic!("unknown counter {other}"),
        }
    }
}

/// At which addresses services were met, and at which ones external nodes were called, or that a logical peer was.
#[derive(Debug, Default)]
struct Addresses {
    of_services: BTreeMap<String, BTreeSet<String>>,
    called: BTreeMap<(Node, Node), BTreeSet<Option<String>>>,
}

// === impl Addresses ===

impl Addresses {
    fn learn(&mut self, slice: &Slice) {
        let texts = |set: Option<&StringSet>| {
            let refs = set.map_or(&[][..], |set| &set.string_refs);
            let texts = refs.iter().map(|at| slice.strings[*at as usize].clone());
            texts.collect::<Vec<String>>()
        };
        for (at, node) in (0..).zip(&slice.nodes) {
            let name = Node::read(slice, at).name;
            let known = self.of_services.entry(name).or_default();
            known.extend(texts(node.addresses.as_ref()));
        }
        for edge in &slice.edges {
            let ends = [edge.client, edge.server].map(|at| Node::read(slice, at));
            let called = self.called.entry(ends.into()).or_default();
            called.extend(texts(edge.addresses.as_ref()).into_iter().map(Some));
            if edge.logical_peer_calls > 0 {
                called.insert(None);
            }
        }
    }

    /// The one service at every address at which `client` called `server`.
    fn alias(&self, client: &Node, server: &Node) -> Option<String> {
        let called = self.called.get(&(client.clone(), server.clone()))?;
        let at = |address: &String| {
            let known = self.of_services.iter();
            let named = known.filter(|(_, met)| met.contains(address));
            named.map(|(name, _)| name.clone()).collect::<Vec<_>>()
        };
        let mut all = called
            .iter()
            .map(|address| address.as_ref().map_or_else(Vec::new, at));
        let first = all.next()?;
        let same = server.external && server.name != "unknown" && all.all(|other| other == first);
        first.first().cloned().filter(|_| same && first.len() == 1)
    }
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Node {
    name: String,
    external: bool,
    service: bool,
}

// === impl Node ===

impl Node {
    fn read(slice: &Slice, index: u32) -> Self {
        let node = &slice.nodes[index as usize];
        Self {
            name: slice.strings[node.name_ref as usize].clone(),
            external: node.r#type() == NodeType::External,
            service: node.r#type() == NodeType::Service,
        }
    }

    fn service(&self) -> Option<String> {
        self.service.then(|| self.name.clone())
    }
}

fn connection(connection: ConnectionType) -> String {
    match connection {
        ConnectionType::None => "",
        ConnectionType::VirtualNode => "virtual_node",
        ConnectionType::MessagingSystem => "messaging_system",
        ConnectionType::Database => "database",
    }
    .to_owned()
}

/// The terms that cases name.
fn add_law(sum: &mut Law, law: &Law) {
    let outcomes = sum.outcomes.get_or_insert_default();
    let more = law.outcomes.unwrap_or_default();
    outcomes.paired += more.paired;
    outcomes.r#virtual += more.r#virtual;
    outcomes.internal += more.internal;
    outcomes.root += more.root;
    outcomes.unpaired_client += more.unpaired_client;
    outcomes.unpaired_server += more.unpaired_server;
    outcomes.filtered += more.filtered;
    outcomes.duplicate += more.duplicate;
    outcomes.late += more.late;
    let classes = sum.calls.get_or_insert_default();
    let more = law.calls.unwrap_or_default();
    classes.entry += more.entry;
    classes.linked += more.linked;
    sum.negative_duration += law.negative_duration;
    sum.negative_gap += law.negative_gap;
    sum.clock_skew += law.clock_skew;
    sum.unresolved_links += law.unresolved_links;
    sum.accepted += law.accepted;
}
