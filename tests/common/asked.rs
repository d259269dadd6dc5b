//! The pairing cases as questions to the oracle: attributes are read here once more, by the table of keys in the rules.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use serde_json::Value;
use spangraph::semconv::{self, NamingConfig};
use spangraph::span::{Attrs, Operation, Side, SpanKind};

use crate::cases::{Case, CaseSpan};
use crate::oracle::{self, Answer, Ignore, Options, SharedIds, Span, Waits};

/// One case, in one order of arrival.
#[derive(Debug)]
pub struct Asked {
    spans: Vec<Span>,
    options: Options,
    learn_aliases: bool,
}

/// Symbols of traces and spans as numbers.
#[derive(Debug, Default)]
struct Ids(BTreeMap<String, u64>);

// === impl Ids ===

impl Ids {
    fn number(&mut self, symbol: String) -> u64 {
        let next = 1 + self.0.len() as u64;
        *self.0.entry(symbol).or_insert(next)
    }

    fn trace(&mut self, symbol: &str) -> (u64, u64) {
        if symbol.bytes().all(|byte| byte == b'0') {
            return (0, 0);
        }
        let half = |text: &str| u64::from_str_radix(text, 16).unwrap();
        if symbol.len() == 32 {
            return (half(&symbol[..16]), half(&symbol[16..]));
        }
        (0, self.number(format!("trace {symbol}")))
    }

    fn span(&mut self, symbol: &str) -> u64 {
        if symbol.bytes().all(|byte| byte == b'0') {
            return 0;
        }
        self.number(format!("span {symbol}"))
    }
}

// === impl Asked ===

impl Asked {
    /// The case with its spans in this order.
    pub fn new(case: &Case, spans: &[CaseSpan]) -> Self {
        let mut ids = Ids::default();
        let ratio = case.config.get("sampling_attribute");
        let ratio = ratio.map(|key| key.as_str().unwrap());
        let is_on = |key| case.config.get(key).is_some_and(|value| *value == true);
        let seconds = |key, usual| case.config.get(key).map_or(usual, seconds);
        let waits = Waits {
            wait: seconds("wait", 10),
            messaging_wait: seconds("messaging_wait", 60),
            retain: seconds("retain", 60),
        };
        Self {
            spans: spans
                .iter()
                .map(|span| asked(span, &mut ids, ratio))
                .collect(),
            options: Options {
                match_low64: is_on("match_low64"),
                naming: NamingConfig {
                    ip_nodes: is_on("ip_nodes"),
                    unknown_peer_node: is_on("unknown_peer_node"),
                    ..NamingConfig::default()
                },
                sampling: is_on("sampling"),
                shared_ids: shared_ids(case),
                ignore: ignore(case),
                ..Options::new(waits)
            },
            learn_aliases: is_on("learn_aliases"),
        }
    }

    pub fn answer(&self) -> Answer {
        oracle::answer(&self.spans, &self.options)
    }

    pub fn sampling(&self) -> bool {
        self.options.sampling
    }

    /// With `learn_aliases`, the only service whose inbound spans lie below outbound ones that called this address
    /// (R11); parents by id alone, which is enough for the cases.
    pub fn alias(&self, address: &str) -> Option<String> {
        let calls = |above: &&Span| {
            let called = semconv::peer_address(&above.attrs).map(|address| address.to_string());
            let teaches = above.kind.side() == Side::Out
                && !semconv::is_db(&above.attrs)
                && !semconv::is_loopback_peer(&above.attrs);
            teaches && called.as_deref() == Some(address)
        };
        let callers: Vec<&Span> = self.spans.iter().filter(calls).collect();
        let named = callers
            .iter()
            .any(|span| span.attrs.logical_peer == Some(address));
        let is_called = |span: &&Span| {
            let below = |above: &&Span| span.parent == Some(above.id) && span.trace == above.trace;
            span.kind.side() == Side::In && callers.iter().any(below)
        };
        let behind = self.spans.iter().filter(is_called);
        let behind: BTreeSet<&str> = behind.filter_map(|span| span.service).collect();
        let only = behind.first().filter(|_| behind.len() == 1)?;
        (self.learn_aliases && !named && address != "unknown").then(|| (*only).to_owned())
    }
}

fn shared_ids(case: &Case) -> SharedIds {
    match case.config.get("shared_ids").and_then(Value::as_str) {
        Some("always") => SharedIds::Always,
        Some("never") => SharedIds::Never,
        _ => SharedIds::Auto,
    }
}

/// Such as `"1s"`.
fn seconds(text: &Value) -> u64 {
    let number = text.as_str().and_then(|text| text.strip_suffix('s'));
    number.and_then(|number| number.parse().ok()).unwrap()
}

fn ignore(case: &Case) -> Vec<Ignore> {
    let rules = case.config.get("ignore").and_then(Value::as_array);
    let rule = |rule: &Value| {
        let glob = |key: &str| rule.get(key).map(|glob| glob.as_str().unwrap().to_owned());
        Ignore {
            service: glob("service"),
            span_name: glob("span_name"),
            kind: glob("kind"),
        }
    };
    rules.into_iter().flatten().map(rule).collect()
}

fn asked(span: &CaseSpan, ids: &mut Ids, ratio: Option<&str>) -> Span {
    let links = span.links.iter().flat_map(|link| {
        let target = (ids.trace(&link.trace), ids.span(&link.span));
        vec![target; link.times]
    });
    let links = links.collect();
    Span {
        trace: ids.trace(&span.trace),
        id: ids.span(&span.span),
        parent: span
            .parent
            .as_ref()
            .map(|parent| ids.span(parent))
            .filter(|id| *id != 0),
        service: span.service.as_deref().map(leak),
        kind: kind(&span.kind),
        name: leak(&span.name),
        failed: span.status == "ERROR",
        start_ms: span.start_ms,
        end_ms: span.end_ms,
        flags: span.flags,
        sdk: false,
        attrs: attrs(span),
        links,
        tracestate: span.tracestate.clone(),
        ratio: ratio.and_then(|key| number(span.attrs.get(key)?)),
        second: span.at_ms / 1_000,
    }
}

/// A number, or a text that is one.
fn number(value: &Value) -> Option<f64> {
    value.as_f64().or_else(|| value.as_str()?.parse().ok())
}

fn kind(name: &str) -> SpanKind {
    let kinds = [
        SpanKind::Unspecified,
        SpanKind::Internal,
        SpanKind::Server,
        SpanKind::Client,
        SpanKind::Producer,
        SpanKind::Consumer,
    ];
    kinds.into_iter().find(|kind| kind.name() == name).unwrap()
}

/// Tests are short: what they read may stay.
fn leak(text: &str) -> &'static str {
    text.to_owned().leak()
}

fn attrs(span: &CaseSpan) -> Attrs<'static> {
    let text = |keys: &[&str]| {
        let found = keys.iter().find_map(|key| span.attrs.get(*key)?.as_str());
        found.filter(|text| !text.is_empty()).map(leak)
    };
    let flag = |key| {
        span.attrs
            .get(key)
            .is_some_and(|value: &Value| *value == true)
    };
    let port = |key| span.attrs.get(key)?.as_u64()?.try_into().ok();
    // An address hides no name under an older key, which comes with its own port.
    let (new, old) = (text(&["server.address"]), text(&["net.peer.name"]));
    let is_ip = |host: &&str| host.parse::<IpAddr>().is_ok();
    let by_old = new.is_none_or(|host| is_ip(&host)) && old.is_some_and(|host| !is_ip(&host));
    let (host, host_port) = if by_old {
        (old, port("net.peer.port"))
    } else {
        let port = port("server.port").or_else(|| port("net.peer.port"));
        (new.or(old), port)
    };
    let method = text(&["rpc.method"]).and_then(|method| Some(method.rsplit_once('/')?.0));
    Attrs {
        logical_peer: text(&["service.peer.name", "peer.service"]),
        logical_peer_namespace: text(&["service.peer.namespace"]),
        host,
        port: host_port,
        socket_address: text(&["network.peer.address", "net.sock.peer.addr", "net.peer.ip"]),
        http_host: text(&["http.host"]),
        url: text(&["url.full", "http.url"]),
        db_system: text(&["db.system.name", "db.system"]),
        db_namespace: text(&["db.namespace"]),
        db_name: text(&["db.name"]),
        messaging_system: text(&["messaging.system"]),
        destination_template: text(&["messaging.destination.template"]),
        destination: text(&["messaging.destination.name", "messaging.destination"]),
        destination_generated: flag("messaging.destination.temporary")
            || flag("messaging.destination.anonymous"),
        operation: operation(text(&["messaging.operation.type", "messaging.operation"])),
        rpc_system: text(&["rpc.system.name", "rpc.system"]),
        rpc_service: method.or_else(|| text(&["rpc.service"])),
        faas_invoked: text(&["faas.invoked_name"]),
        timer_triggered: text(&["faas.trigger"]) == Some("timer"),
        ..Attrs::default()
    }
}

fn operation(name: Option<&str>) -> Operation {
    match name {
        Some("create") => Operation::Create,
        Some("send" | "publish") => Operation::Send,
        Some("receive") => Operation::Receive,
        Some("process" | "deliver") => Operation::Process,
        Some("settle") => Operation::Settle,
        _ => Operation::None,
    }
}
