//! OTLP/HTTP: `POST /v1/traces`. Every error has a `google.rpc.Status` body in the request's encoding, or in JSON
//! where that is not known.
//!
//! The checks run from what can be said for ever (path, method, types) to what may change (room), and all of them
//! before the first byte of the body is read, so that a client waiting for `100 Continue` never sends it.

use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use ::http::{HeaderValue, Method, Request, Response, StatusCode, header};
use bytes::Bytes;
use http_body::Body;

use super::body::Reader;
use super::counters::Transport;
use super::refusal::{Answer, Refusal};
use super::reply::{self, ReplyBody};
use super::{Encoding, Receiver, media, status};
use crate::net::caught;
use crate::otlp::Counts;

/// Port 4318's service; see [`Receiver::http`].
#[derive(Debug, Clone)]
pub struct HttpService {
    receiver: Receiver,
}

const TRACES: &str = "/v1/traces";

// === impl HttpService ===

impl HttpService {
    pub(super) fn new(receiver: Receiver) -> Self {
        Self { receiver }
    }

    /// Answers one request, whatever it is.
    async fn answer<B>(self, request: Request<B>) -> Response<ReplyBody>
    where
        B: Body<Data = Bytes> + Unpin,
    {
        let encoding = media::encoding(request.headers());
        let result = caught(self.export(request, encoding)).await;
        let counters = &self.receiver.counters;
        // Unknown encodings never get as far as an accepted request.
        let encoding = encoding.unwrap_or(Encoding::Json);
        match result.unwrap_or(Err(Refusal::Panicked)) {
            Ok(counts) => {
                counters.count_request(Transport::Http, reply::class(counts));
                let body = reply::response(counts, encoding);
                respond(StatusCode::OK, body, encoding)
            }
            Err(refusal) => {
                let answer = refusal.answer();
                counters.count_request(Transport::Http, answer.class);
                refused(&refusal, &answer, encoding)
            }
        }
    }

    async fn export<B>(
        &self,
        request: Request<B>,
        encoding: Option<Encoding>,
    ) -> Result<Counts, Refusal>
    where
        B: Body<Data = Bytes> + Unpin,
    {
        let receiver = &self.receiver;
        if request.uri().path() != TRACES {
            return Err(Refusal::NotFound("only /v1/traces is served here"));
        }
        if request.method() != Method::POST {
            return Err(Refusal::Method);
        }
        let encoding = encoding
            .filter(|&encoding| receiver.ingest.reads(encoding))
            .ok_or_else(|| self.unread_media_type())?;
        let coding = media::content_coding(request.headers()).ok_or(Refusal::UnknownCoding)?;
        if receiver.shutdown.is_begun() {
            return Err(Refusal::Draining);
        }
        let reader = Reader::new(request.into_body(), None);
        let message = reader.all(&receiver.admission).await?;
        receiver
            .ingest(message, coding, encoding, Transport::Http, None)
            .await
    }

    fn unread_media_type(&self) -> Refusal {
        Refusal::MediaType(if self.receiver.ingest.reads(Encoding::Json) {
            "only application/x-protobuf and application/json are read"
        } else {
            "only application/x-protobuf is read"
        })
    }
}

impl<B> tower::Service<Request<B>> for HttpService
where
    B: Body<Data = Bytes> + Send + Unpin + 'static,
{
    type Response = Response<ReplyBody>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, _cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let service = self.clone();
        Box::pin(async move { Ok(service.answer(request).await) })
    }
}

fn refused(refusal: &Refusal, answer: &Answer, encoding: Encoding) -> Response<ReplyBody> {
    let body = status::http(refusal, answer, encoding);
    let mut reply = respond(answer.http, body, encoding);
    let headers = reply.headers_mut();
    if let Some(seconds) = refusal.retry_after_s() {
        headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    match refusal {
        Refusal::Method => {
            headers.insert(header::ALLOW, HeaderValue::from_static("POST"));
        }
        Refusal::UnknownCoding => {
            headers.insert(
                header::ACCEPT_ENCODING,
                HeaderValue::from_static(media::CONTENT_CODINGS),
            );
        }
        _ => {}
    }
    reply
}

fn respond(status: StatusCode, body: Bytes, encoding: Encoding) -> Response<ReplyBody> {
    let media_type = match encoding {
        Encoding::Protobuf => "application/x-protobuf",
        Encoding::Json => "application/json",
    };
    let mut reply = Response::new(ReplyBody::bytes(body));
    *reply.status_mut() = status;
    reply
        .headers_mut()
        .insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type));
    reply
}
