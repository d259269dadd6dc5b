//! Positive answers, and the one body type both transports reply with.

use std::convert::Infallible;
use std::fmt::Write as _;
use std::pin::Pin;
use std::task::{Context, Poll};

use ::http::HeaderMap;
use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTracePartialSuccess, ExportTraceServiceResponse,
};
use prost::Message as _;
use serde_json::json;

use super::Encoding;
use super::counters::Class;
use crate::otlp::Counts;

/// A reply's body: a few bytes, then perhaps trailers.
#[derive(Debug, Default)]
pub struct ReplyBody {
    data: Option<Bytes>,
    trailers: Option<HeaderMap>,
}

/// What is wrong with spans rejected for each reason, in the order of [`Counts::rejected`].
const REASONS: [&str; 3] = [
    "with a trace id that is zero or not 16 bytes",
    "with a span id that is zero or not 8 bytes",
    "with a parent span id that is not 8 bytes",
];

/// How a request that was applied has ended.
pub(super) fn class(counts: Counts) -> Class {
    if rejected(counts) == 0 {
        Class::Ok
    } else {
        Class::Partial
    }
}

/// The `ExportTraceServiceResponse`: with every span accepted an empty one, for `partial_success` must be unset then.
pub(super) fn response(counts: Counts, encoding: Encoding) -> Bytes {
    let rejected = rejected(counts);
    match encoding {
        Encoding::Protobuf if rejected == 0 => Bytes::new(),
        Encoding::Json if rejected == 0 => Bytes::from_static(b"{}"),
        Encoding::Protobuf => {
            let response = ExportTraceServiceResponse {
                partial_success: Some(ExportTracePartialSuccess {
                    rejected_spans: i64::try_from(rejected).unwrap_or(i64::MAX),
                    error_message: error_message(counts),
                }),
            };
            Bytes::from(response.encode_to_vec())
        }
        Encoding::Json => {
            // 64-bit integers are strings in protobuf's JSON.
            let partial = json!({
                "rejectedSpans": rejected.to_string(),
                "errorMessage": error_message(counts),
            });
            Bytes::from(json!({ "partialSuccess": partial }).to_string())
        }
    }
}

fn rejected(counts: Counts) -> u64 {
    counts.rejected.iter().sum()
}

/// One sentence with a clause per reason: some 300 bytes however many spans there are.
fn error_message(counts: Counts) -> String {
    let mut message = format!("{} of {} spans rejected", rejected(counts), counts.decoded);
    let mut before = ": ";
    for (spans, reason) in counts.rejected.iter().zip(REASONS) {
        if *spans > 0 {
            // Writing to a String cannot fail.
            let _ = write!(message, "{before}{spans} {reason}");
            before = ", ";
        }
    }
    message
}

// === impl ReplyBody ===

impl ReplyBody {
    /// Only bytes.
    pub(super) fn bytes(data: Bytes) -> Self {
        Self::with_trailers(data, None)
    }

    /// Bytes, then trailers.
    pub(super) fn with_trailers(data: Bytes, trailers: Option<HeaderMap>) -> Self {
        Self {
            data: Some(data).filter(|data| !data.is_empty()),
            trailers,
        }
    }
}

impl Body for ReplyBody {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let frame = match self.data.take() {
            Some(data) => Some(Frame::data(data)),
            None => self.trailers.take().map(Frame::trailers),
        };
        Poll::Ready(frame.map(Ok))
    }

    fn is_end_stream(&self) -> bool {
        self.data.is_none() && self.trailers.is_none()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.data.as_ref().map_or(0, |data| data.len() as u64))
    }
}
