//! Hosts as attributes hold them: bare, with a port, in brackets, with a zone, in a URL.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// A host and the port it was called at. Never a path, a query or user info.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Host<'a> {
    /// The name, or the IP literal without brackets and zone; not empty, at most 256 bytes.
    pub name: &'a str,
    /// As given with the name; `None` when it was not.
    pub port: Option<u16>,
    /// The name is an IP literal, or looks like one.
    pub is_ip: bool,
}

/// Ports that say nothing: HTTP's.
const WEB_PORTS: [u16; 2] = [80, 443];

/// The longest host taken whole, in bytes; DNS names end at 253.
const MAX_HOST: usize = 256;

/// What a peer is called: a name, perhaps with a port. Putting the two together is left to whoever keeps the text, so
/// that naming a span allocates nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PeerName<'a> {
    text: &'a str,
    port: Option<u16>,
}

// === impl Host ===

impl<'a> Host<'a> {
    /// Reads `host`, `host:port`, an IP literal of any form, or the URL somebody put in the place of a host. `None`
    /// for what names no host: nothing, a file path, the socket of a local server.
    pub fn parse(text: &'a str) -> Option<Self> {
        if is_plain(text) {
            return Some(Self {
                name: text,
                port: None,
                is_ip: false,
            });
        }
        match text.find("://") {
            Some(_) => Self::of_url(text),
            None => Self::of_authority(text),
        }
    }

    /// The host of a URL; `None` without `//`.
    pub fn of_url(url: &'a str) -> Option<Self> {
        let (_, after) = url.split_once("//")?;
        Self::of_authority(after)
    }

    /// Reads up to the first character that ends an authority (RFC 3986, 3.2), without what stands before an `@`.
    /// Of a list of hosts, the first.
    fn of_authority(text: &'a str) -> Option<Self> {
        let end = text.find(['/', '?', '#', '\\']).unwrap_or(text.len());
        let authority = text.get(..end)?;
        let address = authority.rsplit('@').next()?;
        let first = address.split(',').next()?.trim();
        let (name, port) = split_port(first)?;
        let name = name.split('%').next()?.trim_end_matches('.');
        let name = name.get(..name.floor_char_boundary(MAX_HOST))?;
        (!name.is_empty()).then(|| Self {
            name,
            port,
            is_ip: is_ip(name),
        })
    }

    /// The same host, at `port` when it came without one.
    #[must_use]
    pub fn at(self, port: Option<u16>) -> Self {
        Self {
            port: self.port.or(port),
            ..self
        }
    }

    /// `host`, or `host:port` unless the port is 80, 443 or one of `dropped`; IPv6 with a port in brackets.
    pub fn with_port(self, dropped: &[u16]) -> PeerName<'a> {
        let keep = |port: &u16| !WEB_PORTS.contains(port) && !dropped.contains(port);
        PeerName {
            text: self.name,
            port: self.port.filter(keep),
        }
    }

    /// `localhost`, `127.0.0.0/8`, `::1`, and the latter two as IPv4-mapped IPv6.
    pub fn is_loopback(self) -> bool {
        if !self.is_ip {
            return self.name.eq_ignore_ascii_case("localhost");
        }
        let address = self.name.parse();
        address.is_ok_and(|ip: IpAddr| ip.to_canonical().is_loopback())
    }
}

// === impl PeerName ===

impl<'a> PeerName<'a> {
    /// The name when it needs no putting together.
    pub fn plain(self) -> Option<&'a str> {
        self.port.is_none().then_some(self.text)
    }
}

impl<'a> From<&'a str> for PeerName<'a> {
    fn from(text: &'a str) -> Self {
        Self { text, port: None }
    }
}

impl std::fmt::Display for PeerName<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.port {
            Some(port) if self.text.contains(':') => write!(f, "[{}]:{port}", self.text),
            Some(port) => write!(f, "{}:{port}", self.text),
            None => f.write_str(self.text),
        }
    }
}

/// Most hosts are this and need no taking apart: letters, digits, `.`, `-` and `_`, among them a letter.
fn is_plain(text: &str) -> bool {
    let bytes = text.as_bytes();
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_');
    bytes.len() <= MAX_HOST
        && bytes.iter().all(plain)
        && bytes.iter().any(u8::is_ascii_alphabetic)
        && bytes.last() != Some(&b'.')
}

/// A dotted IPv4 address that is certainly not loopback: what most socket addresses are.
pub(super) fn is_far_ipv4(text: &str) -> bool {
    let bytes = text.as_bytes();
    !bytes.starts_with(b"127")
        && bytes
            .iter()
            .all(|byte| byte.is_ascii_digit() || *byte == b'.')
}

/// Splits off a port. More than one colon outside brackets is IPv6 without a port, or nothing sensible.
fn split_port(text: &str) -> Option<(&str, Option<u16>)> {
    if let Some(bracketed) = text.strip_prefix('[') {
        let (name, after) = bracketed.split_once(']')?;
        let port = after.strip_prefix(':').and_then(|port| port.parse().ok());
        return Some((name, port));
    }
    match text.split_once(':') {
        Some((_, rest)) if rest.contains(':') => {
            let address = text.split('%').next()?;
            let is_ip = address.parse::<Ipv6Addr>().is_ok();
            is_ip.then_some((text, None))
        }
        Some((name, port)) => Some((name, port.parse().ok().filter(|port| *port != 0))),
        None => Some((text, None)),
    }
}

/// Whether a name that need not be a host's is an IP literal, in brackets and with a zone or without.
pub(super) fn is_literal(name: &str) -> bool {
    let inner = name
        .strip_prefix('[')
        .and_then(|name| name.strip_suffix(']'));
    let address = inner.unwrap_or(name).split('%').next();
    address.is_some_and(is_ip)
}

/// An IPv4 or IPv6 literal, or four numbers with dots that no parser takes (leading zeros, beyond 255).
fn is_ip(name: &str) -> bool {
    if is_plain(name) {
        return false;
    }
    let looks_dotted = || {
        name.split('.').count() == 4
            && name
                .split('.')
                .all(|part| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit()))
    };
    name.parse::<Ipv4Addr>().is_ok() || name.parse::<Ipv6Addr>().is_ok() || looks_dotted()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Guarantees: a host comes out of every form it is sent in, and nothing but a host does.
    #[test]
    fn hosts_are_read_from_every_form() {
        let cases = [
            ("api.stripe.com", Some("api.stripe.com")),
            ("api.stripe.com.", Some("api.stripe.com")),
            ("loki:3100", Some("loki:3100")),
            ("loki:443", Some("loki")),
            ("loki:0", Some("loki")),
            ("loki:99999", Some("loki")),
            (
                "http://user:secret@shop:8080/cart?id=1#top",
                Some("shop:8080"),
            ),
            ("https://a@b@host/", Some("host")),
            ("https://host?next=http://other/", Some("host")),
            ("http://[fe80::1%25eth0]:8080/x", Some("[fe80::1]:8080")),
            ("fe80::1%eth0", Some("fe80::1")),
            ("[::1]", Some("::1")),
            ("kafka-1:9093,kafka-2:9093", Some("kafka-1:9093")),
            ("/var/run/pg.sock", None),
            ("http:///path", None),
            ("a:b:c", None),
            ("[::1", None),
            (":8080", None),
            ("", None),
            ("http://", None),
        ];
        for (text, expected) in cases {
            let found = Host::parse(text).map(|host| host.with_port(&[]).to_string());
            assert_eq!(found.as_deref(), expected, "{text}");
        }
    }

    /// Guarantees: IP literals are known as such in every notation, and names are not.
    #[test]
    fn ip_literals_are_known_in_every_notation() {
        for ip in [
            "10.0.4.2",
            "10.0.4.2:5432",
            "[2001:db8::1]:80",
            "fe80::1%eth0",
            "::ffff:1.2.3.4",
            "010.000.004.002",
        ] {
            assert!(Host::parse(ip).unwrap().is_ip, "{ip}");
        }
        for name in ["1.example.com", "10-0-4-2.pod", "v1.2.3", "0", "1.2.3.4.5"] {
            assert!(!Host::parse(name).unwrap().is_ip, "{name}");
        }
    }

    /// Guarantees: the whole loopback range counts, and nothing else.
    #[test]
    fn loopback_is_localhost_and_the_loopback_ranges() {
        for local in [
            "localhost",
            "LOCALHOST:80",
            "127.0.0.1",
            "127.8.9.1:15001",
            "::1",
            "[::1]:80",
            "::ffff:127.0.0.1",
        ] {
            assert!(Host::parse(local).unwrap().is_loopback(), "{local}");
        }
        for remote in ["128.0.0.1", "localhost.example.com", "::2", "10.0.0.1"] {
            assert!(!Host::parse(remote).unwrap().is_loopback(), "{remote}");
        }
    }
}
