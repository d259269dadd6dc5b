//! `spangraph health`: one plain HTTP/1.1 GET, so that an image without a shell or curl can check itself.

use std::io::{self, Read as _, Write as _};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream, ToSocketAddrs as _};
use std::time::Duration;

use http::Uri;

/// Why the daemon does not count as ready.
#[derive(Debug, thiserror::Error)]
pub enum Unhealthy {
    /// The URL is none that can be asked.
    #[error("`{0}` is not an http:// URL with a host")]
    Url(String),
    /// No answer.
    #[error("{url} does not answer: {source}")]
    NoAnswer {
        /// What was asked.
        url: String,
        /// Why.
        source: io::Error,
    },
    /// An answer other than 200.
    #[error("{url} answers {status}")]
    Answered {
        /// What was asked.
        url: String,
        /// First line of the answer, at most 64 bytes.
        status: String,
    },
}

/// Where a daemon that listens at `address` is found from its own machine: loopback for an unspecified address.
pub fn reachable(address: SocketAddr) -> SocketAddr {
    let ip = match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
        IpAddr::V6(ip) if ip.is_unspecified() => IpAddr::V6(Ipv6Addr::LOCALHOST),
        ip => ip,
    };
    SocketAddr::new(ip, address.port())
}

/// The URL of a daemon's readiness when it listens at `api`; an unspecified address is asked on loopback.
pub fn ready_url(api: SocketAddr) -> String {
    format!("http://{}/readyz", reachable(api))
}

/// Asks once. Each step (connect, write, read) waits at most `timeout`, which must not be zero.
pub fn check(url: &str, timeout: Duration) -> Result<(), Unhealthy> {
    let uri: Uri = url.parse().map_err(|_| Unhealthy::Url(url.to_owned()))?;
    let authority = uri.authority().filter(|_| uri.scheme_str() == Some("http"));
    let authority = authority.ok_or_else(|| Unhealthy::Url(url.to_owned()))?;
    let host = authority.host().trim_matches(['[', ']']);
    let port = authority.port_u16().unwrap_or(80);
    let path = uri.path_and_query().map_or("/", |path| path.as_str());
    let request = format!("GET {path} HTTP/1.1\r\nHost: {authority}\r\nConnection: close\r\n\r\n");
    let status = ask(host, port, &request, timeout).map_err(|source| Unhealthy::NoAnswer {
        url: url.to_owned(),
        source,
    })?;
    if status.split(' ').nth(1) == Some("200") {
        return Ok(());
    }
    Err(Unhealthy::Answered {
        url: url.to_owned(),
        status,
    })
}

/// Sends the request and returns the first line of the answer.
fn ask(host: &str, port: u16, request: &str, timeout: Duration) -> io::Result<String> {
    let mut stream = connect(host, port, timeout)?;
    stream.set_read_timeout(Some(timeout))?;
    stream.set_write_timeout(Some(timeout))?;
    stream.write_all(request.as_bytes())?;
    let mut head = Vec::with_capacity(64);
    stream.take(64).read_to_end(&mut head)?;
    let line = head.split(|byte| *byte == b'\r').next().unwrap_or_default();
    Ok(String::from_utf8_lossy(line).into_owned())
}

fn connect(host: &str, port: u16, timeout: Duration) -> io::Result<TcpStream> {
    let mut failed = io::Error::new(io::ErrorKind::NotFound, "the host has no address");
    for address in (host, port).to_socket_addrs()? {
        match TcpStream::connect_timeout(&address, timeout) {
            Ok(stream) => return Ok(stream),
            Err(error) => failed = error,
        }
    }
    Err(failed)
}
