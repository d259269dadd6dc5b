//! The same bodies over gRPC, with frames made and read by hand.
#![allow(clippy::unwrap_used, reason = "a failed step is a failed test")]

mod read_support;

use std::sync::Arc;

use axum::body::Body;
use http::Request;
use http_body_util::BodyExt as _;
use prost::Message as _;
use read_support::{Fixed, shop, state};
use spangraph::api::router;
use spangraph::proto::{GetTopologyRequest, GetTopologyResponse};
use tower::ServiceExt as _;

/// The status code, and the message when there is one.
async fn call(method: &str, query: &str) -> (String, Option<GetTopologyResponse>) {
    let message = GetTopologyRequest {
        query: query.to_owned(),
    }
    .encode_to_vec();
    let mut frame = vec![0];
    frame.extend(u32::try_from(message.len()).unwrap().to_be_bytes());
    frame.extend(message);
    let request = Request::post(format!("/spangraph.v1.TopologyService/{method}"))
        .header("content-type", "application/grpc")
        .header("te", "trailers")
        .body(Body::from(frame))
        .unwrap();
    let app = router(state(Arc::new(Fixed::new(shop()))));
    let response = app.oneshot(request).await.unwrap();
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
    ] {
        let (status, message) = call("GetTopology", query).await;
        let message = message.unwrap();
        assert_eq!(status, "0");
        let app = router(state(Arc::new(Fixed::new(shop()))));
        let response = app
            .oneshot(Request::get(path).body(Body::empty()).unwrap())
            .await
            .unwrap();
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
        ("WatchTopology", "", "12"),
        ("Nothing", "", "12"),
    ] {
        assert_eq!(call(method, query).await.0, code, "{method} {query}");
    }
}
