//! Requests to an API over the small shop.

use std::sync::Arc;

use axum::body::Body;
use http::{Request, Response};
use http_body_util::BodyExt as _;
use serde_json::Value;
use spangraph::api::{ApiState, router};
use tower::ServiceExt as _;

use super::{Fixed, shop, state};

pub fn shop_state() -> ApiState {
    state(Arc::new(Fixed::new(shop())))
}

pub async fn send(state: ApiState, request: Request<Body>) -> Response<Body> {
    router(state).oneshot(request).await.unwrap()
}

pub fn get(path: &str) -> Request<Body> {
    with(path, &[])
}

pub fn with(path: &str, headers: &[(&str, &str)]) -> Request<Body> {
    let mut request = Request::get(path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.body(Body::empty()).unwrap()
}

pub async fn bytes(response: Response<Body>) -> Vec<u8> {
    response
        .into_body()
        .collect()
        .await
        .unwrap()
        .to_bytes()
        .to_vec()
}

pub async fn problem(response: Response<Body>) -> Value {
    assert_eq!(
        response.headers()["content-type"],
        "application/problem+json"
    );
    assert_eq!(response.headers()["cache-control"], "no-store");
    let status = response.status().as_u16();
    let body: Value = serde_json::from_slice(&bytes(response).await).unwrap();
    assert_eq!(body["status"], status);
    body
}

pub fn header<'a>(response: &'a Response<Body>, name: &str) -> &'a str {
    response
        .headers()
        .get(name)
        .map_or("", |v| v.to_str().unwrap())
}
