//! `grpc.health.v1.Health`: a listener serves until its shutdown begins. Nothing is bound before it can serve, so there
//! is no third state.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::time::{Interval, interval};
use tonic::codegen::tokio_stream::Stream;
use tonic::{Request, Response, Status};
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_server;
use tonic_health::pb::{HealthCheckRequest, HealthCheckResponse};

use super::Shutdown;

/// The health of one listener.
#[derive(Debug, Clone)]
pub struct Health {
    /// The services it answers for, besides the whole ("").
    services: &'static [&'static str],
    shutdown: Shutdown,
}

/// The tonic service.
pub type HealthServer = health_server::HealthServer<Health>;

/// What one watcher is sent: the status now, again at each change, and in between often enough that the stream does
/// not count as stalled. It ends with the change to `NOT_SERVING`, so that it does not hold the drain up.
pub struct Statuses {
    now: ServingStatus,
    again: Interval,
    draining: Pin<Box<dyn Future<Output = ()> + Send>>,
    ended: bool,
}

/// Bytes of a request: the name of a service.
const MAX_REQUEST: usize = 4096;

/// Well under [`super::Limits::idle_timeout`].
const AGAIN: Duration = Duration::from_secs(20);

// === impl Health ===

impl Health {
    /// Health of a listener that stops with `shutdown`.
    pub fn new(services: &'static [&'static str], shutdown: Shutdown) -> Self {
        Self { services, shutdown }
    }

    /// The service to mount.
    pub fn server(self) -> HealthServer {
        HealthServer::new(self).max_decoding_message_size(MAX_REQUEST)
    }

    fn status(&self, service: &str) -> ServingStatus {
        if !service.is_empty() && !self.services.contains(&service) {
            ServingStatus::ServiceUnknown
        } else if self.shutdown.is_begun() {
            ServingStatus::NotServing
        } else {
            ServingStatus::Serving
        }
    }
}

#[tonic::async_trait]
impl health_server::Health for Health {
    type WatchStream = Statuses;

    async fn check(
        &self,
        request: Request<HealthCheckRequest>,
    ) -> Result<Response<HealthCheckResponse>, Status> {
        match self.status(&request.into_inner().service) {
            ServingStatus::ServiceUnknown => Err(Status::not_found("no such service here")),
            status => Ok(Response::new(response(status))),
        }
    }

    async fn watch(
        &self,
        request: Request<HealthCheckRequest>,
    ) -> Result<Response<Statuses>, Status> {
        let mut shutdown = self.shutdown.clone();
        Ok(Response::new(Statuses {
            now: self.status(&request.into_inner().service),
            again: interval(AGAIN),
            draining: Box::pin(async move { shutdown.begun().await }),
            ended: false,
        }))
    }
}

// === impl Statuses ===

impl Stream for Statuses {
    type Item = Result<HealthCheckResponse, Status>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if self.ended {
            return Poll::Ready(None);
        }
        if self.draining.as_mut().poll(cx).is_ready() {
            self.ended = true;
            if self.now == ServingStatus::Serving {
                self.now = ServingStatus::NotServing;
            }
        } else {
            // The first tick is at once.
            ready!(self.again.poll_tick(cx));
        }
        Poll::Ready(Some(Ok(response(self.now))))
    }
}

impl fmt::Debug for Statuses {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Statuses")
            .field("now", &self.now)
            .field("ended", &self.ended)
            .finish_non_exhaustive()
    }
}

fn response(status: ServingStatus) -> HealthCheckResponse {
    HealthCheckResponse {
        status: status.into(),
    }
}
