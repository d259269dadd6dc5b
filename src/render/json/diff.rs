//! `spangraph.diff/1`: two windows, what was tested how, and every element that differs.

use std::collections::BTreeMap;

use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};

use super::{EchoBody, HiddenBody, WindowBody, law};
use crate::render::text::significant;
use crate::topology::connection_name;
use crate::topology::diff::{
    Change, Counts, Diff, EdgeDiff, LatencyChange, Measure, NodeDiff, Reason, Settings, Side,
    Tally, Test, Viewpoint,
};
use crate::topology::times::rfc3339;

/// What the body calls its own shape.
pub const SCHEMA: &str = "spangraph.diff/1";

/// Views of an edge's latency, in the order of a snapshot.
const OF_EDGE: [Viewpoint; 4] = [
    Viewpoint::Client,
    Viewpoint::Server,
    Viewpoint::Gap,
    Viewpoint::Queue,
];
/// Views of a node's latency.
const OF_NODE: [Viewpoint; 1] = [Viewpoint::Server];

/// Writes the whole difference.
pub fn write(diff: &Diff, out: &mut Vec<u8>) -> serde_json::Result<()> {
    serde_json::to_writer(out, &Body(diff))
}

struct Body<'a>(&'a Diff);

#[derive(Serialize)]
struct TestsBody {
    made: u64,
    correction: &'static str,
    alpha: f64,
    min_rate_change: f64,
    min_failed_change: f64,
    min_latency_change: f64,
    latency_compared: bool,
}

#[derive(Serialize)]
struct SummaryBody {
    nodes: TallyBody,
    edges: TallyBody,
}

#[derive(Serialize)]
struct TallyBody {
    added: u64,
    removed: u64,
    changed: u64,
    same: u64,
    significant: u64,
}

#[derive(Serialize)]
struct NodeBody<'a> {
    id: &'a str,
    name: &'a str,
    namespace: Option<&'a str>,
    r#type: &'static str,
    #[serde(flatten)]
    change: ChangeBody<'a>,
}

#[derive(Serialize)]
struct EdgeBody<'a> {
    id: &'a str,
    client: &'a str,
    server: &'a str,
    connection_type: &'static str,
    #[serde(flatten)]
    change: ChangeBody<'a>,
}

#[derive(Serialize)]
struct ChangeBody<'a> {
    status: &'static str,
    significant: bool,
    reasons: Vec<String>,
    base: Option<CountsBody>,
    head: Option<CountsBody>,
    rate_per_s: MeasureBody,
    failed_ratio: MeasureBody,
    latency: BTreeMap<Viewpoint, Option<LatencyBody<'a>>>,
}

#[derive(Serialize)]
struct CountsBody {
    calls: u64,
    failed: u64,
}

#[derive(Serialize)]
struct MeasureBody {
    #[serde(flatten)]
    values: ValuesBody,
    #[serde(flatten)]
    test: TestBody,
}

#[derive(Serialize)]
struct ValuesBody {
    base: Option<f64>,
    head: Option<f64>,
    diff: Option<f64>,
    ratio: Option<f64>,
}

#[derive(Serialize)]
struct TestBody {
    p: Option<f64>,
    p_adjusted: Option<f64>,
    changed: bool,
}

struct LatencyBody<'a> {
    keys: &'a [String],
    latency: &'a LatencyChange,
}

// === impl Body ===

impl Serialize for Body<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let d = self.0;
        let key = |q: &crate::topology::Quantile| format!("p{}_ms", q.percent_key());
        let keys: Vec<String> = d.quantiles.iter().map(key).collect();
        let nodes: Vec<NodeBody<'_>> = d.nodes.iter().map(|n| node(n, &keys)).collect();
        let edges: Vec<EdgeBody<'_>> = d.edges.iter().map(|e| edge(e, &keys)).collect();
        let mut body = serializer.serialize_map(None)?;
        body.serialize_entry("schema", SCHEMA)?;
        body.serialize_entry("base", &SideBody(&d.base))?;
        body.serialize_entry("head", &SideBody(&d.head))?;
        body.serialize_entry("overlap_s", &d.overlap_s())?;
        body.serialize_entry("unequal_s", &d.unequal_s())?;
        body.serialize_entry("query", &EchoBody(&d.query))?;
        body.serialize_entry("tests", &tests(d, &d.settings))?;
        body.serialize_entry("summary", &summary(d))?;
        body.serialize_entry("nodes", &nodes)?;
        body.serialize_entry("edges", &edges)?;
        body.end()
    }
}

struct SideBody<'a>(&'a Side);

impl Serialize for SideBody<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let s = self.0;
        let last = s.window.end_unix_s.saturating_sub(1);
        let mut body = serializer.serialize_map(None)?;
        body.serialize_entry("generated_at", &rfc3339(s.generated_unix_s))?;
        body.serialize_entry("epoch", &s.epoch)?;
        body.serialize_entry("slices", &[s.window.start_unix_s, last])?;
        body.serialize_entry("window", &WindowBody::of(&s.window))?;
        body.serialize_entry("law", &law(&s.law, s.sampling_adjusted))?;
        body.serialize_entry("hidden", &HiddenBody::of(s.hidden))?;
        body.end()
    }
}

fn tests(diff: &Diff, settings: &Settings) -> TestsBody {
    TestsBody {
        made: diff.tests,
        correction: "benjamini_hochberg",
        alpha: settings.alpha,
        min_rate_change: settings.min_rate_change,
        min_failed_change: settings.min_failed_change,
        min_latency_change: settings.min_latency_change,
        latency_compared: diff.latency_compared,
    }
}

fn summary(diff: &Diff) -> SummaryBody {
    let tally = |t: Tally| TallyBody {
        added: t.added,
        removed: t.removed,
        changed: t.changed,
        same: t.same,
        significant: t.significant,
    };
    SummaryBody {
        nodes: tally(diff.node_tally),
        edges: tally(diff.edge_tally),
    }
}

fn node<'a>(node: &'a NodeDiff, keys: &'a [String]) -> NodeBody<'a> {
    NodeBody {
        id: &node.id,
        name: &node.name,
        namespace: node.namespace.as_deref(),
        r#type: node.kind.name(),
        change: change(&node.change, &OF_NODE, keys),
    }
}

fn edge<'a>(edge: &'a EdgeDiff, keys: &'a [String]) -> EdgeBody<'a> {
    EdgeBody {
        id: &edge.id,
        client: &edge.client,
        server: &edge.server,
        connection_type: connection_name(edge.connection_type),
        change: change(&edge.change, &OF_EDGE, keys),
    }
}

fn change<'a>(change: &'a Change, views: &[Viewpoint], keys: &'a [String]) -> ChangeBody<'a> {
    let view = |of: &Viewpoint| {
        let latency = change.latencies.iter().find(|l| l.of == *of);
        (*of, latency.map(|latency| LatencyBody { keys, latency }))
    };
    ChangeBody {
        status: change.status.name(),
        significant: change.significant,
        reasons: change.reasons().into_iter().map(Reason::name).collect(),
        base: change.base.map(counts),
        head: change.head.map(counts),
        rate_per_s: measure(&change.rate_per_s),
        failed_ratio: measure(&change.failed_ratio),
        latency: views.iter().map(view).collect(),
    }
}

fn counts(counts: Counts) -> CountsBody {
    CountsBody {
        calls: counts.calls,
        failed: counts.failed,
    }
}

fn measure(measure: &Measure) -> MeasureBody {
    MeasureBody {
        values: values(measure),
        test: test(measure.test),
    }
}

fn values(measure: &Measure) -> ValuesBody {
    ValuesBody {
        base: measure.base.map(significant),
        head: measure.head.map(significant),
        diff: measure.difference().map(significant),
        ratio: measure.ratio().map(significant),
    }
}

fn test(test: Option<Test>) -> TestBody {
    TestBody {
        p: test.map(|t| significant(t.p)),
        p_adjusted: test.map(|t| significant(t.p_adjusted)),
        changed: test.is_some_and(|t| t.changed),
    }
}

impl Serialize for Viewpoint {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

impl Serialize for LatencyBody<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let l = self.latency;
        let mut body = serializer.serialize_map(None)?;
        for (at, key) in self.keys.iter().enumerate() {
            body.serialize_entry(key, &values(&l.quantile(at)))?;
        }
        body.serialize_entry("mean_ms", &values(&l.mean()))?;
        body.serialize_entry("max_ms", &values(&l.max()))?;
        body.serialize_entry("ks", &l.shape.map(|s| significant(s.ks)))?;
        body.serialize_entry("ks_p", &l.shape.map(|s| significant(s.ks_p)))?;
        body.serialize_entry("slow_p", &l.shape.map(|s| significant(s.slow_p)))?;
        let told = test(l.test);
        body.serialize_entry("p", &told.p)?;
        body.serialize_entry("p_adjusted", &told.p_adjusted)?;
        body.serialize_entry("changed", &told.changed)?;
        body.end()
    }
}
