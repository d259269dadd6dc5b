//! The one computation behind all streams of a query: at every `every` seconds of sealed slices it gets the newest
//! body and works out what changed. It reads no clock: the slices say how much time has passed.

use std::sync::Arc;

use bytes::Bytes;
use parking_lot::Mutex;
use tokio::sync::watch;

use super::delta::Held;
use super::event;
use crate::api::Shared;
use crate::api::problem::Problem;
use crate::api::snapshot::{Asked, defect};

/// What a feed has for its readers.
#[derive(Debug, Clone)]
pub(super) enum Newest {
    /// The first state is being built.
    Pending,
    /// The newest state.
    State(Arc<State>),
    /// There will be no further one.
    Ended(Problem),
}

/// One state of a query. Readers share its bytes.
#[derive(Debug)]
pub(super) struct State {
    /// 1 for the first of a feed.
    pub(super) number: u64,
    pub(super) etag: String,
    /// As `/api/v1/topology` has it.
    pub(super) body: Bytes,
    /// Names it among all states of the query: the process, and the newest second sealed by then.
    pub(super) id: String,
    /// The event that leads from the state before to this one; `None` for the first, and where nobody reads deltas.
    pub(super) delta: Option<Bytes>,
    door: Mutex<Door>,
}

/// Whether readers may begin with a state. A delta must know what its readers hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Door {
    /// They may, and none has.
    Open,
    /// They may, and some have.
    Entered,
    /// The next state is being worked out without them: they begin with that one.
    Shut,
}

/// What is streamed.
#[derive(Debug, Clone)]
pub(super) struct Ask {
    pub(super) asked: Arc<Asked>,
    /// Seconds of sealed slices from one state to the next.
    pub(super) every_s: u64,
    /// Readers want deltas; else each state whole.
    pub(super) deltas: bool,
}

// === impl State ===

impl State {
    /// Notes that a reader begins with this state; `false` when it has to wait for the next.
    pub(super) fn enter(&self) -> bool {
        let mut door = self.door.lock();
        if *door == Door::Shut {
            return false;
        }
        *door = Door::Entered;
        true
    }

    /// Lets no further reader begin here; whether any has.
    fn shut(&self) -> bool {
        std::mem::replace(&mut *self.door.lock(), Door::Shut) == Door::Entered
    }
}

// === impl Ask ===

impl Ask {
    /// Equal texts mean equal feeds.
    pub(super) fn key(&self) -> String {
        format!(
            "{} {} {}",
            self.every_s,
            self.deltas,
            self.asked.canonical()
        )
    }

    /// Feeds `newest` until the question can no longer be answered, or the task is ended.
    pub(super) async fn run(self, shared: Arc<Shared>, newest: watch::Sender<Newest>) {
        let mut sealed = shared.state.source.versions();
        let mut last: Option<Arc<State>> = None;
        let mut held = Held::default();
        loop {
            sealed.borrow_and_update();
            let second = shared.state.source.newest_unix_s().unwrap_or_default();
            let due = match self.next(&shared, second, last.as_ref(), &mut held).await {
                Ok(state) => {
                    if let Some(state) = state {
                        newest.send_replace(Newest::State(Arc::clone(&state)));
                        last = Some(state);
                    }
                    second + self.every_s
                }
                // Passes: whoever streams already waits for the next slice.
                Err(Problem::Busy) if last.is_some() => second + 1,
                Err(problem) => {
                    newest.send_replace(Newest::Ended(problem));
                    return;
                }
            };
            while shared.state.source.newest_unix_s() < Some(due) {
                if sealed.changed().await.is_err() {
                    return;
                }
            }
        }
    }

    /// The state of now; `None` when it is still the last.
    async fn next(
        &self,
        shared: &Arc<Shared>,
        second: u64,
        last: Option<&Arc<State>>,
        held: &mut Held,
    ) -> Result<Option<Arc<State>>, Problem> {
        self.asked.settle(shared).await;
        let prepared = Arc::clone(&self.asked).prepare(shared)?;
        let etag = prepared.etag.clone();
        if last.is_some_and(|last| last.etag == etag) {
            return Ok(None);
        }
        let id = format!("{}-{second}", shared.state.epoch);
        let body = prepared.body(shared).await?.bytes;
        let joined = last.is_some_and(|last| last.shut());
        let delta = if self.deltas {
            delta(held, body.clone(), joined).await?
        } else {
            None
        };
        Ok(Some(Arc::new(State {
            number: last.map_or(1, |last| last.number + 1),
            etag,
            body,
            delta: delta.map(|data| event::whole("delta", &id, &data)),
            id,
            door: Mutex::new(Door::Open),
        })))
    }
}

/// Works the delta out on a blocking thread: a large graph takes some milliseconds.
async fn delta(held: &mut Held, body: Bytes, joined: bool) -> Result<Option<Vec<u8>>, Problem> {
    let mut own = std::mem::take(held);
    let done = tokio::task::spawn_blocking(move || {
        let delta = own.next(&body, joined);
        (own, delta)
    });
    let (own, delta) = done.await.map_err(|error| defect(&error))?;
    *held = own;
    delta.map_err(|error| defect(&error))
}
