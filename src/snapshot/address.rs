//! Where a daemon's API listens, as people write it.

use std::fmt::{self, Write as _};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::str::FromStr;

use http::Uri;

use crate::render::Format;

/// An `http://` or `https://` URL: host, port, and the prefix it may be served under.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    /// Whether it speaks TLS.
    tls: bool,
    /// As it stands in the URL and in the `Host` header.
    authority: String,
    /// Without brackets.
    pub(super) host: String,
    pub(super) port: u16,
    /// Empty, or begins with a slash and does not end with one.
    prefix: String,
}

/// Why a text is no address of an API.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum NotAnAddress {
    /// No URL, or one without a host.
    #[error("not an http:// or https:// URL with a host, as in http://127.0.0.1:7317")]
    Url,
    /// A user or a password.
    #[error("a user name or password in the URL is not understood")]
    User,
    /// A query.
    #[error("parameters belong after --query")]
    Query,
}

// === impl Address ===

impl Address {
    /// That of a daemon which listens at `api`, with TLS or without; an unspecified address is asked on loopback.
    pub fn of_listener(api: SocketAddr, tls: bool) -> Self {
        let ip = match api.ip() {
            IpAddr::V4(ip) if ip.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
            IpAddr::V6(ip) if ip.is_unspecified() => IpAddr::V6(Ipv6Addr::LOCALHOST),
            ip => ip,
        };
        Self {
            tls,
            authority: SocketAddr::new(ip, api.port()).to_string(),
            host: ip.to_string(),
            port: api.port(),
            prefix: String::new(),
        }
    }

    /// Whether it speaks TLS.
    pub fn is_tls(&self) -> bool {
        self.tls
    }

    /// What the `Host` header says.
    pub(super) fn authority(&self) -> &str {
        &self.authority
    }

    /// The path of a route's answer in `format`, with `query` as its parameters.
    pub(super) fn path(&self, route: &str, format: Format, query: &str) -> String {
        let mut path = format!("{}/api/v1/{route}.{}", self.prefix, format.name());
        if !query.is_empty() {
            path.push('?');
            encode(query, &mut path);
        }
        path
    }
}

impl FromStr for Address {
    type Err = NotAnAddress;

    fn from_str(text: &str) -> Result<Self, NotAnAddress> {
        let uri: Uri = text.parse().map_err(|_| NotAnAddress::Url)?;
        let tls = match uri.scheme_str() {
            Some("http") => false,
            Some("https") => true,
            _ => return Err(NotAnAddress::Url),
        };
        let authority = uri.authority().ok_or(NotAnAddress::Url)?;
        if authority.as_str().contains('@') {
            return Err(NotAnAddress::User);
        }
        if uri.query().is_some() {
            return Err(NotAnAddress::Query);
        }
        let host = authority.host().trim_matches(['[', ']']);
        if host.is_empty() {
            return Err(NotAnAddress::Url);
        }
        Ok(Self {
            tls,
            authority: authority.to_string(),
            host: host.to_owned(),
            port: authority.port_u16().unwrap_or(if tls { 443 } else { 80 }),
            prefix: uri.path().trim_end_matches('/').to_owned(),
        })
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.tls { "https" } else { "http" };
        write!(f, "{scheme}://{}{}", self.authority, self.prefix)
    }
}

/// Percent-encodes what may not stand in a query (RFC 3986, 3.4) and leaves the rest, `%` included, so that both what
/// was copied from a URL and what was typed by hand arrive as meant.
fn encode(query: &str, out: &mut String) {
    for byte in query.trim_start_matches('?').bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=:@/?%".contains(&byte) {
            out.push(char::from(byte));
        } else {
            write!(out, "%{byte:02X}").expect("writing to a string cannot fail");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> Result<Address, NotAnAddress> {
        text.parse()
    }

    #[test]
    fn an_address_is_read_with_its_port_and_prefix() {
        let plain = address("http://127.0.0.1:7317/").unwrap();
        assert_eq!((plain.host.as_str(), plain.port), ("127.0.0.1", 7317));
        assert_eq!(
            plain.path("topology", Format::Json, ""),
            "/api/v1/topology.json"
        );
        assert_eq!(plain.to_string(), "http://127.0.0.1:7317");
        let six = address("http://[::1]:9/maps/").unwrap();
        assert_eq!((six.host.as_str(), six.authority()), ("::1", "[::1]:9"));
        assert_eq!(
            six.path("topology", Format::Dot, "window=5s"),
            "/maps/api/v1/topology.dot?window=5s"
        );
        assert_eq!(address("http://graph.example.org").unwrap().port, 80);
        let tls = address("https://graph.example.org/maps").unwrap();
        assert_eq!((tls.tls, tls.port), (true, 443));
        assert_eq!(tls.to_string(), "https://graph.example.org/maps");
    }

    #[test]
    fn what_is_no_address_says_why() {
        assert_eq!(address("nonsense"), Err(NotAnAddress::Url));
        assert_eq!(address(""), Err(NotAnAddress::Url));
        assert_eq!(address("ftp://a"), Err(NotAnAddress::Url));
        assert_eq!(address("http://me:pw@a"), Err(NotAnAddress::User));
        assert_eq!(address("http://a/?window=5s"), Err(NotAnAddress::Query));
    }

    /// Guarantees: a query that was typed and one that was copied both arrive as meant, and neither ends the request
    /// line early.
    #[test]
    fn a_query_is_one_line_of_ascii() {
        let address = address("http://a").unwrap();
        let path = |query: &str| address.path("topology", Format::Json, query);
        let asked = path("?focus=größe&service=a b\r\nX: y#z&at=%2D10m");
        let expected = "focus=gr%C3%B6%C3%9Fe&service=a%20b%0D%0AX:%20y%23z&at=%2D10m";
        assert_eq!(asked, format!("/api/v1/topology.json?{expected}"));
    }
}
