//! One connection: hyper with every limit set, watched by its [`Pulse`].

use std::convert::Infallible;
use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::{Instant, sleep_until};
use tower::ServiceExt as _;

use super::counters::{NetCounters, count};
use super::limits::{self, Limits};
use super::pulse::{OpenRequest, Overdue, Pulse, PulseIo};
use super::shutdown::Shutdown;

/// What [`super::serve()`] serves: answers every request, and every clone of it alike. Implemented by itself for every
/// fitting `tower` service, an axum router among them.
pub trait Service:
    tower::Service<
        Request<Incoming>,
        Response = Response<<Self as Service>::Body>,
        Error = Infallible,
        Future: Send + 'static,
    > + Clone
    + Send
    + 'static
{
    /// Body of its replies.
    type Body: Body<Data = Bytes, Error: Into<Box<dyn std::error::Error + Send + Sync>>>
        + Send
        + Unpin
        + 'static;
}

impl<S, B> Service for S
where
    S: tower::Service<
            Request<Incoming>,
            Response = Response<B>,
            Error = Infallible,
            Future: Send + 'static,
        > + Clone
        + Send
        + 'static,
    B: Body<Data = Bytes, Error: Into<Box<dyn std::error::Error + Send + Sync>>>
        + Send
        + Unpin
        + 'static,
{
    type Body = B;
}

/// Serves `io` until it ends, is overdue, or has been asked to close and did.
pub(super) async fn run<I, S>(
    io: I,
    service: S,
    limits: &Limits,
    max_age: Option<Duration>,
    counters: &NetCounters,
    mut shutdown: Shutdown,
) where
    I: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    S: Service,
{
    let pulse = Pulse::new();
    let io = TokioIo::new(PulseIo::new(io, Arc::clone(&pulse)));
    let builder = builder();
    let watched = Watched {
        inner: service,
        pulse: Arc::clone(&pulse),
    };
    let mut connection = pin!(builder.serve_connection(io, watched));
    let mut stop = pin!(shutdown.begun());
    let mut stopping = false;
    let mut hard_end = None;
    let mut old_at = max_age.map(|age| Instant::now() + age);
    let mut timer = pin!(sleep_until(pulse.due(limits).0));
    poll_fn(|cx| {
        loop {
            if let Poll::Ready(ended) = connection.as_mut().poll(cx) {
                if ended.is_err_and(|error| is_too_large(&*error)) {
                    count(&counters.heads_refused);
                }
                return Poll::Ready(());
            }
            if !stopping && stop.as_mut().poll(cx).is_ready() {
                stopping = true;
                connection.as_mut().graceful_shutdown();
                continue;
            }
            let (due, overdue) = pulse.due(limits);
            let next = [Some(due), hard_end, old_at].into_iter().flatten().min();
            let next = next.unwrap_or(due);
            // Later is found out when the timer fires: most requests move `due`, few should touch the timer wheel.
            if next < timer.deadline() {
                timer.as_mut().reset(next);
            }
            if timer.as_mut().poll(cx).is_pending() {
                return Poll::Pending;
            }
            let now = Instant::now();
            if next > now {
                timer.as_mut().reset(next);
                continue;
            }
            if hard_end.is_some_and(|end| end <= now) {
                return Poll::Ready(());
            }
            let aged = old_at.is_some_and(|old| old <= now);
            let counter = match overdue {
                _ if aged => &counters.aged_closed,
                Overdue::Idle if hard_end.is_none() => &counters.idle_closed,
                Overdue::Idle => return Poll::Ready(()),
                Overdue::Head => &counters.head_timeouts,
                Overdue::Stalled => &counters.stalled,
            };
            count(counter);
            if !aged && overdue != Overdue::Idle {
                return Poll::Ready(());
            }
            old_at = None;
            hard_end = Some(now + limits.close_grace);
            connection.as_mut().graceful_shutdown();
        }
    })
    .await;
}

/// Hands requests on and notes their progress.
#[derive(Clone)]
struct Watched<S> {
    inner: S,
    pulse: Arc<Pulse>,
}

/// A reply's body; the request counts as open until it is dropped.
struct WatchedBody<B> {
    inner: B,
    request: OpenRequest,
}

/// Whether hyper refused a head of HTTP/1 by itself: 431 for its size or its number of fields, 414 for its URL.
fn is_too_large(error: &(dyn std::error::Error + Send + Sync + 'static)) -> bool {
    let error = error.downcast_ref::<hyper::Error>();
    error.is_some_and(hyper::Error::is_parse_too_large)
}

/// hyper's builder with nothing left to its defaults that bounds anything.
fn builder() -> auto::Builder<TokioExecutor> {
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        // `Pulse` times heads; hyper's timer would close kept-alive connections with it.
        .header_read_timeout(None)
        .max_buf_size(limits::H1_HEAD);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(limits::H2_STREAMS)
        .max_pending_accept_reset_streams(limits::H2_PENDING_RESETS)
        .max_local_error_reset_streams(limits::H2_LOCAL_RESETS)
        .max_header_list_size(limits::H2_HEADER_LIST)
        .initial_stream_window_size(limits::H2_WINDOW)
        .initial_connection_window_size(limits::H2_WINDOW)
        .max_frame_size(limits::H2_FRAME)
        .max_send_buf_size(limits::H2_SEND_BUFFER)
        .keep_alive_interval(limits::H2_PING_EVERY)
        .keep_alive_timeout(limits::H2_PING_TIMEOUT);
    builder
}

// === impl Watched ===

impl<S: Service> hyper::service::Service<Request<Incoming>> for Watched<S> {
    type Response = Response<WatchedBody<S::Body>>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>> + Send>>;

    fn call(&self, request: Request<Incoming>) -> Self::Future {
        let open = self.pulse.begin();
        let reply = self.inner.clone().oneshot(request);
        Box::pin(async move {
            let reply = reply.await?;
            open.touch();
            Ok(reply.map(|inner| WatchedBody {
                inner,
                request: open,
            }))
        })
    }
}

// === impl WatchedBody ===

impl<B: Body + Unpin> Body for WatchedBody<B> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        let polled = Pin::new(&mut self.inner).poll_frame(cx);
        if polled.is_ready() {
            self.request.touch();
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}
