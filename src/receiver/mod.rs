//! OTLP over gRPC (4317) and over HTTP (4318): bytes in, an honest answer out.
//!
//! Both transports do the same four things: take room from [`Admission`], read, inflate, and hand the bytes to
//! [`Ingest`] inline. There is no queue: a positive answer means the spans are counted. What can go wrong is one enum
//! (`refusal`) with one column per transport. This module never looks into a request and never reads a wall clock.

mod body;
mod counters;
mod grpc;
mod http;
mod inflate;
mod media;
mod refusal;
mod reply;
mod status;

use std::sync::Arc;

use bytes::Bytes;
use tokio::time::Instant;

pub use self::counters::{Class, ReceiverCounters, ReceiverSnapshot, Transport};
pub use self::grpc::{GrpcBody, GrpcService};
pub use self::http::HttpService;
pub use self::reply::ReplyBody;

use self::inflate::Compression;
use self::refusal::Refusal;
use crate::net::{Admission, Permit, Shutdown};
pub use crate::otlp::Encoding;
use crate::otlp::{Counts, Malformed};

/// Where requests go; the daemon puts the core behind it.
pub trait Ingest: Send + Sync + 'static {
    /// Counts every span of one `ExportTraceServiceRequest`, or, with an error, none.
    fn apply(&self, request: &[u8], encoding: Encoding) -> Result<Counts, Malformed>;

    /// Whether requests in `encoding` are understood. Those that are not are answered with 415.
    fn reads(&self, encoding: Encoding) -> bool {
        encoding == Encoding::Protobuf
    }
}

/// What both transports share. One per process; [`Receiver::grpc`] and [`Receiver::http`] are its two faces.
#[derive(Clone)]
pub struct Receiver {
    ingest: Arc<dyn Ingest>,
    admission: Arc<Admission>,
    counters: Arc<ReceiverCounters>,
    shutdown: Shutdown,
}

/// A message read and charged for.
struct Message {
    bytes: Bytes,
    permit: Permit,
}

/// Seconds a client is asked to wait after "no room" and the like. Exporters add their own growing back-off.
const RETRY_AFTER_S: u32 = 1;

// === impl Receiver ===

impl Receiver {
    /// A receiver in front of `ingest`. Once `shutdown` begins, new requests are asked to come back later.
    pub fn new(ingest: Arc<dyn Ingest>, admission: Arc<Admission>, shutdown: Shutdown) -> Self {
        Self {
            ingest,
            admission,
            counters: Arc::new(ReceiverCounters::default()),
            shutdown,
        }
    }

    /// The service for port 4317.
    pub fn grpc(&self) -> GrpcService {
        GrpcService::new(self.clone())
    }

    /// The service for port 4318.
    pub fn http(&self) -> HttpService {
        HttpService::new(self.clone())
    }

    /// What it has counted.
    pub fn counters(&self) -> Arc<ReceiverCounters> {
        Arc::clone(&self.counters)
    }

    /// Inflates `message` if need be and applies it, unless `deadline` is over: a client that has given up will send
    /// it again, so it must not be counted now.
    async fn ingest(
        &self,
        message: Message,
        compression: Compression,
        encoding: Encoding,
        transport: Transport,
        deadline: Option<Instant>,
    ) -> Result<Counts, Refusal> {
        self.counters.count_raw(transport, message.bytes.len());
        let message = inflate::inflate(&self.admission, message, compression).await?;
        self.counters.count_inflated(transport, message.bytes.len());
        if deadline.is_some_and(|deadline| Instant::now() >= deadline) {
            return Err(Refusal::DeadlineExceeded);
        }
        let counts = self.ingest.apply(&message.bytes, encoding)?;
        drop(message.permit);
        self.counters.count_spans(transport, counts);
        Ok(counts)
    }
}

impl std::fmt::Debug for Receiver {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Receiver")
            .field("admission", &self.admission)
            .field("counters", &self.counters)
            .finish_non_exhaustive()
    }
}
