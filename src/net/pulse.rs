//! How one connection is doing: an I/O wrapper and a request guard write times down, [`Pulse::due`] reads them.
//!
//! hyper's own HTTP/1 header timer also runs while a kept-alive connection waits for its next request, so it cannot
//! tell ten seconds for a head from sixty seconds between requests. This can, and it sees stuck writes too.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicU32, AtomicU64, Ordering::Relaxed};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep};

use super::Limits;
use super::limits::H1_HEAD;

/// Times are milliseconds since the connection was accepted; [`NEVER`] means "not now".
#[derive(Debug)]
pub(super) struct Pulse {
    start: Instant,
    /// Requests between head and end of reply.
    open: AtomicU32,
    /// Last progress of any request.
    moved: AtomicU64,
    /// First byte of a head that has not ended (HTTP/1).
    head: AtomicU64,
    /// Since when a write has been stuck.
    stuck: AtomicU64,
    /// How much of the HTTP/2 preface was seen, or [`HTTP_1`].
    preface: AtomicU8,
}

/// Why a connection is overdue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Overdue {
    Head,
    Stalled,
    Idle,
}

/// One request, until its reply was handed over or given up.
#[derive(Debug)]
pub(super) struct OpenRequest(Arc<Pulse>);

/// The connection's bytes on their way through.
#[derive(Debug)]
pub(super) struct PulseIo<I> {
    inner: I,
    pulse: Arc<Pulse>,
    /// Bytes read of the head that has not ended.
    head_bytes: usize,
    linger: Option<Pin<Box<Sleep>>>,
}

const NEVER: u64 = u64::MAX;
const PREFACE: &[u8] = b"PRI";
const PREFACE_SEEN: u8 = 3;
const HTTP_1: u8 = u8::MAX;

/// After our last byte, how long the peer's unread bytes are thrown away. Closing with unread bytes makes the system
/// send a reset, which can destroy the reply (a 413, say) before the client has read it.
const LINGER: Duration = Duration::from_secs(1);

// === impl Pulse ===

impl Pulse {
    pub(super) fn new() -> Arc<Self> {
        Arc::new(Self {
            start: Instant::now(),
            open: AtomicU32::new(0),
            moved: AtomicU64::new(0),
            head: AtomicU64::new(NEVER),
            stuck: AtomicU64::new(NEVER),
            preface: AtomicU8::new(0),
        })
    }

    /// A request's head is complete.
    pub(super) fn begin(self: &Arc<Self>) -> OpenRequest {
        self.open.fetch_add(1, Relaxed);
        self.head.store(NEVER, Relaxed);
        self.touch();
        OpenRequest(Arc::clone(self))
    }

    /// When, and for what, the connection has to go unless something moves before.
    pub(super) fn due(&self, limits: &Limits) -> (Instant, Overdue) {
        let at = |ms: u64, and: Duration| self.start + Duration::from_millis(ms) + and;
        let idle = if self.open.load(Relaxed) == 0 {
            Overdue::Idle
        } else {
            Overdue::Stalled
        };
        let mut due = (at(self.moved.load(Relaxed), limits.idle_timeout), idle);
        let head = match self.preface.load(Relaxed) {
            0 => 0,
            _ => self.head.load(Relaxed),
        };
        for (since, timeout, overdue) in [
            (head, limits.header_timeout, Overdue::Head),
            (
                self.stuck.load(Relaxed),
                limits.write_timeout,
                Overdue::Stalled,
            ),
        ] {
            if since != NEVER && at(since, timeout) < due.0 {
                due = (at(since, timeout), overdue);
            }
        }
        due
    }

    fn touch(&self) {
        self.moved.store(self.now(), Relaxed);
    }

    fn now(&self) -> u64 {
        u64::try_from(self.start.elapsed().as_millis()).unwrap_or(NEVER - 1)
    }

    fn on_read(&self, bytes: &[u8]) {
        let mut seen = self.preface.load(Relaxed);
        for &byte in bytes.iter().take(PREFACE.len()) {
            if seen >= PREFACE_SEEN {
                break;
            }
            seen = if byte == PREFACE[usize::from(seen)] {
                seen + 1
            } else {
                HTTP_1
            };
            self.preface.store(seen, Relaxed);
        }
        // HTTP/2 peers talk without requests too; the idle rule and pings watch those.
        let between_requests = self.open.load(Relaxed) == 0 && self.head.load(Relaxed) == NEVER;
        if seen != PREFACE_SEEN && between_requests {
            self.head.store(self.now(), Relaxed);
        } else if seen == PREFACE_SEEN {
            self.head.store(NEVER, Relaxed);
        }
    }

    fn on_write(&self, result: &Poll<io::Result<usize>>) {
        self.on_stuck(result.is_pending());
        // A long reply that is being taken is progress. On HTTP/2 a write may as well answer a ping, with which a peer
        // could keep stuck streams for ever.
        if result.is_ready() && self.preface.load(Relaxed) != PREFACE_SEEN {
            self.touch();
        }
    }

    fn on_stuck(&self, stuck: bool) {
        if !stuck {
            self.stuck.store(NEVER, Relaxed);
        } else if self.stuck.load(Relaxed) == NEVER {
            self.stuck.store(self.now(), Relaxed);
        }
    }
}

// === impl OpenRequest ===

impl OpenRequest {
    /// The reply moved on.
    pub(super) fn touch(&self) {
        self.0.touch();
    }
}

impl Drop for OpenRequest {
    fn drop(&mut self) {
        self.0.touch();
        self.0.open.fetch_sub(1, Relaxed);
    }
}

// === impl PulseIo ===

impl<I> PulseIo<I> {
    pub(super) fn new(inner: I, pulse: Arc<Pulse>) -> Self {
        Self {
            inner,
            pulse,
            head_bytes: 0,
            linger: None,
        }
    }
}

impl<I: AsyncRead + Unpin> AsyncRead for PulseIo<I> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.pulse.head.load(Relaxed) == NEVER {
            self.head_bytes = 0;
        }
        // hyper fills whatever room its buffer happens to have, and only then looks at its bound: without this one a
        // longer head would pass or not by how it was cut into packets.
        let left = H1_HEAD.saturating_sub(self.head_bytes).max(1);
        let before = buf.filled().len();
        ready!(Pin::new(&mut (&mut self.inner).take(left as u64)).poll_read(cx, buf))?;
        let read = &buf.filled()[before..];
        if !read.is_empty() {
            self.head_bytes += read.len();
            self.pulse.on_read(read);
        }
        Poll::Ready(Ok(()))
    }
}

impl<I: AsyncRead + AsyncWrite + Unpin> AsyncWrite for PulseIo<I> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        let result = Pin::new(&mut self.inner).poll_write(cx, buf);
        self.pulse.on_write(&result);
        result
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let result = Pin::new(&mut self.inner).poll_write_vectored(cx, bufs);
        self.pulse.on_write(&result);
        result
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let result = Pin::new(&mut self.inner).poll_flush(cx);
        self.pulse.on_stuck(result.is_pending());
        result
    }

    /// Ends our side, then throws away what the peer still sends, until it ends too or [`LINGER`] is over.
    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.linger.is_none() {
            ready!(Pin::new(&mut self.inner).poll_shutdown(cx))?;
            self.linger = Some(Box::pin(sleep(LINGER)));
        }
        let Self { inner, linger, .. } = &mut *self;
        if let Some(end) = linger
            && end.as_mut().poll(cx).is_ready()
        {
            return Poll::Ready(Ok(()));
        }
        let mut scratch = [0; 4096];
        // A bounded number of reads each time round, so that a fast sender cannot hold the worker.
        for _ in 0..16 {
            let mut thrown_away = ReadBuf::new(&mut scratch);
            match ready!(Pin::new(&mut *inner).poll_read(cx, &mut thrown_away)) {
                Ok(()) if !thrown_away.filled().is_empty() => {}
                _ => return Poll::Ready(Ok(())),
            }
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }
}
