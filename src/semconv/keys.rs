//! The attribute keys that pairing knows, and how to find one fast.
//!
//! The registry pages are <https://opentelemetry.io/docs/specs/semconv/registry/attributes/>`{page}`/, as of semantic
//! conventions 1.39; an old key stands after the key that replaced it, since the first one present wins.

use Meaning::{
    DbName, DbNamespace, DbSystem, Destination, DestinationGenerated, DestinationTemplate,
    FaasInvoked, FaasTrigger, GrpcCode, Host, HttpCode, HttpHost, HttpMethod, LogicalPeer,
    LogicalPeerNamespace, MessagingSystem, Operation, Port, RpcService, RpcSystem, SocketAddress,
    Url,
};

/// What a recognised span attribute is about: one field of [`Attrs`](crate::span::Attrs), or a part of its status.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Meaning {
    LogicalPeer,
    LogicalPeerNamespace,
    Host,
    Port,
    SocketAddress,
    HttpHost,
    Url,
    DbSystem,
    DbNamespace,
    DbName,
    MessagingSystem,
    DestinationTemplate,
    Destination,
    DestinationGenerated,
    Operation,
    RpcSystem,
    RpcService,
    FaasInvoked,
    FaasTrigger,
    HttpMethod,
    HttpCode,
    GrpcCode,
}

/// Number of recognised keys; one bit each fits a `u64`.
pub(crate) const KEYS: usize = 38;

/// Every recognised key of a span attribute. Keys of one meaning stand together, the preferred one first.
pub(crate) const SPAN_KEYS: [(&str, Meaning); KEYS] = [
    // page `service`; `peer.service` was deprecated in 1.39 (page `peer`)
    ("service.peer.name", LogicalPeer),
    ("peer.service", LogicalPeer),
    ("service.peer.namespace", LogicalPeerNamespace),
    // page `server`; the old keys on page `network`, deprecated in 1.21
    ("server.address", Host),
    ("net.peer.name", Host),
    ("server.port", Port),
    ("net.peer.port", Port),
    // page `network`; `net.peer.ip` until 1.13, `net.sock.peer.addr` until 1.21
    ("network.peer.address", SocketAddress),
    ("net.sock.peer.addr", SocketAddress),
    ("net.peer.ip", SocketAddress),
    // page `http`, deprecated in 1.13
    ("http.host", HttpHost),
    // page `url`; `http.url` until 1.21
    ("url.full", Url),
    ("http.url", Url),
    // page `db`; `db.system` until 1.30, `db.name` until 1.26
    ("db.system.name", DbSystem),
    ("db.system", DbSystem),
    ("db.namespace", DbNamespace),
    ("db.name", DbName),
    // page `messaging`; `messaging.destination` until 1.17, `messaging.operation` until 1.26
    ("messaging.system", MessagingSystem),
    ("messaging.destination.template", DestinationTemplate),
    ("messaging.destination.name", Destination),
    ("messaging.destination", Destination),
    ("messaging.destination.temporary", DestinationGenerated),
    ("messaging.destination.anonymous", DestinationGenerated),
    ("messaging.operation.type", Operation),
    ("messaging.operation", Operation),
    // page `rpc`; since 1.39 `rpc.method` is the full name, `rpc.service` the old half of it
    ("rpc.system.name", RpcSystem),
    ("rpc.system", RpcSystem),
    ("rpc.method", RpcService),
    ("rpc.service", RpcService),
    // page `faas`
    ("faas.invoked_name", FaasInvoked),
    ("faas.trigger", FaasTrigger),
    // page `http`; the old keys until 1.21
    ("http.request.method", HttpMethod),
    ("http.method", HttpMethod),
    ("http.response.status_code", HttpCode),
    ("http.status_code", HttpCode),
    // page `rpc`
    ("rpc.status_code", GrpcCode),
    ("rpc.response.status_code", GrpcCode),
    ("rpc.grpc.status_code", GrpcCode),
];

/// The port that goes with `server.address`, not with `net.peer.name`.
pub(crate) const NEWER_PORT: &str = "server.port";

/// Whether a value may name the peer, so that no older key of the same meaning is asked: IP literals may at most where
/// nothing better is known (R11), and what is no host at all never.
pub(crate) fn may_name(meaning: Meaning, value: &str) -> bool {
    let named = |host: Option<super::host::Host<'_>>| host.is_some_and(|host| !host.is_ip);
    match meaning {
        LogicalPeer => super::host::Host::parse(value).is_none_or(|host| !host.is_ip),
        Host | SocketAddress => named(super::host::Host::parse(value)),
        Url => named(super::host::Host::of_url(value)),
        Destination => !super::host::is_literal(value),
        _ => true,
    }
}

const SLOTS: usize = 128;
const EMPTY: u8 = u8::MAX;

/// `SPAN_KEYS` by [`slot`]: no two share one, so a lookup is one load and, on a hit, one comparison.
static BY_SLOT: [u8; SLOTS] = by_slot();

const fn by_slot() -> [u8; SLOTS] {
    let mut table = [EMPTY; SLOTS];
    let mut index = 0;
    while index < KEYS {
        let slot = slot(SPAN_KEYS[index].0.as_bytes());
        assert!(
            table[slot] == EMPTY,
            "two keys share a slot: choose other factors"
        );
        #[expect(clippy::cast_possible_truncation, reason = "KEYS fits a byte")]
        let entry = index as u8;
        table[slot] = entry;
        index += 1;
    }
    table
}

/// Length, last byte and the fifth from the end tell all keys apart; the factor was found by trying.
const fn slot(key: &[u8]) -> usize {
    let len = key.len();
    if len < 5 {
        return 0;
    }
    (len + key[len - 1] as usize * 11 + key[len - 5] as usize) % SLOTS
}

/// The index in [`SPAN_KEYS`] of an encoded key; `None` for the many that no rule uses.
pub(crate) fn find(key: &[u8]) -> Option<usize> {
    let index = BY_SLOT[slot(key)];
    let (name, _) = SPAN_KEYS.get(usize::from(index))?;
    (name.as_bytes() == key).then_some(usize::from(index))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Guarantees: each key is found as itself, and nothing near it is found at all.
    #[test]
    fn every_key_is_found_and_nothing_else() {
        for (index, (name, _)) in SPAN_KEYS.iter().enumerate() {
            assert_eq!(find(name.as_bytes()), Some(index), "{name}");
            for near in [&name[1..], &name[..name.len() - 1], &format!("{name}s")] {
                let listed = SPAN_KEYS.iter().position(|(other, _)| *other == near);
                assert_eq!(find(near.as_bytes()), listed, "{near}");
            }
        }
        assert_eq!(find(b""), None);
        assert_eq!(find(&[0xff; 300]), None);
    }

    /// Guarantees: keys of one meaning stand together, which the walker's "first present wins" rests on.
    #[test]
    fn meanings_are_in_one_run_each() {
        let mut runs: Vec<Meaning> = SPAN_KEYS.iter().map(|(_, meaning)| *meaning).collect();
        runs.dedup();
        for (index, meaning) in runs.iter().enumerate() {
            assert!(!runs[index + 1..].contains(meaning), "{meaning:?}");
        }
    }
}
