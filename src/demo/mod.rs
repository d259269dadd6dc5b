//! `spangraph demo`: a daemon in this process, and a make-believe shop that exports to its real sockets.
//!
//! The `shop` is constant data in the words of `script`; `visit` plays it, `traffic` in real time, and
//! `exporter` sends it by OTLP/gRPC and OTLP/HTTP. Nothing goes past the daemon's front door, the line that moves
//! included: it asks the API.

mod attributes;
mod client;
mod dice;
mod exporter;
mod live;
mod ports;
mod screen;
mod script;
mod service;
mod shop;
mod spans;
mod traffic;
mod visit;
mod weather;
mod words;

use std::convert::Infallible;
use std::io;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::{MissedTickBehavior, interval, sleep};

use crate::clock::Clock;
use crate::config::{Config, ConfigError, Machine, Origin, Resolved, Sources};
use crate::daemon::{self, Addresses, RunError};
use crate::health::reachable;
use crate::proto::Law;
use client::Client;
use exporter::{Exporters, Ledger};
use live::Sight;
use screen::Screen;
use service::Transport;
use traffic::Traffic;

/// What was asked of the demo.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// Spans a second, about.
    pub rate: u32,
    /// Stops by itself after this; `None` runs until SIGINT or SIGTERM.
    pub duration: Option<Duration>,
    /// Says who visits and what fails; the same seed, the same shop.
    pub seed: u64,
}

/// Why the demo ended badly.
#[derive(Debug, thiserror::Error)]
pub enum DemoError {
    /// The daemon did.
    #[error(transparent)]
    Run(#[from] RunError),
    /// Standard output is gone.
    #[error("cannot write the output: {0}")]
    Output(#[from] io::Error),
}

/// What the demo sets unless somebody said otherwise: an edge shows up after seconds, and only what is wrong is logged.
const SETTINGS: [(&str, &str); 3] = [
    ("pairing.wait", "2s"),
    ("pairing.messaging_wait", "4s"),
    ("log.level", "warn"),
];

/// Between two looks at what ended.
const TICK: Duration = Duration::from_millis(50);

const SECOND: Duration = Duration::from_secs(1);

type Serving = JoinHandle<Result<Law, RunError>>;

/// Resolves the configuration, with the demo's own defaults.
pub fn resolve(mut sources: Sources, machine: &Machine) -> Result<Resolved, ConfigError> {
    let said = Config::resolve(&sources, machine)?;
    let unsaid = |key: &str| {
        let mut settings = said.settings.iter();
        settings.any(|s| s.path == key && s.origin == Origin::Default)
    };
    let ours = SETTINGS.iter().filter(|(key, _)| unsaid(key));
    let ours = ours.map(|(key, value)| format!("{key}={value}"));
    sources.set.extend(ours);
    Config::resolve(&sources, machine)
}

/// Runs the daemon and the shop until a signal or the end of `options.duration`, on a runtime of its own.
pub fn run(mut resolved: Resolved, options: Options) -> Result<(), DemoError> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(RunError::from)?;
    let ended = runtime.block_on(open(&mut resolved, options));
    runtime.shutdown_background();
    ended
}

async fn open(resolved: &mut Resolved, options: Options) -> Result<(), DemoError> {
    let mut signals = daemon::stops().map_err(RunError::from)?;
    let (daemon, moved) = ports::bind(resolved).await?;
    let bound = daemon.addresses();
    daemon::announce(resolved, bound);
    let (stop, stops) = mpsc::channel(2);
    let mut serving = tokio::spawn(daemon.serve(stops));

    let at = Addresses {
        grpc: reachable(bound.grpc),
        http: reachable(bound.http),
        api: reachable(bound.api),
    };
    let clock = Clock::start();
    let exporters = Exporters::start(at);
    let ledger = exporters.ledger();
    let greeting = words::greeting(options.rate, &resolved.config, at, &moved);
    let shown = async {
        screen::print(&greeting)?;
        tell(&clock, at, &ledger).await
    };
    let shown = tokio::select! {
        never = open_shop(&clock, options, &exporters) => match never {},
        shown = shown => shown,
        _ = signals.recv() => Ok(()),
        () = end_of(options.duration) => Ok(()),
        ended = &mut serving => {
            ended.unwrap_or(Err(RunError::TaskEnded("daemon")))?;
            Ok(())
        }
    };
    if shown.is_ok() {
        screen::end_line()?;
    }
    exporters.finish().await;
    let law = drain(&stop, &mut signals, serving).await?;
    daemon::log_drained(&law);
    shown?;
    let running = Duration::from_nanos(clock.now().mono_ns);
    Ok(screen::print(&words::farewell(running, &ledger, &law))?)
}

/// Visitors come and go; never ends by itself.
async fn open_shop(clock: &Clock, options: Options, exporters: &Exporters) -> Infallible {
    let mut traffic = Traffic::new(options.seed, options.rate, clock.now());
    let mut ticks = interval(TICK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        for export in traffic.until(clock.now()) {
            exporters.send(export).await;
        }
    }
}

/// Writes the line that moves, each second; ends only when it cannot be written.
async fn tell(clock: &Clock, at: Addresses, ledger: &Ledger) -> io::Result<()> {
    let mut api = Client::new(at.api, Transport::Http);
    let mut screen = Screen::of_stdout();
    let mut ticks = interval(SECOND);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
    ticks.tick().await;
    let (mut before, mut then_ns) = (0, clock.now().mono_ns);
    loop {
        ticks.tick().await;
        // No answer, or not yet, is no reason to stop: the line says what is known.
        let snapshot = api.get_json(live::PATH).await.ok().flatten();
        let sight = snapshot.and_then(|snapshot| Sight::read(&snapshot));
        let (accepted, now_ns) = (ledger.accepted.load(Relaxed), clock.now().mono_ns);
        let ms = (now_ns - then_ns) / 1_000_000;
        let per_s = (accepted - before) * 1_000 / ms.max(1);
        (before, then_ns) = (accepted, now_ns);
        screen.show(Duration::from_nanos(now_ns), per_s, sight.as_ref())?;
    }
}

async fn end_of(duration: Option<Duration>) {
    match duration {
        Some(duration) => sleep(duration).await,
        None => std::future::pending().await,
    }
}

/// Asks the daemon to drain; one more signal, and it gives up.
async fn drain(
    stop: &mpsc::Sender<()>,
    signals: &mut mpsc::Receiver<()>,
    mut serving: Serving,
) -> Result<Law, RunError> {
    // A daemon that has just ended needs no message.
    let _ = stop.try_send(());
    let ended = tokio::select! {
        ended = &mut serving => ended,
        Some(()) = signals.recv() => {
            let _ = stop.try_send(());
            serving.await
        }
    };
    ended.unwrap_or(Err(RunError::TaskEnded("daemon")))
}
