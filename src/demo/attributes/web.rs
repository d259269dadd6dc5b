//! HTTP and gRPC, from both ends.

use opentelemetry_proto::tonic::common::v1::KeyValue;

use super::{Answer, Told, number, text};
use crate::demo::service::Conventions;

/// One HTTP request.
#[derive(Debug)]
pub(in crate::demo) struct HttpCall<'a> {
    pub(in crate::demo) method: &'a str,
    /// Path or route.
    pub(in crate::demo) path: &'a str,
    pub(in crate::demo) host: &'a str,
    pub(in crate::demo) secure: bool,
    /// How often it was sent before.
    pub(in crate::demo) resent: u8,
    pub(in crate::demo) answer: Answer,
}

/// One unary gRPC call.
#[derive(Debug)]
pub(super) struct GrpcCall<'a> {
    /// Full name of the service.
    pub(super) service: &'a str,
    pub(super) method: &'a str,
    pub(super) host: &'a str,
    pub(super) answer: Answer,
}

/// Where services of the shop listen.
const HTTP_PORT: u16 = 8080;
const GRPC_PORT: u16 = 9090;

// === impl HttpCall ===

impl<'a> HttpCall<'a> {
    /// One service of the shop asks another at `host`.
    pub(super) fn within_the_shop(
        method: &'a str,
        path: &'a str,
        host: &'a str,
        answer: Answer,
    ) -> Self {
        Self {
            method,
            path,
            host,
            secure: false,
            resent: 0,
            answer,
        }
    }

    pub(in crate::demo) fn client(&self, conventions: Conventions) -> Told {
        let url = format!("{}://{}{}", self.scheme(), self.authority(), self.path);
        let (name, mut attributes) = match conventions {
            Conventions::New => (
                self.method.to_owned(),
                vec![
                    text("http.request.method", self.method),
                    text("url.full", url),
                    text("server.address", self.host),
                    number("server.port", self.port()),
                ],
            ),
            Conventions::Old => (
                format!("HTTP {}", self.method),
                vec![
                    text("http.method", self.method),
                    text("http.url", url),
                    text("net.peer.name", self.host),
                    number("net.peer.port", self.port()),
                ],
            ),
        };
        if self.resent > 0 {
            attributes.push(number("http.request.resend_count", self.resent));
        }
        self.status(conventions, &mut attributes);
        Told { name, attributes }
    }

    pub(in crate::demo) fn server(&self, conventions: Conventions) -> Told {
        let mut attributes = match conventions {
            Conventions::New => vec![
                text("http.request.method", self.method),
                text("http.route", self.path),
                text("url.scheme", self.scheme()),
                text("server.address", self.host),
            ],
            Conventions::Old => vec![
                text("http.method", self.method),
                text("http.route", self.path),
                text("http.scheme", self.scheme()),
                text("net.host.name", self.host),
            ],
        };
        self.status(conventions, &mut attributes);
        Told {
            name: format!("{} {}", self.method, self.path),
            attributes,
        }
    }

    /// No code when no answer came.
    fn status(&self, conventions: Conventions, attributes: &mut Vec<KeyValue>) {
        let code: u16 = match self.answer {
            Answer::Fine => 200,
            Answer::Failed => 503,
            Answer::TimedOut => {
                attributes.push(text("error.type", "timeout"));
                return;
            }
        };
        attributes.push(match conventions {
            Conventions::New => number("http.response.status_code", code),
            Conventions::Old => number("http.status_code", code),
        });
    }

    fn scheme(&self) -> &'static str {
        if self.secure { "https" } else { "http" }
    }

    fn port(&self) -> u16 {
        if self.secure { 443 } else { HTTP_PORT }
    }

    fn authority(&self) -> String {
        if self.secure {
            self.host.to_owned()
        } else {
            format!("{}:{HTTP_PORT}", self.host)
        }
    }
}

// === impl GrpcCall ===

impl GrpcCall<'_> {
    pub(super) fn client(&self, conventions: Conventions) -> Told {
        let mut told = self.server(conventions);
        told.attributes.extend(match conventions {
            Conventions::New => [
                text("server.address", self.host),
                number("server.port", GRPC_PORT),
            ],
            Conventions::Old => [
                text("net.peer.name", self.host),
                number("net.peer.port", GRPC_PORT),
            ],
        });
        told
    }

    pub(super) fn server(&self, conventions: Conventions) -> Told {
        let name = format!("{}/{}", self.service, self.method);
        let (code, word) = match self.answer {
            Answer::Fine => (0, "OK"),
            Answer::TimedOut => (4, "DEADLINE_EXCEEDED"),
            Answer::Failed => (14, "UNAVAILABLE"),
        };
        let attributes = match conventions {
            Conventions::New => vec![
                text("rpc.system.name", "grpc"),
                text("rpc.method", name.clone()),
                text("rpc.response.status_code", word),
            ],
            Conventions::Old => vec![
                text("rpc.system", "grpc"),
                text("rpc.service", self.service),
                text("rpc.method", self.method),
                number("rpc.grpc.status_code", code),
            ],
        };
        Told { name, attributes }
    }
}
