//! `spangraph health`: one HTTP/1.1 GET, so that an image without a shell or curl can check itself.

use std::io::{self, Read, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream, ToSocketAddrs as _};
use std::time::Duration;

use http::Uri;
use tokio_rustls::rustls::{ClientConnection, StreamOwned};

use crate::access::{Access, AccessError};

/// Why the daemon does not count as ready.
#[derive(Debug, thiserror::Error)]
pub enum Unhealthy {
    /// The URL is none that can be asked.
    #[error("`{0}` is not an http:// or https:// URL with a host")]
    Url(String),
    /// A file that was named is of no use, or there is nobody to trust.
    #[error(transparent)]
    Access(#[from] AccessError),
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

/// What is asked of a daemon whose URL has no path.
const READY: &str = "/readyz";

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
pub fn ready_url(scheme: &str, api: SocketAddr) -> String {
    format!("{scheme}://{}{READY}", reachable(api))
}

/// Asks once. Each step (connect, write, read) waits at most `timeout`, which must not be zero.
pub fn check(url: &str, timeout: Duration, access: &Access) -> Result<(), Unhealthy> {
    let uri: Uri = url.parse().map_err(|_| Unhealthy::Url(url.to_owned()))?;
    let default_port = match uri.scheme_str() {
        Some("http") => 80,
        Some("https") => 443,
        _ => return Err(Unhealthy::Url(url.to_owned())),
    };
    let authority = uri.authority();
    let authority = authority.ok_or_else(|| Unhealthy::Url(url.to_owned()))?;
    let host = authority.host().trim_matches(['[', ']']);
    let port = authority.port_u16().unwrap_or(default_port);
    let request = request(&uri, access);
    let tls = match default_port {
        443 => Some(access.tls(host)?),
        _ => None,
    };
    let answer = connect(host, port, timeout).and_then(|stream| match tls {
        None => ask(stream, &request),
        Some((config, name)) => {
            let session = ClientConnection::new(config, name).map_err(io::Error::other)?;
            ask(StreamOwned::new(session, stream), &request)
        }
    });
    let status = answer.map_err(|source| Unhealthy::NoAnswer {
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

fn request(uri: &Uri, access: &Access) -> String {
    let host = uri.authority().map_or("", |authority| authority.as_str());
    let path = match uri.path_and_query().map_or("/", |path| path.as_str()) {
        "/" => READY,
        path => path,
    };
    let token = access.authorization().and_then(|token| token.to_str().ok());
    let token = token.map_or_else(String::new, |token| format!("Authorization: {token}\r\n"));
    format!("GET {path} HTTP/1.1\r\nHost: {host}\r\n{token}Connection: close\r\n\r\n")
}

/// Sends the request and returns the first line of the answer.
fn ask(mut stream: impl Read + Write, request: &str) -> io::Result<String> {
    stream.write_all(request.as_bytes())?;
    stream.flush()?;
    let mut head = Vec::with_capacity(64);
    stream.take(64).read_to_end(&mut head)?;
    let line = head.split(|byte| *byte == b'\r').next().unwrap_or_default();
    Ok(String::from_utf8_lossy(line).into_owned())
}

fn connect(host: &str, port: u16, timeout: Duration) -> io::Result<TcpStream> {
    let mut failed = io::Error::new(io::ErrorKind::NotFound, "the host has no address");
    for address in (host, port).to_socket_addrs()? {
        match TcpStream::connect_timeout(&address, timeout) {
            Ok(stream) => {
                stream.set_read_timeout(Some(timeout))?;
                stream.set_write_timeout(Some(timeout))?;
                return Ok(stream);
            }
            Err(error) => failed = error,
        }
    }
    Err(failed)
}
