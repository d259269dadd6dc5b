//! `/api/v1/node` and `/api/v1/edge`: one element, with its neighbours, histograms, exemplars and history.

use std::sync::Arc;

use axum::extract::{RawQuery, State};
use axum::response::Response;
use bytes::Bytes;
use http::HeaderMap;

use super::Shared;
use super::memo::Made;
use super::problem::Problem;
use super::snapshot::{defect, unbuilt};
use super::windowed::Windowed;
use crate::history::Resolved;
use crate::render::json;
use crate::slice::{Accumulator, Join};
use crate::topology::{self, Echo, Focus, Frame, Params, Query, Roster, Topology};

/// Parameters of both, besides `id`.
const NAMES: [&str; 4] = ["window", "at", "group_by", "quantiles"];

/// Most points of a history; a window of more slots is shown with that many joined in each point.
const MAX_POINTS: usize = 240;

pub(super) async fn node(
    State(shared): State<Arc<Shared>>,
    RawQuery(raw): RawQuery,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    answer(shared, raw, headers, "node", node_body).await
}

pub(super) async fn edge(
    State(shared): State<Arc<Shared>>,
    RawQuery(raw): RawQuery,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    answer(shared, raw, headers, "edge", edge_body).await
}

/// A question about one element of one window.
struct Ask<'a> {
    shared: &'a Shared,
    resolved: &'a Resolved,
    query: &'a Query,
    id: &'a str,
}

type Build = fn(&Ask<'_>) -> Result<Bytes, Problem>;

async fn answer(
    shared: Arc<Shared>,
    raw: Option<String>,
    headers: HeaderMap,
    what: &str,
    build: Build,
) -> Result<Response, Problem> {
    let mut params = Params::decode(raw.as_deref().unwrap_or_default());
    let id = params.one("id").unwrap_or_default();
    if id.is_empty() {
        let article = if what == "edge" { "an" } else { "a" };
        let reason = format!("must be the id of {article} {what} in the graph");
        params.reject("id", "", &reason);
    }
    Windowed::take(
        format!("{what} {id:?}"),
        &NAMES,
        params,
        &headers,
        &shared.state.dimensions,
    )?
    .answer(shared, &headers, move |shared, query, resolved| {
        let body = build(&Ask {
            shared,
            resolved,
            query,
            id: &id,
        });
        body.map(Made::from)
    })
    .await
}

fn node_body(ask: &Ask<'_>) -> Result<Bytes, Problem> {
    let query = ask.focused(&[ask.id], 1);
    let merged = ask.shared.merge(ask.resolved)?;
    let roster = Roster::of(&merged).map_err(|error| unbuilt(&error))?;
    let frame = ask.shared.frame(ask.resolved, &query);
    let mut found = topology::build(merged, &frame).map_err(|error| unbuilt(&error))?;
    topology::around(&mut found, ask.id);
    found.query = ask.echo();
    let node = found.nodes.iter().find(|n| n.counted.id == ask.id);
    let node = node.ok_or_else(|| ask.unknown("node"))?;
    let history = ask.history(&roster, &query)?;
    let mut body = Vec::new();
    json::write_node(&found, node, &history, &mut body).map_err(|error| defect(&error))?;
    Ok(body.into())
}

fn edge_body(ask: &Ask<'_>) -> Result<Bytes, Problem> {
    let query = ask.whole();
    let merged = ask.shared.merge(ask.resolved)?;
    let roster = Roster::of(&merged).map_err(|error| unbuilt(&error))?;
    let frame = ask.shared.frame(ask.resolved, &query);
    let mut found = topology::build(merged, &frame).map_err(|error| unbuilt(&error))?;
    found.query = ask.echo();
    let edge = found.edges.iter().find(|e| e.id == ask.id);
    let edge = edge.ok_or_else(|| ask.unknown("edge"))?;
    let history = ask.history(&roster, &ask.focused(&[&edge.client, &edge.server], 0))?;
    let mut body = Vec::new();
    json::write_edge(&found, edge, &history, &mut body).map_err(|error| defect(&error))?;
    Ok(body.into())
}

// === impl Ask ===

impl Ask<'_> {
    fn unknown(&self, what: &str) -> Problem {
        Problem::unknown(what, self.id)
    }

    /// The whole graph with all details.
    fn whole(&self) -> Query {
        Query {
            top: usize::MAX,
            histograms: true,
            exemplars: true,
            ..self.query.clone()
        }
    }

    /// Only some nodes, and whoever is within so many hops.
    fn focused(&self, ids: &[&str], hops: u32) -> Query {
        let mut ids: Vec<String> = ids.iter().map(|id| (*id).to_owned()).collect();
        ids.sort();
        ids.dedup();
        Query {
            focus: Some(Focus {
                ids,
                up: hops,
                down: hops,
            }),
            ..self.whole()
        }
    }

    /// What the client asked, in its own words.
    fn echo(&self) -> Vec<(&'static str, Echo)> {
        let id = ("id", Echo::Text(self.id.to_owned()));
        [id].into_iter().chain(self.query.echo()).collect()
    }

    /// The window slot by slot, oldest first; at most [`MAX_POINTS`].
    fn history(&self, roster: &Roster, query: &Query) -> Result<Vec<Topology>, Problem> {
        let slots = &self.resolved.slots;
        let together = slots.len().div_ceil(MAX_POINTS).max(1);
        slots
            .chunks(together)
            .map(|slots| {
                let mut joined = Accumulator::new(Join::Then);
                for slot in slots {
                    joined.add(slot).map_err(|error| defect(&error))?;
                }
                let slot = joined.finish();
                let frame = Frame {
                    start_unix_s: slot.start_unix_s,
                    end_unix_s: slot.end_unix_s,
                    ..self.shared.frame(self.resolved, query)
                };
                roster.build(slot, &frame).map_err(|error| unbuilt(&error))
            })
            .collect()
    }
}
