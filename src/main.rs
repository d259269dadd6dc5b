//! Parse, resolve, run, map the error to an exit code.

use std::io::{self, IsTerminal as _, Write as _};
use std::process::ExitCode;
use std::time::Duration;

use clap::{CommandFactory as _, Parser as _};
use spangraph::cli::{AccessArgs, Cli, Command, DiffArgs, ReplayArgs, SettingArgs, SnapshotArgs};
use spangraph::config::{
    self, Config, ConfigError, FilePath, LogFormat, LogLevel, Machine, Resolved, Sources,
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
        Command::Health {
            url,
            access,
            timeout,
        } => check_health(url, timeout, access, cli.settings),
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
    given: AccessArgs,
    settings: SettingArgs,
) -> Result<(), Failure> {
    let (url, access) = if let Some(url) = url {
        let access = given.of_another(url.starts_with("https:"));
        (url, access)
    } else {
        let mut api = resolve(settings)?.config.api;
        // Readiness is open to everybody: no token is read for it.
        api.tokens_file = FilePath(None);
        let url = health::ready_url(api.scheme(), api.listen);
        (url, given.of_own(&api))
    };
    let access = access.map_err(Unhealthy::from)?;
    Ok(health::check(&url, timeout, &access)?)
}

fn show_graph(args: SnapshotArgs, settings: SettingArgs) -> Result<(), Failure> {
    let asked = (args.query, args.timeout);
    let question = question(args.url, args.access, settings, asked)?;
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
            question: question(args.url, args.access, settings, (args.query, args.timeout))
                .map_err(Failure::of_diff)?,
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

/// What is asked of a daemon elsewhere, else of the configured one.
fn question(
    url: Option<Address>,
    given: AccessArgs,
    settings: SettingArgs,
    (query, timeout): (String, Duration),
) -> Result<Question, Failure> {
    let (address, access) = if let Some(address) = url {
        let access = given.of_another(address.is_tls());
        (address, access)
    } else {
        let api = resolve(settings)?.config.api;
        let tls = api.tls_cert.0.is_some();
        (Address::of_listener(api.listen, tls), given.of_own(&api))
    };
    Ok(Question {
        address,
        access: access.map_err(SnapshotError::from)?,
        query,
        timeout,
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
    /// The same, met by a diff, which has exit codes of its own.
    fn of_diff(self) -> Self {
        match self {
            Self::Snapshot(error) => Self::Diff(error.into()),
            other => other,
        }
    }

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
