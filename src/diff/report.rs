//! What the table and the gate need of a `spangraph.diff/1`. Fields it does not know are ignored and those it misses
//! are absent: within version 1 of the API, fields are only ever added.

use std::collections::BTreeMap;

use serde::Deserialize;

/// A diff's body.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Report {
    schema: String,
    pub(super) base: Side,
    pub(super) head: Side,
    pub(super) overlap_s: u64,
    unequal_s: u64,
    query: BTreeMap<String, serde_json::Value>,
    pub(super) tests: Tests,
    pub(super) summary: Summary,
    pub(super) nodes: Vec<Row>,
    pub(super) edges: Vec<Row>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Side {
    pub(super) window: Window,
    pub(super) hidden: Hidden,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Window {
    pub(super) start: String,
    pub(super) end: String,
    pub(super) effective_s: u64,
    pub(super) covered_s: f64,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Hidden {
    pub(super) edges: u64,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Tests {
    pub(super) made: u64,
    pub(super) alpha: f64,
    pub(super) latency_compared: bool,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Summary {
    pub(super) nodes: Tally,
    pub(super) edges: Tally,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Tally {
    pub(super) added: u64,
    pub(super) removed: u64,
    pub(super) changed: u64,
    pub(super) same: u64,
}

/// A node or an edge.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Row {
    pub(super) id: String,
    /// Of an edge.
    pub(super) client: Option<String>,
    pub(super) server: Option<String>,
    pub(super) status: String,
    pub(super) significant: bool,
    pub(super) reasons: Vec<String>,
    pub(super) rate_per_s: Pair,
    pub(super) failed_ratio: Pair,
    pub(super) latency: BTreeMap<String, Option<Latency>>,
}

/// A figure in both windows.
#[derive(Debug, Default, Clone, Copy, Deserialize)]
#[serde(default)]
pub(super) struct Pair {
    pub(super) base: Option<f64>,
    pub(super) head: Option<f64>,
    pub(super) ratio: Option<f64>,
    pub(super) changed: bool,
}

/// One view of the latency.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Latency {
    pub(super) changed: bool,
    /// Quantiles as `p95_ms`, and whatever else there is.
    #[serde(flatten)]
    figures: BTreeMap<String, serde_json::Value>,
}

// === impl Tally ===

impl Tally {
    pub(super) fn all(&self) -> u64 {
        self.added + self.removed + self.changed + self.same
    }
}

// === impl Report ===

impl Report {
    pub(super) fn read(body: &[u8]) -> Result<Self, String> {
        let report: Self = serde_json::from_slice(body).map_err(|error| error.to_string())?;
        match report.schema.as_str() {
            "spangraph.diff/1" => Ok(report),
            other => Err(format!("its schema is `{other}`")),
        }
    }

    /// Nodes and edges.
    pub(super) fn all(&self) -> impl Iterator<Item = &Row> {
        self.edges.iter().chain(&self.nodes)
    }

    /// What whoever judges by it should know even when nobody reads the table.
    pub(super) fn warnings(&self) -> Vec<String> {
        let lengths = [&self.base, &self.head].map(|side| side.window.effective_s);
        let words = |[base, head]: [u64; 2]| {
            format!(
                "the windows are not equally long, base {base} s and head {head} s: rates are comparable, but the longer one has met more of what is rare"
            )
        };
        let unequal = (self.unequal_s > 0).then_some(lengths);
        unequal.map(words).into_iter().collect()
    }

    /// The end of a window as an instant, as asked.
    pub(super) fn end(&self, of: &str) -> &str {
        let end = self.query.get(of).and_then(|value| value.as_str());
        end.unwrap_or_default()
    }
}

// === impl Row ===

impl Row {
    /// The view of the latency to show, with the name of its side: the first that changed, else the first there is.
    pub(super) fn latency(&self) -> Option<(&str, &Latency)> {
        let views = || {
            let order = ["client", "server", "queue", "gap"];
            order.into_iter().filter_map(|side| {
                let (name, view) = self.latency.get_key_value(side)?;
                Some((name.as_str(), view.as_ref()?))
            })
        };
        views()
            .find(|(_, view)| view.changed)
            .or_else(|| views().next())
    }
}

// === impl Latency ===

impl Latency {
    /// The quantile that moved furthest when the view changed, else the 95th or whichever there is; with its name.
    pub(super) fn quantile(&self) -> Option<(&str, Pair)> {
        let quantiles = self.figures.iter().filter_map(|(name, value)| {
            let name = name.strip_prefix('p')?.strip_suffix("_ms")?;
            let pair: Pair = serde_json::from_value(value.clone()).ok()?;
            Some((name, pair))
        });
        let quantiles: Vec<(&str, Pair)> = quantiles.collect();
        if self.changed {
            let moved = |pair: &Pair| pair.ratio.map_or(0.0, |r| r.ln().abs());
            let furthest =
                |a: &&(&str, Pair), b: &&(&str, Pair)| moved(&a.1).total_cmp(&moved(&b.1));
            return quantiles.iter().max_by(furthest).copied();
        }
        let usual = quantiles.iter().find(|(name, _)| *name == "95");
        usual.or(quantiles.last()).copied()
    }
}
