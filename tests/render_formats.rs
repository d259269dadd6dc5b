//! The table of formats, and the routes, content types and choices that follow from it.
#![allow(clippy::unwrap_used, reason = "a failed step is a failed test")]

mod read_support;

use std::collections::BTreeSet;

use http::StatusCode;
use read_support::http::{bytes, get, header, send, shop_state, with};
use serde_json::Value;
use spangraph::render::{Format, View};

const BASES: [(View, &str); 3] = [
    (View::Graph, "/api/v1/topology"),
    (View::Nodes, "/api/v1/nodes"),
    (View::Edges, "/api/v1/edges"),
];

/// Guarantees: a word means one format, can stand in a path, and says in one line what it is for.
#[test]
fn words_are_distinct_and_fit_a_path() {
    let mut seen = BTreeSet::new();
    for format in Format::ALL {
        for word in format.suffixes() {
            assert!(seen.insert(word), "{word} means two formats");
            let fits = |b: u8| b.is_ascii_lowercase() || b == b'-';
            assert!(word.bytes().all(fits), "{word}");
        }
        assert_eq!(format.suffixes().next(), Some(format.name()));
        assert!(!format.about().contains('\n') && !format.about().is_empty());
        let shown = View::ALL.iter().any(|v| v.formats().contains(&format));
        assert!(shown, "{} shows nothing", format.name());
    }
}

/// Guarantees: every view answers in each of its formats, the same bytes whether asked by suffix, by parameter or,
/// where the media type is the format's alone, by `Accept`; the index lists the routes.
#[tokio::test]
async fn every_way_to_ask_for_a_format_gives_the_same_bytes() {
    let index = bytes(send(shop_state(), get("/")).await).await;
    let index: Value = serde_json::from_slice(&index).unwrap();
    let listed: Vec<_> = index["routes"].as_array().unwrap().iter().collect();
    for (view, base) in BASES {
        for format in view.formats() {
            let body = async |path: &str, accept: &str| {
                let response = send(shop_state(), with(path, &[("accept", accept)])).await;
                assert_eq!(response.status(), StatusCode::OK, "{path} {accept}");
                let content_type = header(&response, "content-type");
                assert_eq!(content_type, format.content_type(), "{path} {accept}");
                bytes(response).await
            };
            let by_name = body(&format!("{base}?format={}", format.name()), "*/*").await;
            for suffix in format.suffixes() {
                let path = format!("{base}.{suffix}");
                assert!(listed.iter().any(|route| **route == *path), "{path}");
                assert_eq!(body(&path, format.media_type()).await, by_name, "{path}");
            }
            let first = |f: &Format| f.media_type() == format.media_type();
            if view.formats().iter().find(|f| first(f)) == Some(&format) {
                assert_eq!(body(base, format.media_type()).await, by_name);
            }
        }
    }
}

/// Guarantees: of a path's suffix, `format=` and `Accept`, two that disagree are an error; and so is the parameter of
/// a picture where nothing is drawn.
#[tokio::test]
async fn two_ways_that_disagree_are_an_error() {
    for (view, base) in BASES {
        for format in view.formats() {
            let others = view.formats().into_iter().filter(|f| *f != format);
            for other in others {
                let path = format!("{base}.{}?format={}", format.name(), other.name());
                let status = send(shop_state(), get(&path)).await.status();
                assert_eq!(status, StatusCode::BAD_REQUEST, "{path}");
            }
            let path = format!("{base}.{}", format.name());
            let refused = send(shop_state(), with(&path, &[("accept", "image/png")])).await;
            assert_eq!(refused.status(), StatusCode::BAD_REQUEST, "{path}");
            let dark = send(shop_state(), get(&format!("{path}?theme=dark"))).await;
            let expected = if format.is_drawn(view) {
                StatusCode::OK
            } else {
                StatusCode::BAD_REQUEST
            };
            assert_eq!(dark.status(), expected, "{path}");
        }
    }
}
