//! `ingest.ignore`: which spans draw nothing, as written and checked. What matches what is not known here.

use super::raw::{Field, Raw};
use super::value::Value;
use crate::glob::Glob;

/// One rule; a span must match all it says.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Default)]
pub struct IgnoreRule {
    /// Over the service's name, or over `namespace/name`.
    pub service: Option<Glob>,
    /// Over the span's name.
    pub span_name: Option<Glob>,
    /// Over the name of the span's kind, in capitals; it matches one at least.
    pub kind: Option<Glob>,
}

/// Rules of which one suffices.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd)]
pub struct IgnoreRules(pub Vec<IgnoreRule>);

const KINDS: [&str; 5] = ["INTERNAL", "SERVER", "CLIENT", "PRODUCER", "CONSUMER"];
const FIELDS: &str = "`service`, `span_name` and `kind`";

// === impl IgnoreRules ===

impl IgnoreRules {
    /// Most rules.
    pub const MOST: usize = 64;
}

impl Value for IgnoreRules {
    const KIND: &'static str = "a list of at most 64 rules (`[{service: web, span_name: \"GET /health*\", kind: SERVER}]`)";

    /// Outside a file a list is written as YAML in one line.
    fn parse(text: &str) -> Result<Self, String> {
        match Raw::from_yaml(text) {
            Ok(Raw::Scalar(_) | Raw::Null) | Err(_) => Err(format!("expected {}", Self::KIND)),
            Ok(list) => Self::read(&list),
        }
    }

    fn read(raw: &Raw) -> Result<Self, String> {
        let rules = match raw {
            Raw::Scalar(text) => return Self::parse(text),
            Raw::List(items) => items.iter().map(rule).collect::<Result<Vec<_>, _>>()?,
            Raw::Null | Raw::Map(_) => return Err(format!("expected {}", Self::KIND)),
        };
        match rules.len() {
            0..=Self::MOST => Ok(Self(rules)),
            more => Err(format!("has {more} rules; at most {}", Self::MOST)),
        }
    }

    fn show(&self) -> String {
        let rules: Vec<String> = self.0.iter().map(show_rule).collect();
        format!("[{}]", rules.join(", "))
    }
}

fn rule(raw: &Raw) -> Result<IgnoreRule, String> {
    let Raw::Map(fields) = raw else {
        return Err(format!("each rule holds some of {FIELDS}"));
    };
    if fields.is_empty() {
        return Err(format!("a rule needs at least one of {FIELDS}"));
    }
    let mut rule = IgnoreRule::default();
    for field in fields {
        let before = match field.name.as_str() {
            "service" => rule.service.replace(glob(field)?),
            "span_name" => rule.span_name.replace(glob(field)?),
            "kind" => rule.kind.replace(kind(glob(field)?.as_str())?),
            other => return Err(format!("`{other}` is none of {FIELDS}")),
        };
        if before.is_some() {
            return Err(format!("`{}` is written twice in one rule", field.name));
        }
    }
    Ok(rule)
}

/// The value of a field: any text is a glob but the empty one.
fn glob(field: &Field) -> Result<Glob, String> {
    let glob = field.value.scalar().and_then(Glob::new);
    glob.ok_or_else(|| format!("`{}` must be a text that is not empty", field.name))
}

/// A glob over kinds, in capitals or not.
fn kind(text: &str) -> Result<Glob, String> {
    let wrong = || format!("`{text}` matches none of {}", KINDS.join(", "));
    let known = |glob: &Glob| KINDS.iter().any(|kind| glob.matches_text(kind));
    Glob::new(&text.to_ascii_uppercase())
        .filter(known)
        .ok_or_else(wrong)
}

/// YAML in one line; double quotes with JSON's escapes hold any text.
fn show_rule(rule: &IgnoreRule) -> String {
    let quoted = |glob: &Glob| serde_json::Value::from(glob.as_str()).to_string();
    let fields = [
        ("service", rule.service.as_ref().map(quoted)),
        ("span_name", rule.span_name.as_ref().map(quoted)),
        ("kind", rule.kind.as_ref().map(quoted)),
    ];
    let fields = fields
        .into_iter()
        .filter_map(|(name, value)| Some(format!("{name}: {}", value?)));
    format!("{{{}}}", fields.collect::<Vec<_>>().join(", "))
}
