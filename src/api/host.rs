//! Which hosts a request may name, and what a host is. A page in a browser can be led to a loopback listener by a name
//! of its own (DNS rebinding): the name it gives is then the only thing that tells it from a user.

use std::net::{IpAddr, Ipv6Addr};

use http::HeaderMap;
use http::header::HOST;

use super::guard::Bind;
use super::problem::Problem;

/// Which hosts a request may name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Hosts {
    Any,
    /// Lower case, without port.
    Only(Vec<String>),
}

const LOCAL: &str = "localhost";

// === impl Hosts ===

impl Hosts {
    /// On a loopback bind `localhost`, loopback addresses and `extra`; else the same, or any when there are none.
    pub(super) fn new(bind: Bind, extra: &[String]) -> Self {
        if bind == Bind::Public && extra.is_empty() {
            return Self::Any;
        }
        let names = [LOCAL].into_iter().chain(extra.iter().map(String::as_str));
        Self::Only(names.map(str::to_ascii_lowercase).collect())
    }

    /// Every name the request gives itself (`Host`, and the authority of its URI) is a host, at most one field says
    /// so (RFC 9112, 3.2), each is allowed, and where not every host is, there is one.
    pub(super) fn admit(&self, uri: &http::Uri, headers: &HeaderMap) -> Result<(), Problem> {
        let mut fields = headers.get_all(HOST).iter();
        let (field, another) = (fields.next(), fields.next());
        if another.is_some() {
            return Err(Problem::NoHost);
        }
        let field = field.map(|value| value.to_str().ok().and_then(host).ok_or(Problem::NoHost));
        let authority = uri
            .authority()
            .map(|authority| host(authority.as_str()).ok_or(Problem::NoHost));
        let named = [field.transpose()?, authority.transpose()?];
        let Self::Only(hosts) = self else {
            return Ok(());
        };
        let listed = |name: &str| hosts.iter().any(|host| host.eq_ignore_ascii_case(name));
        let allowed = |name: &&str| listed(name) || is_loopback(name);
        let mut named = named.iter().flatten().peekable();
        if named.peek().is_some() && named.all(allowed) {
            return Ok(());
        }
        Err(Problem::Misdirected)
    }
}

/// Whether a host is a loopback address: no page of another site has it for its name.
fn is_loopback(host: &str) -> bool {
    let address: Option<IpAddr> = host.trim_matches(['[', ']']).parse().ok();
    address.is_some_and(|address| address.to_canonical().is_loopback())
}

/// The host of `uri-host [":" port]` (RFC 3986, 3.2.2), an address in brackets with them; it may be empty.
fn host(text: &str) -> Option<&str> {
    let (host, port) = if text.starts_with('[') {
        let (host, port) = text.split_at(text.find(']')? + 1);
        host[1..host.len() - 1].parse::<Ipv6Addr>().ok()?;
        (host, port)
    } else {
        let (host, port) = text.split_at(text.find(':').unwrap_or(text.len()));
        let allowed = |b: u8| b.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=%".contains(&b);
        host.bytes().all(allowed).then_some(())?;
        (host, port)
    };
    match port.strip_prefix(':') {
        None => port.is_empty().then_some(host),
        Some(digits) => {
            let fits = digits.is_empty() || digits.parse::<u16>().is_ok();
            (fits && digits.bytes().all(|b| b.is_ascii_digit())).then_some(host)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_what_the_grammar_says() {
        for (text, expected) in [
            ("localhost", Some("localhost")),
            ("localhost:7317", Some("localhost")),
            ("localhost:", Some("localhost")),
            ("", Some("")),
            ("[::1]", Some("[::1]")),
            ("[::1]:80", Some("[::1]")),
            ("my_service.ns.svc:80", Some("my_service.ns.svc")),
            ("a:b:c", None),
            ("localhost:80:80", None),
            ("localhost:80a", None),
            ("localhost:+80", None),
            ("localhost:65536", None),
            ("localhost:-1", None),
            ("[::1", None),
            ("::1", None),
            ("[::1]80", None),
            ("[localhost]", None),
            ("[]", None),
            ("local host", None),
            (" localhost", None),
            ("user@localhost", None),
            ("localhost/x", None),
            ("localhost?x", None),
            ("http://localhost", None),
            ("localhost\\", None),
            ("größe", None),
        ] {
            assert_eq!(host(text), expected, "{text:?}");
        }
    }
}
