//! Elements as flat columns, for formats that cannot nest: named and valued as in the JSON body, where names nest with
//! `_` between them and without `latency`. What is a list or a map there stands as JSON text in its cell.

use serde::Serialize;

use super::text::significant;
use crate::topology::times::rfc3339;
use crate::topology::{Edge, Health, Latency, Node, Topology, connection_name};

/// What all cells of a column are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Text,
    Whole,
    Number,
    Flag,
}

/// One value of one element.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Cell<'a> {
    /// May hold anything that a stranger sent.
    Text(&'a str),
    /// Made here.
    Made(String),
    Whole(u64),
    Number(f64),
    Flag(bool),
}

type Read<E> = Box<dyn for<'e> Fn(&'e E) -> Option<Cell<'e>>>;

/// A column of elements `E`; a cell that is absent is `None`.
pub(super) struct Column<E> {
    pub(super) name: String,
    pub(super) kind: Kind,
    pub(super) read: Read<E>,
}

/// The columns of nodes.
pub(super) fn nodes(topology: &Topology) -> Vec<Column<Node>> {
    let mut columns = vec![
        text("id", |n: &Node| Some(&n.counted.id)),
        text("name", |n| Some(&n.counted.name)),
        text("namespace", |n| n.counted.namespace.as_deref()),
        text("type", |n| Some(n.counted.kind.name())),
        flag("inferred", |n| n.counted.kind.inferred()),
        owned("dimensions", |n| {
            let dimensions = &n.counted.dimensions;
            (!dimensions.is_empty()).then(|| made(dimensions))
        }),
        whole("calls", |n| n.counted.calls_from.calls()),
        whole("failed", |n| n.counted.failed),
        number("rate_per_s", |n: &Node| n.rate_per_s.map(significant)),
        number("failed_ratio", |n: &Node| n.failed_ratio.map(significant)),
        whole("calls_from_edges", |n| n.counted.calls_from.edges),
        whole("calls_from_no_caller", |n| n.counted.calls_from.no_caller),
        whole("calls_from_unpaired", |n| n.counted.calls_from.unpaired),
    ];
    columns.extend(latency(topology, "", |n: &Node| n.latency.as_ref()));
    columns.extend([
        owned("versions", |n: &Node| made(&n.counted.versions.values)),
        flag("versions_more", |n| n.counted.versions.more),
        owned("instances", |n| made(&n.counted.instances.values)),
        flag("instances_more", |n| n.counted.instances.more),
        text("health", |n| n.health.map(Health::name)),
        owned("first_seen", |n| seen_at(n.counted.first_seen_s)),
        owned("last_seen", |n| seen_at(n.counted.last_seen_s)),
    ]);
    if topology.with_layout {
        columns.extend([
            number("layout_x", |n: &Node| Some(n.place?.x.into())),
            number("layout_y", |n: &Node| Some(n.place?.y.into())),
            whole("layout_rank", |n| n.place.map(|p| p.rank.into())),
        ]);
    }
    columns
}

/// The columns of edges.
pub(super) fn edges(topology: &Topology) -> Vec<Column<Edge>> {
    let mut columns = vec![
        text("id", |e: &Edge| Some(&e.id)),
        text("client", |e| Some(&e.client)),
        text("server", |e| Some(&e.server)),
        text("connection_type", |e| {
            Some(connection_name(e.counted.connection_type))
        }),
        whole("calls", |e| e.counted.calls()),
        whole("raw_calls", |e| {
            e.counted.weighted().then(|| e.counted.seen.calls())
        }),
        whole("seen_both", |e| e.counted.seen.both),
        whole("seen_client", |e| e.counted.seen.client),
        whole("seen_server", |e| e.counted.seen.server),
        whole("inferred", |e| e.counted.inferred),
        whole("failed", |e| e.counted.failed_calls()),
        whole("raw_failed", |e| {
            e.counted.weighted().then_some(e.counted.failed)
        }),
        whole("client_failed", |e| e.counted.client_failed),
        whole("server_failed", |e| e.counted.server_failed),
        number("rate_per_s", |e: &Edge| e.rate_per_s.map(significant)),
        number("failed_ratio", |e: &Edge| e.failed_ratio.map(significant)),
    ];
    columns.extend(latency(topology, "client_", |e: &Edge| {
        e.client_latency.as_ref()
    }));
    columns.extend(latency(topology, "server_", |e: &Edge| {
        e.server_latency.as_ref()
    }));
    columns.extend(latency(topology, "gap_", |e: &Edge| e.gap.as_ref()));
    columns.extend(latency(topology, "queue_", |e: &Edge| e.queue.as_ref()));
    columns.extend([
        owned("protocols", |e: &Edge| made(&e.counted.protocols)),
        owned("statuses", |e| made(&e.counted.statuses)),
        owned("destinations", |e| made(&e.counted.destinations.values)),
        flag("destinations_more", |e| e.counted.destinations.more),
        text("health", |e| e.health.map(Health::name)),
        owned("first_seen", |e| seen_at(e.counted.first_seen_s)),
        owned("last_seen", |e| seen_at(e.counted.last_seen_s)),
    ]);
    columns
}

/// One column for each quantile, the mean and the greatest.
fn latency<E: 'static>(
    topology: &Topology,
    before: &str,
    of: fn(&E) -> Option<&Latency>,
) -> Vec<Column<E>> {
    let quantiles = topology.quantiles.iter().enumerate().map(|(at, quantile)| {
        let name = format!("{before}p{}_ms", quantile.percent_key());
        number(&name, move |e: &E| {
            of(e)?.quantiles_ms.get(at).map(|ms| significant(*ms))
        })
    });
    let mut columns: Vec<_> = quantiles.collect();
    let mean = move |e: &E| Some(significant(of(e)?.mean_ms));
    columns.push(number(&format!("{before}mean_ms"), mean));
    columns.push(number(&format!("{before}max_ms"), move |e: &E| {
        Some(of(e)?.max_ms)
    }));
    columns
}

fn text<E: 'static>(name: &str, read: for<'e> fn(&'e E) -> Option<&'e str>) -> Column<E> {
    column(name, Kind::Text, move |e| read(e).map(Cell::Text))
}

fn owned<E: 'static, R: Into<Option<String>> + 'static>(
    name: &str,
    read: fn(&E) -> R,
) -> Column<E> {
    column(name, Kind::Text, move |e| read(e).into().map(Cell::Made))
}

fn whole<E: 'static, R: Into<Option<u64>> + 'static>(name: &str, read: fn(&E) -> R) -> Column<E> {
    column(name, Kind::Whole, move |e| read(e).into().map(Cell::Whole))
}

fn number<E>(name: &str, read: impl Fn(&E) -> Option<f64> + 'static) -> Column<E> {
    column(name, Kind::Number, move |e| read(e).map(Cell::Number))
}

fn flag<E: 'static>(name: &str, read: fn(&E) -> bool) -> Column<E> {
    column(name, Kind::Flag, move |e| Some(Cell::Flag(read(e))))
}

fn column<E>(
    name: &str,
    kind: Kind,
    read: impl for<'e> Fn(&'e E) -> Option<Cell<'e>> + 'static,
) -> Column<E> {
    Column {
        name: name.to_owned(),
        kind,
        read: Box::new(read),
    }
}

fn made(value: &impl Serialize) -> String {
    serde_json::to_string(value).expect("lists and maps of texts and numbers are JSON")
}

fn seen_at(unix_s: u64) -> Option<String> {
    (unix_s > 0).then(|| rfc3339(unix_s))
}
