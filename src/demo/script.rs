//! The words the shop is written in: an operation of a service is a list of steps, and a step may be another
//! operation. All of it is constant data; `visit` plays it.

use std::time::Duration;

use super::service::Service;
use super::weather::Weather;

/// Something a service does when asked.
#[derive(Debug)]
pub(super) struct Operation {
    pub(super) service: &'static Service,
    pub(super) entry: Entry,
    /// Its own work, typically, without that of its steps.
    pub(super) own: Duration,
    /// One after the other. The first that fails without being optional ends it, failed.
    pub(super) steps: &'static [Step],
}

/// How an operation is reached.
#[derive(Debug, Clone, Copy)]
pub(super) enum Entry {
    /// Method and route.
    Http(&'static str, &'static str),
    /// Full name of the service, and method.
    Grpc(&'static str, &'static str),
    /// A message of that topic.
    Topic(&'static str),
}

/// One thing done for an operation.
#[derive(Debug)]
pub(super) enum Step {
    /// Calls another service and waits.
    Call(Call),
    /// Does all of them at once and waits for the last.
    Together(&'static [Step]),
    /// Asks a store that reports nothing itself.
    Ask(Query),
    /// Calls somebody else's HTTP API.
    External(&'static Partner),
    /// Sends a message that each of the consumers processes some time later.
    Publish(&'static str, &'static [&'static Operation]),
    /// Does something worth an INTERNAL span.
    Inside(&'static str, Duration),
}

/// A call to another service.
#[derive(Debug)]
pub(super) struct Call {
    pub(super) to: &'static Operation,
    /// How many of a hundred times it is made at all.
    pub(super) share: u8,
    /// How long the caller waits; longer, and the call has failed for it.
    pub(super) patience: Duration,
    /// The caller can do without.
    pub(super) optional: bool,
}

/// A question to a store.
#[derive(Debug)]
pub(super) struct Query {
    pub(super) store: &'static Store,
    /// `SELECT`, `HGET`.
    pub(super) verb: &'static str,
    /// Table, if it has such.
    pub(super) table: &'static str,
    pub(super) typical: Duration,
    /// How many of a hundred times it is asked at all.
    pub(super) share: u8,
}

/// A database or a cache.
#[derive(Debug)]
pub(super) struct Store {
    pub(super) system: &'static str,
    pub(super) host: &'static str,
    pub(super) port: u16,
    pub(super) database: &'static str,
}

/// Somebody else's API that takes POSTs, called again when it fails.
#[derive(Debug)]
pub(super) struct Partner {
    pub(super) host: &'static str,
    pub(super) path: &'static str,
    pub(super) typical: Duration,
    /// How many of a hundred requests fail, on a good day and in the burst.
    failing: [f64; 2],
    /// Requests at most for one thing to be done.
    pub(super) tries: u8,
}

const fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

// === impl Operation ===

impl Operation {
    /// `own_ms` is its own work without its steps, in milliseconds.
    pub(super) const fn new(
        service: &'static Service,
        entry: Entry,
        own_ms: u64,
        steps: &'static [Step],
    ) -> Self {
        Self {
            service,
            entry,
            own: ms(own_ms),
            steps,
        }
    }
}

// === impl Step ===

impl Step {
    /// A call that is always made and needed, with ten seconds of patience.
    pub(super) const fn call(to: &'static Operation) -> Self {
        Self::maybe(100, to)
    }

    /// A call made in `share` of a hundred cases.
    pub(super) const fn maybe(share: u8, to: &'static Operation) -> Self {
        Self::Call(Call {
            to,
            share,
            patience: ms(10_000),
            optional: false,
        })
    }

    /// A call the caller can do without, and waits for no longer than that many milliseconds.
    pub(super) const fn nice(to: &'static Operation, patience_ms: u64) -> Self {
        Self::Call(Call {
            to,
            share: 100,
            patience: ms(patience_ms),
            optional: true,
        })
    }

    /// A question asked in `share` of a hundred cases, typically taking that many milliseconds.
    pub(super) const fn ask(
        store: &'static Store,
        share: u8,
        verb: &'static str,
        table: &'static str,
        typical_ms: u64,
    ) -> Self {
        Self::Ask(Query {
            store,
            verb,
            table,
            typical: ms(typical_ms),
            share,
        })
    }

    pub(super) const fn inside(name: &'static str, typical_ms: u64) -> Self {
        Self::Inside(name, ms(typical_ms))
    }
}

// === impl Partner ===

impl Partner {
    /// `failing` of a hundred requests fail, on a good day and in the burst.
    pub(super) const fn new(
        host: &'static str,
        path: &'static str,
        typical_ms: u64,
        failing: [f64; 2],
        tries: u8,
    ) -> Self {
        Self {
            host,
            path,
            typical: ms(typical_ms),
            failing,
            tries,
        }
    }

    pub(super) fn failing_percent(&self, weather: Weather) -> f64 {
        match weather {
            Weather::Calm => self.failing[0],
            Weather::Burst => self.failing[1],
        }
    }
}
