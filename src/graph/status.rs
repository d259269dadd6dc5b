//! Names of protocols and status classes, as edges carry them.

use crate::span::{CallStatus, Protocol};

/// Protocols of calls whose spans say one, at their [`Protocol`] number; the first is "unknown" and never written.
pub(super) const PROTOCOLS: [&str; 6] = ["", "http", "grpc", "rpc", "db", "messaging"];

/// Status classes: few and fixed, so that hostile codes cannot fill an edge.
pub(super) const STATUSES: [&str; 23] = [
    "http:ok",
    "http:429",
    "http:4xx",
    "http:5xx",
    "http:other",
    "grpc:OK",
    "grpc:CANCELLED",
    "grpc:UNKNOWN",
    "grpc:INVALID_ARGUMENT",
    "grpc:DEADLINE_EXCEEDED",
    "grpc:NOT_FOUND",
    "grpc:ALREADY_EXISTS",
    "grpc:PERMISSION_DENIED",
    "grpc:RESOURCE_EXHAUSTED",
    "grpc:FAILED_PRECONDITION",
    "grpc:ABORTED",
    "grpc:OUT_OF_RANGE",
    "grpc:UNIMPLEMENTED",
    "grpc:INTERNAL",
    "grpc:UNAVAILABLE",
    "grpc:DATA_LOSS",
    "grpc:UNAUTHENTICATED",
    "grpc:other",
];

/// Place of `grpc:OK` in [`STATUSES`]; gRPC code n stands n further.
const GRPC_OK: usize = 5;

/// Place of a call's status class in [`STATUSES`]; `None` when its spans name no code.
pub(super) fn class(status: CallStatus) -> Option<usize> {
    if status.code == 0 {
        return None;
    }
    match status.protocol {
        Protocol::Http => Some(match status.code {
            100..=399 => 0,
            429 => 1,
            400..=499 => 2,
            500..=599 => 3,
            _ => 4,
        }),
        Protocol::Grpc => {
            let code = usize::from(status.code) - 1;
            Some((GRPC_OK + code).min(STATUSES.len() - 1))
        }
        Protocol::Unknown | Protocol::Rpc | Protocol::Db | Protocol::Messaging => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_code_belongs_to_the_class_its_protocol_names() {
        let name = |protocol, code| class(CallStatus { protocol, code }).map(|at| STATUSES[at]);
        assert_eq!(name(Protocol::Http, 204), Some("http:ok"));
        assert_eq!(name(Protocol::Http, 429), Some("http:429"));
        assert_eq!(name(Protocol::Http, 404), Some("http:4xx"));
        assert_eq!(name(Protocol::Http, 503), Some("http:5xx"));
        assert_eq!(name(Protocol::Http, 999), Some("http:other"));
        assert_eq!(name(Protocol::Grpc, 1), Some("grpc:OK"));
        assert_eq!(name(Protocol::Grpc, 15), Some("grpc:UNAVAILABLE"));
        assert_eq!(name(Protocol::Grpc, 17), Some("grpc:UNAUTHENTICATED"));
        assert_eq!(name(Protocol::Grpc, 18), Some("grpc:other"));
        assert_eq!(name(Protocol::Http, 0), None);
        assert_eq!(name(Protocol::Unknown, 200), None);
    }
}
