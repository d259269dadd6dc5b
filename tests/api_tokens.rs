//! Bearer tokens at the API: what is open, what is closed, and in which words.
#![allow(clippy::unwrap_used, reason = "a failed step is a failed test")]

mod read_support;

use axum::body::Body;
use http::{Method, Request, StatusCode};
use http_body_util::BodyExt as _;
use read_support::http::{bytes, get, header, problem, send, shop_state, with};
use serde_json::Value;
use spangraph::api::{ApiState, router};
use spangraph::bearer::{BadTokens, Gate, parse};
use tower::ServiceExt as _;

const OLD: &str = "old-0123456789abcdef";
const NEW: &str = "new-0123456789abcdef";

fn gate(text: &str) -> Gate {
    Gate::new(&parse(text.as_bytes()).unwrap())
}

fn guarded() -> ApiState {
    ApiState {
        tokens: Some(gate(&format!("{OLD}\n{NEW}\n"))),
        compat_root: true,
        ..shop_state()
    }
}

fn bearing(path: &str, authorization: &str) -> Request<Body> {
    with(path, &[("authorization", authorization)])
}

/// Every route that the daemon lists, with a real name for a part that is one.
async fn routes() -> Vec<String> {
    let listed = bytes(send(shop_state(), get("/")).await).await;
    let listed: Value = serde_json::from_slice(&listed).unwrap();
    let routes = listed["routes"].as_array().unwrap().iter();
    let routes = routes.map(|route| route.as_str().unwrap().replace("{file}", "main.js"));
    routes.chain(["/".to_owned()]).collect()
}

/// Guarantees: without a token every route is closed, whatever the method, and so is whatever is no route; but for the
/// ones named here. With one, none is.
#[tokio::test]
async fn every_route_is_closed_but_for_those_without_data() {
    let open = [
        "/livez",
        "/readyz",
        "/healthz",
        "/ui",
        "/ui/",
        "/ui/main.js",
    ];
    let routes = routes().await;
    assert!(routes.len() > 30 && open.iter().all(|path| routes.iter().any(|r| r == path)));
    let others = [
        "/nowhere",
        "/api/services",
        "/api/v2/dependencies",
        "/livez/",
        "//livez",
        "/ui/../api/v1/topology",
        "/ui/main.js/x",
        "/api/v1/topology/livez",
        "/api/v1/topology?/livez",
    ];
    let app = router(guarded());
    for path in routes.iter().map(String::as_str).chain(others) {
        for method in [Method::GET, Method::HEAD, Method::POST, Method::OPTIONS] {
            let request = Request::builder().method(&method).uri(path);
            let request = request.body(Body::empty()).unwrap();
            let answer = app.clone().oneshot(request).await.unwrap();
            let closed = answer.status() == StatusCode::UNAUTHORIZED;
            assert_eq!(closed, !open.contains(&path), "{method} {path}");
        }
        let request = bearing(path, &format!("Bearer {NEW}"));
        let answer = app.clone().oneshot(request).await.unwrap();
        assert_ne!(answer.status(), StatusCode::UNAUTHORIZED, "{path}");
    }
}

/// Guarantees: a token counts in the one place and form that RFC 6750 (2.1) gives it; each of several does.
#[tokio::test]
async fn a_token_counts_in_one_header_of_the_right_scheme() {
    let path = "/api/v1/topology";
    for shown in [
        format!("Bearer {OLD}"),
        format!("bearer {NEW}"),
        format!("BEARER  {NEW} "),
    ] {
        let answer = send(guarded(), bearing(path, &shown)).await;
        assert_eq!(answer.status(), StatusCode::OK, "{shown}");
    }
    for shown in [
        String::new(),
        "Bearer".to_owned(),
        "Bearer ".to_owned(),
        OLD.to_owned(),
        format!("Bearer{OLD}"),
        format!("Basic {OLD}"),
        format!("Bearer {}", &OLD[1..]),
        format!("Bearer {OLD}x"),
        format!("Bearer {OLD} {NEW}"),
        format!("Bearer {OLD}, Bearer {NEW}"),
        format!("Bearer {}", OLD.to_uppercase()),
        format!("Bearer {}", "x".repeat(600)),
    ] {
        let answer = send(guarded(), bearing(path, &shown)).await;
        assert_eq!(answer.status(), StatusCode::UNAUTHORIZED, "{shown}");
    }
    let good = format!("Bearer {OLD}");
    let twice = [("authorization", &*good), ("authorization", &*good)];
    let answer = send(guarded(), with(path, &twice)).await;
    assert_eq!(answer.status(), StatusCode::UNAUTHORIZED);
    let asked = send(guarded(), get(&format!("{path}?access_token={OLD}"))).await;
    assert_eq!(asked.status(), StatusCode::UNAUTHORIZED);
}

/// Guarantees: the refusal says how to show a token, carries what every answer carries, and keeps to the shapes of
/// whoever is served there.
#[tokio::test]
async fn a_refusal_says_what_is_wanted_in_the_shape_of_the_place() {
    let refused = async |path| {
        let answer = send(guarded(), get(path)).await;
        let scheme = header(&answer, "www-authenticate");
        assert_eq!(scheme, "Bearer realm=\"spangraph\"", "{path}");
        assert_eq!(header(&answer, "x-content-type-options"), "nosniff");
        assert_eq!(header(&answer, "cache-control"), "no-store");
        answer
    };
    let plain = problem(refused("/api/v1/topology").await).await;
    assert_eq!(plain["type"], "unauthorized");
    let jaeger = bytes(refused("/compat/jaeger/api/services").await).await;
    let jaeger: Value = serde_json::from_slice(&jaeger).unwrap();
    assert_eq!(
        (&jaeger["data"], &jaeger["errors"][0]["code"]),
        (&Value::Null, &401.into())
    );
    let zipkin = refused("/api/v2/services").await;
    assert_eq!(header(&zipkin, "content-type"), "text/plain; charset=utf-8");
}

/// Guarantees: gRPC is closed as a whole, its health service too, with the status of its own.
#[tokio::test]
async fn grpc_is_unauthenticated_without_a_token() {
    let app = router(guarded());
    let call = async |path: &str, authorization: &str| {
        let request = Request::post(path)
            .header("content-type", "application/grpc")
            .header("te", "trailers")
            .header("authorization", authorization);
        let frame = Body::from(vec![0; 5]);
        let answer = app.clone().oneshot(request.body(frame).unwrap()).await;
        let answer = answer.unwrap();
        let head = header(&answer, "grpc-status").to_owned();
        let body = answer.into_body().collect().await.unwrap();
        let trailers = body.trailers().and_then(|t| t.get("grpc-status"));
        trailers.map_or(head, |status| status.to_str().unwrap().to_owned())
    };
    for path in [
        "/spangraph.v1.TopologyService/GetTopology",
        "/grpc.health.v1.Health/Check",
        "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
        "/livez",
        "/ui/",
    ] {
        assert_eq!(
            call(path, "Bearer nobody-knows-this-one").await,
            "16",
            "{path}"
        );
        assert_ne!(call(path, &format!("Bearer {OLD}")).await, "16", "{path}");
    }
}

/// Guarantees: a browser that opens the address finds the page, while the list of routes stays closed.
#[tokio::test]
async fn the_root_leads_browsers_to_the_page_without_a_token() {
    let browser = with("/", &[("accept", "text/html,*/*;q=0.8")]);
    let answer = send(guarded(), browser).await;
    assert_eq!(answer.status(), StatusCode::FOUND);
    assert_eq!(header(&answer, "location"), "ui/");
}

/// Guarantees: refusals are counted, over gRPC too, and another set of tokens counts at once.
#[tokio::test]
async fn refusals_are_counted_and_tokens_can_be_replaced() {
    let gate = gate(OLD);
    let app = router(ApiState {
        tokens: Some(gate.clone()),
        ..shop_state()
    });
    let ask = async |token: &str| {
        let request = bearing("/metrics", &format!("Bearer {token}"));
        app.clone().oneshot(request).await.unwrap()
    };
    assert_eq!(ask(NEW).await.status(), StatusCode::UNAUTHORIZED);
    let grpc = with("/x.Y/Z", &[("content-type", "application/grpc")]);
    app.clone().oneshot(grpc).await.unwrap();
    let text = String::from_utf8(bytes(ask(OLD).await).await).unwrap();
    assert!(
        text.contains("\nspangraph_api_unauthorized_total 2\n"),
        "{text}"
    );
    gate.replace(&parse(NEW.as_bytes()).unwrap());
    assert_eq!(ask(OLD).await.status(), StatusCode::UNAUTHORIZED);
    assert_eq!(ask(NEW).await.status(), StatusCode::OK);
}

/// Guarantees: a file is read line by line, within its bounds, and what is wrong with it is said without its words.
#[test]
fn a_file_holds_tokens_a_line() {
    let read = |text: &str| parse(text.as_bytes()).map(|tokens| tokens.len());
    assert_eq!(read(&format!("# who\n\n  {OLD}  \r\n#{NEW}\n{NEW}")), Ok(2));
    assert_eq!(read(&"x".repeat(16)), Ok(1));
    assert_eq!(read(&"x".repeat(512)), Ok(1));
    assert_eq!(read(""), Err(BadTokens::None));
    assert_eq!(read("\n# nobody\n"), Err(BadTokens::None));
    for wrong in [
        "x".repeat(15),
        "x".repeat(513),
        "sixteen or more words".to_owned(),
        "größer-als-sechzehn".to_owned(),
        "sixteen-and-a-\u{7}-bell".to_owned(),
    ] {
        let text = format!("{OLD}\n\n{wrong}\n");
        assert_eq!(read(&text), Err(BadTokens::Line { line: 3 }), "{wrong}");
        let said = parse(text.as_bytes()).unwrap_err().to_string();
        assert!(said.contains("line 3") && !said.contains(&wrong), "{said}");
    }
    assert_eq!(read(&format!("{OLD}\n").repeat(64)), Ok(64));
    assert_eq!(
        read(&format!("{OLD}\n").repeat(65)),
        Err(BadTokens::TooMany)
    );
    let debug = format!("{:?} {:?}", parse(OLD.as_bytes()).unwrap(), gate(OLD));
    assert!(!debug.contains("0123"), "{debug}");
}
