//! One GET over HTTP/1.1, on a connection of its own: a daemon that was restarted is simply asked again.

use std::error::Error as _;
use std::io;

use bytes::Bytes;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HOST};
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Empty, LengthLimitError, Limited};
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use serde::Deserialize;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls;

use super::{Address, Question, SnapshotError};
use crate::render::Format;
use crate::render::text::visible;

/// Most bytes of an answer: some hundred times what 10,000 nodes and 5,000 edges take. A longer one is no graph.
const MAX_BODY: usize = 256 << 20;

/// Most characters of a refusal's reason that are shown.
const MAX_DETAIL: usize = 500;

/// What is read of an `application/problem+json` (RFC 9457).
#[derive(Deserialize)]
struct Problem {
    detail: Option<String>,
}

/// An answer that is a graph.
pub(super) struct Graph {
    pub(super) body: Bytes,
    /// Nodes, edges and calls by `Spangraph-Hidden`; nothing of a difference, whose body says it.
    pub(super) hidden: Option<[u64; 3]>,
}

/// Asks a route once and reads the answer to its end.
pub(super) async fn fetch(
    question: &Question,
    route: &str,
    format: Format,
) -> Result<Graph, SnapshotError> {
    let answer = tokio::time::timeout(question.timeout, ask(question, route, format));
    let (head, body) = answer.await.unwrap_or_else(|_| {
        let why = format!("no answer within {:?}", question.timeout);
        Err(no_answer(&question.address, why))
    })?;
    judge(&question.address, format, &head, &body)?;
    let said = head.headers.get("spangraph-hidden");
    let hidden = said.and_then(|value| hidden(value.to_str().ok()?));
    Ok(Graph { body, hidden })
}

type Answer = (http::response::Parts, Bytes);

async fn ask(question: &Question, route: &str, format: Format) -> Result<Answer, SnapshotError> {
    let address = &question.address;
    let stream = TcpStream::connect((address.host.as_str(), address.port))
        .await
        .map_err(|error| no_answer(address, error.to_string()))?;
    let request = request(question, route, format)?;
    if !address.is_tls() {
        return exchange(address, stream, request).await;
    }
    let (config, name) = question.access.tls(&address.host)?;
    let stream = TlsConnector::from(config).connect(name, stream).await;
    let stream = stream.map_err(|error| unproven(address, &error))?;
    exchange(address, stream, request).await
}

async fn exchange(
    address: &Address,
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    request: Request<Empty<Bytes>>,
) -> Result<Answer, SnapshotError> {
    let broken = |error: hyper::Error| no_answer(address, innermost(&error));
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream))
        .await
        .map_err(broken)?;
    // Ends with the answer; its error is the answer's too.
    tokio::spawn(connection);
    collect(address, sender.send_request(request).await.map_err(broken)?).await
}

fn request(
    question: &Question,
    route: &str,
    format: Format,
) -> Result<Request<Empty<Bytes>>, SnapshotError> {
    let address = &question.address;
    let accepted = format!("{}, application/problem+json", format.media_type());
    let mut request = Request::get(address.path(route, format, &question.query))
        .header(HOST, address.authority())
        .header(ACCEPT, accepted);
    if let Some(token) = question.access.authorization() {
        request = request.header(AUTHORIZATION, token);
    }
    let request = request.body(Empty::new());
    request.map_err(|error| no_answer(address, error.to_string()))
}

async fn collect(address: &Address, response: Response<Incoming>) -> Result<Answer, SnapshotError> {
    let (head, body) = response.into_parts();
    match Limited::new(body, MAX_BODY).collect().await {
        Ok(body) => Ok((head, body.to_bytes())),
        Err(error) if error.is::<LengthLimitError>() => Err(SnapshotError::NotAGraph {
            address: address.clone(),
            found: format!("more than {} MiB", MAX_BODY >> 20),
        }),
        Err(error) => Err(no_answer(address, error.to_string())),
    }
}

/// Takes an answer for a graph only if it says that it is one.
fn judge(
    address: &Address,
    format: Format,
    head: &http::response::Parts,
    body: &[u8],
) -> Result<(), SnapshotError> {
    let content_type = head.headers.get(CONTENT_TYPE);
    let content_type = content_type.and_then(|value| value.to_str().ok());
    let media_type = content_type.and_then(|value| value.split(';').next());
    let media_type = media_type.unwrap_or("nothing that says what it is").trim();
    if head.status == StatusCode::OK && media_type == format.media_type() {
        return Ok(());
    }
    let problem: Option<Problem> = match media_type {
        "application/problem+json" => serde_json::from_slice(body).ok(),
        _ => None,
    };
    let address = address.clone();
    match problem.and_then(|problem| problem.detail) {
        Some(detail) => Err(SnapshotError::Refused {
            address,
            status: head.status,
            detail: shown(&detail) + hint(head.status),
        }),
        None => Err(SnapshotError::NotAGraph {
            address,
            found: shown(&format!("{} with {media_type}", head.status)),
        }),
    }
}

fn hint(status: StatusCode) -> &'static str {
    match status {
        StatusCode::UNAUTHORIZED => "; --token-file shows one",
        _ => "",
    }
}

/// Reads `nodes=12, edges=40, calls=210`; whatever else it may hold is passed over.
fn hidden(text: &str) -> Option<[u64; 3]> {
    let count = |name: &str| {
        let members = text.split(',').filter_map(|member| member.split_once('='));
        let mut found = members.filter(|(key, _)| key.trim() == name);
        found.next()?.1.trim().parse().ok()
    };
    Some([count("nodes")?, count("edges")?, count("calls")?])
}

fn no_answer(address: &Address, why: String) -> SnapshotError {
    SnapshotError::NoAnswer {
        address: address.clone(),
        why,
    }
}

/// A handshake that failed for what the other side is, or else no answer.
fn unproven(address: &Address, error: &io::Error) -> SnapshotError {
    let inner = error.get_ref().and_then(|inner| inner.downcast_ref());
    match inner {
        Some(rustls::Error::InvalidCertificate(_)) => SnapshotError::Untrusted {
            address: address.clone(),
            why: error.to_string(),
        },
        _ => no_answer(address, error.to_string()),
    }
}

/// The cause that says most: hyper's own words only name the step.
fn innermost(error: &hyper::Error) -> String {
    let mut words = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        words = inner.to_string();
        cause = inner.source();
    }
    words
}

fn shown(text: &str) -> String {
    let cut: String = text.chars().take(MAX_DETAIL).collect();
    visible(&cut)
}
