//! What the oracle is asked: spans as they came, and the options that rules depend on.

use spangraph::semconv::NamingConfig;
use spangraph::span::{Attrs, SpanKind};

use super::Ignore;

/// Trace and span that a link names.
pub type Target = ((u64, u64), u64);

/// One span as it came.
#[derive(Debug, Clone)]
pub struct Span {
    /// High and low 64 bits.
    pub trace: (u64, u64),
    pub id: u64,
    pub parent: Option<u64>,
    pub service: Option<&'static str>,
    /// As sent.
    pub kind: SpanKind,
    pub name: &'static str,
    pub failed: bool,
    /// Milliseconds; the end may be before the start.
    pub start_ms: u64,
    pub end_ms: u64,
    pub flags: u32,
    /// Its resource names `telemetry.sdk.name`.
    pub sdk: bool,
    pub attrs: Attrs<'static>,
    /// All of them, as sent.
    pub links: Vec<Target>,
    /// W3C tracestate.
    pub tracestate: String,
    /// The attribute that is configured to hold the sampling ratio.
    pub ratio: Option<f64>,
    /// Second of arrival, from 0.
    pub second: u64,
}

/// Seconds that spans wait and are remembered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Waits {
    pub wait: u64,
    pub messaging_wait: u64,
    pub retain: u64,
}

/// Who calls where a trace begins with an inbound span that names nobody (`pairing.user_node`).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum UserNode {
    #[default]
    Shared,
    PerService,
    Off,
}

/// Whether a span may have its caller's id (`pairing.shared_ids`).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum SharedIds {
    #[default]
    Auto,
    Never,
    Always,
}

/// What rules depend on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    pub waits: Waits,
    pub match_low64: bool,
    pub naming: NamingConfig,
    pub user_node: UserNode,
    pub shared_ids: SharedIds,
    /// Calls are weighted.
    pub sampling: bool,
    pub ignore: Vec<Ignore>,
}

// === impl Options ===

impl Options {
    /// Everything as it is unless set otherwise.
    pub fn new(waits: Waits) -> Self {
        Self {
            waits,
            match_low64: false,
            naming: NamingConfig::default(),
            user_node: UserNode::default(),
            shared_ids: SharedIds::default(),
            sampling: false,
            ignore: Vec::new(),
        }
    }
}

// === impl Waits ===

impl Waits {
    /// How long after its deadline a span may be needed: as tombstone, or waiting for what came last below it.
    pub(super) fn longest(self) -> u64 {
        self.retain.max(self.wait).max(self.messaging_wait)
    }
}
