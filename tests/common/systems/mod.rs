//! Random systems: spans of a small world, the seconds in which they arrive, and the ways in which the same spans may
//! reach a core. Printed one span a line in the notation of the pairing rules, so that a shrunk case can be read.

mod encode;
mod generate;
mod grown;
mod promised;
mod shapes;
mod simpler;
mod spans;

use std::fmt;

pub use encode::request;
pub use generate::{system, way};
use spangraph::span::{Attrs, Operation, SpanKind};

use crate::oracle::{Options, Span, Target};

/// What a span's attributes say; each spelled in one way only, since spellings are tested elsewhere.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Facts {
    /// `peer.service`.
    pub peer: Option<&'static str>,
    /// `service.peer.namespace`.
    pub peer_namespace: Option<&'static str>,
    /// `db.system`.
    pub db: bool,
    /// `messaging.destination.name`.
    pub topic: Option<&'static str>,
    /// `messaging.system`.
    pub broker: bool,
    /// `messaging.operation.type`.
    pub operation: Option<&'static str>,
    /// `server.address`.
    pub host: Option<&'static str>,
    /// `faas.trigger` is `timer`.
    pub timer: bool,
}

/// One span as sent, and when it arrives.
#[derive(Clone, PartialEq, Eq)]
pub struct Sent {
    /// High and low 64 bits of the trace id, of which 1 is added to the low ones when it is sent.
    pub trace: (u64, u64),
    pub id: u64,
    pub parent: Option<u64>,
    pub service: Option<&'static str>,
    pub kind: SpanKind,
    pub name: &'static str,
    pub failed: bool,
    /// Milliseconds; the end may be before the start.
    pub start_ms: u64,
    pub end_ms: u64,
    pub flags: u32,
    /// Its resource names `telemetry.sdk.name`.
    pub sdk: bool,
    pub facts: Facts,
    /// What it links to; an id of 0 is sent as zeros.
    pub links: Vec<Target>,
    pub tracestate: &'static str,
    /// [`RATIO_KEY`] in hundredths.
    pub ratio: Option<u32>,
    /// Second of arrival, from 0.
    pub second: u64,
}

/// The attribute that holds the sampling ratio.
pub const RATIO_KEY: &str = "app.sampling.ratio";

/// A case: which spans, and under which rules.
#[derive(Clone)]
pub struct System {
    pub spans: Vec<Sent>,
    pub options: Options,
}

/// How the same spans may come without the answer being allowed to differ.
#[derive(Debug, Clone)]
pub struct Way {
    /// Sorts the spans of a second.
    pub order: u64,
    pub shards: usize,
    pub spans_per_request: usize,
    /// In JSON, not protobuf.
    pub json: bool,
}

// === impl Facts ===

impl Facts {
    /// As the naming rules read them.
    pub fn attrs(&self) -> Attrs<'static> {
        Attrs {
            logical_peer: self.peer,
            logical_peer_namespace: self.peer_namespace,
            db_system: self.db.then_some("redis"),
            destination: self.topic,
            messaging_system: self.broker.then_some("kafka"),
            operation: match self.operation {
                Some("create") => Operation::Create,
                Some("send" | "publish") => Operation::Send,
                Some("receive") => Operation::Receive,
                Some("process") => Operation::Process,
                Some("settle") => Operation::Settle,
                _ => Operation::None,
            },
            host: self.host,
            timer_triggered: self.timer,
            ..Attrs::default()
        }
    }

    /// Key and value, as sent.
    pub fn attributes(&self) -> Vec<(&'static str, &'static str)> {
        let pairs = [
            ("peer.service", self.peer),
            ("service.peer.namespace", self.peer_namespace),
            ("db.system", self.db.then_some("redis")),
            ("messaging.destination.name", self.topic),
            ("messaging.system", self.broker.then_some("kafka")),
            ("messaging.operation.type", self.operation),
            ("server.address", self.host),
            ("faas.trigger", self.timer.then_some("timer")),
        ];
        let present = |(key, value): (_, Option<_>)| Some((key, value?));
        pairs.into_iter().filter_map(present).collect()
    }
}

// === impl Sent ===

impl Sent {
    fn ratio(&self) -> Option<f64> {
        self.ratio.map(|hundredths| f64::from(hundredths) / 100.0)
    }

    fn asked(&self) -> Span {
        let sent = |(high, low): (u64, u64)| (high, low + 1);
        let target = |(trace, id): &Target| match id {
            0 => ((0, 0), 0),
            id => (sent(*trace), *id),
        };
        Span {
            trace: sent(self.trace),
            id: self.id,
            parent: self.parent,
            service: self.service,
            kind: self.kind,
            name: self.name,
            failed: self.failed,
            start_ms: self.start_ms,
            end_ms: self.end_ms,
            flags: self.flags,
            sdk: self.sdk,
            attrs: self.facts.attrs(),
            links: self.links.iter().map(target).collect(),
            tracestate: self.tracestate.to_owned(),
            ratio: self.ratio(),
            second: self.second,
        }
    }
}

impl fmt::Debug for Sent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let service = self.service.unwrap_or("(no name)");
        write!(f, "second {:2}: {service} ", self.second)?;
        write!(f, "{} {}", self.kind.name(), self.id)?;
        if let Some(parent) = self.parent {
            write!(f, "^{parent}")?;
        }
        if self.failed {
            f.write_str(" !")?;
        }
        write!(f, "   [{}..{} ms]", self.start_ms, self.end_ms)?;
        for (key, value) in self.facts.attributes() {
            write!(f, " {key}={value}")?;
        }
        if self.flags != 0 {
            write!(f, " flags={:#x}", self.flags)?;
        }
        if self.sdk {
            f.write_str(" sdk")?;
        }
        if self.name != "op" {
            write!(f, " name={:?}", self.name)?;
        }
        if !self.tracestate.is_empty() {
            write!(f, " tracestate={}", self.tracestate)?;
        }
        if let Some(ratio) = self.ratio() {
            write!(f, " {RATIO_KEY}={ratio}")?;
        }
        write!(f, " trace={:x}:{}", self.trace.0, self.trace.1)?;
        for links in self.links.chunk_by(|a, b| a == b) {
            let ((high, low), id) = links[0];
            write!(f, " link={high:x}:{low}/{id}")?;
            if links.len() > 1 {
                write!(f, " ({} times)", links.len())?;
            }
        }
        Ok(())
    }
}

// === impl System ===

impl fmt::Debug for System {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.options)?;
        let mut spans: Vec<_> = self.spans.iter().collect();
        spans.sort_by_key(|span| span.second);
        spans
            .into_iter()
            .try_for_each(|span| write!(f, "\n    {span:?}"))
    }
}

impl System {
    /// What the rules say of it.
    pub fn answer(&self) -> crate::oracle::Answer {
        let spans: Vec<Span> = self.spans.iter().map(Sent::asked).collect();
        crate::oracle::answer(&spans, &self.options)
    }
}
