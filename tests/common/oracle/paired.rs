//! Calls between seen sides: what each adds to its edge, and what is counted once per (parent, edge) (R8, R13, R14).

use std::collections::BTreeSet;

use spangraph::proto::ConnectionType;
use spangraph::span::{Side, SpanKind};

use super::callees::Call;
use super::record::Recorder;
use super::seen::Seen;
use super::view::At;

// === impl Recorder ===

impl Recorder<'_> {
    /// Calls between seen sides: each as such, then what is counted once per (parent, edge).
    pub(super) fn calls(&mut self, calls: &[Call]) {
        let calls: Vec<&Call> = calls.iter().filter(|call| !call.struck).collect();
        let mut per_parent: BTreeSet<(At, &str, i32)> = BTreeSet::new();
        let mut taken: BTreeSet<(At, &str)> = BTreeSet::new();
        for call in &calls {
            per_parent.insert((
                call.client,
                self.world.spans[call.server].service,
                call.connection,
            ));
            let first = taken.insert((call.server, self.world.spans[call.client].service));
            self.call(call, first);
        }
        for (client, service, connection) in per_parent {
            let to = |call: &&&Call| {
                let service = self.world.spans[call.server].service;
                (call.client, service, call.connection)
            };
            let of_edge = calls
                .iter()
                .filter(|call| to(call) == (client, service, connection));
            let of_edge: Vec<&Call> = of_edge.copied().collect();
            self.once_per_parent(client, service, &of_edge);
        }
    }

    fn call(&mut self, call: &Call, first: bool) {
        let world = self.world;
        let (client, server) = (&world.spans[call.client], &world.spans[call.server]);
        let edge = (client.service, server.service, call.connection);
        self.drawn(edge, call.class, call.weight, call.topic);
        self.in_second(call.settled, call.class);
        let edge = self.edge(client.service, server.service, call.connection);
        edge.seen_both += 1;
        edge.server_failed += u64::from(call.failed);
        if server.side == Side::In {
            let duration = server.duration_ns().filter(|_| first);
            if let Some(ns) = duration {
                edge.server.add(ns);
            }
            self.between(client, server, call.connection);
        }
    }

    /// R8 and the client's sample, for the calls that one parent made on one edge.
    fn once_per_parent(&mut self, client: At, service: &str, calls: &[&Call]) {
        let span = &self.world.spans[client];
        let outbound = span.side == Side::Out;
        let blamed = outbound && span.failed;
        let failing = calls.iter().filter(|call| call.failed);
        let heaviest = calls.iter().map(|call| call.weight).max().unwrap_or(0);
        let weights = failing.clone().map(|call| call.weight);
        let weight = weights.fold(0, u64::saturating_add);
        let connection = calls[0].connection;
        let edge = self.edge(span.service, service, connection);
        edge.failed += (failing.count() as u64).max(u64::from(blamed));
        edge.client_failed += u64::from(blamed);
        if outbound {
            match span.duration_ns() {
                Some(ns) => edge.client.add(ns),
                None => self.answer.negative_duration += 1,
            }
        }
        let weight = weight.max(if blamed { heaviest } else { 0 });
        self.weigh_failed((span.service, service, connection), weight);
    }

    /// Gap and queue of a call of an inbound span.
    ///
    /// *Reading*: a message waits in a queue wherever an outbound span of any kind has a CONSUMER below it.
    fn between(&mut self, client: &Seen, server: &Seen, connection: i32) {
        if client.side != Side::Out {
            return;
        }
        let edge = (client.service, server.service, connection);
        if server.kind == SpanKind::Consumer {
            match server.start_ms.checked_sub(client.end_ms) {
                Some(ms) => self.edge(edge.0, edge.1, edge.2).queue.add(ms * 1_000_000),
                None => self.answer.clock_skew += 1,
            }
        }
        if connection == i32::from(ConnectionType::MessagingSystem) {
            return;
        }
        if let (Some(outer), Some(inner)) = (client.duration_ns(), server.duration_ns()) {
            match outer.checked_sub(inner) {
                Some(ns) => self.edge(edge.0, edge.1, edge.2).gap.add(ns),
                None => self.answer.negative_gap += 1,
            }
        }
    }
}
