//! Attribute keys with their sources, and what they say about a call: what kind of call it is (here), which host was
//! called ([`host`]), and what the other side is called when nobody reported it ([`naming`]).

pub mod host;
pub(crate) mod keys;
pub mod naming;

pub use host::PeerName;
pub use naming::{DbNodeName, NamingConfig, VirtualName, virtual_client, virtual_server};

use crate::span::{Attrs, Operation};
use host::Host;

/// Whether a span is about a database (R7).
pub fn is_db(attrs: &Attrs<'_>) -> bool {
    attrs.db_system.is_some() || attrs.db_namespace.is_some() || attrs.db_name.is_some()
}

/// Whether a span is about a message.
pub fn is_messaging(attrs: &Attrs<'_>) -> bool {
    attrs.messaging_system.is_some()
        || attrs.destination_template.is_some()
        || attrs.destination.is_some()
        || attrs.operation != Operation::None
}

/// The topic or queue a message goes through: the template if there is one, since it has few values; a generated name
/// (temporary, anonymous) is no topic.
pub fn topic<'a>(attrs: &Attrs<'a>) -> Option<&'a str> {
    attrs.destination_template.or_else(|| lasting_name(attrs))
}

/// The destination's own name, unless it is generated.
fn lasting_name<'a>(attrs: &Attrs<'a>) -> Option<&'a str> {
    attrs.destination.filter(|_| !attrs.destination_generated)
}

/// Whether the peer is on the same machine (R4: an inbound sidecar handing on): its host, or without one its socket
/// address, is `localhost`, `127.0.0.0/8` or `::1`. A host that is elsewhere may well be reached by a local proxy.
pub fn is_loopback_peer(attrs: &Attrs<'_>) -> bool {
    let near = |address: &&str| !host::is_far_ipv4(address);
    let socket = || attrs.socket_address.filter(near).and_then(Host::parse);
    peer_host(attrs)
        .or_else(socket)
        .is_some_and(Host::is_loopback)
}

/// The address at which a peer was called, host and port without 80 and 443, IP literals included: what an alias is
/// learned by (R11, `learn_aliases`).
pub fn peer_address<'a>(attrs: &Attrs<'a>) -> Option<PeerName<'a>> {
    Some(peer_host(attrs)?.with_port(&[]))
}

/// The first of host, `http.host` and the URL's host that is a host at all, with its port.
fn peer_host<'a>(attrs: &Attrs<'a>) -> Option<Host<'a>> {
    naming::first_host(attrs, |_| true)
}
