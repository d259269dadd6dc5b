//! The live page: static files in the binary, and the way to them.
//!
//! No file is looked up on a disk and none is made at run time, so what a browser runs is what the build held. The page
//! asks the API by relative URLs, as any other client would: under any prefix it works unchanged.

use std::sync::LazyLock;

use axum::body::Body;
use axum::extract::RawQuery;
use axum::response::{IntoResponse, Response};
use http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, LOCATION, VARY};
use http::{HeaderMap, HeaderValue, StatusCode, Uri};
use serde_json::json;

use super::caching;
use super::format::Accept;
use super::problem::Problem;
use super::status::plain;
use super::{ROUTES, answers};

/// One file of the page.
struct Asset {
    name: &'static str,
    content_type: &'static str,
    text: &'static str,
}

/// What the page may do: load its own scripts, styles and pictures, ask its own origin, and nothing else. Service names
/// come from strangers; with Trusted Types no text becomes markup, whatever a script does with it.
const POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; \
     base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'",
);

/// Browsers ask each time whether a file is still the one they hold: a new build shows at once.
const ASK_AGAIN: HeaderValue = HeaderValue::from_static("no-cache");

/// Relative: the daemon does not know under which prefix it is reached.
const PAGE: HeaderValue = HeaderValue::from_static("ui/");

const HTML: &str = "text/html; charset=utf-8";
const CSS: &str = "text/css; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";
const PICTURE: &str = "image/svg+xml";

/// A file of this directory.
macro_rules! asset {
    ($name:literal, $content_type:expr) => {
        Asset {
            name: $name,
            content_type: $content_type,
            text: include_str!($name),
        }
    };
}

/// Served at `/ui/`.
const INDEX: Asset = asset!("index.html", HTML);

/// Served beside it by name.
const ASSETS: [Asset; 45] = [
    asset!("aboutedge.js", SCRIPT),
    asset!("aboutnode.js", SCRIPT),
    asset!("api.js", SCRIPT),
    asset!("camera.js", SCRIPT),
    asset!("charts.js", SCRIPT),
    asset!("chips.js", SCRIPT),
    asset!("choose.js", SCRIPT),
    asset!("columns.js", SCRIPT),
    asset!("controls.js", SCRIPT),
    asset!("dom.js", SCRIPT),
    asset!("edges.js", SCRIPT),
    asset!("empty.js", SCRIPT),
    asset!("exports.js", SCRIPT),
    asset!("facts.js", SCRIPT),
    asset!("feed.js", SCRIPT),
    asset!("first.js", SCRIPT),
    asset!("fit.js", SCRIPT),
    asset!("gestures.js", SCRIPT),
    asset!("globs.js", SCRIPT),
    asset!("icon.svg", PICTURE),
    asset!("labels.js", SCRIPT),
    asset!("legend.js", SCRIPT),
    asset!("look.css", CSS),
    asset!("main.js", SCRIPT),
    asset!("map.css", CSS),
    asset!("map.js", SCRIPT),
    asset!("menus.js", SCRIPT),
    asset!("model.js", SCRIPT),
    asset!("news.js", SCRIPT),
    asset!("nodes.js", SCRIPT),
    asset!("panel.js", SCRIPT),
    asset!("places.js", SCRIPT),
    asset!("pointing.js", SCRIPT),
    asset!("routes.js", SCRIPT),
    asset!("search.js", SCRIPT),
    asset!("shapes.js", SCRIPT),
    asset!("side.css", CSS),
    asset!("state.js", SCRIPT),
    asset!("strip.js", SCRIPT),
    asset!("table.js", SCRIPT),
    asset!("tip.js", SCRIPT),
    asset!("token.js", SCRIPT),
    asset!("unseen.js", SCRIPT),
    asset!("walk.js", SCRIPT),
    asset!("words.js", SCRIPT),
];

/// The validators of [`INDEX`] and then of [`ASSETS`], in their order.
static ETAGS: LazyLock<Vec<HeaderValue>> = LazyLock::new(|| {
    let texts = [INDEX.text]
        .into_iter()
        .chain(ASSETS.iter().map(|a| a.text));
    texts
        .filter_map(|text| caching::etag(text).parse().ok())
        .collect()
});

/// `/`: the page for whoever would rather have HTML, the list of routes for everybody else.
pub(super) async fn root(RawQuery(raw): RawQuery, headers: HeaderMap) -> Result<Response, Problem> {
    let mut response = if leads_to_page(&headers) {
        to_page().await
    } else {
        plain(raw.as_deref(), &headers)?;
        let routes: Vec<_> = ROUTES.iter().filter(|route| *route != "/").collect();
        answers::json(&json!({"name": "spangraph", "routes": routes}))
    };
    let vary = HeaderValue::from_static("Accept");
    response.headers_mut().append(VARY, vary);
    Ok(response)
}

/// Whether `/` answers so with the way to the page.
pub(super) fn leads_to_page(headers: &HeaderMap) -> bool {
    let accept = Accept::of(headers);
    accept.quality_of("text/html") > accept.quality_of("application/json")
}

/// `/ui`: relative URLs of the page need the slash.
pub(super) async fn to_page() -> Response {
    let mut response = StatusCode::FOUND.into_response();
    response.headers_mut().insert(LOCATION, PAGE);
    response.headers_mut().insert(CACHE_CONTROL, ASK_AGAIN);
    response
}

/// `/ui/`.
pub(super) async fn index(headers: HeaderMap) -> Response {
    serve(&INDEX, &ETAGS[0], &headers)
}

/// `/ui/{file}`.
pub(super) async fn file(uri: Uri, headers: HeaderMap) -> Result<Response, Problem> {
    let name = uri.path().strip_prefix("/ui/");
    let at = ASSETS.iter().position(|asset| name == Some(asset.name));
    let at = at.ok_or_else(Problem::no_route)?;
    Ok(serve(&ASSETS[at], &ETAGS[at + 1], &headers))
}

fn serve(asset: &Asset, etag: &HeaderValue, headers: &HeaderMap) -> Response {
    let held = etag
        .to_str()
        .is_ok_and(|etag| caching::holds(headers, etag));
    let mut response = if held {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        Body::from(asset.text).into_response()
    };
    let fields = response.headers_mut();
    if !held {
        let content_type = HeaderValue::from_static(asset.content_type);
        fields.insert(CONTENT_TYPE, content_type);
    }
    fields.insert(CONTENT_SECURITY_POLICY, POLICY);
    fields.insert(CACHE_CONTROL, ASK_AGAIN);
    fields.insert(ETAG, etag.clone());
    response
}
