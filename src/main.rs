//! Parse, resolve, run, map the error to an exit code.

use std::io::{self, IsTerminal as _, Write as _};
use std::process::ExitCode;
use std::time::Duration;

use clap::{CommandFactory as _, Parser as _};
use spangraph::cli::{Cli, Command, DiffArgs, ReplayArgs, SettingArgs, SnapshotArgs};
use spangraph::config::{
    self, Config, ConfigError, LogFormat, LogLevel, Machine, Resolved, Sources,
};
use spangraph::daemon::{self, RunError};
use spangraph::demo::{self, DemoError};
use spangraph::diff::{self, Compared, DiffError};
use spangraph::health::{self, Unhealthy};
use spangraph::replay::{self, ReplayError};
use spangraph::snapshot::{self, Address, Looks, Question, SnapshotError};
use spangraph::telemetry;
use tracing::level_filters::LevelFilter;

#[cfg(feature = "mimalloc")]
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Everything that ends the program badly. Usage errors end it in clap, with 2.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error(transparent)]
    Run(#[from] RunError),
    #[error(transparent)]
    Unhealthy(#[from] Unhealthy),
    #[error(transparent)]
    Replay(#[from] ReplayError),
    #[error(transparent)]
    Snapshot(SnapshotError),
    #[error(transparent)]
    Diff(#[from] DiffError),
    /// No failure of the program: what it was asked to look out for.
    #[error("different: {}", .0.join(", "))]
    Different(Vec<String>),
    #[error("cannot write the output: {0}")]
    Output(#[from] io::Error),
}

fn main() -> ExitCode {
    keep_pages_small();
    match run(Cli::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        // Whoever read the output had enough of it: `spangraph print-config | head`.
        Err(Failure::Output(error) | Failure::Replay(ReplayError::Output(error)))
            if error.kind() == io::ErrorKind::BrokenPipe =>
        {
            ExitCode::SUCCESS
        }
        Err(failure) => {
            let _ = writeln!(io::stderr(), "spangraph: {failure}");
            failure.exit_code()
        }
    }
}

/// The allocator asks for transparent huge pages, of which an idle daemon would fill a few hundred KiB each.
fn keep_pages_small() {
    // Where the system cannot be told, memory is as it would be.
    #[cfg(target_os = "linux")]
    let _ = rustix::thread::disable_transparent_huge_pages(true);
}

fn run(cli: Cli) -> Result<(), Failure> {
    match cli.command.unwrap_or(Command::Serve) {
        Command::Serve => serve(&resolve(cli.settings)?),
        Command::Demo {
            rate,
            duration,
            seed,
        } => {
            let options = demo::Options {
                rate,
                duration,
                seed,
            };
            run_demo(cli.settings, options)
        }
        Command::CheckConfig => {
            daemon::check(&resolve(cli.settings)?)?;
            print("the configuration is good\n")
        }
        Command::PrintConfig { example: true } => print(&config::example()),
        Command::PrintConfig { example: false } => print(&resolve(cli.settings)?.to_yaml()),
        Command::Replay(args) => replay(&args, &resolve(cli.settings)?),
        Command::Health { url, timeout } => check_health(url, timeout, cli.settings),
        Command::Snapshot(args) => show_graph(args, cli.settings),
        Command::Diff(args) => show_diff(args, cli.settings),
        Command::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Cli::command(), "spangraph", &mut script);
            Ok(io::stdout().write_all(&script)?)
        }
    }
}

fn serve(resolved: &Resolved) -> Result<(), Failure> {
    start_log(&resolved.config);
    Ok(daemon::run(resolved)?)
}

fn replay(args: &ReplayArgs, resolved: &Resolved) -> Result<(), Failure> {
    start_log(&resolved.config);
    let (mut out, mut log) = (io::stdout().lock(), io::stderr().lock());
    Ok(replay::run(args, resolved, &mut out, &mut log)?)
}

fn run_demo(settings: SettingArgs, options: demo::Options) -> Result<(), Failure> {
    let resolved = demo::resolve(sources(settings)?, &Machine::detect())?;
    start_log(&resolved.config);
    demo::run(resolved, options).map_err(|error| match error {
        DemoError::Run(error) => Failure::Run(error),
        DemoError::Output(error) => Failure::Output(error),
    })
}

fn start_log(config: &Config) {
    let log = &config.log;
    let level = match log.level {
        LogLevel::Error => LevelFilter::ERROR,
        LogLevel::Warn => LevelFilter::WARN,
        LogLevel::Info => LevelFilter::INFO,
        LogLevel::Debug => LevelFilter::DEBUG,
        LogLevel::Trace => LevelFilter::TRACE,
    };
    let format = match log.format {
        LogFormat::Text => telemetry::Format::Text,
        LogFormat::Json => telemetry::Format::Json,
    };
    telemetry::init(level, format);
}

fn resolve(settings: SettingArgs) -> Result<Resolved, ConfigError> {
    Config::resolve(&sources(settings)?, &Machine::detect())
}

fn sources(settings: SettingArgs) -> Result<Sources, ConfigError> {
    // A name or value that is not Unicode can be none of ours: every key and value is.
    let env = std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
    settings.sources(env.collect())
}

fn check_health(
    url: Option<String>,
    timeout: Duration,
    settings: SettingArgs,
) -> Result<(), Failure> {
    let url = match url {
        Some(url) => url,
        None => health::ready_url(resolve(settings)?.config.api.listen),
    };
    Ok(health::check(&url, timeout)?)
}

fn show_graph(args: SnapshotArgs, settings: SettingArgs) -> Result<(), Failure> {
    let question = Question {
        address: address(args.url, settings)?,
        query: args.query,
        timeout: args.timeout,
    };
    if args.watch {
        return Ok(snapshot::watch(&question, args.every, looks())?);
    }
    let graph = snapshot::fetch(&question, args.view, args.format)?;
    if let Some(hidden) = graph.hidden {
        let _ = writeln!(io::stderr(), "spangraph: {hidden}");
    }
    Ok(io::stdout().write_all(&graph.text)?)
}

fn show_diff(args: DiffArgs, settings: SettingArgs) -> Result<(), Failure> {
    let compared = match <[_; 2]>::try_from(args.files) {
        Ok([base, head]) => Compared::Saved {
            base,
            head,
            query: args.query,
        },
        Err(_) => Compared::Windows {
            question: Question {
                address: address(args.url, settings)?,
                query: args.query,
                timeout: args.timeout,
            },
            base: args.base,
            head: args.head,
            window: args.window,
        },
    };
    let outcome = diff::run(&compared, args.format, &args.fail_on)?;
    for warning in &outcome.warnings {
        let _ = writeln!(io::stderr(), "spangraph: {warning}");
    }
    let mut out = io::stdout().lock();
    match out.write_all(&outcome.text).and_then(|()| out.flush()) {
        // Whoever read had enough of it; what was found stands.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {}
        written => written.map_err(DiffError::Output)?,
    }
    if outcome.found.is_empty() {
        return Ok(());
    }
    Err(Failure::Different(outcome.found))
}

fn address(url: Option<Address>, settings: SettingArgs) -> Result<Address, Failure> {
    Ok(match url {
        Some(address) => address,
        None => Address::of_listener(resolve(settings)?.config.api.listen),
    })
}

/// A terminal that says it can do nothing is printed to like a file; `NO_COLOR` is <https://no-color.org>.
fn looks() -> Looks {
    let said = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    let dumb = std::env::var_os("TERM").is_none_or(|term| term == "dumb");
    Looks {
        screen: io::stdout().is_terminal() && !dumb,
        colour: !said("NO_COLOR"),
    }
}

fn print(text: &str) -> Result<(), Failure> {
    Ok(io::stdout().write_all(text.as_bytes())?)
}

// === impl Failure ===

impl Failure {
    fn exit_code(&self) -> ExitCode {
        match self {
            Self::Config(_) | Self::Run(RunError::Config(_)) => ExitCode::from(78),
            // A diff fails with 2, as diff(1) and grep(1) do: 1 is that something was found.
            Self::Replay(ReplayError::Query(_))
            | Self::Snapshot(SnapshotError::NoView { .. })
            | Self::Diff(_) => ExitCode::from(2),
            Self::Different(_)
            | Self::Run(_)
            | Self::Replay(_)
            | Self::Unhealthy(_)
            | Self::Snapshot(_)
            | Self::Output(_) => ExitCode::FAILURE,
        }
    }
}

/// Output that nobody takes is one thing, whoever wrote it.
impl From<SnapshotError> for Failure {
    fn from(error: SnapshotError) -> Self {
        match error {
            SnapshotError::Output(error) => Self::Output(error),
            error => Self::Snapshot(error),
        }
    }
}
