//! From decisions to sums.

use spangraph::proto::ConnectionType;
use spangraph::span::Side;

use super::answer::{Answer, EdgeSums, NodeSums};
use super::callees::{Callee, Verdict};
use super::callers::{Caller, Said};
use super::groups::{self, Groups};
use super::links::Link;
use super::seen::Seen;
use super::view::{At, World};

/// Adds decisions up.
pub(super) struct Recorder<'a> {
    pub(super) world: &'a World<'a>,
    pub(super) answer: Answer,
}

// === impl Recorder ===

impl<'a> Recorder<'a> {
    pub(super) fn new(world: &'a World<'a>) -> Self {
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

    /// A call is recorded in the slice in which it is settled.
    pub(super) fn in_second(&mut self, second: u64, class: &'static str) {
        let seconds = &mut self.answer.seconds;
        *seconds.entry((second, class)).or_default() += 1;
    }

    pub(super) fn edge(&mut self, client: &str, server: &str, connection: i32) -> &mut EdgeSums {
        let key = (client.to_owned(), server.to_owned(), connection);
        self.answer.edges.entry(key).or_default()
    }

    fn node(&mut self, node: &str) -> &mut NodeSums {
        self.answer.nodes.entry(node.to_owned()).or_default()
    }

    /// What called spans say themselves.
    pub(super) fn callees(&mut self, callees: &[Callee]) {
        for callee in callees {
            let span = &self.world.spans[callee.span];
            if !span.ignored {
                self.callee(callee, span);
                let is_open = |link: &&Link| matches!(link, Link::NotSeen | Link::Closed);
                let unresolved = callee.links.iter().filter(is_open);
                self.answer.unresolved_links += unresolved.count() as u64;
            } else if span.side == Side::In {
                self.outcomes("filtered", 1);
            }
        }
    }

    fn callee(&mut self, callee: &Callee, span: &Seen) {
        let outcome = match &callee.verdict {
            Verdict::CalledBy(parent) => self.called_by(&[*parent], span),
            Verdict::Linked(producers) => {
                let producers: Vec<At> = producers.iter().map(|(y, _)| *y).collect();
                self.called_by(&producers, span)
            }
            Verdict::Continues(_) | Verdict::Internal => "internal",
            Verdict::Virtual(node, connection) => {
                self.virtual_client(callee.span, node, *connection);
                self.in_second(callee.settled, "virtual_client");
                "virtual"
            }
            Verdict::Root => {
                if span.side == Side::In {
                    self.called(span).no_caller += 1;
                }
                "root"
            }
            Verdict::Unpaired => {
                self.called(span).unpaired += 1;
                "unpaired_server"
            }
            Verdict::Late => {
                self.called(span).unpaired += 1;
                "late"
            }
        };
        if span.side == Side::In {
            self.outcomes(outcome, 1);
        }
    }

    /// *Reading*: a batch consumer was called once by each producer, but took its time once: one sample of its node, and
    /// one of each edge on which it was called.
    fn called_by(&mut self, clients: &[At], span: &Seen) -> &'static str {
        let world = self.world;
        let drawn = clients.iter().filter(|y| !world.spans[**y].ignored).count();
        if drawn > 0 {
            self.called(span).from_edges += drawn as u64;
            self.node(span.service).failed += u64::from(span.failed) * (drawn as u64 - 1);
        }
        if drawn > 0 { "paired" } else { "filtered" }
    }

    /// One call as the node of a called span saw it. Only inbound spans tell how long it took.
    fn called(&mut self, span: &Seen) -> &mut NodeSums {
        let inbound = span.side == Side::In;
        let duration = span.duration_ns();
        self.answer.negative_duration += u64::from(inbound && duration.is_none());
        let node = self.node(span.service);
        node.failed += u64::from(span.failed);
        if let Some(ns) = duration.filter(|_| inbound) {
            node.latency.add(ns);
        }
        node
    }

    fn virtual_client(&mut self, x: At, node: &str, connection: i32) {
        let span = &self.world.spans[x];
        self.called(span).from_edges += 1;
        let duration = span.duration_ns().filter(|_| span.side == Side::In);
        let (weight, failed) = (span.weight, u64::from(span.failed));
        let edge = self.edge(node, span.service, connection);
        edge.seen_server += 1;
        edge.failed += failed;
        edge.server_failed += failed;
        if let Some(ns) = duration {
            edge.server.add(ns);
        }
        self.drawn(
            (node, span.service, connection),
            "virtual_client",
            weight,
            span.topic(),
        );
        self.weigh_failed(
            (node, span.service, connection),
            failed.saturating_mul(weight),
        );
    }

    /// What every call adds to its edge.
    pub(super) fn drawn(
        &mut self,
        (client, server, connection): (&str, &str, i32),
        class: &'static str,
        weight: u64,
        topic: Option<&str>,
    ) {
        *self.answer.classes.entry(class).or_default() += 1;
        let sampling = self.world.options.sampling;
        let edge = self.edge(client, server, connection);
        *edge.classes.entry(class).or_default() += 1;
        if sampling {
            edge.weighted_calls = edge.weighted_calls.saturating_add(weight);
        }
        if connection == i32::from(ConnectionType::MessagingSystem) {
            edge.destinations.extend(topic.map(str::to_owned));
        }
    }

    pub(super) fn weigh_failed(
        &mut self,
        (client, server, connection): (&str, &str, i32),
        weight: u64,
    ) {
        if self.world.options.sampling {
            let failed = &mut self.edge(client, server, connection).weighted_failed;
            *failed = failed.saturating_add(weight);
        }
    }

    /// Calls of groups as their nodes saw them, and what INTERNAL spans say themselves.
    pub(super) fn groups(&mut self, groups: &Groups) {
        let world = self.world;
        for entry in groups
            .entries
            .iter()
            .filter(|entry| !world.spans[entry.parent].ignored)
        {
            let node = self.node(world.spans[entry.members[0]].service);
            node.from_edges += 1;
            node.failed += u64::from(entry.failed);
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
            let outcome = match &caller.verdict {
                Said::Paired => "paired",
                Said::Internal => "internal",
                Said::Filtered => "filtered",
                Said::Late => "late",
                Said::Unpaired => "unpaired_client",
                Said::Virtual(node, connection) => {
                    self.virtual_server(span, node, *connection);
                    self.in_second(caller.decided, "virtual_server");
                    "virtual"
                }
            };
            self.outcomes(outcome, 1);
        }
    }

    fn virtual_server(&mut self, span: &Seen, node: &str, connection: i32) {
        let failed = u64::from(span.failed);
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
        self.drawn(
            (span.service, node, connection),
            "virtual_server",
            span.weight,
            span.topic(),
        );
        self.weigh_failed(
            (span.service, node, connection),
            failed.saturating_mul(span.weight),
        );
    }
}
