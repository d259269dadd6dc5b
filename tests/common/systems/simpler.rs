//! Steps towards the simplest system that shows a difference.

use super::promised::promised;
use super::{Facts, Sent, System};
use crate::oracle::Options;

// === impl System ===

impl System {
    /// Systems that are a little simpler: one span or rule less, or one span plainer.
    pub fn simpler(&self) -> impl Iterator<Item = Self> + '_ {
        let plain = Options::new(self.options.waits);
        let of = &self.options;
        let fewer_rules = [
            Options {
                match_low64: false,
                ..of.clone()
            },
            Options {
                sampling: false,
                ..of.clone()
            },
            Options {
                ignore: Vec::new(),
                ..of.clone()
            },
            Options {
                naming: plain.naming,
                ..of.clone()
            },
            Options {
                user_node: plain.user_node,
                ..of.clone()
            },
            Options {
                shared_ids: plain.shared_ids,
                ..of.clone()
            },
        ];
        let fewer_rules = fewer_rules.map(|options| Self {
            options,
            ..self.clone()
        });
        let without = (0..self.spans.len()).map(|at| {
            let mut less = self.clone();
            less.spans.remove(at);
            less
        });
        let plainer = (0..self.spans.len()).flat_map(move |at| {
            self.spans[at].plainer().into_iter().map(move |span| {
                let mut plainer = self.clone();
                plainer.spans[at] = span;
                plainer
            })
        });
        let promised_still = |system: Self| Self {
            spans: promised(system.spans, system.options.match_low64),
            ..system
        };
        let differs = |next: &Self| next.spans != self.spans || next.options != self.options;
        fewer_rules
            .into_iter()
            .chain(without)
            .chain(plainer)
            .map(promised_still)
            .filter(differs)
    }
}

// === impl Sent ===

impl Sent {
    /// The same with one thing about it plainer.
    fn plainer(&self) -> Vec<Self> {
        let mut all: Vec<Self> = (0..self.links.len())
            .map(|at| {
                let mut fewer = self.clone();
                fewer.links.remove(at);
                fewer
            })
            .collect();
        all.extend([
            Self {
                facts: Facts::default(),
                ..self.clone()
            },
            Self {
                facts: Facts {
                    topic: None,
                    broker: false,
                    ..self.facts
                },
                ..self.clone()
            },
            Self {
                facts: Facts {
                    operation: self.facts.operation,
                    ..Facts::default()
                },
                ..self.clone()
            },
            Self {
                sdk: false,
                flags: 0,
                ..self.clone()
            },
            Self {
                failed: false,
                ..self.clone()
            },
            Self {
                start_ms: 1_000,
                end_ms: 1_010,
                ..self.clone()
            },
            Self {
                service: Some("s0"),
                ..self.clone()
            },
            Self {
                parent: None,
                ..self.clone()
            },
            Self {
                tracestate: "",
                ratio: None,
                ..self.clone()
            },
            Self {
                name: "op",
                ..self.clone()
            },
            Self {
                links: Vec::new(),
                ..self.clone()
            },
        ]);
        all
    }
}
