//! `/api/v1/unpaired`: why an edge is missing.

use std::sync::Arc;

use axum::extract::{RawQuery, State};
use axum::response::Response;
use bytes::Bytes;
use http::HeaderMap;

use super::Shared;
use super::memo::Outcome;
use super::problem::Problem;
use super::snapshot::{defect, unbuilt};
use super::windowed::Windowed;
use crate::history::Resolved;
use crate::render::json;
use crate::topology::{self, Params, Query};

const NAMES: [&str; 5] = ["window", "at", "namespace", "service", "exclude"];

pub(super) async fn unpaired(
    State(shared): State<Arc<Shared>>,
    RawQuery(raw): RawQuery,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let params = Params::decode(raw.as_deref().unwrap_or_default());
    Windowed::take(
        "unpaired".to_owned(),
        &NAMES,
        params,
        &headers,
        &shared.state.dimensions,
    )?
    .answer(shared, &headers, build)
    .await
}

fn build(shared: &Shared, query: &Query, resolved: &Resolved) -> Outcome {
    let frame = shared.frame(resolved, query);
    let found =
        topology::unpaired(shared.merge(resolved)?, &frame).map_err(|error| unbuilt(&error))?;
    let mut body = Vec::new();
    json::write_unpaired(&found, &mut body).map_err(|error| defect(&error))?;
    Ok(Bytes::from(body).into())
}
