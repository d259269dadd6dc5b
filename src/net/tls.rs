//! TLS as one more kind of connection: a listener that is wrapped hands out streams which shake hands when they are
//! first read. So nothing waits for a peer but the connection's own task, and whatever a peer does ends that one alone.
//!
//! rustls with ring, TLS 1.2 and 1.3, `h2` and `http/1.1` by ALPN, no client certificates.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Sleep, sleep};
use tokio_rustls::server::TlsStream;
use tokio_rustls::{Accept as Handshake, TlsAcceptor};

use super::handshakes::{Failed, Handshakes};
use super::{Accept, Identity, NetCounters};

/// A listener whose connections speak TLS.
#[derive(Debug)]
pub struct TlsListener<A> {
    inner: A,
    identity: Identity,
    deadline: Duration,
    counters: Arc<NetCounters>,
}

/// One of its connections. The first read or write finishes the handshake; when that fails, so do they.
pub struct TlsIo<I> {
    state: State<I>,
    counters: Arc<NetCounters>,
}

enum State<I> {
    Shaking(Box<Handshake<I>>, Pin<Box<Sleep>>),
    Open(Box<TlsStream<I>>),
    Failed,
}

// === impl TlsListener ===

impl<A: Accept> TlsListener<A> {
    /// `inner` with TLS: as `identity`, each handshake done within `deadline` of accept, failures counted in `counters`.
    pub fn new(
        inner: A,
        identity: Identity,
        deadline: Duration,
        counters: Arc<NetCounters>,
    ) -> Self {
        counters.handshakes.get_or_init(Handshakes::default);
        Self {
            inner,
            identity,
            deadline,
            counters,
        }
    }
}

impl<A: Accept> Accept for TlsListener<A> {
    type Io = TlsIo<A::Io>;

    async fn accept(&mut self) -> io::Result<(TlsIo<A::Io>, SocketAddr)> {
        let (io, peer) = self.inner.accept().await?;
        let handshake = TlsAcceptor::from(self.identity.current()).accept(io);
        let state = State::Shaking(Box::new(handshake), Box::pin(sleep(self.deadline)));
        let counters = Arc::clone(&self.counters);
        Ok((TlsIo { state, counters }, peer))
    }
}

// === impl TlsIo ===

impl<I: AsyncRead + AsyncWrite + Unpin> TlsIo<I> {
    /// The stream, once hands are shaken.
    fn open(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<Pin<&mut TlsStream<I>>>> {
        if let State::Shaking(handshake, deadline) = &mut self.state {
            let ended = match Pin::new(&mut **handshake).poll(cx) {
                Poll::Ready(ended) => ended,
                Poll::Pending => {
                    ready!(deadline.as_mut().poll(cx));
                    Err(io::ErrorKind::TimedOut.into())
                }
            };
            self.state = match ended {
                Ok(stream) => State::Open(Box::new(stream)),
                Err(error) => {
                    self.note(&error);
                    State::Failed
                }
            };
        }
        match &mut self.state {
            State::Open(stream) => Poll::Ready(Ok(Pin::new(&mut **stream))),
            _ => Poll::Ready(Err(io::ErrorKind::ConnectionAborted.into())),
        }
    }

    fn note(&self, error: &io::Error) {
        if let Some(handshakes) = self.counters.handshakes.get() {
            handshakes.count(Failed::of(error));
        }
    }
}

impl<I: AsyncRead + AsyncWrite + Unpin> AsyncRead for TlsIo<I> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        ready!(self.open(cx))?.poll_read(cx, buf)
    }
}

impl<I: AsyncRead + AsyncWrite + Unpin> AsyncWrite for TlsIo<I> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        ready!(self.open(cx))?.poll_write(cx, buf)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        ready!(self.open(cx))?.poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.open(cx))?.poll_flush(cx)
    }

    /// Whoever has not shaken hands is owed no farewell.
    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.state {
            State::Open(stream) => Pin::new(&mut **stream).poll_shutdown(cx),
            _ => Poll::Ready(Ok(())),
        }
    }
}

impl<I> fmt::Debug for TlsIo<I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TlsIo").finish_non_exhaustive()
    }
}
