//! What was typed, and nothing more: `config` says what it means.

use std::path::PathBuf;
use std::sync::LazyLock;
use std::time::Duration;

use clap::builder::PossibleValue;
use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::access::{Access, AccessError, Trust};
use crate::config::{Api, ConfigError, Sources, Value};
use crate::diff::{FailOn, Shown};
use crate::render::{self, Format, View};
use crate::snapshot::Address;

/// Turns OpenTelemetry traces into a live, exact service dependency graph.
#[derive(Debug, Parser)]
#[command(version, about, max_term_width = 100)]
pub struct Cli {
    /// What to do; `serve` when left out.
    #[command(subcommand)]
    pub command: Option<Command>,
    /// Configuration, accepted before and after the command.
    #[command(flatten)]
    pub settings: SettingArgs,
}

/// The commands.
#[derive(Debug, Clone, Subcommand)]
pub enum Command {
    /// Take spans in and serve the graph, until SIGTERM or SIGINT
    Serve,
    /// Run a make-believe shop against a daemon in this process: a moving graph in one command
    Demo {
        /// Spans a second, about
        #[arg(long, value_name = "SPANS", default_value_t = 300, value_parser = clap::value_parser!(u32).range(20..=50_000))]
        rate: u32,
        /// Stop by itself after this; until Ctrl-C when left out
        #[arg(long, value_name = "DURATION", value_parser = Duration::parse)]
        duration: Option<Duration>,
        /// Another number, other visitors and other failures
        #[arg(long, value_name = "NUMBER", default_value_t = 1)]
        seed: u64,
    },
    /// Say whether the configuration can run (exit code 78 if not)
    CheckConfig,
    /// Print every key with the value that would run, and who said so
    PrintConfig {
        /// Print the explained example file instead: every key with its default
        #[arg(long)]
        example: bool,
    },
    /// Draw the graph of recorded OTLP requests, without a network
    Replay(ReplayArgs),
    /// Ask a running daemon whether it is ready (exit code 1 if not)
    Health {
        /// What to ask, at /readyz when it has no path; the configured `api.listen` when left out
        #[arg(long, value_name = "URL")]
        url: Option<String>,
        /// What to show, and whom to trust
        #[command(flatten)]
        access: AccessArgs,
        /// How long to wait for the answer
        #[arg(long, value_name = "DURATION", default_value = "2s", value_parser = Duration::parse)]
        timeout: Duration,
    },
    /// Print the graph of a running daemon, or watch it
    Snapshot(SnapshotArgs),
    /// Compare two windows of a running daemon, or two saved snapshots (exit code 1 if they differ, 2 if that cannot be told)
    Diff(DiffArgs),
    /// Print the completions of a shell, as in `source <(spangraph completions bash)`
    Completions {
        /// Which one
        shell: clap_complete::Shell,
    },
}

/// What a client shows, and whom it trusts.
#[derive(Debug, Clone, Default, Args)]
pub struct AccessArgs {
    /// File of bearer tokens, of which the first is shown; the configured `api.tokens_file` when there is no --url
    #[arg(long, value_name = "FILE")]
    pub token_file: Option<PathBuf>,
    /// Whom to trust over https: authorities in PEM, or the daemon's own certificate. When left out whom this machine
    /// trusts, or without --url the configured `api.tls_cert`
    #[arg(long, value_name = "PEM")]
    pub ca_file: Option<PathBuf>,
}

/// What `snapshot` is told.
#[derive(Debug, Clone, Args)]
pub struct SnapshotArgs {
    /// Where the daemon's API listens; the configured `api.listen` when left out
    #[arg(long, value_name = "URL")]
    pub url: Option<Address>,
    /// What to show, and whom to trust
    #[command(flatten)]
    pub access: AccessArgs,
    /// Parameters of the API, as in 'window=90s&focus=shop/web'
    #[arg(
        long,
        value_name = "PARAMETERS",
        default_value = "",
        hide_default_value = true
    )]
    pub query: String,
    /// How to print it
    #[arg(long, value_enum, default_value_t = Format::Json)]
    pub format: Format,
    /// What of the graph to print; not every format has every view
    #[arg(long, value_enum, default_value_t = View::Graph)]
    pub view: View,
    /// Keep showing the busiest edges, of the last minute unless --query has a window; q or Ctrl-C ends it
    #[arg(long, conflicts_with_all = ["format", "view"])]
    pub watch: bool,
    /// How often to look again
    #[arg(long, value_name = "DURATION", default_value = "2s", value_parser = interval, requires = "watch")]
    pub every: Duration,
    /// How long to wait for the whole answer
    #[arg(long, value_name = "DURATION", default_value = "5s", value_parser = interval)]
    pub timeout: Duration,
}

/// What `diff` is told.
#[derive(Debug, Clone, Args)]
pub struct DiffArgs {
    /// Two snapshots saved with `snapshot --query include=histograms`, the older first; `-` is standard input
    #[arg(num_args = 2, value_names = ["BASE", "HEAD"], conflicts_with_all = ["url", "token_file", "ca_file", "base", "head", "window"])]
    pub files: Vec<PathBuf>,
    /// Where the daemon's API listens; the configured `api.listen` when left out
    #[arg(long, value_name = "URL")]
    pub url: Option<Address>,
    /// What to show, and whom to trust
    #[command(flatten)]
    pub access: AccessArgs,
    /// End of the first window, as in -10m or 2026-11-23T01:00:00Z; the start of the second when left out
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    pub base: Option<String>,
    /// End of the second window; now when left out
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    pub head: Option<String>,
    /// Length of both; 5m when left out
    #[arg(long, value_name = "DURATION")]
    pub window: Option<String>,
    /// Parameters of the API, as in 'namespace=shop&alpha=0.001'
    #[arg(
        long,
        value_name = "PARAMETERS",
        default_value = "",
        hide_default_value = true
    )]
    pub query: String,
    /// How to print it
    #[arg(long, value_enum, default_value_t = Shown::Table)]
    pub format: Shown,
    /// Which significant differences make the exit code 1
    #[arg(
        long,
        value_enum,
        value_name = "KINDS",
        value_delimiter = ',',
        default_value = "any"
    )]
    pub fail_on: Vec<FailOn>,
    /// How long to wait for each answer
    #[arg(long, value_name = "DURATION", default_value = "5s", value_parser = interval)]
    pub timeout: Duration,
}

impl ValueEnum for Shown {
    fn value_variants<'a>() -> &'a [Self] {
        static ALL: LazyLock<Vec<Shown>> = LazyLock::new(|| {
            let formats = render::diff::formats().into_iter().map(Shown::As);
            std::iter::once(Shown::Table).chain(formats).collect()
        });
        &ALL
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        Some(match self {
            Self::Table => PossibleValue::new("table").help("For people"),
            Self::As(Format::Json) => {
                PossibleValue::new("json").help("The whole diff as one object")
            }
            Self::As(format) => PossibleValue::new(format.name()).help(format.about()),
        })
    }
}

impl ValueEnum for Format {
    fn value_variants<'a>() -> &'a [Self] {
        &Self::ALL
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        Some(PossibleValue::new(self.name()).help(self.about()))
    }
}

impl ValueEnum for View {
    fn value_variants<'a>() -> &'a [Self] {
        &Self::ALL
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        Some(PossibleValue::new(self.name()).help(self.about()))
    }
}

fn interval(text: &str) -> Result<Duration, String> {
    let allowed = Duration::from_millis(100)..=Duration::from_hours(1);
    let interval = Duration::parse(text)?;
    if allowed.contains(&interval) {
        return Ok(interval);
    }
    Err("must be between 100ms and 1h".to_owned())
}

/// What to replay, and what to show of it.
#[derive(Debug, Clone, Default, Args)]
pub struct ReplayArgs {
    /// Files of OTLP requests, read one after the other as one input; `-` is standard input
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// How requests follow each other in each file; told by its beginning when left out
    #[arg(long, value_enum)]
    pub framing: Option<Framing>,
    /// How to print the graph; `json` when left out
    #[arg(long, value_enum)]
    pub format: Option<Format>,
    /// What of the graph to print; not every format has every view
    #[arg(long, value_enum, default_value_t = View::Graph)]
    pub view: View,
    /// Parameters of the API but `window` and `at`, as in `focus=shop/web&min_calls=10`; repeatable
    #[arg(long, value_name = "PARAMETERS")]
    pub query: Vec<String>,
    /// Stop at the first line or frame that cannot be read, with exit code 1
    #[arg(long)]
    pub strict: bool,
}

/// How requests follow each other in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Framing {
    /// One JSON request a line
    Json,
    /// Each after its length in four bytes, the highest first, as the Collector's file exporter writes protobuf
    Be32,
    /// Each after its length as a protobuf varint
    Varint,
}

/// Flags that say something about the configuration.
#[derive(Debug, Clone, Default, Args)]
pub struct SettingArgs {
    /// YAML file; also by the environment variable `SPANGRAPH_CONFIG`
    #[arg(long, short, global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Set one key, as in `--set pairing.wait=5s`; repeatable, the last one wins
    #[arg(long, global = true, value_name = "KEY=VALUE")]
    pub set: Vec<String>,
    /// Same as `--set log.level=…`
    #[arg(long, global = true, value_name = "LEVEL")]
    pub log_level: Option<String>,
    /// Same as `--set log.format=…`
    #[arg(long, global = true, value_name = "FORMAT")]
    pub log_format: Option<String>,
}

// === impl AccessArgs ===

impl AccessArgs {
    /// For a daemon that was named by its URL, with TLS or without.
    pub fn of_another(self, tls: bool) -> Result<Access, AccessError> {
        if !tls && self.ca_file.is_some() {
            return Err(AccessError::Plain);
        }
        let trust = self.ca_file.map_or(Trust::Platform, Trust::Authorities);
        Access::new(self.token_file.as_deref(), trust)
    }

    /// For the daemon that runs, or would run, by this configuration.
    pub fn of_own(self, api: &Api) -> Result<Access, AccessError> {
        let own = api.tls_cert.0.clone();
        let trust = match (self.ca_file, own) {
            (Some(_), None) => return Err(AccessError::Plain),
            (Some(authorities), Some(_)) => Trust::Authorities(authorities),
            (None, Some(own)) => Trust::Exactly(own),
            (None, None) => Trust::Platform,
        };
        let tokens = self.token_file.or_else(|| api.tokens_file.0.clone());
        Access::new(tokens.as_deref(), trust)
    }
}

// === impl SettingArgs ===

impl SettingArgs {
    /// Gathers everything said: these flags, the environment handed in, and the file either of them names.
    pub fn sources(self, env: Vec<(String, String)>) -> Result<Sources, ConfigError> {
        let named_by_env = env.iter().find(|(name, _)| name == "SPANGRAPH_CONFIG");
        let named_by_env = named_by_env
            .map(|(_, value)| value)
            .filter(|value| !value.is_empty());
        let file = match self.config.or_else(|| named_by_env.map(PathBuf::from)) {
            None => None,
            Some(path) => match std::fs::read_to_string(&path) {
                Ok(text) => Some((path, text)),
                Err(source) => return Err(ConfigError::Read { path, source }),
            },
        };
        let flags = [
            ("--log-level", "log.level", self.log_level),
            ("--log-format", "log.format", self.log_format),
        ];
        Ok(Sources {
            file,
            env,
            set: self.set,
            flags: flags
                .into_iter()
                .filter_map(|(flag, key, value)| Some((flag, key, value?)))
                .collect(),
        })
    }
}
