//! `/api/v1/services` and `/api/v1/namespaces`: names with counts, for completion.

use std::sync::Arc;

use axum::extract::{RawQuery, State};
use axum::response::Response;
use http::HeaderMap;

use super::memo::Made;
use super::problem::Problem;
use super::snapshot::{defect, unbuilt};
use super::windowed::Windowed;
use super::{Shared, hidden};
use crate::render::{Undrawn, json};
use crate::topology::{self, Params, Query, Topology};

/// Parameters of both.
const NAMES: [&str; 5] = ["window", "at", "namespace", "service", "exclude"];

type Write = fn(&Topology, &mut Vec<u8>) -> serde_json::Result<()>;

pub(super) async fn services(
    State(shared): State<Arc<Shared>>,
    RawQuery(raw): RawQuery,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    answer(shared, raw, headers, "services", json::write_services).await
}

pub(super) async fn namespaces(
    State(shared): State<Arc<Shared>>,
    RawQuery(raw): RawQuery,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    answer(shared, raw, headers, "namespaces", json::write_namespaces).await
}

async fn answer(
    shared: Arc<Shared>,
    raw: Option<String>,
    headers: HeaderMap,
    what: &str,
    write: Write,
) -> Result<Response, Problem> {
    let params = Params::decode(raw.as_deref().unwrap_or_default());
    Windowed::take(
        what.to_owned(),
        &NAMES,
        params,
        &headers,
        &shared.state.dimensions,
    )?
    .answer(shared, &headers, move |shared, query, resolved| {
        let echo = query.echo();
        let query = Query {
            top: usize::MAX,
            quantiles: Vec::new(),
            ..query.clone()
        };
        let frame = shared.frame(resolved, &query);
        let mut found =
            topology::build(shared.merge(resolved)?, &frame).map_err(|error| unbuilt(&error))?;
        found.query = echo;
        let mut body = Vec::new();
        write(&found, &mut body).map_err(|error| defect(&error))?;
        Ok(Made {
            bytes: body.into(),
            field: hidden::of_graph(found.hidden, Undrawn::default()),
        })
    })
    .await
}
