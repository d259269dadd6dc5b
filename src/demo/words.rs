//! What the demo says, but for the line that moves.

use std::fmt::Write as _;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use super::exporter::Ledger;
use super::ports::Moved;
use super::shop::SERVICES;
use super::weather::{BURST_FOR_S, BURST_FROM_S};
use crate::config::{Config, Value as _};
use crate::daemon::Addresses;
use crate::proto::Law;

/// The greeting: what this is, where it is, and what to try.
pub(super) fn greeting(rate: u32, config: &Config, at: Addresses, moved: &[Moved]) -> String {
    let (services, namespaces) = (SERVICES.len(), namespaces());
    let (wait, messaging_wait) = (
        config.pairing.wait.show(),
        config.pairing.messaging_wait.show(),
    );
    let Addresses { grpc, http, api } = at;
    let api = format!("{}://{api}", config.api.scheme());
    let moved = moved_lines(moved);
    format!(
        "\
Spangraph demo: a make-believe shop, and the graph its traces draw.

  {services} services in {namespaces} namespaces export OTLP to this daemon, about {rate} spans a second.
  Spans wait {wait} for their other half and messages {messaging_wait}, so that you see edges soon;
  a daemon of your own waits longer (pairing.wait, pairing.messaging_wait).
  At 0:{BURST_FROM_S} of every minute the card processor breaks down for {BURST_FOR_S} seconds.

  page        {api}/ui/
  graph       {api}/api/v1/topology
  OTLP/gRPC   http://{grpc}
  OTLP/HTTP   http://{http}/v1/traces
{moved}
Worth trying in another terminal:

  # the last minute as a picture (dot is Graphviz)
  curl -s '{api}/api/v1/topology.dot?window=1m' | dot -Tsvg > shop.svg

  # the same as JSON: calls, failures and latencies of every node and edge
  curl -s '{api}/api/v1/topology?window=1m'

  # only checkout, who calls it and whom it calls
  curl -s '{api}/api/v1/topology?focus=shop/checkout&up=1&down=1'

Ctrl-C stops it.

"
    )
}

fn moved_lines(moved: &[Moved]) -> String {
    moved
        .iter()
        .fold(String::new(), |mut lines, Moved { listener, from }| {
            let _ = write!(lines, "\n  {from} is taken: {listener} has a free port.");
            lines
        })
        + if moved.is_empty() { "" } else { "\n" }
}

fn namespaces() -> usize {
    let mut names: Vec<_> = SERVICES.iter().map(|service| service.namespace).collect();
    names.sort_unstable();
    names.dedup();
    names.len()
}

/// The last line: what was sent is what was counted.
pub(super) fn farewell(running: Duration, ledger: &Ledger, law: &Law) -> String {
    let calls = law.calls.unwrap_or_default();
    let calls =
        calls.paired + calls.entry + calls.linked + calls.virtual_server + calls.virtual_client;
    let [sent, accepted, lost] =
        [&ledger.sent, &ledger.accepted, &ledger.lost].map(|count| count.load(Relaxed));
    let (seconds, pending) = (running.as_secs(), law.pending_after);
    format!(
        "Stopped after {seconds} s: {sent} spans sent, {accepted} accepted, {lost} lost; \
         {calls} calls drawn, {pending} spans still waiting.\n"
    )
}
