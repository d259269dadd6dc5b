//! One reader of a stream: what it holds, and what it is given next.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::time::{Interval, MissedTickBehavior, interval};

use super::event;
use super::feed::{Newest, State};
use super::hub::Place;
use crate::api::problem::Problem;
use crate::net::Shutdown;

/// From one heartbeat to the next.
const HEARTBEAT: Duration = Duration::from_secs(15);

/// A reader and its place.
#[derive(Debug)]
pub(super) struct Reader {
    place: Place,
    ending: Shutdown,
    /// Number of the state it holds; 0 before the first.
    holds: u64,
    /// Parts of the event it is being given.
    parts: VecDeque<Bytes>,
    heartbeat: Interval,
    over: bool,
}

// === impl Reader ===

impl Reader {
    /// Ends by itself when `ending` begins.
    pub(super) fn new(place: Place, ending: Shutdown) -> Self {
        let mut heartbeat = interval(HEARTBEAT);
        heartbeat.set_missed_tick_behavior(MissedTickBehavior::Delay);
        heartbeat.reset();
        Self {
            place,
            ending,
            holds: 0,
            parts: VecDeque::from([event::greeting()]),
            heartbeat,
            over: false,
        }
    }

    /// The next bytes of server-sent events; `None` at the end. Safe to call after it was dropped half-way.
    pub(super) async fn next(&mut self) -> Option<Bytes> {
        loop {
            if let Some(part) = self.parts.pop_front() {
                return Some(part);
            }
            if self.over {
                return None;
            }
            self.look();
            if !self.parts.is_empty() {
                continue;
            }
            tokio::select! {
                biased;
                () = self.ending.begun() => self.over = true,
                more = self.place.changed() => self.over = !more,
                _ = self.heartbeat.tick() => self.parts.push_back(event::HEARTBEAT),
            }
        }
    }

    /// The next state whole; `None` at the end.
    pub(super) async fn newest(&mut self) -> Option<Result<Arc<State>, Problem>> {
        while !self.over {
            match self.place.look() {
                Newest::State(state) if state.number != self.holds => {
                    self.holds = state.number;
                    return Some(Ok(state));
                }
                Newest::Ended(problem) => {
                    self.over = true;
                    return Some(Err(problem));
                }
                Newest::State(_) | Newest::Pending => {}
            }
            tokio::select! {
                biased;
                () = self.ending.begun() => self.over = true,
                more = self.place.changed() => self.over = !more,
            }
        }
        None
    }

    /// Lines up the event that brings the reader to the newest state.
    fn look(&mut self) {
        let state = match self.place.look() {
            Newest::State(state) if state.number != self.holds => state,
            Newest::Ended(problem) => {
                let data = problem.body().to_string();
                self.parts
                    .push_back(event::whole("problem", "", data.as_bytes()));
                self.over = true;
                return;
            }
            Newest::State(_) | Newest::Pending => return,
        };
        match &state.delta {
            Some(delta) if self.holds > 0 && self.holds + 1 == state.number => {
                self.parts.push_back(delta.clone());
            }
            _ if state.enter() => {
                if self.holds > 0 {
                    self.place.skipped();
                }
                self.parts.extend([
                    event::begin("snapshot", &state.id),
                    state.body.clone(),
                    event::END,
                ]);
            }
            // The next state is about to come.
            _ => return,
        }
        self.holds = state.number;
    }
}
