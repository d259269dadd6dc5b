//! The daemon's own log: one lower case sentence a line, constant, with fields. Standard error, text or JSON.
//! The subscriber is the only process-wide state there is; counters live with what they count.

use std::io::{self, IsTerminal as _};

use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{Layer as _, fmt, registry};

/// How a line looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// For people; coloured on a terminal.
    Text,
    /// One flat JSON object a line.
    Json,
}

/// Starts logging at `level` for our own lines, and at most `warn` for those of libraries. A second call changes nothing.
pub fn init(level: LevelFilter, format: Format) {
    let filter = Targets::new()
        .with_default(level.min(LevelFilter::WARN))
        .with_target("spangraph", level);
    let lines = match format {
        Format::Text => fmt::layer()
            .with_writer(io::stderr)
            .with_ansi(io::stderr().is_terminal())
            .with_target(false)
            .boxed(),
        Format::Json => fmt::layer()
            .with_writer(io::stderr)
            .json()
            .flatten_event(true)
            .with_current_span(false)
            .with_span_list(false)
            .boxed(),
    };
    // Already set is the only failure, and then someone else's choice stands: tests share one process.
    let _ = registry().with(lines.with_filter(filter)).try_init();
}
