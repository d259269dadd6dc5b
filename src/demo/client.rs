//! The two ways to export OTLP, and GET, over one kept connection each: hyper's own client, a thin layer on top.

use std::net::SocketAddr;

use bytes::{BufMut as _, Bytes, BytesMut};
use http::header::{ACCEPT, CONTENT_TYPE, HOST};
use http::{HeaderMap, Request, StatusCode};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::client::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceResponse;
use prost::Message as _;
use tokio::net::TcpStream;

use super::service::Transport;

/// A connection that is made when it is needed, and again after it broke.
#[derive(Debug)]
pub(super) struct Client {
    address: SocketAddr,
    speaks: Transport,
    open: Option<Open>,
}

#[derive(Debug)]
enum Open {
    Http1(http1::SendRequest<Full<Bytes>>),
    Http2(http2::SendRequest<Full<Bytes>>),
}

/// What became of an export.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// All but so many spans are counted.
    Accepted { rejected: u64 },
    /// To be sent again: the receiver has no room just now.
    Later,
    /// Not to be sent again.
    Refused,
}

/// No answer came.
#[derive(Debug, thiserror::Error)]
pub(super) enum NoAnswer {
    #[error(transparent)]
    Connect(#[from] std::io::Error),
    #[error(transparent)]
    Http(#[from] hyper::Error),
}

struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    trailers: HeaderMap,
    body: Bytes,
}

const GRPC_PATH: &str = "/opentelemetry.proto.collector.trace.v1.TraceService/Export";
const HTTP_PATH: &str = "/v1/traces";
/// gRPC: flag "compressed" and length (4 bytes) before each message.
const GRPC_PREFIX: usize = 5;
const GRPC_UNAVAILABLE: &str = "14";
const GRPC_RESOURCE_EXHAUSTED: &str = "8";

// === impl Client ===

impl Client {
    /// For gRPC over HTTP/2, or HTTP/1.1. Connects with the first request.
    pub(super) fn new(address: SocketAddr, speaks: Transport) -> Self {
        Self {
            address,
            speaks,
            open: None,
        }
    }

    /// Exports one encoded request.
    pub(super) async fn export(&mut self, body: Bytes) -> Result<Verdict, NoAnswer> {
        let answer = match self.speaks {
            Transport::Grpc => {
                let uri = format!("http://{}{GRPC_PATH}", self.address);
                let request = Request::post(uri)
                    .header(CONTENT_TYPE, "application/grpc")
                    .header("te", "trailers");
                self.send(request, framed(&body)).await?
            }
            Transport::Http => {
                let request = Request::post(HTTP_PATH)
                    .header(HOST, self.address.to_string())
                    .header(CONTENT_TYPE, "application/x-protobuf");
                self.send(request, body).await?
            }
        };
        Ok(match self.speaks {
            Transport::Grpc => answer.of_grpc(),
            Transport::Http => answer.of_http(),
        })
    }

    /// The JSON at `path`; `None` when the answer is anything but 200.
    pub(super) async fn get_json(&mut self, path: &str) -> Result<Option<Bytes>, NoAnswer> {
        let request = Request::get(path)
            .header(HOST, self.address.to_string())
            .header(ACCEPT, "application/json");
        let answer = self.send(request, Bytes::new()).await?;
        Ok((answer.status == StatusCode::OK).then_some(answer.body))
    }

    async fn send(
        &mut self,
        request: http::request::Builder,
        body: Bytes,
    ) -> Result<Answer, NoAnswer> {
        // The parts are ours, constant but for a socket address: they always make a request.
        let request = request.body(Full::new(body)).unwrap_or_default();
        let mut open = match self.open.take() {
            Some(open) => open,
            None => self.connect().await?,
        };
        let response = match &mut open {
            Open::Http1(sender) => {
                sender.ready().await?;
                sender.send_request(request).await?
            }
            Open::Http2(sender) => {
                sender.ready().await?;
                sender.send_request(request).await?
            }
        };
        let answer = Answer::read(response).await?;
        // Only a connection that answered to the end is kept.
        self.open = Some(open);
        Ok(answer)
    }

    async fn connect(&self) -> Result<Open, NoAnswer> {
        let stream = TcpStream::connect(self.address).await?;
        stream.set_nodelay(true)?;
        let io = TokioIo::new(stream);
        // The connections' own ends are told to whoever sends next.
        Ok(match self.speaks {
            Transport::Http => {
                let (sender, connection) = http1::handshake(io).await?;
                tokio::spawn(connection);
                Open::Http1(sender)
            }
            Transport::Grpc => {
                let (sender, connection) = http2::handshake(TokioExecutor::new(), io).await?;
                tokio::spawn(connection);
                Open::Http2(sender)
            }
        })
    }
}

fn framed(message: &[u8]) -> Bytes {
    let mut frame = BytesMut::with_capacity(GRPC_PREFIX + message.len());
    frame.put_u8(0);
    frame.put_u32(u32::try_from(message.len()).unwrap_or(u32::MAX));
    frame.put_slice(message);
    frame.freeze()
}

// === impl Answer ===

impl Answer {
    async fn read(response: http::Response<Incoming>) -> Result<Self, NoAnswer> {
        let (head, body) = response.into_parts();
        let body = body.collect().await?;
        Ok(Self {
            status: head.status,
            headers: head.headers,
            trailers: body.trailers().cloned().unwrap_or_default(),
            body: body.to_bytes(),
        })
    }

    /// The status is in the trailers, or in the headers of an answer without a body.
    fn of_grpc(&self) -> Verdict {
        let status = self.trailers.get("grpc-status");
        let status = status.or_else(|| self.headers.get("grpc-status"));
        match status.and_then(|status| status.to_str().ok()) {
            Some("0") => accepted(self.body.get(GRPC_PREFIX..).unwrap_or_default()),
            Some(GRPC_UNAVAILABLE | GRPC_RESOURCE_EXHAUSTED) => Verdict::Later,
            _ => Verdict::Refused,
        }
    }

    fn of_http(&self) -> Verdict {
        match self.status {
            StatusCode::OK => accepted(&self.body),
            StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE => Verdict::Later,
            _ => Verdict::Refused,
        }
    }
}

fn accepted(body: &[u8]) -> Verdict {
    let Ok(response) = ExportTraceServiceResponse::decode(body) else {
        return Verdict::Refused;
    };
    let rejected = response.partial_success.map_or(0, |p| p.rejected_spans);
    Verdict::Accepted {
        rejected: u64::try_from(rejected).unwrap_or_default(),
    }
}
