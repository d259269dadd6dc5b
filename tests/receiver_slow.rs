//! Bodies that come too slowly, on a clock that only moves when everybody waits.
#![allow(missing_docs, clippy::unwrap_used, reason = "tests")]

mod receiver_support;

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use receiver_support::*;
use spangraph::net::{Admission, Shutdown};
use spangraph::receiver::{Ingest, Receiver};
use tokio::time::{Instant, Interval, interval};
use tower::ServiceExt as _;

/// `left`, `each` bytes of it at every tick.
struct Dripping {
    left: Bytes,
    each: usize,
    ticks: Interval,
}

impl Body for Dripping {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        if self.left.is_empty() {
            return Poll::Ready(None);
        }
        ready!(self.ticks.poll_tick(cx));
        let now = self.each.min(self.left.len());
        let part = self.left.split_to(now);
        Poll::Ready(Some(Ok(Frame::data(part))))
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left.len() as u64)
    }
}

fn receiver() -> Receiver {
    let ingest: Arc<dyn Ingest> = Arc::new(Ledger::default());
    Receiver::new(ingest, Admission::new(2 << 20), Shutdown::never())
}

/// Scenario (H19, A7): a body of 200,000 bytes at various rates.
/// Guarantees: 503 with `Retry-After` (not 408, which clients do not retry), after 5 s at under 1 KiB/s, after 30 s at
/// whatever rate; in time, the body is read.
#[tokio::test(start_paused = true)]
async fn a_slow_http_body_is_given_up_at_its_deadline() {
    let rows = [
        (1, 503, 5),
        (1000, 503, 5),
        (2000, 503, 30),
        (20_000, 400, 9),
    ];
    for (each, status, after_s) in rows {
        let start = Instant::now();
        let body = Dripping {
            left: Bytes::from(vec![0; 200_000]),
            each,
            ticks: interval(Duration::from_secs(1)),
        };
        let head =
            http::Request::post("/v1/traces").header("content-type", "application/x-protobuf");
        let reply = receiver()
            .http()
            .oneshot(head.body(body).unwrap())
            .await
            .unwrap();
        assert_eq!(reply.status(), status, "{each} a second");
        assert_eq!(reply.headers().contains_key("retry-after"), status == 503);
        assert_eq!(start.elapsed().as_secs(), after_s, "{each} a second");
    }
}

/// Scenario: a gRPC message whose announced bytes hardly come.
/// Guarantees: `UNAVAILABLE` after 5 s, and its permits are free again.
#[tokio::test(start_paused = true)]
async fn a_slow_grpc_message_is_given_up_too() {
    let receiver = receiver();
    let body = Dripping {
        left: Bytes::from(framed(0, &[0; 1000])),
        each: 1,
        ticks: interval(Duration::from_secs(1)),
    };
    let head = http::Request::post(EXPORT)
        .version(http::Version::HTTP_2)
        .header("content-type", "application/grpc");
    let start = Instant::now();
    let reply = receiver
        .grpc()
        .oneshot(head.body(body).unwrap())
        .await
        .unwrap();
    let status = tonic::Status::from_header_map(reply.headers()).unwrap();
    assert_eq!(status.code(), tonic::Code::Unavailable);
    assert_eq!(start.elapsed().as_secs(), 5);
}
