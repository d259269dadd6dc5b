//! A saved snapshot back to a topology, as far as a comparison needs it. What it says is taken for text by a stranger:
//! a file that contradicts itself is refused, never guessed at.

mod body;
mod check;
mod element;
mod law;

use std::collections::BTreeMap;

use serde_json::Value;

use crate::topology::times::{self, At};
use crate::topology::{Echo, Hidden, Quantile, Query, Topology, Window};
use body::{Body, WindowBody};

/// What the body must call its shape.
const SCHEMA: &str = "spangraph.topology/1";
/// Parameters that may differ between two snapshots that are compared.
const FREE: [&str; 3] = ["window", "at", "include"];
/// Parameters that a diff repeats.
const REPEATED: [&str; 13] = [
    "namespace",
    "service",
    "exclude",
    "focus",
    "up",
    "down",
    "min_calls",
    "min_rate_per_s",
    "top",
    "health",
    "type",
    "group_by",
    "quantiles",
];

/// A snapshot read back.
#[derive(Debug)]
pub(super) struct Saved {
    pub(super) topology: Topology,
    query: BTreeMap<String, Value>,
}

/// Reads a `spangraph.topology/1`. Idle elements are left out: they were not in the window.
pub(super) fn read(text: &[u8]) -> Result<Saved, String> {
    let body: Body = serde_json::from_slice(text).map_err(|error| error.to_string())?;
    if body.schema != SCHEMA {
        return Err(format!("its schema is `{}`, not `{SCHEMA}`", body.schema));
    }
    let window = window(&body.window)?;
    check::check(&body, &window)?;
    let quantiles = quantiles(&body.query)?;
    let words = |name: &str| body.query.get(name).and_then(Value::as_array);
    let included = |word: &str| words("include").is_some_and(|w| w.iter().any(|v| v == word));
    let mut nodes = body
        .nodes
        .iter()
        .filter(|node| !node.idle)
        .map(|node| named(node.read(&quantiles), || node.title()))
        .collect::<Result<Vec<_>, _>>()?;
    let mut edges = body
        .edges
        .iter()
        .filter(|edge| !edge.idle)
        .map(|edge| named(edge.read(&quantiles), || edge.title()))
        .collect::<Result<Vec<_>, _>>()?;
    nodes.sort_by(|a, b| a.counted.id.cmp(&b.counted.id));
    edges.sort_by(|a, b| a.id.cmp(&b.id));
    let topology = Topology {
        generated_unix_s: instant(&body.generated_at)?,
        epoch: body.epoch,
        window,
        query: echo(&body.query),
        law: body.law.read(),
        sampling_adjusted: body.law.sampling_adjusted,
        hidden: Hidden {
            nodes: body.hidden.nodes,
            edges: body.hidden.edges,
            calls: body.hidden.calls,
        },
        max_relative_error: body.histogram.max_relative_error,
        quantiles,
        with_histograms: included("histograms"),
        with_exemplars: false,
        with_layout: false,
        layout_epoch: None,
        nodes,
        edges,
    };
    Ok(Saved {
        topology,
        query: body.query,
    })
}

/// An error with the element it is about.
fn named<T>(read: Result<T, String>, title: impl Fn() -> String) -> Result<T, String> {
    read.map_err(|why| format!("{}: {why}", title()))
}

/// Fails unless both were asked the same question of two windows.
pub(super) fn alike(base: &Saved, head: &Saved) -> Result<(), String> {
    let asked = |saved: &Saved| {
        let mut query = saved.query.clone();
        query.retain(|name, _| !FREE.contains(&name.as_str()));
        query
    };
    let (base, head) = (asked(base), asked(head));
    let names = base.keys().chain(head.keys());
    let unlike = names
        .filter(|name| base.get(*name) != head.get(*name))
        .min();
    unlike.map_or(Ok(()), |name| {
        Err(format!("they were asked with different `{name}`"))
    })
}

fn quantiles(query: &BTreeMap<String, Value>) -> Result<Vec<Quantile>, String> {
    let Some(asked) = query.get("quantiles").and_then(Value::as_array) else {
        return Ok(Query::default().quantiles);
    };
    let read = |value: &Value| value.as_str().and_then(Quantile::parse);
    let all = asked.iter().map(read).collect::<Option<Vec<_>>>();
    all.ok_or_else(|| "a quantile of its query is none".to_owned())
}

fn window(body: &WindowBody) -> Result<Window, String> {
    Ok(Window {
        start_unix_s: instant(&body.start)?,
        end_unix_s: instant(&body.end)?,
        requested_s: body.requested_s,
        covered_ns: element::nanoseconds(body.covered_s)?,
        resolution_s: body.resolution_s,
    })
}

fn instant(text: &str) -> Result<u64, String> {
    match times::at(text) {
        Ok(At::Unix(second)) => Ok(second),
        _ => Err(format!("`{text}` is no time")),
    }
}

fn echo(query: &BTreeMap<String, Value>) -> Vec<(&'static str, Echo)> {
    let read = |value: &Value| match value {
        Value::String(text) => Some(Echo::Text(text.clone())),
        Value::Number(number) => match number.as_u64() {
            Some(whole) => Some(Echo::Whole(whole)),
            None => number.as_f64().map(Echo::Number),
        },
        Value::Array(list) => {
            let words = list.iter().map(|word| word.as_str().map(str::to_owned));
            words.collect::<Option<Vec<_>>>().map(Echo::List)
        }
        _ => None,
    };
    let named = REPEATED.into_iter();
    named
        .filter_map(|name| Some((name, read(query.get(name)?)?)))
        .collect()
}
