//! The same bodies over gRPC, with frames made and read by hand.
#![allow(clippy::unwrap_used, reason = "a failed step is a failed test")]

mod read_support;

use std::sync::Arc;

use axum::body::Body;
use http::Request;
use http_body_util::BodyExt as _;
use prost::Message as _;
use read_support::live::Live;
use read_support::{Fixed, shop, state};
use spangraph::api::{ApiState, router};
use spangraph::net::Stop;
use spangraph::proto::{GetTopologyRequest, GetTopologyResponse};
use tower::ServiceExt as _;

fn request(method: &str, query: &str) -> Request<Body> {
    let message = GetTopologyRequest {
        query: query.to_owned(),
    }
    .encode_to_vec();
    let mut frame = vec![0];
    frame.extend(u32::try_from(message.len()).unwrap().to_be_bytes());
    frame.extend(message);
    Request::post(format!("/spangraph.v1.TopologyService/{method}"))
        .header("content-type", "application/grpc")
        .header("te", "trailers")
        .body(Body::from(frame))
        .unwrap()
}

/// The status code, and the message when there is one.
async fn call(method: &str, query: &str) -> (String, Option<GetTopologyResponse>) {
    let app = router(state(Arc::new(Fixed::new(shop()))));
    let response = app.oneshot(request(method, query)).await.unwrap();
    let in_head = response
        .headers()
        .get("grpc-status")
        .map(|v| v.to_str().unwrap().to_owned());
    let body = response.into_body().collect().await.unwrap();
    let in_trailers = body
        .trailers()
        .and_then(|t| t.get("grpc-status"))
        .map(|v| v.to_str().unwrap().to_owned());
    let bytes = body.to_bytes();
    let message = (bytes.len() > 5).then(|| GetTopologyResponse::decode(&bytes[5..]).unwrap());
    (in_head.or(in_trailers).unwrap(), message)
}

#[tokio::test]
async fn the_body_is_that_of_http() {
    for (query, path) in [
        ("", "/api/v1/topology"),
        (
            "namespace=shop&quantiles=0.5",
            "/api/v1/topology?namespace=shop&quantiles=0.5",
        ),
        ("format=dot", "/api/v1/topology.dot"),
        ("format=csv&top=1", "/api/v1/topology.csv?top=1"),
    ] {
        let (status, message) = call("GetTopology", query).await;
        let message = message.unwrap();
        assert_eq!(status, "0");
        let app = router(state(Arc::new(Fixed::new(shop()))));
        let hidden = app.oneshot(request("GetTopology", query)).await.unwrap();
        let hidden = hidden.headers()["spangraph-hidden"].clone();
        let app = router(state(Arc::new(Fixed::new(shop()))));
        let response = app
            .oneshot(Request::get(path).body(Body::empty()).unwrap())
            .await
            .unwrap();
        assert_eq!(response.headers()["spangraph-hidden"], hidden);
        assert_eq!(response.headers()["etag"], message.etag.as_str());
        assert_eq!(
            response.headers()["content-type"],
            message.content_type.as_str()
        );
        assert_eq!(
            response.into_body().collect().await.unwrap().to_bytes(),
            message.body
        );
    }
}

#[tokio::test]
async fn a_mistake_has_the_code_of_its_kind() {
    for (method, query, code) in [
        ("GetTopology", "widnow=5m", "3"),
        ("GetTopology", "focus=nobody", "5"),
        ("GetTopology", "at=1", "11"),
        ("WatchTopology", "every=1h", "3"),
        ("WatchTopology", "focus=nobody", "5"),
        ("Nothing", "", "12"),
    ] {
        assert_eq!(call(method, query).await.0, code, "{method} {query}");
    }
}

/// Messages of a stream, one at a time.
struct Watch {
    body: Body,
    unread: Vec<u8>,
}

impl Watch {
    async fn open(app: &spangraph::api::Api, query: &str) -> Self {
        let response = app
            .clone()
            .oneshot(request("WatchTopology", query))
            .await
            .unwrap();
        Self {
            body: response.into_body(),
            unread: Vec::new(),
        }
    }

    /// The next message; the status at the end.
    async fn next(&mut self) -> Result<GetTopologyResponse, String> {
        loop {
            if let Some((head, rest)) = self.unread.split_at_checked(5) {
                let length = u32::from_be_bytes(head[1..].try_into().unwrap()) as usize;
                if let Some((message, rest)) = rest.split_at_checked(length) {
                    let message = GetTopologyResponse::decode(message).unwrap();
                    self.unread = rest.to_vec();
                    return Ok(message);
                }
            }
            let frame = self.body.frame().await.unwrap().unwrap();
            match frame.into_data() {
                Ok(data) => self.unread.extend(data),
                Err(end) => {
                    let trailers = end.into_trailers().unwrap();
                    return Err(trailers["grpc-status"].to_str().unwrap().to_owned());
                }
            }
        }
    }
}

/// Scenario: slices are sealed, some while nobody takes a message; then the daemon drains.
/// Guarantees: each message is the graph as HTTP has it at that time, the newest one only, and the end is clean.
#[tokio::test]
async fn a_watch_gives_the_newest_graph_at_each_seal() {
    let mut live = Live::new();
    live.second(&[("web", "cart", 7, 0)]);
    let (stop, ending) = Stop::new();
    let app = router(ApiState {
        ending,
        ..live.state()
    });
    let mut watch = Watch::open(&app, "every=1s&window=1m").await;
    let mut quick = Watch::open(&app, "every=1s&window=1m").await;
    let http = async || {
        let request = Request::get("/api/v1/topology?window=1m");
        let request = request.body(Body::empty()).unwrap();
        let response = app.clone().oneshot(request).await.unwrap();
        let etag = response.headers()["etag"].to_str().unwrap().to_owned();
        let body = response.into_body().collect().await.unwrap().to_bytes();
        (etag, body)
    };
    let first = watch.next().await.unwrap();
    assert_eq!((first.etag, first.body), http().await);
    quick.next().await.unwrap();
    for calls in 1..4 {
        live.second(&[("web", "cart", calls, 0)]);
        let message = quick.next().await.unwrap();
        assert_eq!((message.etag, message.body), http().await);
    }
    let newest = watch.next().await.unwrap();
    assert_eq!(
        (newest.etag, newest.body),
        http().await,
        "three were missed, one is sent"
    );
    stop.begin();
    assert_eq!(watch.next().await, Err("0".to_owned()));
}
