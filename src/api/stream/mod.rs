//! `/api/v1/stream` and `WatchTopology`: the graph as it changes.
//!
//! A reader pulls: what it has not taken when something newer comes is not kept for it, and it goes on with the newest
//! state whole. So no queue grows, and the slowest reader costs what the fastest does.

mod delta;
mod event;
mod feed;
mod figures;
mod hub;
mod reader;

use std::convert::Infallible;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::{RawQuery, State};
use axum::response::{IntoResponse, Response};
use futures_util::stream::unfold;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderMap, HeaderName, HeaderValue};
use tonic::Status;

use super::Shared;
use super::format::welcome;
use super::problem::Problem;
use super::snapshot::Asked;
use crate::proto::GetTopologyResponse;
use crate::render::{Format, View};
use crate::topology::{Params, times};
use feed::{Ask, Newest};
pub(super) use hub::{Hub, MAX_QUERIES, MAX_STREAMS, Place};
use reader::Reader;

const CONTENT: &str = "text/event-stream";

/// Seconds from one event to the next: default and bounds.
const EVERY_S: u64 = 5;
const MAX_EVERY_S: u64 = 60;

/// Asks proxies that buffer answers not to.
const NO_BUFFERING: HeaderName = HeaderName::from_static("x-accel-buffering");

pub(super) async fn stream(
    State(shared): State<Arc<Shared>>,
    RawQuery(raw): RawQuery,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let ask = read(&shared, raw.as_deref().unwrap_or_default(), true)?;
    if ask.asked.format != Format::Json {
        let format = ask.asked.format.name();
        return Err(Problem::parameter("format", format, "must be json"));
    }
    welcome(&headers, CONTENT)?;
    let place = join(&shared, ask).await?;
    let reader = Reader::new(place, shared.state.ending.clone());
    let events = unfold(reader, |mut reader| async {
        let chunk = reader.next().await?;
        Some((Ok::<_, Infallible>(chunk), reader))
    });
    let mut response = Body::from_stream(events).into_response();
    let fields = response.headers_mut();
    fields.insert(CONTENT_TYPE, HeaderValue::from_static(CONTENT));
    fields.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    fields.insert(NO_BUFFERING, HeaderValue::from_static("no"));
    Ok(response)
}

/// Every new state whole, for gRPC; `fail` words a problem.
pub(super) async fn watch(
    shared: &Arc<Shared>,
    raw: &str,
    fail: fn(&Problem) -> Status,
) -> Result<
    impl futures_util::Stream<Item = Result<GetTopologyResponse, Status>> + Send + use<>,
    Problem,
> {
    let ask = read(shared, raw, false)?;
    let content_type = ask.asked.format.content_type();
    let place = join(shared, ask).await?;
    let reader = Reader::new(place, shared.state.ending.clone());
    Ok(unfold(reader, move |mut reader| async move {
        let message = match reader.newest().await? {
            Ok(state) => Ok(GetTopologyResponse {
                content_type: content_type.to_owned(),
                body: state.body.clone(),
                etag: state.etag.clone(),
            }),
            Err(problem) => Err(fail(&problem)),
        };
        Some((message, reader))
    }))
}

fn read(shared: &Shared, raw: &str, deltas: bool) -> Result<Ask, Problem> {
    let mut params = Params::decode(raw);
    let every_s = params.read("every", every).unwrap_or(EVERY_S);
    let dimensions = &shared.state.dimensions;
    let asked = Asked::take(View::Graph, None, params, &HeaderMap::new(), dimensions)?;
    Ok(Ask {
        asked: Arc::new(asked),
        every_s,
        deltas,
    })
}

fn every(text: &str) -> Result<u64, String> {
    let seconds = times::duration(text).ok().filter(|s| *s <= MAX_EVERY_S);
    seconds.ok_or_else(|| format!("must be a length from 1s to {MAX_EVERY_S}s"))
}

/// A place at the feed of `ask`, once that has something to show.
async fn join(shared: &Arc<Shared>, ask: Ask) -> Result<Place, Problem> {
    if shared.state.ending.is_begun() {
        return Err(Problem::NotReady(Vec::new()));
    }
    // What cannot be answered must not take a place.
    Arc::clone(&ask.asked).prepare(shared)?;
    let feeding = Arc::clone(shared);
    let mut place = shared.hub.join(ask.key(), |newest| {
        tokio::spawn(ask.run(feeding, newest)).abort_handle()
    })?;
    loop {
        match place.look() {
            Newest::State(_) => return Ok(place),
            Newest::Ended(problem) => return Err(problem),
            Newest::Pending if place.changed().await => {}
            Newest::Pending => return Err(Problem::Internal),
        }
    }
}
