//! What every body about a window begins with.

use serde::ser::SerializeMap;

use super::{EchoBody, WindowBody};
use crate::topology::times::rfc3339;
use crate::topology::{Echo, Topology, Unpaired, Window};

/// The beginning of a body.
pub(super) struct Head<'a> {
    generated_unix_s: u64,
    epoch: &'a str,
    window: &'a Window,
    query: &'a [(&'static str, Echo)],
}

// === impl Head ===

impl<'a> From<&'a Topology> for Head<'a> {
    fn from(t: &'a Topology) -> Self {
        Self {
            generated_unix_s: t.generated_unix_s,
            epoch: &t.epoch,
            window: &t.window,
            query: &t.query,
        }
    }
}

impl<'a> From<&'a Unpaired> for Head<'a> {
    fn from(u: &'a Unpaired) -> Self {
        Self {
            generated_unix_s: u.generated_unix_s,
            epoch: &u.epoch,
            window: &u.window,
            query: &u.query,
        }
    }
}

impl Head<'_> {
    /// Writes it; `schema` is what the body calls its shape.
    pub(super) fn write<M: SerializeMap>(
        &self,
        schema: &str,
        body: &mut M,
    ) -> Result<(), M::Error> {
        let w = self.window;
        body.serialize_entry("schema", schema)?;
        body.serialize_entry("generated_at", &rfc3339(self.generated_unix_s))?;
        body.serialize_entry("epoch", self.epoch)?;
        body.serialize_entry("slices", &[w.start_unix_s, w.end_unix_s.saturating_sub(1)])?;
        body.serialize_entry("window", &WindowBody::of(w))?;
        body.serialize_entry("query", &EchoBody(self.query))
    }
}
