//! `spangraph replay`: recorded requests through the same core, without a network, and the graph of all of them.
//!
//! One request after the other is read (`input`), given a time of arrival (`pace`) and applied, and sealed seconds
//! are summed up at once (`engine`): memory follows the graph, not the length of the input. No clock is read, and one
//! thread does it all, so the same input gives the same bytes.

mod engine;
mod error;
mod framing;
mod input;
mod pace;
mod player;
mod report;
mod request;

use std::io::Write;

use prost::Message as _;
use sha2::{Digest as _, Sha256};

use crate::api::{Asked, Problem};
use crate::cli::ReplayArgs;
use crate::config::Resolved;
use crate::core::CoreConfig;
use crate::daemon;
use crate::proto;
use crate::topology::layout::layout;
use crate::topology::{self, Frame, Hidden, Params, Thresholds, layout_graph};

pub use error::ReplayError;
use input::Input;
use player::Player;
use report::Report;

/// Replays the files of `args` under what of `resolved` the core and the graph's health depend on. The graph goes to
/// `out`; bad lines and the sums go to `log`.
pub fn run(
    args: &ReplayArgs,
    resolved: &Resolved,
    out: &mut dyn Write,
    log: &mut dyn Write,
) -> Result<(), ReplayError> {
    let asked = asked(args, resolved).map_err(|problem| ReplayError::Query(problem.detail()))?;
    for path in &args.files {
        input::check(path)?;
    }
    let mut report = Report::new(log);
    let played = play(args, resolved, &mut report);
    report.sum_up(played.as_ref().ok().and_then(|slice| slice.law.as_ref()));
    let (body, hidden) = draw(played?, resolved, &asked)?;
    report.hidden(hidden);
    let mut write = || {
        out.write_all(&body)?;
        if body.last() != Some(&b'\n') {
            out.write_all(b"\n")?;
        }
        out.flush()
    };
    write().map_err(ReplayError::Output)
}

/// One parser for the flags and for URLs: `--format` is a parameter like any other.
fn asked(args: &ReplayArgs, resolved: &Resolved) -> Result<Asked, Problem> {
    let mut params = Params::decode(&args.query.join("&"));
    if let Some(format) = args.format {
        params.add("format", format.name());
    }
    Asked::of_all(args.view, params, &resolved.config.graph.dimensions.0)
}

/// The slice of the whole input, every wait elapsed.
fn play(
    args: &ReplayArgs,
    resolved: &Resolved,
    report: &mut Report<'_>,
) -> Result<proto::Slice, ReplayError> {
    let mut player = Player::new(core_config(resolved));
    for path in &args.files {
        let mut input = Input::open(path, args.framing)?;
        report.input();
        while let Some(stored) = input.read()? {
            let taken = match stored {
                Ok(stored) => player.take(stored, input.is_framed())?,
                Err(bad) => Err(bad),
            };
            match taken {
                Ok(counts) => report.request(counts),
                Err(bad) => {
                    report.bad(&input, &bad);
                    if args.strict {
                        return Err(ReplayError::Strict);
                    }
                }
            }
        }
    }
    player.finish()?.ok_or(ReplayError::Nothing)
}

/// As in the daemon, but for one thread, and with bounds on nodes and edges that hold for the whole input.
fn core_config(resolved: &Resolved) -> CoreConfig {
    CoreConfig {
        shards: 1,
        idle_s: u64::MAX,
        ..daemon::core_config(resolved)
    }
}

fn draw(
    slice: proto::Slice,
    resolved: &Resolved,
    asked: &Asked,
) -> Result<(Vec<u8>, Hidden), ReplayError> {
    // What stands for a process elsewhere stands for the data here.
    let epoch = daemon::hex(&Sha256::digest(slice.encode_to_vec())[..8]);
    let health = &resolved.config.health;
    let frame = Frame {
        start_unix_s: slice.start_unix_s,
        end_unix_s: slice.end_unix_s,
        resolution_s: 1,
        epoch: &epoch,
        thresholds: Thresholds {
            degraded_failed_ratio: health.degraded_failed_ratio,
            failing_failed_ratio: health.failing_failed_ratio,
        },
        query: asked.query(),
    };
    let whole = asked.is_placed().then(|| slice.clone());
    let mut topology = topology::build(slice, &frame)?;
    if let Some(whole) = whole {
        let graph = layout_graph(whole, &asked.query().group_by)?;
        topology.place(&layout(None, &graph));
    }
    topology.window.requested_s = frame.end_unix_s - frame.start_unix_s;
    Ok((asked.write(&topology)?.body, topology.hidden))
}
