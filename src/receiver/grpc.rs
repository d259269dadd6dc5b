//! OTLP/gRPC: `TraceService/Export` as a unary call, health, and the answers every other call gets.
//!
//! The framing of a unary call is five bytes, and it is read here rather than by tonic's codec. Permits must be taken
//! after those five bytes and before the message is buffered, and again while it inflates; the codec reserves the
//! message itself, inflates it whole, and answers an over-long one with `OUT_OF_RANGE`, which OTLP lists as retryable.
//! Statuses, trailers and their encoding stay tonic's.

use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use ::http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, Version, header};
use bytes::Bytes;
use http_body::Body;
use http_body_util::Either;
use tokio::time::Instant;

use super::body::{Reader, invalid};
use super::counters::{Class, Transport};
use super::inflate::Compression;
use super::refusal::{Answer, Refusal};
use super::reply::{self, ReplyBody};
use super::{Encoding, Message, Receiver, media, status};
use crate::net::{Health, HealthServer, caught};
use crate::otlp::Counts;

type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// Port 4317's service; see [`Receiver::grpc`].
#[derive(Debug, Clone)]
pub struct GrpcService {
    receiver: Receiver,
    health: HealthServer,
}

/// Body of its replies: our own few bytes, or tonic's.
pub type GrpcBody = Either<ReplyBody, tonic::body::Body>;

const SERVICE: &str = "opentelemetry.proto.collector.trace.v1.TraceService";
const EXPORT: &str = "/opentelemetry.proto.collector.trace.v1.TraceService/Export";
/// What every method of the health service begins with.
const HEALTH: &str = "/grpc.health.v1.Health/";

// === impl GrpcService ===

impl GrpcService {
    pub(super) fn new(receiver: Receiver) -> Self {
        let health = Health::new(&[SERVICE], receiver.shutdown.clone()).server();
        Self { receiver, health }
    }

    /// Answers one request, whatever it is.
    async fn answer<B>(mut self, request: Request<B>) -> Response<GrpcBody>
    where
        B: Body<Data = Bytes, Error: Into<BoxError> + Send> + Send + Unpin + 'static,
    {
        // Probes are no OTLP requests, and are not counted as such.
        if not_grpc(&request).is_none() && request.uri().path().starts_with(HEALTH) {
            let Ok(reply) = tower::Service::call(&mut self.health, request).await;
            return reply.map(Either::Right);
        }
        self.otlp(request).await.map(Either::Left)
    }

    async fn otlp<B>(&self, request: Request<B>) -> Response<ReplyBody>
    where
        B: Body<Data = Bytes> + Unpin,
    {
        let counters = &self.receiver.counters;
        if let Some(reply) = not_grpc(&request) {
            counters.count_request(Transport::Grpc, Class::Unsupported);
            return reply;
        }
        let result = caught(self.export(request)).await;
        match result.unwrap_or(Err(Refusal::Panicked)) {
            Ok(counts) => {
                counters.count_request(Transport::Grpc, reply::class(counts));
                accepted(counts)
            }
            Err(refusal) => {
                let answer = refusal.answer();
                counters.count_request(Transport::Grpc, answer.class);
                refused(&refusal, &answer)
            }
        }
    }

    async fn export<B>(&self, request: Request<B>) -> Result<Counts, Refusal>
    where
        B: Body<Data = Bytes> + Unpin,
    {
        let receiver = &self.receiver;
        let (head, body) = request.into_parts();
        if head.uri.path() != EXPORT {
            return Err(Refusal::NotFound(
                "only opentelemetry.proto.collector.trace.v1.TraceService/Export is served here",
            ));
        }
        if receiver.shutdown.is_begun() {
            return Err(Refusal::Draining);
        }
        let compression = media::grpc_encoding(&head.headers).ok_or(Refusal::UnknownCoding)?;
        let deadline = timeout(&head.headers).and_then(|after| Instant::now().checked_add(after));
        let reader = Reader::new(body, deadline);
        let (message, compressed) = self.message(reader, compression).await?;
        let compression = if compressed {
            compression
        } else {
            Compression::Identity
        };
        receiver
            .ingest(
                message,
                compression,
                Encoding::Protobuf,
                Transport::Grpc,
                deadline,
            )
            .await
    }

    /// The call's one message, and whether it is compressed.
    async fn message<B>(
        &self,
        mut reader: Reader<B>,
        compression: Compression,
    ) -> Result<(Message, bool), Refusal>
    where
        B: Body<Data = Bytes> + Unpin,
    {
        let ([flag, len @ ..], first) = reader.prefix().await?;
        let compressed = match flag {
            0 => false,
            1 if compression != Compression::Identity => true,
            1 => {
                return Err(Refusal::Framing(
                    "the message is marked compressed, but grpc-encoding names no compression",
                ));
            }
            _ => return Err(Refusal::Framing("the message's flag is neither 0 nor 1")),
        };
        let limit = self.receiver.admission.largest_message();
        let len = usize::try_from(u32::from_be_bytes(len)).unwrap_or(usize::MAX);
        if len > limit {
            return Err(Refusal::TooLarge { limit });
        }
        let permit = self.receiver.admission.admit(len).await?;
        let (bytes, rest) = reader.exactly(first, len).await?;
        // The call is only complete with its end: a client may still take it back.
        if !rest.is_empty() || reader.chunk().await?.is_some() {
            return Err(invalid("bytes follow the one message of the call"));
        }
        Ok((Message { bytes, permit }, compressed))
    }
}

impl<B> tower::Service<Request<B>> for GrpcService
where
    B: Body<Data = Bytes, Error: Into<BoxError> + Send> + Send + Unpin + 'static,
{
    type Response = Response<GrpcBody>;
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

/// What is not a gRPC call gets a plain HTTP answer, for whoever sees it is not a gRPC client.
fn not_grpc<B>(request: &Request<B>) -> Option<Response<ReplyBody>> {
    let (status, text) = if request.version() != Version::HTTP_2 {
        (
            StatusCode::HTTP_VERSION_NOT_SUPPORTED,
            "this port speaks gRPC, that is HTTP/2; OTLP over HTTP is usually on port 4318\n",
        )
    } else if request.method() != Method::POST {
        (StatusCode::METHOD_NOT_ALLOWED, "only POST is allowed\n")
    } else if !media::is_grpc(request.headers()) {
        (
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "only application/grpc with protobuf messages is read here\n",
        )
    } else {
        return None;
    };
    let mut reply = Response::new(ReplyBody::bytes(Bytes::from_static(text.as_bytes())));
    *reply.status_mut() = status;
    let headers = reply.headers_mut();
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("text/plain; charset=utf-8"),
    );
    if status == StatusCode::METHOD_NOT_ALLOWED {
        headers.insert(header::ALLOW, HeaderValue::from_static("POST"));
    }
    if status == StatusCode::HTTP_VERSION_NOT_SUPPORTED {
        headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    Some(reply)
}

fn accepted(counts: Counts) -> Response<ReplyBody> {
    let message = reply::response(counts, Encoding::Protobuf);
    let len = u32::try_from(message.len()).unwrap_or(u32::MAX);
    let mut framed = Vec::with_capacity(5 + message.len());
    framed.push(0);
    framed.extend_from_slice(&len.to_be_bytes());
    framed.extend_from_slice(&message);
    let mut trailers = HeaderMap::with_capacity(1);
    trailers.insert("grpc-status", HeaderValue::from_static("0"));
    let body = ReplyBody::with_trailers(Bytes::from(framed), Some(trailers));
    let mut reply = Response::new(body);
    reply.headers_mut().insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/grpc"),
    );
    reply
}

fn refused(refusal: &Refusal, answer: &Answer) -> Response<ReplyBody> {
    let mut reply = status::grpc(refusal, answer).into_http::<ReplyBody>();
    if *refusal == Refusal::UnknownCoding {
        reply.headers_mut().insert(
            "grpc-accept-encoding",
            HeaderValue::from_static(media::GRPC_ENCODINGS),
        );
    }
    reply
}

/// `grpc-timeout`: up to eight digits and a unit. One that is not well formed is as good as none.
fn timeout(headers: &HeaderMap) -> Option<Duration> {
    let value = headers.get("grpc-timeout")?.as_bytes();
    let (unit, digits) = value.split_last()?;
    if digits.is_empty() || digits.len() > 8 || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let number = digits
        .iter()
        .fold(0, |number, digit| number * 10 + u64::from(digit - b'0'));
    match unit {
        b'H' => Some(Duration::from_secs(number * 3600)),
        b'M' => Some(Duration::from_secs(number * 60)),
        b'S' => Some(Duration::from_secs(number)),
        b'm' => Some(Duration::from_millis(number)),
        b'u' => Some(Duration::from_micros(number)),
        b'n' => Some(Duration::from_nanos(number)),
        _ => None,
    }
}
