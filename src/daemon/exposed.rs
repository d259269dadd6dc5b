//! Listeners that others than this machine can reach, and what each lacks.

use std::net::SocketAddr;

use tracing::warn;

use super::Addresses;
use crate::config::Api;

/// What a listener on a public address lacks, and how to mend that.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Gap {
    section: &'static str,
    address: SocketAddr,
    lacks: &'static str,
    mend: &'static str,
}

/// Says in the log which listeners are open to whoever reaches them, and in what.
pub(super) fn warn_of(api: &Api, at: Addresses) {
    for gap in gaps(api, at) {
        let Gap {
            section,
            address,
            lacks,
            mend,
        } = gap;
        warn!(section, %address, lacks, mend, "listening on a public address");
    }
}

/// Whether others than this machine can reach it; an IPv4 address written as IPv6 is what it stands for.
pub(super) fn is_public(address: SocketAddr) -> bool {
    !address.ip().to_canonical().is_loopback()
}

fn gaps(api: &Api, at: Addresses) -> impl Iterator<Item = Gap> {
    // Exporters are not asked for anything: whoever reaches these ports can send spans.
    let receiver = |section, address| Gap {
        section,
        address,
        lacks: "tls and tokens",
        mend: "let a network policy or a proxy decide who reaches it, or listen on loopback",
    };
    let of_api = match (api.tls_cert.0.is_some(), api.tokens_file.0.is_some()) {
        (true, true) => None,
        (false, false) => Some((
            "tls and tokens",
            "set api.tls_cert, api.tls_key and api.tokens_file, or listen on loopback",
        )),
        (false, true) => Some((
            "tls: tokens and the graph can be read on the way",
            "set api.tls_cert and api.tls_key, or listen on loopback",
        )),
        (true, false) => Some(("tokens", "set api.tokens_file, or listen on loopback")),
    };
    let of_api = of_api.map(|(lacks, mend)| Gap {
        section: "api",
        address: at.api,
        lacks,
        mend,
    });
    let receivers = [
        receiver("receiver.grpc", at.grpc),
        receiver("receiver.http", at.http),
    ];
    let all = receivers.into_iter().chain(of_api);
    all.filter(|gap| is_public(gap.address))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_only_this_machine_reaches_is_not_public() {
        let public = |text: &str| is_public(text.parse().unwrap());
        for address in [
            "127.0.0.1:1",
            "127.9.9.9:1",
            "[::1]:1",
            "[::ffff:127.0.0.1]:1",
        ] {
            assert!(!public(address), "{address}");
        }
        for address in [
            "0.0.0.0:1",
            "[::]:1",
            "10.0.0.1:1",
            "[fe80::1]:1",
            "[::ffff:10.0.0.1]:1",
        ] {
            assert!(public(address), "{address}");
        }
    }
}
