//! `spangraph.v1.TopologyService`: the same bodies over gRPC; beside it, health and reflection.

use std::pin::Pin;
use std::sync::Arc;

use http::HeaderMap;
use tonic::codegen::tokio_stream::Stream;
use tonic::metadata::MetadataMap;
use tonic::service::RoutesBuilder;
use tonic::{Request, Response, Status};

use super::guard::MAX_URI;
use super::memo::Field;
use super::problem::Problem;
use super::snapshot::Asked;
use super::{Shared, reflection, stream};
use crate::net::Health;
use crate::proto::topology_service_server::{SERVICE_NAME, TopologyService, TopologyServiceServer};
use crate::proto::{GetTopologyRequest, GetTopologyResponse, WatchTopologyRequest};
use crate::render::View;

struct Topologies {
    shared: Arc<Shared>,
}

/// The gRPC routes; an unknown method answers `UNIMPLEMENTED`.
pub(super) fn routes(shared: Arc<Shared>) -> axum::Router {
    let mut routes = RoutesBuilder::default();
    routes.add_service(Health::new(&[SERVICE_NAME], shared.state.draining.clone()).server());
    routes.add_service(TopologyServiceServer::new(Topologies { shared }));
    if let Err(error) = reflection::add(&mut routes) {
        tracing::error!(%error, "gRPC reflection is not served");
    }
    routes.routes().prepare().into_axum_router()
}

#[tonic::async_trait]
impl TopologyService for Topologies {
    type WatchTopologyStream =
        Pin<Box<dyn Stream<Item = Result<GetTopologyResponse, Status>> + Send>>;

    async fn get_topology(
        &self,
        request: Request<GetTopologyRequest>,
    ) -> Result<Response<GetTopologyResponse>, Status> {
        let raw = request.into_inner().query;
        check_length(&raw)?;
        let answer = answer(&self.shared, &raw).await;
        let (message, field) = answer.map_err(|problem| status(&problem))?;
        let mut response = Response::new(message);
        *response.metadata_mut() = MetadataMap::from_headers(field.into_iter().collect());
        Ok(response)
    }

    async fn watch_topology(
        &self,
        request: Request<WatchTopologyRequest>,
    ) -> Result<Response<Self::WatchTopologyStream>, Status> {
        let raw = request.into_inner().query;
        check_length(&raw)?;
        let states = stream::watch(&self.shared, &raw, status).await;
        let states = states.map_err(|problem| status(&problem))?;
        Ok(Response::new(Box::pin(states)))
    }
}

fn check_length(raw: &str) -> Result<(), Status> {
    // As long as a URI may be.
    if raw.len() <= MAX_URI {
        return Ok(());
    }
    let detail = format!("query longer than {MAX_URI} bytes");
    Err(Status::invalid_argument(detail))
}

/// The message, and what of the graph is not in it: as over HTTP, beside a body that may have no room for it.
async fn answer(
    shared: &Arc<Shared>,
    raw: &str,
) -> Result<(GetTopologyResponse, Option<Field>), Problem> {
    let asked = Asked::read(
        View::Graph,
        None,
        raw,
        &HeaderMap::new(),
        &shared.state.dimensions,
    )?;
    let content_type = asked.format.content_type().to_owned();
    asked.settle(shared).await;
    let prepared = Arc::new(asked).prepare(shared)?;
    let etag = prepared.etag.clone();
    let made = prepared.body(shared).await?;
    let message = GetTopologyResponse {
        content_type,
        body: made.bytes,
        etag,
    };
    Ok((message, made.field))
}

pub(super) fn status(problem: &Problem) -> Status {
    let detail = problem.detail();
    match problem {
        Problem::InvalidParameters(_) | Problem::NotAcceptable(_) | Problem::UriTooLong(_) => {
            Status::invalid_argument(detail)
        }
        Problem::NotFound(_) => Status::not_found(detail),
        Problem::WindowExpired { .. } => Status::out_of_range(detail),
        Problem::NotReady(_) | Problem::Busy | Problem::TooManyStreams(_) => {
            Status::unavailable(detail)
        }
        Problem::Misdirected | Problem::NoHost => Status::permission_denied(detail),
        Problem::Unauthorized => Status::unauthenticated(detail),
        Problem::MethodNotAllowed => Status::unimplemented(detail),
        Problem::Internal => Status::internal(detail),
    }
}
