//! Two merged slices to a diff: which elements are shown is decided by both windows, how they differ by all of each.
//!
//! A threshold applied to each window by itself would make an edge "removed" that merely fell below it. So whatever
//! passes the filters in either window is kept in both, with its full counts.

use std::collections::HashSet;

use crate::proto::Slice;
use crate::topology::ident::edge_id;
use crate::topology::query::Query;
use crate::topology::working::Working;
use crate::topology::{BuildError, Frame, Topology, connection_name, filter, fold, group, read};

use super::compare::compare;
use super::model::Diff;
use super::settings::Settings;

/// One merged window.
#[derive(Debug, Clone)]
pub struct Windowed<'a> {
    /// Its slots, joined in time.
    pub merged: Slice,
    /// Everything else that is told; both windows have the same query.
    pub frame: Frame<'a>,
}

/// What passes every filter in one window.
#[derive(Debug, Default)]
struct Passed {
    nodes: HashSet<String>,
    edges: HashSet<String>,
    /// Ids of `focus` that the window does not have.
    unknown: HashSet<String>,
}

/// Builds both topologies and compares them. Costs twice what one does, and twice that again when the query filters by
/// traffic, health or neighbourhood.
pub fn build(
    base: Windowed<'_>,
    head: Windowed<'_>,
    settings: Settings,
) -> Result<Diff, BuildError> {
    let query = head.frame.query;
    let passed = if narrows(query) || base.edges().max(head.edges()) > query.top {
        Some(Passed::in_either(&base, &head)?)
    } else {
        None
    };
    let wide = everything(query);
    let (mut base, mut head) = (base.topology(&wide)?, head.topology(&wide)?);
    if let Some(passed) = passed {
        passed.keep(&mut base);
        passed.keep(&mut head);
    }
    // Both were built without what narrows.
    (base.query, head.query) = (query.echo(), query.echo());
    Ok(compare(&base, &head, settings))
}

/// Whether a filter looks at more than one element by itself.
fn narrows(query: &Query) -> bool {
    query.focus.is_some()
        || query.min_calls > 0
        || query.min_rate_per_s > 0.0
        || query.problems_only
}

/// The query without what [`narrows`].
fn everything(query: &Query) -> Query {
    Query {
        focus: None,
        min_calls: 0,
        min_rate_per_s: 0.0,
        problems_only: false,
        top: usize::MAX,
        ..query.clone()
    }
}

// === impl Windowed ===

impl Windowed<'_> {
    fn edges(&self) -> usize {
        self.merged.edges.len()
    }

    fn topology(self, query: &Query) -> Result<Topology, BuildError> {
        let frame = Frame {
            query,
            ..self.frame
        };
        crate::topology::build(self.merged, &frame)
    }

    fn passed(&self) -> Result<Passed, BuildError> {
        let mut merged = self.merged.clone();
        let mut graph = read::graph(&mut merged)?;
        fold::fold(&mut graph);
        let mut query = self.frame.query.clone();
        let unknown = take_unknown(&graph, &mut query);
        if query.focus.as_ref().is_some_and(|f| f.ids.is_empty()) {
            return Ok(Passed {
                unknown,
                ..Passed::default()
            });
        }
        let frame = Frame {
            query: &query,
            ..self.frame.clone()
        };
        filter(&mut graph, &frame, merged.covered_ns)?;
        Ok(Passed {
            nodes: graph.nodes.iter().map(|n| n.id.clone()).collect(),
            edges: ids(&graph).collect(),
            unknown,
        })
    }
}

/// Takes the ids out of `focus` that `graph` does not have.
fn take_unknown(graph: &Working, query: &mut Query) -> HashSet<String> {
    let Some(focus) = &mut query.focus else {
        return HashSet::new();
    };
    let shown = |node| group::group_id(node, &query.group_by);
    let known: HashSet<String> = graph.nodes.iter().map(shown).collect();
    let (known, unknown) = std::mem::take(&mut focus.ids)
        .into_iter()
        .partition(|id| known.contains(id));
    focus.ids = known;
    HashSet::from_iter::<Vec<_>>(unknown)
}

fn ids(graph: &Working) -> impl Iterator<Item = String> {
    graph.edges.iter().map(|e| {
        let (client, server) = (&graph.nodes[e.client].id, &graph.nodes[e.server].id);
        edge_id(client, server, connection_name(e.counted.connection_type))
    })
}

// === impl Passed ===

impl Passed {
    /// Fails when an id of `focus` is in neither window.
    fn in_either(base: &Windowed<'_>, head: &Windowed<'_>) -> Result<Self, BuildError> {
        let mut either = base.passed()?;
        let head = head.passed()?;
        if let Some(id) = either.unknown.intersection(&head.unknown).min() {
            return Err(BuildError::UnknownNode(id.clone()));
        }
        either.nodes.extend(head.nodes);
        either.edges.extend(head.edges);
        Ok(either)
    }

    fn keep(&self, topology: &mut Topology) {
        let hidden = &mut topology.hidden;
        topology.nodes.retain(|node| {
            let kept = self.nodes.contains(&node.counted.id);
            hidden.nodes += u64::from(!kept);
            kept
        });
        topology.edges.retain(|edge| {
            let kept = self.edges.contains(&edge.id);
            if !kept {
                hidden.edges += 1;
                hidden.calls = hidden.calls.saturating_add(edge.counted.calls());
            }
            kept
        });
    }
}
