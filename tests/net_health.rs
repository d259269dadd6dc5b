//! gRPC health as a value: what is said before and after a stop begins.

use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use spangraph::net::{Health, Stop};
use tonic::codegen::tokio_stream::{Stream as _, StreamExt as _};
use tonic::{Code, Request};
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus::{NotServing, ServiceUnknown, Serving};
use tonic_health::pb::health_server::Health as _;

fn of(service: &str) -> Request<HealthCheckRequest> {
    Request::new(HealthCheckRequest {
        service: service.to_owned(),
    })
}

#[tokio::test]
async fn a_check_knows_its_services_and_the_drain() {
    let (stop, shutdown) = Stop::new();
    let health = Health::new(&["a.B"], shutdown);
    let check = async |service: &str| {
        let answer = health.check(of(service)).await;
        answer.map(|answer| answer.into_inner().status())
    };
    for service in ["", "a.B"] {
        assert_eq!(check(service).await.ok(), Some(Serving));
    }
    let unknown = check("a.b").await.expect_err("another name");
    assert_eq!(unknown.code(), Code::NotFound);
    stop.begin();
    for service in ["", "a.B"] {
        assert_eq!(check(service).await.ok(), Some(NotServing));
    }
}

/// Scenario: a watcher that stays for more than a minute, then the drain.
/// Guarantees: it hears the status at once and at least every half minute, so that its stream never counts as stalled;
/// the drain is told at once and ends the stream. One of an unknown service never hears that it serves.
#[tokio::test(start_paused = true)]
async fn a_watch_is_told_and_then_ends() {
    for (service, before, after) in [
        ("", Serving, NotServing),
        ("a.B", Serving, NotServing),
        ("x", ServiceUnknown, ServiceUnknown),
    ] {
        let (stop, shutdown) = Stop::new();
        let health = Health::new(&["a.B"], shutdown);
        let watch = health.watch(of(service)).await.expect("it watches");
        let mut watch = pin!(watch.into_inner());
        for _ in 0..4 {
            let next = tokio::time::timeout(Duration::from_secs(30), watch.next()).await;
            let next = next.expect("in time").expect("open").expect("no error");
            assert_eq!(next.status(), before);
        }
        let idle =
            std::future::poll_fn(|cx| Poll::Ready(watch.as_mut().poll_next(cx).is_pending()));
        assert!(idle.await, "nothing more to say yet");
        stop.begin();
        let last = watch.next().await.expect("open").expect("no error");
        assert_eq!(last.status(), after);
        assert!(watch.next().await.is_none());
    }
}
