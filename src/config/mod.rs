//! What will run: defaults < file < environment < `--set` < flags, checked once. Nothing after this asks whether a value
//! is there or means something.
//!
//! `keys.rs` is the table of all keys; parsing, `print-config`, the example file and the reference in `docs/OPERATING.md`
//! come from it. Only `daemon` and `main` see the [`Config`]; every other part is told what it needs by `daemon`.

mod check;
mod error;
mod ignore;
mod keys;
mod layers;
mod machine;
mod print;
mod raw;
mod safety;
mod table;
mod value;
mod words;

use std::path::PathBuf;

pub use error::{ConfigError, Origin};
pub use ignore::{IgnoreRule, IgnoreRules};
pub use keys::{
    Api, Config, Graph, Grpc, Health, Http, Ingest, Limits, Log, MetricsGraph, Pairing, SECTIONS,
    Shutdown,
};
use layers::Layers;
pub use layers::Setting;
pub use machine::Machine;
pub use print::{example, reference};
pub use raw::{Field, Raw};
pub use safety::{FilePath, Origins};
pub use table::{Key, Section};
pub use value::{AttributeKey, AttributeKeys, ByteSize, Value};
pub use words::{DbNodeName, LogFormat, LogLevel, SharedIds, UserNode};

/// Everything that was said, unread.
#[derive(Debug, Default)]
pub struct Sources {
    /// The file's path and its text.
    pub file: Option<(PathBuf, String)>,
    /// The environment. Only `SPANGRAPH_<SECTION>__<KEY>` is looked at.
    pub env: Vec<(String, String)>,
    /// Each `--set`.
    pub set: Vec<String>,
    /// Flags that stand for a key: flag, key, value.
    pub flags: Vec<(&'static str, &'static str, String)>,
}

/// A configuration that can run, and how it came about.
#[derive(Debug)]
pub struct Resolved {
    /// What will run.
    pub config: Config,
    /// Every key with its value and who said it, in the order of the table.
    pub settings: Vec<Setting>,
    /// Environment variables that look like a key of ours but are none; ignored, since Kubernetes makes such names up.
    pub ignored_env: Vec<String>,
}

const ENV_PREFIX: &str = "SPANGRAPH_";

// === impl Config ===

impl Config {
    /// Reads and checks everything that was said. The first mistake is the error.
    pub fn resolve(sources: &Sources, machine: &Machine) -> Result<Resolved, ConfigError> {
        let mut layers = Layers::default();
        if let Some((path, text)) = &sources.file {
            let document = Raw::from_yaml(text).map_err(|detail| ConfigError::Yaml {
                path: path.clone(),
                detail,
            })?;
            layers.lay_file(document)?;
        }
        let ignored_env = lay_env(&mut layers, &sources.env)?;
        for text in &sources.set {
            let (path, value) = text
                .split_once('=')
                .ok_or_else(|| ConfigError::NotAnAssignment { text: text.clone() })?;
            layers.lay(path.trim(), value.trim(), Origin::Set)?;
        }
        for (flag, path, value) in &sources.flags {
            layers.lay(path, value, Origin::Flag(flag))?;
        }
        let config = Self::take(&mut layers, machine)?;
        check::contradictions(&config)?;
        Ok(Resolved {
            config,
            settings: layers.into_settings(),
            ignored_env,
        })
    }
}

/// An empty variable says nothing, as everywhere in OpenTelemetry.
fn lay_env(layers: &mut Layers, env: &[(String, String)]) -> Result<Vec<String>, ConfigError> {
    let mut ignored = Vec::new();
    for (name, value) in env {
        let Some(path) = env_path(name).filter(|_| !value.is_empty()) else {
            continue;
        };
        if layers::find(&path).is_some() {
            layers.lay(&path, value, Origin::Env(name.clone()))?;
        } else {
            ignored.push(name.clone());
        }
    }
    ignored.sort();
    Ok(ignored)
}

/// `SPANGRAPH_RECEIVER__GRPC__LISTEN` is `receiver.grpc.listen`; a name without `__` is none of ours.
fn env_path(name: &str) -> Option<String> {
    let rest = name.strip_prefix(ENV_PREFIX)?;
    rest.contains("__")
        .then(|| rest.to_ascii_lowercase().replace("__", "."))
}
