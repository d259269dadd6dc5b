//! `spangraph snapshot`: the graph of a running daemon, printed once or watched in the terminal.
//!
//! A client of the API and nothing more: what it shows went through the same routes, parameters and bodies as
//! everybody's. Whatever the other side sends is taken for text by a stranger: bounded, and inert on a screen.

mod address;
mod client;
mod columns;
mod model;
mod screen;
mod table;
#[cfg(test)]
mod tests;
pub(crate) mod text;
mod watch;

use std::io;
use std::time::Duration;

use crate::access::{Access, AccessError};
use crate::render::text::hidden_words;
use crate::render::{Format, View};
pub use address::{Address, NotAnAddress};
pub use watch::{Looks, watch};

/// What is asked of which daemon.
#[derive(Debug, Clone)]
pub struct Question {
    /// Where it listens.
    pub address: Address,
    /// What to show it, and whom to trust.
    pub access: Access,
    /// Parameters as the API has them, `window=90s&focus=shop/web`; empty for its defaults.
    pub query: String,
    /// How long the whole answer may take.
    pub timeout: Duration,
}

/// Why there is no graph to show.
#[derive(Debug, thiserror::Error)]
pub enum SnapshotError {
    /// There is no such route.
    #[error("`{}` cannot show `{}`", .format.name(), .view.name())]
    NoView {
        /// What should be shown.
        view: View,
        /// How.
        format: Format,
    },
    /// No threads, no signal handlers, no terminal.
    #[error("cannot start: {0}")]
    Start(io::Error),
    /// Nobody listens there, or what listens stopped in the middle.
    #[error("nothing answers at {address}: {why}; is the daemon running?")]
    NoAnswer {
        /// What was asked.
        address: Address,
        /// What the network said.
        why: String,
    },
    /// A file that was named is of no use, or there is nobody to trust.
    #[error(transparent)]
    Access(#[from] AccessError),
    /// Somebody answers there, and cannot prove to be who was asked.
    #[error(
        "{address} is not trusted: {why}; name its authority, or its own certificate, with --ca-file"
    )]
    Untrusted {
        /// What was asked.
        address: Address,
        /// What is wrong with what it showed.
        why: String,
    },
    /// The daemon understood, and said no.
    #[error("{detail} ({address} answers {status})")]
    Refused {
        /// What was asked.
        address: Address,
        /// HTTP status.
        status: http::StatusCode,
        /// Its reason, made safe for a terminal.
        detail: String,
    },
    /// Something else than Spangraph's API answers there.
    #[error("{address} answers {found}, not a graph; is it Spangraph's API?")]
    NotAGraph {
        /// What was asked.
        address: Address,
        /// What came instead.
        found: String,
    },
    /// Standard output does not take it.
    #[error("cannot write the output: {0}")]
    Output(#[from] io::Error),
}

/// A graph as it was answered.
#[derive(Debug)]
pub struct Fetched {
    /// Ends with a line break.
    pub text: Vec<u8>,
    /// What filters took away of it, in words: not every format says so itself.
    pub hidden: Option<String>,
}

/// Fetches the graph once, whole: half an answer is an error, not output.
pub fn fetch(question: &Question, view: View, format: Format) -> Result<Fetched, SnapshotError> {
    if !view.formats().contains(&format) {
        return Err(SnapshotError::NoView { view, format });
    }
    ask(question, view.name(), format)
}

/// Fetches the difference of two windows in the same way.
pub fn fetch_diff(question: &Question, format: Format) -> Result<Vec<u8>, SnapshotError> {
    Ok(ask(question, "diff", format)?.text)
}

fn ask(question: &Question, route: &str, format: Format) -> Result<Fetched, SnapshotError> {
    let runtime = runtime().map_err(SnapshotError::Start)?;
    let answer = runtime.block_on(client::fetch(question, route, format));
    runtime.shutdown_background();
    let answer = answer?;
    Ok(Fetched {
        text: ended(Vec::from(answer.body)),
        hidden: answer.hidden.and_then(hidden_words),
    })
}

/// The text with a line break at its end.
pub(crate) fn ended(mut text: Vec<u8>) -> Vec<u8> {
    if !text.ends_with(b"\n") {
        text.push(b'\n');
    }
    text
}

fn runtime() -> io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
}
