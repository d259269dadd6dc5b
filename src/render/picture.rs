//! Parameters of text and picture formats: what labels show, which way the graph runs, light or dark.

use crate::topology::{Params, Quantile};

/// How a picture looks.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Picture {
    /// What an edge's label shows; `None` is the default: rate, failed share, p95.
    pub labels: Option<Vec<Label>>,
    /// Which way calls run.
    pub rankdir: RankDir,
    /// Colours.
    pub theme: Theme,
}

/// One line of an edge's label.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Label {
    /// Number of calls.
    Calls,
    /// Calls per second.
    Rate,
    /// Failed calls per call.
    Failed,
    /// A quantile of the latency, with the side that measured it.
    Latency(Quantile),
}

/// Which way calls run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum RankDir {
    /// Left to right.
    #[default]
    LeftRight,
    /// Top to bottom.
    TopBottom,
    /// Right to left.
    RightLeft,
    /// Bottom to top.
    BottomTop,
}

/// Colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Theme {
    /// Dark on light.
    #[default]
    Light,
    /// Light on dark.
    Dark,
}

/// The label when nothing is asked.
const DEFAULT_LABELS: [Label; 3] = [Label::Rate, Label::Failed, Label::Latency(Quantile::P95)];

// === impl Picture ===

impl Picture {
    /// The names of its parameters.
    pub const NAMES: [&'static str; 3] = ["label", "rankdir", "theme"];

    /// Takes its parameters out of `params`, noting what is wrong there.
    pub fn take(params: &mut Params) -> Self {
        let labels = params.read_list("label", label);
        Self {
            labels: (!labels.is_empty()).then(|| labels.into_iter().flatten().collect()),
            rankdir: params.read("rankdir", rankdir).unwrap_or_default(),
            theme: params.read("theme", theme).unwrap_or_default(),
        }
    }

    /// What an edge's label shows, one line each.
    pub fn labels(&self) -> &[Label] {
        self.labels.as_deref().unwrap_or(&DEFAULT_LABELS)
    }

    /// One text per meaning.
    pub fn canonical(&self) -> String {
        format!(
            "label={:?}&rankdir={:?}&theme={:?}",
            self.labels(),
            self.rankdir,
            self.theme
        )
    }
}

// === impl RankDir ===

impl RankDir {
    /// Graphviz's word.
    pub fn name(self) -> &'static str {
        match self {
            Self::LeftRight => "LR",
            Self::TopBottom => "TB",
            Self::RightLeft => "RL",
            Self::BottomTop => "BT",
        }
    }
}

fn label(text: &str) -> Result<Option<Label>, String> {
    Ok(Some(match text {
        "none" => return Ok(None),
        "calls" => Label::Calls,
        "rate" => Label::Rate,
        "failed" => Label::Failed,
        "p50" => Label::Latency(Quantile::P50),
        "p90" => Label::Latency(Quantile::P90),
        "p95" => Label::Latency(Quantile::P95),
        "p99" => Label::Latency(Quantile::P99),
        _ => return Err("must be one of none, calls, rate, failed, p50, p90, p95, p99".to_owned()),
    }))
}

fn rankdir(text: &str) -> Result<RankDir, String> {
    let all = [
        RankDir::LeftRight,
        RankDir::TopBottom,
        RankDir::RightLeft,
        RankDir::BottomTop,
    ];
    let found = all.into_iter().find(|r| r.name() == text);
    found.ok_or_else(|| "must be LR, TB, RL or BT".to_owned())
}

fn theme(text: &str) -> Result<Theme, String> {
    match text {
        "light" => Ok(Theme::Light),
        "dark" => Ok(Theme::Dark),
        _ => Err("must be `light` or `dark`".to_owned()),
    }
}
