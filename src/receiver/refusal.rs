//! Everything that can be wrong with a request, and what each transport says to it.
//!
//! Only [`Refusal::NoRoom`], [`Refusal::Draining`], [`Refusal::TooSlow`] and [`Refusal::DeadlineExceeded`] invite a
//! retry: they alone may get a code that OTLP's tables call retryable, because a client resends whatever gets one.

use std::borrow::Cow;

use ::http::StatusCode;
use tonic::Code;

use super::counters::Class;
use crate::net::Refused;
use crate::otlp::Malformed;

/// Why a request was not counted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Refusal {
    /// More bytes than a message may have, as sent or inflated.
    TooLarge { limit: usize },
    /// Framing, compression or encoding that cannot be read.
    Invalid(Cow<'static, str>),
    /// No room for its bytes.
    NoRoom,
    /// The daemon is stopping.
    Draining,
    /// The body came too slowly.
    TooSlow,
    /// The client's own `grpc-timeout` was over before anything was counted.
    DeadlineExceeded,
    /// gRPC framing that contradicts itself: a compressed message without an encoding, say.
    Framing(&'static str),
    /// A content coding nobody asked us to read.
    UnknownCoding,
    /// A media type that is not read here.
    MediaType(&'static str),
    /// No such method (gRPC) or path (HTTP).
    NotFound(&'static str),
    /// Not POST.
    Method,
    /// The handler panicked.
    Panicked,
}

/// What is said to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Answer {
    pub(super) grpc: Code,
    pub(super) http: StatusCode,
    pub(super) class: Class,
    pub(super) message: Cow<'static, str>,
}

// === impl Refusal ===

impl Refusal {
    /// The row of the table.
    pub(super) fn answer(&self) -> Answer {
        use StatusCode as H;
        let row = |grpc, http, class, message: &'static str| Answer {
            grpc,
            http,
            class,
            message: Cow::Borrowed(message),
        };
        match self {
            Self::TooLarge { limit } => Answer {
                message: Cow::Owned(format!(
                    "the message is larger than {limit} bytes, as sent or inflated"
                )),
                ..row(
                    Code::ResourceExhausted,
                    H::PAYLOAD_TOO_LARGE,
                    Class::TooLarge,
                    "",
                )
            },
            Self::Invalid(what) => Answer {
                message: what.clone(),
                ..row(Code::InvalidArgument, H::BAD_REQUEST, Class::Invalid, "")
            },
            Self::NoRoom => row(
                Code::Unavailable,
                H::SERVICE_UNAVAILABLE,
                Class::Overload,
                "too many bytes in flight, try again later",
            ),
            Self::Draining => row(
                Code::Unavailable,
                H::SERVICE_UNAVAILABLE,
                Class::Draining,
                "shutting down, try again later",
            ),
            Self::TooSlow => row(
                Code::Unavailable,
                H::SERVICE_UNAVAILABLE,
                Class::TooSlow,
                "the request body came too slowly",
            ),
            Self::DeadlineExceeded => row(
                Code::DeadlineExceeded,
                H::SERVICE_UNAVAILABLE,
                Class::TooSlow,
                "the client's deadline was over, nothing was counted",
            ),
            Self::Framing(what) => row(Code::Internal, H::BAD_REQUEST, Class::Invalid, what),
            Self::UnknownCoding => row(
                Code::Unimplemented,
                H::UNSUPPORTED_MEDIA_TYPE,
                Class::Unsupported,
                "this content coding is not read",
            ),
            Self::MediaType(what) => row(
                Code::InvalidArgument,
                H::UNSUPPORTED_MEDIA_TYPE,
                Class::Unsupported,
                what,
            ),
            Self::NotFound(what) => {
                row(Code::Unimplemented, H::NOT_FOUND, Class::Unsupported, what)
            }
            Self::Method => row(
                Code::Unimplemented,
                H::METHOD_NOT_ALLOWED,
                Class::Unsupported,
                "only POST is allowed",
            ),
            Self::Panicked => row(
                Code::Internal,
                H::INTERNAL_SERVER_ERROR,
                Class::Internal,
                "internal error",
            ),
        }
    }

    /// Seconds after which to try again, where that is worth it. A client's own deadline is its own affair.
    pub(super) fn retry_after_s(&self) -> Option<u32> {
        matches!(self, Self::NoRoom | Self::Draining | Self::TooSlow)
            .then_some(super::RETRY_AFTER_S)
    }
}

impl From<Refused> for Refusal {
    fn from(_: Refused) -> Self {
        Self::NoRoom
    }
}

impl From<Malformed> for Refusal {
    fn from(malformed: Malformed) -> Self {
        Self::Invalid(Cow::Owned(malformed.to_string()))
    }
}
