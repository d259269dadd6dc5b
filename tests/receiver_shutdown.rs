//! Draining: requests in flight finish, new ones are sent elsewhere, nothing applied is lost.
#![allow(missing_docs, clippy::unwrap_used, reason = "tests")]

mod receiver_support;

use std::time::Duration;

use receiver_support::*;
use spangraph::receiver::{Class, Transport};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// Scenario: a shutdown begins while a request's body is on its way, beside an idle connection.
/// Guarantees: that request is answered 200 and counted; the idle connection ends; new ones are refused; both servers
/// return without having cut anything.
#[tokio::test]
async fn a_request_in_flight_finishes_and_then_the_servers_end() {
    let daemon = Daemon::start(2 << 20).await;
    let body = h1_post(&[PROTOBUF], &request(vec![span()]));
    let (start, end) = body.split_at(body.len() - 5);
    let mut idle = TcpStream::connect(daemon.http).await.unwrap();
    let mut busy = TcpStream::connect(daemon.http).await.unwrap();
    for stream in [&mut idle, &mut busy] {
        stream.write_all(&body).await.unwrap();
        assert_eq!(h1_read(stream).await.status, 200);
    }
    busy.write_all(start).await.unwrap();
    while daemon.admission.in_flight() == 0 {
        tokio::task::yield_now().await;
    }
    daemon.stop.begin();
    assert_eq!(idle.read(&mut [0; 1]).await.unwrap(), 0);
    drop(idle);
    while TcpStream::connect(daemon.http).await.is_ok() {
        tokio::task::yield_now().await;
    }
    busy.write_all(end).await.unwrap();
    assert_eq!(h1_read(&mut busy).await.status, 200);
    drop(busy);
    for server in daemon.servers {
        let drained = tokio::time::timeout(Duration::from_secs(5), server).await;
        assert_eq!(drained.unwrap().unwrap().cut, 0);
    }
    assert_eq!(
        daemon
            .ledger
            .applied
            .load(std::sync::atomic::Ordering::SeqCst),
        3
    );
}

/// Scenario: a client sends a call on a connection that has been told to go away.
/// Guarantees: it is refused in a way that makes it retry elsewhere, and is not counted.
#[tokio::test]
async fn a_call_after_the_start_of_a_drain_is_not_counted() {
    use spangraph::net::{Admission, Stop};
    use spangraph::receiver::Receiver;
    use std::sync::Arc;
    use tower::ServiceExt as _;

    let (stop, shutdown) = Stop::new();
    let ledger = Arc::new(Ledger::default());
    let ingest: Arc<dyn spangraph::receiver::Ingest> = Arc::<Ledger>::clone(&ledger);
    let receiver = Receiver::new(ingest, Admission::new(2 << 20), shutdown);
    stop.begin();

    let body = http_body_util::Full::new(bytes::Bytes::from(request(vec![span()])));
    let head = http::Request::post("/v1/traces").header("content-type", "application/x-protobuf");
    let reply = receiver
        .http()
        .oneshot(head.body(body).unwrap())
        .await
        .unwrap();
    assert_eq!(reply.status(), 503);
    assert_eq!(reply.headers()["retry-after"], "1");

    let body = http_body_util::Full::new(bytes::Bytes::from(framed(0, &request(vec![span()]))));
    let head = http::Request::post(EXPORT)
        .version(http::Version::HTTP_2)
        .header("content-type", "application/grpc");
    let reply = receiver
        .grpc()
        .oneshot(head.body(body).unwrap())
        .await
        .unwrap();
    let status = tonic::Status::from_header_map(reply.headers()).unwrap();
    assert_eq!(status.code(), tonic::Code::Unavailable);
    assert!(!status.details().is_empty());

    for transport in [Transport::Grpc, Transport::Http] {
        let counted = receiver.counters().snapshot(transport);
        assert_eq!(counted.requests(Class::Draining), 1);
    }
    assert_eq!(ledger.applied.load(std::sync::atomic::Ordering::SeqCst), 0);
}
