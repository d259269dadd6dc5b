//! Requests in, the slice of all of them out.

use super::ReplayError;
use super::engine::Engine;
use super::error::Bad;
use super::pace::Pace;
use super::request::{Held, Reader};
use crate::core::CoreConfig;
use crate::otlp::Counts;
use crate::proto::{Rejected, Slice};

/// The way of a request: looked at, held until its time is known, applied.
#[derive(Debug)]
pub(super) struct Player {
    config: CoreConfig,
    reader: Reader,
    pace: Pace<Held>,
    /// From the first arrival on.
    engine: Option<Engine>,
    /// Counts of requests without an accepted span. They say nothing of time and change nothing in the core.
    aside: Counts,
}

// === impl Player ===

impl Player {
    pub(super) fn new(config: CoreConfig) -> Self {
        Self {
            reader: Reader::new(config.resource_keys.clone()),
            config,
            pace: Pace::default(),
            engine: None,
            aside: Counts::default(),
        }
    }

    /// Takes the next request as stored, in a line or (`framed`) in a frame.
    pub(super) fn take(
        &mut self,
        stored: Vec<u8>,
        framed: bool,
    ) -> Result<Result<Counts, Bad>, ReplayError> {
        let said = match self.reader.read(stored, framed) {
            Ok(said) => said,
            Err(bad) => return Ok(Err(bad)),
        };
        match said.held {
            None => self.aside += said.counts,
            Some(held) => {
                if let Some((at_ns, held)) = self.pace.push(held.ends.median, held) {
                    self.apply(at_ns, &held)?;
                }
            }
        }
        Ok(Ok(said.counts))
    }

    /// Everything that is held, then every wait. `None` when no span was accepted.
    pub(super) fn finish(mut self) -> Result<Option<Slice>, ReplayError> {
        while let Some((at_ns, held)) = self.pace.pop() {
            self.apply(at_ns, &held)?;
        }
        let Some(engine) = self.engine else {
            return Ok(None);
        };
        let mut slice = engine.finish()?;
        set_aside(&mut slice, self.aside);
        Ok(Some(slice))
    }

    fn apply(&mut self, at_ns: u64, held: &Held) -> Result<(), ReplayError> {
        let engine = self
            .engine
            .get_or_insert_with(|| Engine::new(self.config.clone(), at_ns));
        engine.reach(at_ns)?;
        Ok(engine.apply(held)?)
    }
}

fn set_aside(slice: &mut Slice, counts: Counts) {
    let law = slice.law.get_or_insert_default();
    law.decoded = law.decoded.saturating_add(counts.decoded);
    let [trace_id, span_id, parent_span_id] = counts.rejected;
    let sum = law.rejected.get_or_insert_default();
    *sum = Rejected {
        trace_id: sum.trace_id.saturating_add(trace_id),
        span_id: sum.span_id.saturating_add(span_id),
        parent_span_id: sum.parent_span_id.saturating_add(parent_span_id),
    };
}
