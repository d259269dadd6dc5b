//! The live page as browsers get it: what each file is, what it may do, and the ways that lead to it.
#![allow(clippy::unwrap_used, reason = "a failed step is a failed test")]

mod read_support;

use std::collections::BTreeSet;
use std::fs;

use axum::body::Body;
use http::{Request, StatusCode};
use read_support::http::{bytes, get, header, problem, send, shop_state, with};

const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; \
     base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'";
const BROWSER: &str = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";

/// Every file of the page in the source tree, but for the module and the document.
fn files() -> BTreeSet<String> {
    let names = fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/src/api/page")).unwrap();
    let names = names.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names
        .filter(|name| name != "index.html" && name != "mod.rs")
        .collect()
}

fn text(name: &str) -> String {
    let directory = concat!(env!("CARGO_MANIFEST_DIR"), "/src/api/page/");
    fs::read_to_string(format!("{directory}{name}")).unwrap()
}

fn paths() -> impl Iterator<Item = String> {
    let files = files().into_iter().map(|name| format!("/ui/{name}"));
    files.chain(["/ui/".to_owned()])
}

#[tokio::test]
async fn every_file_is_served_as_it_is_with_its_type() {
    assert!(files().len() > 20);
    for name in files() {
        let response = send(shop_state(), get(&format!("/ui/{name}"))).await;
        assert_eq!(response.status(), StatusCode::OK, "{name}");
        let expected = match name.rsplit_once('.').unwrap().1 {
            "js" => "text/javascript; charset=utf-8",
            "css" => "text/css; charset=utf-8",
            "svg" => "image/svg+xml",
            other => panic!("what is .{other}?"),
        };
        assert_eq!(header(&response, "content-type"), expected, "{name}");
        assert_eq!(bytes(response).await, text(&name).into_bytes(), "{name}");
    }
    let response = send(shop_state(), get("/ui/")).await;
    assert_eq!(
        header(&response, "content-type"),
        "text/html; charset=utf-8"
    );
    assert_eq!(bytes(response).await, text("index.html").into_bytes());
}

/// Guarantees: no file of the page may do more than the policy says, and a 304 may not either.
#[tokio::test]
async fn the_page_carries_its_policy_and_the_other_security_headers() {
    for path in paths() {
        let first = send(shop_state(), get(&path)).await;
        let etag = header(&first, "etag").to_owned();
        let again = send(shop_state(), with(&path, &[("if-none-match", &etag)])).await;
        assert_eq!(again.status(), StatusCode::NOT_MODIFIED, "{path}");
        for response in [first, again] {
            for (name, value) in [
                ("content-security-policy", POLICY),
                ("x-content-type-options", "nosniff"),
                ("referrer-policy", "no-referrer"),
                ("cross-origin-resource-policy", "same-origin"),
                ("cache-control", "no-cache"),
            ] {
                let values: Vec<_> = response.headers().get_all(name).iter().collect();
                assert_eq!(values, [value], "{path} {name}");
            }
            assert_eq!(header(&response, "etag"), etag, "{path}");
        }
    }
}

#[tokio::test]
async fn each_file_has_a_validator_of_its_own_and_head_is_as_get() {
    let mut etags = BTreeSet::new();
    for path in paths() {
        let response = send(shop_state(), get(&path)).await;
        assert!(etags.insert(header(&response, "etag").to_owned()), "{path}");
        let request = Request::head(&*path).body(Body::empty()).unwrap();
        let head = send(shop_state(), request).await;
        assert_eq!(head.status(), StatusCode::OK);
        for name in ["etag", "content-type", "content-length"] {
            assert_eq!(
                header(&head, name),
                header(&response, name),
                "{path} {name}"
            );
        }
        assert!(bytes(head).await.is_empty());
        let stale = send(shop_state(), with(&path, &[("if-none-match", "W/\"x\"")])).await;
        assert_eq!(stale.status(), StatusCode::OK, "{path}");
    }
}

#[tokio::test]
async fn files_are_compressed_as_other_bodies_are() {
    let request = with("/ui/main.js", &[("accept-encoding", "gzip")]);
    let response = send(shop_state(), request).await;
    assert_eq!(header(&response, "content-encoding"), "gzip");
    assert!(header(&response, "vary").contains("accept-encoding"));
}

/// Guarantees: every redirect is relative, so that it leads to the page under any prefix.
#[tokio::test]
async fn the_ways_to_the_page_are_relative() {
    for (path, accept) in [
        ("/", BROWSER),
        ("/", "text/html"),
        ("/ui", "*/*"),
        ("/ui", BROWSER),
    ] {
        let response = send(shop_state(), with(path, &[("accept", accept)])).await;
        assert_eq!(response.status(), StatusCode::FOUND, "{path} {accept}");
        assert_eq!(header(&response, "location"), "ui/", "{path} {accept}");
    }
}

/// Guarantees: whoever does not prefer HTML gets the list of routes, and caches are told that it depends.
#[tokio::test]
async fn other_clients_get_the_list_of_routes() {
    for accept in [
        "*/*",
        "application/json",
        "application/json, text/html;q=0.9",
        "text/html;q=0, */*",
    ] {
        let response = send(shop_state(), with("/", &[("accept", accept)])).await;
        assert_eq!(response.status(), StatusCode::OK, "{accept}");
        assert_eq!(header(&response, "content-type"), "application/json");
        assert_eq!(header(&response, "vary").to_ascii_lowercase(), "accept");
    }
    let response = send(shop_state(), with("/", &[("accept", BROWSER)])).await;
    assert_eq!(header(&response, "vary").to_ascii_lowercase(), "accept");
}

#[tokio::test]
async fn nothing_else_is_under_the_page() {
    for path in [
        "/ui/mod.rs",
        "/ui/index.html",
        "/ui/x.js",
        "/ui/../ui/main.js",
        "/ui/%2e%2e/main.js",
        "/ui/main.js/",
        "/ui/main.js%00",
        "/ui/%ff",
        "/ui/..%2fmain.js",
        "/ui/MAIN.JS",
        "/ui//",
    ] {
        let response = send(shop_state(), get(path)).await;
        assert_eq!(response.status(), StatusCode::NOT_FOUND, "{path}");
        let policy = header(&response, "content-security-policy");
        assert_eq!(
            policy, "default-src 'none'; frame-ancestors 'none'",
            "{path}"
        );
        assert_eq!(problem(response).await["type"], "not-found", "{path}");
    }
}

/// Guarantees: the page asks for nothing absolute, on this host or another, and never turns text into markup.
#[test]
fn the_page_keeps_to_relative_urls_and_to_text() {
    for name in files().into_iter().chain(["index.html".to_owned()]) {
        let text = text(&name);
        let namespaces = text.replace("http://www.w3.org/2000/svg", "");
        // Shown to people, as the address to send spans to.
        let urls = namespaces.replace("http://${host}:4318", "");
        for forbidden in [
            "http://",
            "https://",
            "src=\"/",
            "href=\"/",
            "\"/api",
            "innerHTML",
            "outerHTML",
            "insertAdjacent",
            "document.write",
            "eval(",
            "new Function",
            " style=",
            "<style",
            " onclick=",
            " onerror=",
            "setAttribute(\"style\"",
            "createContextualFragment",
            "DOMParser",
            "<base",
        ] {
            assert!(!urls.contains(forbidden), "{name} has {forbidden}");
        }
        for (at, _) in text.match_indices("from \"") {
            assert!(text[at..].starts_with("from \"./"), "{name}");
        }
    }
}
