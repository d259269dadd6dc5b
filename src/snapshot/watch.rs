//! `--watch`: ask, draw, wait, for as long as somebody looks. A daemon that goes away and comes back is waited for.

use std::pin::pin;
use std::time::Duration;

use http::StatusCode;
use tokio::time::{Interval, MissedTickBehavior, interval};

use super::model::Graph;
use super::screen::{self, Event, Screen};
use super::table::{self, Room, View};
use super::{Question, SnapshotError, client};
use crate::render::{self, Format};

/// How it looks.
#[derive(Debug, Clone, Copy)]
pub struct Looks {
    /// Standard output is a terminal that can be drawn on; else one table an interval is printed.
    pub screen: bool,
    /// Styles may be shown in colour.
    pub colour: bool,
}

/// What one printed table may take.
const PAGE: Room = Room {
    width: 160,
    height: 24,
};

/// The window watched unless the query names one: short enough that what changes is seen to change.
const WINDOW: &str = "window=1m";

/// Shows the graph every so often, until `q`, Ctrl-C, a signal, or nobody reads any more. A query that the daemon
/// calls wrong, or a token that does not count, is an error; anything else is shown, and asked again.
pub fn watch(question: &Question, every: Duration, looks: Looks) -> Result<(), SnapshotError> {
    let question = Question {
        query: with_window(&question.query),
        ..question.clone()
    };
    let runtime = super::runtime().map_err(SnapshotError::Start)?;
    let result = runtime.block_on(run(&question, every, looks));
    // The thread that reads the keyboard may wait for a key for ever.
    runtime.shutdown_background();
    result
}

async fn run(question: &Question, every: Duration, looks: Looks) -> Result<(), SnapshotError> {
    let mut ticks = interval(every);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut view = View {
        title: question.address.to_string(),
        ..View::default()
    };
    if looks.screen {
        let mut screen = Screen::enter(looks.colour).map_err(SnapshotError::Start)?;
        return on_screen(question, &mut ticks, &mut view, &mut screen).await;
    }
    loop {
        take(&mut view, next(question, &mut ticks).await)?;
        let lines = table::lines(&view, PAGE);
        screen::write(&format!("{}\n", screen::plain(&lines)))?;
    }
}

async fn on_screen(
    question: &Question,
    ticks: &mut Interval,
    view: &mut View,
    screen: &mut Screen,
) -> Result<(), SnapshotError> {
    loop {
        draw(screen, view)?;
        let mut answer = pin!(next(question, ticks));
        loop {
            tokio::select! {
                answer = &mut answer => {
                    take(view, answer)?;
                    break;
                }
                event = screen.event() => match event {
                    Event::Quit => return Ok(()),
                    Event::Redraw => draw(screen, view)?,
                },
            }
        }
    }
}

fn draw(screen: &Screen, view: &View) -> Result<(), SnapshotError> {
    let room = Screen::room();
    let lines = table::lines(view, room);
    Ok(screen.draw(&lines, room)?)
}

/// The answer to the next asking, once it is time.
async fn next(question: &Question, ticks: &mut Interval) -> Result<Graph, SnapshotError> {
    ticks.tick().await;
    let body = client::fetch(question, render::View::Graph.name(), Format::Json)
        .await?
        .body;
    Graph::read(&body).map_err(|found| SnapshotError::NotAGraph {
        address: question.address.clone(),
        found: format!("something unreadable ({found})"),
    })
}

/// Notes an answer. The last graph stays in view beside the trouble that keeps a newer one away. Where there never was
/// one, nothing listening is an error at once: the address is wrong more often than the daemon is late.
fn take(view: &mut View, answer: Result<Graph, SnapshotError>) -> Result<(), SnapshotError> {
    view.trouble = match answer {
        Err(error @ SnapshotError::NoAnswer { .. }) if view.graph.is_none() => return Err(error),
        Ok(graph) => {
            view.graph = Some(graph);
            None
        }
        Err(SnapshotError::NoAnswer { why, .. }) => Some(format!("not reachable, retrying: {why}")),
        Err(SnapshotError::Refused { status, detail, .. })
            if status != StatusCode::BAD_REQUEST && status != StatusCode::UNAUTHORIZED =>
        {
            Some(format!("no graph, retrying: {detail}"))
        }
        // A proxy may stand before a daemon that is just being restarted.
        Err(SnapshotError::NotAGraph { found, .. }) => Some(format!("no graph, retrying: {found}")),
        Err(error) => return Err(error),
    };
    Ok(())
}

fn with_window(query: &str) -> String {
    let query = query.trim_start_matches('?');
    let mut parameters = query.split('&');
    match query {
        "" => WINDOW.to_owned(),
        query if parameters.any(|one| one.starts_with("window=")) => query.to_owned(),
        query => format!("{query}&{WINDOW}"),
    }
}
