//! Spans as the shop's SDKs would make them, and the requests they export.

use bytes::Bytes;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::InstrumentationScope;
use opentelemetry_proto::tonic::trace::v1::status::StatusCode;
use opentelemetry_proto::tonic::trace::v1::{
    ResourceSpans, ScopeSpans, Span, Status, span::SpanKind,
};
use prost::Message as _;

use super::attributes::Told;
use super::service::{Conventions, Service, Transport};
use crate::span::{FLAG_HAS_IS_REMOTE, FLAG_IS_REMOTE};

/// An instance of a service, inside one of its spans.
#[derive(Debug, Clone, Copy)]
pub(super) struct Here {
    pub(super) service: &'static Service,
    pub(super) instance: u8,
    pub(super) span: u64,
}

/// All of a span but its ids.
#[derive(Debug)]
pub(super) struct Draft {
    pub(super) kind: SpanKind,
    pub(super) told: Told,
    /// Start and end, unix nanoseconds.
    pub(super) times: [u64; 2],
    pub(super) failed: bool,
}

/// A span and the process that will export it.
#[derive(Debug, Clone)]
pub(super) struct Made {
    pub(super) service: &'static Service,
    pub(super) instance: u8,
    pub(super) span: Span,
}

/// One export of one instance of a service.
#[derive(Debug)]
pub(super) struct Export {
    pub(super) transport: Transport,
    pub(super) spans: u64,
    /// An `ExportTraceServiceRequest`, encoded.
    pub(super) body: Bytes,
}

/// W3C's trace flag "sampled": all traces here are.
const SAMPLED: u32 = 1;

// === impl Here ===

impl Here {
    pub(super) fn conventions(self) -> Conventions {
        self.service.language.conventions()
    }

    /// The span of id `id`, made here. A parent other than the span we are in is in another process.
    pub(super) fn made(self, trace: &[u8], id: u64, parent: Option<u64>, draft: Draft) -> Made {
        let code = if draft.failed {
            StatusCode::Error
        } else {
            StatusCode::Unset
        };
        let [start_time_unix_nano, end_time_unix_nano] = draft.times;
        let remote = parent.is_some_and(|parent| parent != self.span);
        Made {
            service: self.service,
            instance: self.instance,
            span: Span {
                trace_id: trace.to_vec(),
                span_id: id.to_be_bytes().to_vec(),
                parent_span_id: parent.map_or_else(Vec::new, |id| id.to_be_bytes().to_vec()),
                flags: SAMPLED | self.remoteness(remote),
                name: draft.told.name,
                kind: draft.kind.into(),
                start_time_unix_nano,
                end_time_unix_nano,
                attributes: draft.told.attributes,
                status: Some(Status {
                    code: code.into(),
                    ..Status::default()
                }),
                ..Span::default()
            },
        }
    }

    /// Flags that SDKs of the old conventions' age do not know.
    fn remoteness(self, remote: bool) -> u32 {
        match (self.conventions(), remote) {
            (Conventions::Old, _) => 0,
            (Conventions::New, true) => FLAG_HAS_IS_REMOTE | FLAG_IS_REMOTE,
            (Conventions::New, false) => FLAG_HAS_IS_REMOTE,
        }
    }
}

// === impl Export ===

impl Export {
    /// Of spans that one instance of `service` made.
    pub(super) fn of(service: &Service, instance: u8, spans: Vec<Span>) -> Self {
        let count = spans.len() as u64;
        let scope = InstrumentationScope {
            name: service.language.scope().to_owned(),
            ..InstrumentationScope::default()
        };
        let request = ExportTraceServiceRequest {
            resource_spans: vec![ResourceSpans {
                resource: Some(service.resource(instance)),
                scope_spans: vec![ScopeSpans {
                    scope: Some(scope),
                    spans,
                    ..ScopeSpans::default()
                }],
                ..ResourceSpans::default()
            }],
        };
        Self {
            transport: service.language.transport(),
            spans: count,
            body: request.encode_to_vec().into(),
        }
    }
}
