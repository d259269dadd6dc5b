//! `spangraph diff`: two windows of a running daemon, or two saved snapshots, compared and judged for a pipeline.
//!
//! Of a daemon it is a client and no more: the daemon compares, since only it has both windows whole. Saved snapshots
//! are compared here, by the same code. Either way what is shown and judged is read off one body, `spangraph.diff/1`.
//! Whatever a file or the other side says is taken for text by a stranger, and inert on a screen.

mod gate;
mod report;
mod saved;
mod table;

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use crate::render::text::{echoed, visible};
use crate::render::{self, Format, Picture, WriteError};
use crate::snapshot::{self, Question, SnapshotError};
use crate::topology::diff::{Settings, compare};
use crate::topology::{InvalidParam, Params};

pub use gate::FailOn;
use report::Report;

/// Most bytes of a saved snapshot.
const MAX_FILE: u64 = 256 << 20;

/// What is compared.
#[derive(Debug, Clone)]
pub enum Compared {
    /// Two windows of a daemon.
    Windows {
        /// Which daemon, and filters.
        question: Question,
        /// End of the first, as `at` is written; what the daemon takes when left out.
        base: Option<String>,
        /// End of the second.
        head: Option<String>,
        /// Length of both.
        window: Option<String>,
    },
    /// Two files.
    Saved {
        /// The first; `-` is standard input.
        base: PathBuf,
        /// The second.
        head: PathBuf,
        /// Parameters of the comparison.
        query: String,
    },
}

/// How it is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shown {
    /// For people.
    Table,
    /// As the API does.
    As(Format),
}

/// What came of it.
#[derive(Debug)]
pub struct Outcome {
    /// To print.
    pub text: Vec<u8>,
    /// Everything found that was asked to fail on, in words; empty when nothing was.
    pub found: Vec<String>,
    /// What makes the comparison less than it seems, for standard error.
    pub warnings: Vec<String>,
}

/// Why there is nothing to show.
#[derive(Debug, thiserror::Error)]
pub enum DiffError {
    /// The daemon could not be asked, or said no.
    #[error(transparent)]
    Asked(#[from] SnapshotError),
    /// A file cannot be read.
    #[error("cannot read {path}: {source}")]
    Read {
        /// Which.
        path: String,
        /// Why.
        source: io::Error,
    },
    /// A file is no saved snapshot, or is one no longer.
    #[error(
        "{path} is no snapshot as `spangraph snapshot --format json` prints it: {why}; save it anew, and leave it as it is"
    )]
    NotASnapshot {
        /// Which.
        path: String,
        /// What is wrong with it.
        why: String,
    },
    /// The two were not asked the same question.
    #[error("the snapshots cannot be compared: {0}")]
    Unlike(String),
    /// A parameter of `--query`.
    #[error("parameter `{}` = `{}`: {}", echoed(&.0.name), echoed(&.0.value), .0.reason)]
    Query(InvalidParam),
    /// Neither window has a call, so that a judgement would be about nothing.
    #[error("neither window has a call to compare; `--fail-on nothing` shows them all the same")]
    NoCalls,
    /// What answers is not a diff.
    #[error("the answer is no diff: {0}")]
    NotADiff(String),
    /// A defect.
    #[error("cannot write the diff: {0}")]
    Write(#[from] WriteError),
    /// Nobody takes what is printed.
    #[error("cannot write the output: {0}")]
    Output(io::Error),
}

/// Compares, and judges what was found by `fail_on`.
pub fn run(compared: &Compared, shown: Shown, fail_on: &[FailOn]) -> Result<Outcome, DiffError> {
    match compared {
        Compared::Windows {
            question,
            base,
            head,
            window,
        } => {
            let ends = [("base", base), ("head", head), ("window", window)];
            of_windows(question, ends, shown, fail_on)
        }
        Compared::Saved { base, head, query } => of_files([base, head], query, shown, fail_on),
    }
}

fn of_windows(
    question: &Question,
    asked: [(&str, &Option<String>); 3],
    shown: Shown,
    fail_on: &[FailOn],
) -> Result<Outcome, DiffError> {
    let given = asked.map(|(name, value)| Some((name, value.as_deref()?)));
    let asked = with(given.into_iter().flatten(), &question.query);
    let ask = |query: String, format| {
        let question = Question {
            query,
            ..question.clone()
        };
        snapshot::fetch_diff(&question, format)
    };
    let drawn = match shown {
        Shown::As(format) => Some(format).filter(|f| render::diff::is_drawn(*f)),
        Shown::Table => None,
    };
    let judged = match drawn {
        // What a drawing looks like is no question to the body that is judged.
        Some(_) => without(&asked, &Picture::NAMES),
        None => asked.clone(),
    };
    let body = ask(judged, Format::Json)?;
    let report = Report::read(&body).map_err(|why| DiffError::NotADiff(visible(&why)))?;
    let text = match (shown, drawn) {
        (Shown::Table, _) => table::text(&report).into_bytes(),
        (Shown::As(_), None) => body,
        (Shown::As(_), Some(format)) => {
            // The same two windows, which `now` no longer names.
            let ends = [("base", report.end("base")), ("head", report.end("head"))];
            let rest = without(&asked, &["base", "head"]);
            ask(with(ends.into_iter(), &rest), format)?
        }
    };
    outcome(text, &report, fail_on)
}

fn of_files(
    paths: [&PathBuf; 2],
    query: &str,
    shown: Shown,
    fail_on: &[FailOn],
) -> Result<Outcome, DiffError> {
    let mut params = Params::decode(query);
    let settings = Settings::take(&mut params);
    let picture = Picture::take(&mut params);
    params
        .finish()
        .map_err(|mut wrong| DiffError::Query(wrong.swap_remove(0)))?;
    let [base, head] = paths.map(|path| read(path));
    let (base, head) = (base?, head?);
    saved::alike(&base, &head).map_err(|why| DiffError::Unlike(visible(&why)))?;
    let diff = compare(&base.topology, &head.topology, settings);
    let write = |format| {
        let body = render::diff::write(format, &diff, &picture);
        body.map(|written| snapshot::ended(written.body))
    };
    let body = write(Format::Json)?;
    let report = Report::read(&body).map_err(|why| DiffError::NotADiff(visible(&why)))?;
    let text = match shown {
        Shown::Table => table::text(&report).into_bytes(),
        Shown::As(Format::Json) => body,
        Shown::As(format) => write(format)?,
    };
    outcome(text, &report, fail_on)
}

fn outcome(text: Vec<u8>, report: &Report, fail_on: &[FailOn]) -> Result<Outcome, DiffError> {
    Ok(Outcome {
        text,
        found: judge(report, fail_on)?,
        warnings: report.warnings(),
    })
}

/// What was found that counts. Two windows without a call are the same, but a pipeline that asks must not go on since
/// nothing was measured.
fn judge(report: &Report, fail_on: &[FailOn]) -> Result<Vec<String>, DiffError> {
    let asks = fail_on.iter().any(|kind| *kind != FailOn::Nothing);
    if asks && report.summary.nodes.all() + report.summary.edges.all() == 0 {
        return Err(DiffError::NoCalls);
    }
    Ok(gate::found(report, fail_on))
}

fn read(path: &Path) -> Result<saved::Saved, DiffError> {
    let shown = match path.to_str() {
        Some("-") => "standard input".to_owned(),
        _ => path.display().to_string(),
    };
    let broken = |source| DiffError::Read {
        path: shown.clone(),
        source,
    };
    let mut text = Vec::new();
    if path.as_os_str() == "-" {
        io::stdin().lock().take(MAX_FILE).read_to_end(&mut text)
    } else {
        File::open(path).and_then(|file| file.take(MAX_FILE).read_to_end(&mut text))
    }
    .map_err(broken)?;
    saved::read(&text).map_err(|why| DiffError::NotASnapshot {
        path: shown,
        why: visible(&why),
    })
}

/// A query with these parameters before `rest`.
fn with<'a>(given: impl Iterator<Item = (&'a str, &'a str)>, rest: &str) -> String {
    // What is left of a URL's query may stand in a value; what ends one may not.
    let escape = |value: &str| value.replace('%', "%25").replace('&', "%26");
    let mut parts: Vec<String> = given
        .map(|(name, value)| format!("{name}={}", escape(value)))
        .collect();
    let rest = rest.trim_start_matches('?');
    if !rest.is_empty() {
        parts.push(rest.to_owned());
    }
    parts.join("&")
}

/// The query without these parameters.
fn without(query: &str, names: &[&str]) -> String {
    let name = |part: &str| part.split('=').next().unwrap_or_default().to_owned();
    let parts = query.split('&');
    let kept: Vec<&str> = parts
        .filter(|p| !names.contains(&name(p).as_str()))
        .collect();
    kept.join("&")
}
