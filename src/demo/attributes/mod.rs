//! Attributes as instrumentation of either age writes them. Whoever reads the graph sees no difference: that is the point.

mod stores;
mod web;

use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue, any_value::Value};
use opentelemetry_proto::tonic::trace::v1::span::SpanKind;

use super::script::{Entry, Operation};
use super::service::Conventions;

pub(super) use stores::{query, sent};
use web::GrpcCall;
pub(super) use web::HttpCall;

/// How a call ended for the side that tells it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Answer {
    Fine,
    Failed,
    /// The caller had no more patience.
    TimedOut,
}

/// What one side tells of a call.
#[derive(Debug)]
pub(super) struct Told {
    /// The span's name.
    pub(super) name: String,
    pub(super) attributes: Vec<KeyValue>,
}

// === impl Answer ===

impl Answer {
    pub(super) fn of(failed: bool) -> Self {
        if failed { Self::Failed } else { Self::Fine }
    }
}

/// The span of the service that does `operation`.
pub(super) fn inbound(
    operation: &Operation,
    answer: Answer,
    conventions: Conventions,
) -> (SpanKind, Told) {
    let host = operation.service.host();
    match operation.entry {
        Entry::Http(method, path) => {
            let call = HttpCall::within_the_shop(method, path, &host, answer);
            (SpanKind::Server, call.server(conventions))
        }
        Entry::Grpc(service, method) => {
            let call = GrpcCall {
                service,
                method,
                host: &host,
                answer,
            };
            (SpanKind::Server, call.server(conventions))
        }
        Entry::Topic(topic) => (SpanKind::Consumer, stores::processed(topic, conventions)),
    }
}

/// What the caller of `operation` tells.
pub(super) fn outbound(operation: &Operation, answer: Answer, conventions: Conventions) -> Told {
    let host = operation.service.host();
    match operation.entry {
        Entry::Http(method, path) => {
            HttpCall::within_the_shop(method, path, &host, answer).client(conventions)
        }
        Entry::Grpc(service, method) => {
            let call = GrpcCall {
                service,
                method,
                host: &host,
                answer,
            };
            call.client(conventions)
        }
        Entry::Topic(topic) => sent(topic, conventions),
    }
}

/// A string attribute.
pub(super) fn text(key: &str, value: impl Into<String>) -> KeyValue {
    keyed(key, Value::StringValue(value.into()))
}

fn number(key: &str, value: impl Into<i64>) -> KeyValue {
    keyed(key, Value::IntValue(value.into()))
}

fn keyed(key: &str, value: Value) -> KeyValue {
    KeyValue {
        key: key.to_owned(),
        value: Some(AnyValue { value: Some(value) }),
        ..KeyValue::default()
    }
}
