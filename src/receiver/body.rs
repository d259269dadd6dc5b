//! Reading a request body into memory that was admitted first, at a rate that is worth waiting for.

use std::borrow::Cow;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Buf as _, Bytes};
use http_body::Body;
use tokio::time::{Instant, timeout_at};

use super::Message;
use super::refusal::Refusal;
use crate::net::Admission;
use crate::net::admission::STEP;

/// Reads a body; every wait in it ends.
#[derive(Debug)]
pub(super) struct Reader<B> {
    body: B,
    start: Instant,
    received: usize,
    /// The client's own deadline, if it named one.
    deadline: Option<Instant>,
}

/// Longest time for a body, whatever its size.
const BODY_DEADLINE: Duration = Duration::from_secs(30);

/// From here on the body must have come at [`MIN_BYTES_PER_S`] on average.
const GRACE: Duration = Duration::from_secs(5);
const MIN_BYTES_PER_S: u64 = 1024;

// === impl Reader ===

impl<B> Reader<B>
where
    B: Body<Data = Bytes> + Unpin,
{
    pub(super) fn new(body: B, deadline: Option<Instant>) -> Self {
        Self {
            body,
            start: Instant::now(),
            received: 0,
            deadline,
        }
    }

    /// The next bytes, never none of them; `None` at the end.
    pub(super) async fn chunk(&mut self) -> Result<Option<Bytes>, Refusal> {
        loop {
            let rate_due = self.start + rate_allowance(self.received);
            let (due, late) = match self.deadline {
                Some(deadline) if deadline < rate_due => (deadline, Refusal::DeadlineExceeded),
                _ => (rate_due, Refusal::TooSlow),
            };
            let body = &mut self.body;
            let frame = poll_fn(|cx| Pin::new(&mut *body).poll_frame(cx));
            match timeout_at(due, frame).await {
                Err(_) => return Err(late),
                Ok(None) => return Ok(None),
                Ok(Some(Err(_))) => return Err(invalid("the request body broke off")),
                Ok(Some(Ok(frame))) => {
                    // Anything but data is trailers, which nothing here needs.
                    if let Ok(data) = frame.into_data()
                        && !data.is_empty()
                    {
                        self.received += data.len();
                        return Ok(Some(data));
                    }
                }
            }
        }
    }

    /// Exactly `len` bytes, of which `first` have come already, with no copy if they came in one piece and one
    /// otherwise. `Err` if the body ends before. What follows them is in the second value.
    pub(super) async fn exactly(
        &mut self,
        mut first: Bytes,
        len: usize,
    ) -> Result<(Bytes, Bytes), Refusal> {
        if first.len() >= len {
            return Ok((first.split_to(len), first));
        }
        let mut whole = room(len)?;
        while whole.len() + first.len() < len {
            whole.extend_from_slice(&first);
            let next = self.chunk().await?;
            first = next.ok_or_else(|| invalid("the request body ends too early"))?;
        }
        let last = first.split_to(len - whole.len());
        whole.extend_from_slice(&last);
        Ok((Bytes::from(whole), first))
    }

    /// The whole body of an HTTP request: charged at once where its length is known, by steps where it is not.
    pub(super) async fn all(mut self, admission: &Arc<Admission>) -> Result<Message, Refusal> {
        let limit = admission.largest_message();
        let too_large = Refusal::TooLarge { limit };
        let Some(len) = self.body.size_hint().exact() else {
            return self.all_unsized(admission).await;
        };
        let len = usize::try_from(len).map_err(|_| too_large.clone())?;
        if len > limit {
            return Err(too_large);
        }
        let permit = admission.admit(len).await?;
        self.start = Instant::now();
        let (bytes, _) = self.exactly(Bytes::new(), len).await?;
        Ok(Message { bytes, permit })
    }

    async fn all_unsized(mut self, admission: &Arc<Admission>) -> Result<Message, Refusal> {
        let limit = admission.largest_message();
        let mut permit = admission.admit(STEP.min(limit)).await?;
        self.start = Instant::now();
        let mut whole = room(STEP.min(limit))?;
        while let Some(chunk) = self.chunk().await? {
            let len = whole.len() + chunk.len();
            if len > limit {
                return Err(Refusal::TooLarge { limit });
            }
            if len > whole.capacity() {
                // Doubled, so that each byte is moved once or twice; charged by capacity, so that none is free.
                let capacity = (whole.capacity() * 2).max(len).min(limit);
                permit.try_more(capacity - whole.capacity())?;
                whole
                    .try_reserve_exact(capacity - whole.len())
                    .map_err(|_| Refusal::NoRoom)?;
            }
            whole.extend_from_slice(&chunk);
        }
        Ok(Message {
            bytes: Bytes::from(whole),
            permit,
        })
    }

    /// The 5-byte prefix of a gRPC message, and what came with it.
    pub(super) async fn prefix(&mut self) -> Result<([u8; 5], Bytes), Refusal> {
        let mut prefix = [0; 5];
        let mut have = 0;
        loop {
            let next = self.chunk().await?;
            let mut chunk = next.ok_or_else(|| invalid("the request has no whole message"))?;
            let take = chunk.len().min(prefix.len() - have);
            chunk.copy_to_slice(&mut prefix[have..have + take]);
            have += take;
            if have == prefix.len() {
                return Ok((prefix, chunk));
            }
        }
    }
}

/// An empty buffer of exactly this capacity.
pub(super) fn room(len: usize) -> Result<Vec<u8>, Refusal> {
    let mut room = Vec::new();
    room.try_reserve_exact(len).map_err(|_| Refusal::NoRoom)?;
    Ok(room)
}

pub(super) fn invalid(what: &'static str) -> Refusal {
    Refusal::Invalid(Cow::Borrowed(what))
}

/// How long a body may have taken when `received` bytes are there: every KiB buys a second, from 5 s up to 30 s.
fn rate_allowance(received: usize) -> Duration {
    let earned = Duration::from_secs(received as u64 / MIN_BYTES_PER_S);
    earned.clamp(GRACE, BODY_DEADLINE)
}
