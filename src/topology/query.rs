//! What is asked of a topology: read once, normalised, with one canonical text per meaning.

use std::collections::BTreeSet;

use super::model::NodeKind;
use super::params::{InvalidParam, Params};
use super::pattern::pattern;
use super::quantile::Quantile;
use super::times::{self, At};
use crate::glob::Glob;
use crate::proto::ConnectionType;

/// A normalised query: lists are sorted and free of repeats.
#[derive(Debug, Clone, PartialEq)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each part of `include` is asked for or not"
)]
pub struct Query {
    /// Length of the window, seconds; at least 1.
    pub window_s: u64,
    /// Its end.
    pub at: At,
    /// Globs over the namespace; nodes without one match none.
    pub namespace: Vec<Glob>,
    /// Globs over the node id.
    pub service: Vec<Glob>,
    /// Globs over the node id; what matches goes.
    pub exclude: Vec<Glob>,
    /// The neighbourhood to keep.
    pub focus: Option<Focus>,
    /// Edges with fewer calls go.
    pub min_calls: u64,
    /// Edges with a lower rate go; finite, at least 0.
    pub min_rate_per_s: f64,
    /// Only so many edges, those with the most calls.
    pub top: usize,
    /// Only elements with a problem, and their neighbours.
    pub problems_only: bool,
    /// Node kinds to keep; empty with `connections` empty keeps all.
    pub kinds: BTreeSet<NodeKind>,
    /// Connection types to keep.
    pub connections: BTreeSet<ConnectionType>,
    /// What a node stands for.
    pub group_by: GroupBy,
    /// Bodies carry raw histograms.
    pub histograms: bool,
    /// Bodies carry exemplars.
    pub exemplars: bool,
    /// Bodies carry places.
    pub layout: bool,
    /// What is retained but had no calls in the window is there too.
    pub idle: bool,
    /// Ascending.
    pub quantiles: Vec<Quantile>,
}

/// A neighbourhood: the focus nodes, and whoever is within so many hops in either direction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Focus {
    /// Node ids, sorted.
    pub ids: Vec<String>,
    /// Hops towards callers.
    pub up: u32,
    /// Hops towards the called.
    pub down: u32,
}

/// What a node stands for.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum GroupBy {
    /// One service.
    #[default]
    Service,
    /// All services of one namespace.
    Namespace,
    /// All services with one value of this dimension.
    Dimension(String),
}

/// A parameter as a body repeats it.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
#[serde(untagged)]
pub enum Echo {
    /// A word.
    Text(String),
    /// A whole number.
    Whole(u64),
    /// Any number.
    Number(f64),
    /// A list.
    List(Vec<String>),
}

const DEFAULT_WINDOW_S: u64 = 300;
const DEFAULT_TOP: usize = 5_000;
const MAX_TOP: usize = 100_000;
const MAX_HOPS: u32 = 10;
const MAX_QUANTILES: usize = 16;
const DEFAULT_QUANTILES: [Quantile; 4] =
    [Quantile::P50, Quantile::P90, Quantile::P95, Quantile::P99];

/// Every word of `type`. `database` is both a node kind and a connection type.
const KINDS: [NodeKind; 6] = [
    NodeKind::Service,
    NodeKind::Database,
    NodeKind::Messaging,
    NodeKind::External,
    NodeKind::User,
    NodeKind::Overflow,
];

// === impl Query ===

impl Default for Query {
    fn default() -> Self {
        Self {
            window_s: DEFAULT_WINDOW_S,
            at: At::Newest,
            namespace: Vec::new(),
            service: Vec::new(),
            exclude: Vec::new(),
            focus: None,
            min_calls: 0,
            min_rate_per_s: 0.0,
            top: DEFAULT_TOP,
            problems_only: false,
            kinds: BTreeSet::new(),
            connections: BTreeSet::new(),
            group_by: GroupBy::Service,
            histograms: false,
            exemplars: false,
            layout: false,
            idle: false,
            quantiles: DEFAULT_QUANTILES.to_vec(),
        }
    }
}

impl Query {
    /// Reads a whole URL query that may hold nothing else.
    pub fn parse(raw: &str) -> Result<Self, Vec<InvalidParam>> {
        let mut params = Params::decode(raw);
        let query = Self::take(&mut params);
        params.finish().map(|()| query)
    }

    /// Takes its parameters out of `params`, noting what is wrong there. No dimension splits services.
    pub fn take(params: &mut Params) -> Self {
        Self::take_with(params, &[])
    }

    /// The same where `dimensions` split services, so that it may group by them.
    pub fn take_with(params: &mut Params, dimensions: &[String]) -> Self {
        let mut query = Self {
            window_s: params
                .read("window", times::duration)
                .unwrap_or(DEFAULT_WINDOW_S),
            at: params.read("at", times::at).unwrap_or_default(),
            namespace: globs(params, "namespace"),
            service: globs(params, "service"),
            exclude: globs(params, "exclude"),
            focus: focus(params),
            min_calls: params.read("min_calls", whole).unwrap_or_default(),
            min_rate_per_s: params
                .read("min_rate_per_s", not_negative)
                .unwrap_or_default(),
            top: params.read("top", top).unwrap_or(DEFAULT_TOP),
            problems_only: params.read("health", health).unwrap_or_default(),
            group_by: params
                .read("group_by", |text| group_by(text, dimensions))
                .unwrap_or_default(),
            quantiles: quantiles(params),
            ..Self::default()
        };
        for (kinds, connections) in params.read_list("type", types) {
            query.kinds.extend(kinds);
            query.connections.extend(connections);
        }
        query.take_includes(params);
        query
    }
}

fn globs(params: &mut Params, name: &str) -> Vec<Glob> {
    let mut globs = params.read_all(name, pattern);
    globs.sort();
    globs.dedup();
    globs
}

fn focus(params: &mut Params) -> Option<Focus> {
    let mut ids = params.read_all("focus", |id| match id {
        "" => Err("must be a node id".to_owned()),
        id => Ok(id.to_owned()),
    });
    ids.sort();
    ids.dedup();
    let hops = [params.one("up"), params.one("down")];
    let mut read = |name: &str, value: &Option<String>, default: u32| {
        let Some(value) = value else { return default };
        if ids.is_empty() {
            params.reject(name, value, "needs `focus`");
        }
        let reason = format!("must be a whole number from 0 to {MAX_HOPS}");
        match value.parse() {
            Ok(hops) if hops <= MAX_HOPS && value.bytes().all(|b| b.is_ascii_digit()) => hops,
            _ => {
                params.reject(name, value, &reason);
                default
            }
        }
    };
    let (up, down) = (read("up", &hops[0], 1), read("down", &hops[1], 2));
    (!ids.is_empty()).then_some(Focus { ids, up, down })
}

fn quantiles(params: &mut Params) -> Vec<Quantile> {
    let mut quantiles = params.read_list("quantiles", |text| {
        Quantile::parse(text)
            .ok_or_else(|| "must be a decimal fraction in (0,1), such as 0.95".to_owned())
    });
    quantiles.sort();
    quantiles.dedup();
    if quantiles.len() > MAX_QUANTILES {
        params.reject(
            "quantiles",
            "",
            &format!("more than {MAX_QUANTILES} quantiles"),
        );
    }
    if quantiles.is_empty() {
        DEFAULT_QUANTILES.to_vec()
    } else {
        quantiles
    }
}

fn whole(text: &str) -> Result<u64, String> {
    let digits = text.bytes().all(|b| b.is_ascii_digit());
    let number = text.parse().ok().filter(|_| digits);
    number.ok_or_else(|| "must be a whole number".to_owned())
}

pub(super) fn not_negative(text: &str) -> Result<f64, String> {
    let number = text
        .parse()
        .ok()
        .filter(|n: &f64| n.is_finite() && *n >= 0.0);
    // Adding 0 turns -0, which passes the check, into 0.
    number
        .map(|n| n + 0.0)
        .ok_or_else(|| "must be a number of at least 0".to_owned())
}

fn top(text: &str) -> Result<usize, String> {
    let number = whole(text).ok().and_then(|n| usize::try_from(n).ok());
    number
        .filter(|n| (1..=MAX_TOP).contains(n))
        .ok_or_else(|| format!("must be a whole number from 1 to {MAX_TOP}"))
}

fn health(text: &str) -> Result<bool, String> {
    match text {
        "all" => Ok(false),
        "problems" => Ok(true),
        _ => Err("must be `all` or `problems`".to_owned()),
    }
}

fn group_by(text: &str, dimensions: &[String]) -> Result<GroupBy, String> {
    match text {
        "service" => Ok(GroupBy::Service),
        "namespace" => Ok(GroupBy::Namespace),
        _ if dimensions.iter().any(|key| key == text) => Ok(GroupBy::Dimension(text.to_owned())),
        _ if dimensions.is_empty() => Err("must be `service` or `namespace`".to_owned()),
        _ => Err(format!(
            "must be `service`, `namespace` or one of `{}`",
            dimensions.join("`, `")
        )),
    }
}

fn types(text: &str) -> Result<(Option<NodeKind>, Option<ConnectionType>), String> {
    let kind = KINDS.into_iter().find(|k| k.name() == text);
    // Plain calls have no word for their type.
    let connection = super::connection_named(text).filter(|_| !text.is_empty());
    if kind.is_none() && connection.is_none() {
        return Err(
            "must be one of service, database, messaging, external, user, overflow, virtual_node, messaging_system"
                .to_owned(),
        );
    }
    Ok((kind, connection))
}
