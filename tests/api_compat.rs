//! Jaeger's and Zipkin's dependencies and services: one exact answer to each request, right or wrong.
#![allow(clippy::unwrap_used, reason = "a failed step is a failed test")]

mod read_support;

use std::sync::Arc;

use http::StatusCode;
use read_support::http::{bytes, get, header, send, shop_state, with};
use read_support::{END, Fixed, World, shop, state};
use serde_json::{Value, json};
use spangraph::api::{ApiState, Bind, router};
use spangraph::proto::{ConnectionType, Slice};
use tower::ServiceExt as _;

const JAEGER: &str = "/compat/jaeger/api";
const ZIPKIN: &str = "/compat/zipkin/api/v2";

fn of(slice: Slice) -> ApiState {
    state(Arc::new(Fixed::new(slice)))
}

async fn answer(state: ApiState, path: &str) -> Value {
    let response = send(state, get(path)).await;
    assert_eq!(response.status(), StatusCode::OK, "{path}");
    assert_eq!(header(&response, "content-type"), "application/json");
    serde_json::from_slice(&bytes(response).await).unwrap()
}

fn jaeger(data: &Value, total: usize) -> Value {
    json!({"data": data, "total": total, "limit": 0, "offset": 0, "errors": null})
}

#[tokio::test]
async fn jaeger_gets_links_and_services_in_its_envelope() {
    let links = json!([
        {"parent": "checkout", "child": "api.stripe.com", "callCount": 60},
        {"parent": "checkout", "child": "orders-db", "callCount": 900},
        {"parent": "orders", "child": "audit", "callCount": 90},
        {"parent": "user", "child": "web", "callCount": 3},
        {"parent": "web", "child": "checkout", "callCount": 630},
    ]);
    let end_ms = END * 1000;
    for query in [
        String::new(),
        format!("?endTs={end_ms}&lookback=300000"),
        format!("?endTs={end_ms}&lookback=604800000"),
        format!("?endTs={}&lookback=86400000&service=", end_ms + 3_600_000),
    ] {
        let path = format!("{JAEGER}/dependencies{query}");
        assert_eq!(
            answer(shop_state(), &path).await,
            jaeger(&links, 0),
            "{query}"
        );
    }
    let touching = answer(shop_state(), &format!("{JAEGER}/dependencies?service=web")).await;
    assert_eq!(touching, jaeger(&json!([links[3], links[4]]), 0));
    assert_eq!(
        answer(shop_state(), &format!("{JAEGER}/services")).await,
        jaeger(&json!(["audit", "checkout", "web"]), 3)
    );
}

#[tokio::test]
async fn zipkin_gets_bare_lists_with_errors_only_where_there_are_some() {
    let path = format!("{ZIPKIN}/dependencies?endTs={}", END * 1000);
    assert_eq!(
        answer(shop_state(), &path).await,
        json!([
            {"parent": "checkout", "child": "api.stripe.com", "callCount": 60, "errorCount": 30},
            {"parent": "checkout", "child": "orders-db", "callCount": 900},
            {"parent": "orders", "child": "audit", "callCount": 90},
            {"parent": "user", "child": "web", "callCount": 3},
            {"parent": "web", "child": "checkout", "callCount": 630, "errorCount": 6},
        ])
    );
    assert_eq!(
        answer(shop_state(), &format!("{ZIPKIN}/services")).await,
        json!(["audit", "checkout", "web"])
    );
}

/// Guarantees: as Zipkin's own server has it, its names may be kept for five minutes once there are more than three; by
/// the one client that asked, since an answer may need a token. Nothing else of a facade is kept.
#[tokio::test]
async fn zipkin_may_keep_its_names_once_there_are_some() {
    let services = |names: usize| {
        let mut w = World::new();
        let nodes: Vec<u32> = (0..names).map(|n| w.service(&format!("s{n}"))).collect();
        for ends in nodes.windows(2) {
            w.plain(ends[0], ends[1], 1);
        }
        of(w.done())
    };
    let kept = async |names: usize, path: &str| {
        let app = router(services(names));
        let mut told = Vec::new();
        // The second answer is the remembered body.
        for _ in 0..2 {
            let response = app.clone().oneshot(get(path)).await.unwrap();
            assert_eq!(response.status(), StatusCode::OK, "{path}");
            let values = response.headers().get_all("cache-control").iter();
            told.push(values.map(|v| v.to_str().unwrap().to_owned()).collect());
        }
        assert_eq!(told[0], told[1]);
        let mut told: Vec<String> = told.remove(0);
        assert_eq!(told.len(), 1, "{path}");
        told.remove(0)
    };
    let zipkins = format!("{ZIPKIN}/services");
    for names in [0, 3] {
        assert_eq!(kept(names, &zipkins).await, "no-store");
    }
    for names in [4, 40] {
        let lifetime = "private, max-age=300, must-revalidate";
        assert_eq!(kept(names, &zipkins).await, lifetime);
    }
    for path in [
        format!("{ZIPKIN}/dependencies?endTs={}", END * 1000),
        format!("{JAEGER}/services"),
        format!("{JAEGER}/dependencies"),
    ] {
        assert_eq!(kept(40, &path).await, "no-store", "{path}");
    }
}

/// Scenario: one name in two namespaces and without one, names that differ in case, a blank name, a hostile one.
/// Guarantees: names stay apart where the namespace can tell them apart, and sum where nothing can.
#[tokio::test]
async fn names_lose_their_namespace_where_it_is_not_needed() {
    let mut w = World::new();
    let (shop, ops, bare) = (
        w.service("shop/cart"),
        w.service("ops/cart"),
        w.service("cart"),
    );
    let (upper, blank, hostile) = (
        w.service("shop/Web"),
        w.service(" "),
        w.service("<script>\"\\\n\0"),
    );
    let database = w.virtual_node("database:Web");
    for server in [shop, ops, bare, blank] {
        w.plain(upper, server, 1);
    }
    w.plain(hostile, shop, 2);
    w.call((shop, database), ConnectionType::Database, (0, 4), 4);
    w.plain(shop, upper, 8);
    let slice = w.done();
    let path = format!("{ZIPKIN}/dependencies?endTs={}", END * 1000);
    // `Web` of the shop and the database `Web` have different namespaces, one of them none.
    assert_eq!(
        answer(of(slice.clone()), &path).await,
        json!([
            {"parent": "<script>\"\\\n\0", "child": "cart.shop", "callCount": 2},
            {"parent": "cart.shop", "child": "web", "callCount": 4, "errorCount": 4},
            {"parent": "cart.shop", "child": "web.shop", "callCount": 8},
            {"parent": "web.shop", "child": "cart", "callCount": 1},
            {"parent": "web.shop", "child": "cart.ops", "callCount": 1},
            {"parent": "web.shop", "child": "cart.shop", "callCount": 1},
        ])
    );
    assert_eq!(
        answer(of(slice), &format!("{JAEGER}/services")).await["data"],
        json!([
            "<script>\"\\\n\0",
            "Web.shop",
            "cart",
            "cart.ops",
            "cart.shop"
        ])
    );
}

#[tokio::test]
async fn what_is_not_held_is_an_empty_list() {
    let long_ago = "endTs=1000000&lookback=1000";
    let to_come = format!("endTs={}&lookback=1000", (END + 7_200) * 1000);
    for query in [long_ago, &to_come] {
        let jaegers = answer(shop_state(), &format!("{JAEGER}/dependencies?{query}")).await;
        assert_eq!(jaegers, jaeger(&json!([]), 0));
        let zipkins = answer(shop_state(), &format!("{ZIPKIN}/dependencies?{query}")).await;
        assert_eq!(zipkins, json!([]));
    }
}

#[tokio::test]
async fn each_mistake_is_told_in_the_clients_own_shape() {
    let table = [
        (
            "dependencies?endTs=0",
            "parameter `endTs` = `0`: endTs <= 0",
        ),
        (
            "dependencies?endTs=-5",
            "parameter `endTs` = `-5`: endTs <= 0",
        ),
        (
            "dependencies?endTs=now",
            "parameter `endTs` = `now`: must be a whole number of milliseconds",
        ),
        (
            "dependencies?endTs=1&lookback=0",
            "parameter `lookback` = `0`: lookback <= 0",
        ),
        (
            "dependencies?endTs=1&endTs=2",
            "parameter `endTs` = `2`: given more than once",
        ),
        (
            "dependencies?endTs=1&x=y",
            "parameter `x` = `y`: unknown parameter",
        ),
        ("services?x=y", "parameter `x` = `y`: unknown parameter"),
    ];
    let told = async |state: ApiState, path: String| {
        let response = send(state, get(&path)).await;
        let status = response.status().as_u16();
        let kind = header(&response, "content-type").to_owned();
        (status, kind, bytes(response).await)
    };
    let errors = |code: u16, msg: &str| {
        let errors = json!([{"code": code, "msg": msg}]);
        json!({"data": null, "total": 0, "limit": 0, "offset": 0, "errors": errors})
    };
    let text = || "text/plain; charset=utf-8".to_owned();
    for (path, reason) in table {
        let (status, kind, body) = told(shop_state(), format!("{JAEGER}/{path}")).await;
        assert_eq!((status, kind.as_str()), (400, "application/json"), "{path}");
        let body: Value = serde_json::from_slice(&body).unwrap();
        assert_eq!(body, errors(400, reason), "{path}");
        let zipkins = told(shop_state(), format!("{ZIPKIN}/{path}")).await;
        assert_eq!(zipkins, (400, text(), reason.into()), "{path}");
    }
    let required = "parameter `endTs` = ``: is required";
    let (status, kind, body) = told(shop_state(), format!("{ZIPKIN}/dependencies")).await;
    assert_eq!((status, kind, body), (400, text(), required.into()));

    let mut unsealed = Fixed::new(shop());
    unsealed.newest = None;
    let (status, _, body) = told(state(Arc::new(unsealed)), format!("{JAEGER}/services")).await;
    let body: Value = serde_json::from_slice(&body).unwrap();
    assert_eq!(
        (status, body),
        (503, errors(503, "no slice has been sealed yet"))
    );
}

/// Guarantees: `api.compat_root` adds the clients' own paths, and without it they are not there.
#[tokio::test]
async fn the_root_has_them_only_when_asked() {
    let end_ms = END * 1000;
    for (path, at_root) in [
        (
            format!("{JAEGER}/dependencies"),
            "/api/dependencies".to_owned(),
        ),
        (format!("{JAEGER}/services"), "/api/services".to_owned()),
        (
            format!("{ZIPKIN}/dependencies?endTs={end_ms}"),
            format!("/api/v2/dependencies?endTs={end_ms}"),
        ),
        (format!("{ZIPKIN}/services"), "/api/v2/services".to_owned()),
    ] {
        let response = send(shop_state(), get(&at_root)).await;
        assert_eq!(response.status(), StatusCode::NOT_FOUND, "{at_root}");
        let rooted = ApiState {
            compat_root: true,
            ..shop_state()
        };
        assert_eq!(
            answer(rooted, &at_root).await,
            answer(shop_state(), &path).await,
            "{at_root}"
        );
    }
}

/// Guarantees: where the facades are at `/`, whatever is asked of the clients' own paths is refused in their shapes, and
/// our own paths keep theirs; elsewhere they are unknown like any other.
#[tokio::test]
async fn the_root_refuses_in_the_shape_of_whoever_is_asked() {
    let kinds = async |compat_root: bool, path: &str| {
        let state = ApiState {
            compat_root,
            bind: Bind::Loopback,
            ..shop_state()
        };
        let mut found = Vec::new();
        for (method, host) in [
            ("GET", "localhost"),
            ("PUT", "localhost"),
            ("GET", "evil.example"),
        ] {
            let mut request = with(path, &[("host", host)]);
            *request.method_mut() = method.parse().unwrap();
            let response = send(state.clone(), request).await;
            assert!(response.status().is_client_error(), "{method} {path}");
            assert_eq!(header(&response, "cache-control"), "no-store");
            found.push(header(&response, "content-type").to_owned());
        }
        found.dedup();
        assert_eq!(found.len(), 1, "{path}: {found:?}");
        found.remove(0)
    };
    let (ours, jaegers, zipkins) = (
        "application/problem+json",
        "application/json",
        "text/plain; charset=utf-8",
    );
    for (path, at_root) in [
        ("/api/traces", jaegers),
        ("/api/v3/services", jaegers),
        ("/api/v2/spans", zipkins),
        ("/api/v2", zipkins),
        ("/api/v1/nothing", ours),
        ("/nothing", ours),
        ("/apis", ours),
    ] {
        assert_eq!(kinds(true, path).await, at_root, "{path}");
        assert_eq!(kinds(false, path).await, ours, "{path}");
    }
    assert_eq!(kinds(false, "/compat/jaeger/x").await, jaegers);
    assert_eq!(kinds(false, "/compat/zipkin").await, zipkins);
}
