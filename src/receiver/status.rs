//! `google.rpc.Status` and the two details we send, as protobuf and as JSON.
//!
//! The fields are those of googleapis' `google/rpc/status.proto` and `error_details.proto`; a few derives are lighter
//! than a crate with all of them.

use bytes::Bytes;
use prost::Message as _;
use serde_json::json;
use tonic::Code;

use super::Encoding;
use super::refusal::{Answer, Refusal};

/// `google.rpc.Status`.
#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct RpcStatus {
    #[prost(int32, tag = "1")]
    pub(super) code: i32,
    #[prost(string, tag = "2")]
    pub(super) message: String,
    #[prost(message, repeated, tag = "3")]
    pub(super) details: Vec<Any>,
}

/// `google.protobuf.Any`.
#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct Any {
    #[prost(string, tag = "1")]
    pub(super) type_url: String,
    #[prost(bytes = "vec", tag = "2")]
    pub(super) value: Vec<u8>,
}

/// `google.rpc.RetryInfo`.
#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct RetryInfo {
    #[prost(message, optional, tag = "1")]
    pub(super) retry_delay: Option<Duration>,
}

/// `google.protobuf.Duration`.
#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct Duration {
    #[prost(int64, tag = "1")]
    pub(super) seconds: i64,
}

/// `google.rpc.BadRequest`.
#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct BadRequest {
    #[prost(message, repeated, tag = "1")]
    pub(super) field_violations: Vec<FieldViolation>,
}

/// `google.rpc.BadRequest.FieldViolation`.
#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct FieldViolation {
    #[prost(string, tag = "1")]
    pub(super) field: String,
    #[prost(string, tag = "2")]
    pub(super) description: String,
}

const RETRY_INFO: &str = "type.googleapis.com/google.rpc.RetryInfo";
const BAD_REQUEST: &str = "type.googleapis.com/google.rpc.BadRequest";

/// The one field a request has for us: as a whole it could not be read.
const WHOLE_REQUEST: &str = "request";

/// The gRPC status. Details only where they say more than the code: a hint when to retry, or what was undecodable.
/// `RESOURCE_EXHAUSTED` must have none, since with a `RetryInfo` it would mean "try again".
pub(super) fn grpc(refusal: &Refusal, answer: &Answer) -> tonic::Status {
    let details = details(refusal, answer);
    if details.is_empty() {
        return tonic::Status::new(answer.grpc, answer.message.as_ref());
    }
    let body = rpc_status(answer, details).encode_to_vec();
    tonic::Status::with_details(answer.grpc, answer.message.as_ref(), Bytes::from(body))
}

/// The HTTP body, in `encoding`.
pub(super) fn http(refusal: &Refusal, answer: &Answer, encoding: Encoding) -> Bytes {
    let body = match encoding {
        Encoding::Protobuf => rpc_status(answer, details(refusal, answer)).encode_to_vec(),
        Encoding::Json => json(refusal, answer).to_string().into_bytes(),
    };
    Bytes::from(body)
}

fn rpc_status(answer: &Answer, details: Vec<Any>) -> RpcStatus {
    RpcStatus {
        code: i32::from(answer.grpc),
        message: answer.message.to_string(),
        details,
    }
}

fn details(refusal: &Refusal, answer: &Answer) -> Vec<Any> {
    let mut details = Vec::new();
    if let Some(seconds) = refusal.retry_after_s() {
        let info = RetryInfo {
            retry_delay: Some(Duration {
                seconds: i64::from(seconds),
            }),
        };
        details.push(Any {
            type_url: RETRY_INFO.into(),
            value: info.encode_to_vec(),
        });
    }
    if is_bad_request(refusal) {
        let bad = BadRequest {
            field_violations: vec![FieldViolation {
                field: WHOLE_REQUEST.into(),
                description: answer.message.to_string(),
            }],
        };
        details.push(Any {
            type_url: BAD_REQUEST.into(),
            value: bad.encode_to_vec(),
        });
    }
    details
}

fn json(refusal: &Refusal, answer: &Answer) -> serde_json::Value {
    let mut details = Vec::new();
    if let Some(seconds) = refusal.retry_after_s() {
        details.push(json!({"@type": RETRY_INFO, "retryDelay": format!("{seconds}s")}));
    }
    if is_bad_request(refusal) {
        let violation = json!({"field": WHOLE_REQUEST, "description": answer.message});
        details.push(json!({"@type": BAD_REQUEST, "fieldViolations": [violation]}));
    }
    let code = i32::from(answer.grpc);
    if details.is_empty() {
        json!({"code": code, "message": answer.message})
    } else {
        json!({"code": code, "message": answer.message, "details": details})
    }
}

fn is_bad_request(refusal: &Refusal) -> bool {
    matches!(refusal, Refusal::Invalid(_)) && refusal.answer().grpc == Code::InvalidArgument
}
