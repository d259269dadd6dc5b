//! A merged window becomes a [`Topology`]: plain owned data, folded, filtered, rolled up and sorted by id.
//!
//! Fed by `history` through one merged slice; every renderer and the API serve what comes out. It knows nothing about
//! HTTP, never reads a clock, and never averages a quantile.

mod alias;
mod around;
mod canonical;
mod counts;
mod derive;
pub mod diff;
mod focus;
mod fold;
mod group;
mod histogram;
pub mod ident;
mod idle;
mod include;
pub mod layout;
mod model;
mod params;
mod part;
mod pattern;
mod place;
mod quantile;
mod query;
mod read;
mod select;
pub mod series;
pub mod times;
mod unpaired;
mod working;

pub use around::{MAX_EDGES_AROUND, around, is_incoming, is_outgoing};
pub use counts::{connection_name, connection_named};
pub use model::{
    CallsFrom, Edge, EdgeCounts, Frame, Health, Hidden, Latency, Node, NodeCounts, NodeKind, Seen,
    TextSet, Thresholds, Topology, Window,
};
pub use params::{InvalidParam, Params};
pub use part::Roster;
pub use place::layout_graph;
pub use quantile::{Quantile, estimate_ns, estimates_ns, max_relative_error};
pub use query::{Echo, Focus, GroupBy, Query};
pub use unpaired::{Unpaired, UnpairedSpans, unpaired};

use crate::proto;
use derive::Figures;

/// Why a topology cannot be built.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum BuildError {
    /// A node of `focus` is not in the window.
    #[error("node `{0}` is not in the window")]
    UnknownNode(String),
    /// The slice contradicts itself.
    #[error("malformed slice: {0}")]
    Malformed(&'static str),
}

/// Builds the topology of one window from its merged slice. Costs time and memory linear in the slice.
///
/// Order: fold, filter by name and type, roll up, focus, thresholds, health, top. So `focus` names what is shown, and
/// what each filter took is in [`Topology::hidden`].
pub fn build(merged: proto::Slice, frame: &Frame<'_>) -> Result<Topology, BuildError> {
    build_with_idle(merged, None, frame)
}

/// The same, with what `retained`, the merge of the whole history, holds besides: elements that are idle.
pub fn build_with_idle(
    mut merged: proto::Slice,
    retained: Option<proto::Slice>,
    frame: &Frame<'_>,
) -> Result<Topology, BuildError> {
    let mut graph = read::graph(&mut merged)?;
    if let Some(retained) = retained {
        idle::add(&mut graph, retained)?;
    }
    assemble(graph, &merged, frame)
}

/// Turns what was read of a slice into a topology; `rest` is the slice without it.
fn assemble(
    mut graph: working::Working,
    rest: &proto::Slice,
    frame: &Frame<'_>,
) -> Result<Topology, BuildError> {
    let sampling_adjusted = graph.edges.iter().any(|e| e.counted.weighted());
    fold::fold(&mut graph);
    let hidden = filter(&mut graph, frame, rest.covered_ns)?;
    let max_relative_error = derive::graph_error(&graph);
    let figures = Figures {
        frame,
        covered_ns: rest.covered_ns,
    };
    let (nodes, edges) = figures.finish(graph);
    Ok(Topology {
        generated_unix_s: generated_unix_s(rest, frame),
        epoch: frame.epoch.to_owned(),
        window: window(frame, rest.covered_ns),
        query: frame.query.echo(),
        law: rest.law.unwrap_or_default(),
        sampling_adjusted,
        hidden,
        max_relative_error,
        quantiles: frame.query.quantiles.clone(),
        with_histograms: frame.query.histograms,
        with_exemplars: frame.query.exemplars,
        with_layout: frame.query.layout,
        layout_epoch: None,
        nodes,
        edges,
    })
}

fn filter(
    graph: &mut working::Working,
    frame: &Frame<'_>,
    covered_ns: u64,
) -> Result<Hidden, BuildError> {
    let query = frame.query;
    if let Some(focus) = &query.focus {
        // Looked up before any filter: a node that a filter hides is known all the same.
        focus::check(graph, focus, |node| group::group_id(node, &query.group_by))?;
    }
    let mut hidden = select::by_name(graph, query);
    hidden.add(select::by_type(graph, query));
    if query.group_by != GroupBy::Service {
        group::roll_up(graph, &query.group_by);
    }
    if let Some(focus) = &query.focus {
        hidden.add(focus::apply(graph, focus));
    }
    hidden.add(select::by_traffic(graph, query, covered_ns));
    if query.problems_only {
        hidden.add(select::by_health(graph, frame.thresholds));
    }
    hidden.add(select::by_rank(graph, query));
    Ok(hidden)
}

/// Seal time of the newest slice; the end of the window when there was none.
fn generated_unix_s(slice: &proto::Slice, frame: &Frame<'_>) -> u64 {
    match slice.end_unix_s {
        0 => frame.end_unix_s,
        end => end,
    }
}

fn window(frame: &Frame<'_>, covered_ns: u64) -> Window {
    Window {
        start_unix_s: frame.start_unix_s,
        end_unix_s: frame.end_unix_s,
        requested_s: frame.query.window_s,
        covered_ns,
        resolution_s: frame.resolution_s,
    }
}
