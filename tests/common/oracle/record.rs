//! From decisions to sums: failures (R8) and latencies (R13).

use std::collections::BTreeSet;

use spangraph::proto::ConnectionType;
use spangraph::span::{Side, SpanKind};

use super::callees::{Call, Callee, Verdict};
use super::callers::{Caller, Said};
use super::groups::{self, Groups};
use super::view::{At, Seen, World};
use super::{Answer, EdgeSums, NodeSums, Samples};

/// Adds decisions up.
pub(super) struct Recorder<'a> {
    world: &'a World,
    answer: Answer,
}

// === impl Samples ===

impl Samples {
    fn add(&mut self, ns: u64) {
        self.count += 1;
        self.sum_ns += ns;
    }
}

// === impl Seen ===

impl Seen {
    /// `None` when it ends before it starts.
    fn duration_ns(&self) -> Option<u64> {
        let ms = self.sent.end_ms.checked_sub(self.sent.start_ms)?;
        Some(ms * 1_000_000)
    }
}

// === impl Recorder ===

impl<'a> Recorder<'a> {
    pub(super) fn new(world: &'a World) -> Self {
        Self {
            world,
            answer: Answer::default(),
        }
    }

    pub(super) fn finish(self) -> Answer {
        self.answer
    }

    pub(super) fn outcomes(&mut self, outcome: &'static str, spans: u64) {
        if spans > 0 {
            *self.answer.outcomes.entry(outcome).or_default() += spans;
        }
    }

    fn edge(&mut self, client: &str, server: &str, connection: i32) -> &mut EdgeSums {
        let key = (client.to_owned(), server.to_owned(), connection);
        self.answer.edges.entry(key).or_default()
    }

    fn node(&mut self, node: &str) -> &mut NodeSums {
        self.answer.nodes.entry(node.to_owned()).or_default()
    }

    /// What inbound spans say themselves.
    pub(super) fn callees(&mut self, callees: &[Callee]) {
        for callee in callees {
            let span = &self.world.spans[callee.span];
            match &callee.verdict {
                Verdict::CalledBy(_) => {
                    self.outcomes("paired", 1);
                    self.called(span).from_edges += 1;
                }
                Verdict::Continues(_) | Verdict::Internal => self.outcomes("internal", 1),
                Verdict::Virtual(node, connection) => {
                    self.outcomes("virtual", 1);
                    self.called(span).from_edges += 1;
                    let edge = self.edge(node, span.service, *connection);
                    edge.seen_server += 1;
                    edge.failed += u64::from(span.sent.failed);
                    edge.server_failed += u64::from(span.sent.failed);
                    span.duration_ns()
                        .into_iter()
                        .for_each(|ns| edge.server.add(ns));
                }
                Verdict::Root => {
                    self.outcomes("root", 1);
                    self.called(span).no_caller += 1;
                }
                Verdict::Unpaired => {
                    self.outcomes("unpaired_server", 1);
                    self.called(span).unpaired += 1;
                }
                Verdict::Late => {
                    self.outcomes("late", 1);
                    self.called(span).unpaired += 1;
                }
            }
        }
    }

    /// One call as the node of an inbound span saw it.
    fn called(&mut self, span: &Seen) -> &mut NodeSums {
        let duration = span.duration_ns();
        self.answer.negative_duration += u64::from(duration.is_none());
        let node = self.node(span.service);
        node.failed += u64::from(span.sent.failed);
        if let Some(ns) = duration {
            node.latency.add(ns);
        }
        node
    }

    /// Calls between seen sides: each as such, then what is counted once per (parent, edge).
    pub(super) fn calls(&mut self, calls: &[Call]) {
        let world = self.world;
        let mut per_parent: BTreeSet<(At, &str, i32)> = BTreeSet::new();
        for call in calls {
            let (client, server) = (&world.spans[call.client], &world.spans[call.server]);
            per_parent.insert((call.client, server.service, call.connection));
            let edge = self.edge(client.service, server.service, call.connection);
            edge.seen_both += 1;
            edge.server_failed += u64::from(call.failed);
            if server.side != Side::In {
                continue;
            }
            server
                .duration_ns()
                .into_iter()
                .for_each(|ns| edge.server.add(ns));
            self.between(client, server, call.connection);
        }
        for (client, service, connection) in per_parent {
            let failing = calls
                .iter()
                .filter(|call| {
                    let to = world.spans[call.server].service;
                    (call.client, to, call.connection) == (client, service, connection)
                })
                .filter(|call| call.failed)
                .count() as u64;
            let span = &world.spans[client];
            let outbound = span.side == Side::Out;
            let blamed = u64::from(outbound && span.sent.failed);
            let edge = self.edge(span.service, service, connection);
            edge.failed += failing.max(blamed);
            edge.client_failed += blamed;
            if outbound {
                match span.duration_ns() {
                    Some(ns) => edge.client.add(ns),
                    None => self.answer.negative_duration += 1,
                }
            }
        }
    }

    /// Gap and queue of a call of an inbound span.
    ///
    /// *Reading*: a message waits in a queue wherever an outbound span of any kind has a CONSUMER below it.
    fn between(&mut self, client: &Seen, server: &Seen, connection: i32) {
        if client.side != Side::Out {
            return;
        }
        if server.kind == SpanKind::Consumer {
            match server.sent.start_ms.checked_sub(client.sent.end_ms) {
                Some(ms) => self
                    .edge(client.service, server.service, connection)
                    .queue
                    .add(ms * 1_000_000),
                None => self.answer.clock_skew += 1,
            }
        }
        if connection == i32::from(ConnectionType::MessagingSystem) {
            return;
        }
        if let (Some(outer), Some(inner)) = (client.duration_ns(), server.duration_ns()) {
            match outer.checked_sub(inner) {
                Some(ns) => self
                    .edge(client.service, server.service, connection)
                    .gap
                    .add(ns),
                None => self.answer.negative_gap += 1,
            }
        }
    }

    /// Calls of groups as their nodes saw them, and what INTERNAL spans say themselves.
    pub(super) fn groups(&mut self, groups: &Groups) {
        let world = self.world;
        for (_, first, failed) in &groups.entries {
            let node = self.node(world.spans[*first].service);
            node.from_edges += 1;
            node.failed += u64::from(*failed);
        }
        for x in world.all() {
            if world.spans[x].side == Side::None {
                self.outcomes(groups::outcome(world, groups, x), 1);
            }
        }
    }

    /// What outbound spans say themselves.
    pub(super) fn callers(&mut self, callers: &[Caller]) {
        for caller in callers {
            let span = &self.world.spans[caller.span];
            match &caller.verdict {
                Said::Paired => self.outcomes("paired", 1),
                Said::Internal => self.outcomes("internal", 1),
                Said::Late => self.outcomes("late", 1),
                Said::Unpaired => self.outcomes("unpaired_client", 1),
                Said::Virtual(node, connection) => {
                    self.outcomes("virtual", 1);
                    self.virtual_call(span, node, *connection);
                }
            }
        }
    }

    fn virtual_call(&mut self, span: &Seen, node: &str, connection: i32) {
        let failed = u64::from(span.sent.failed);
        let duration = span.duration_ns();
        self.answer.negative_duration += u64::from(duration.is_none());
        let edge = self.edge(span.service, node, connection);
        edge.seen_client += 1;
        edge.failed += failed;
        edge.client_failed += failed;
        if let Some(ns) = duration {
            edge.client.add(ns);
            edge.server.add(ns);
        }
    }
}
