//! `/api/v1/openapi.json`: what the API serves, for people who generate clients and for tools that try every route.
//!
//! `document.yaml` is the one place where routes, parameters and shapes are described, `examples.json` has answers by
//! name, each with the request that it answers as its summary. What follows from the table of formats (suffixes, media
//! types, the words of `format`) is added here, so that no list is kept twice.

use std::sync::{Arc, OnceLock};

use axum::extract::{RawQuery, State};
use axum::response::Response;
use bytes::Bytes;
use http::HeaderMap;
use serde_json::{Map, Value, json};

use super::caching::{self, Answer};
use super::problem::Problem;
use super::status::plain;
use super::{ROUTES, Shared};
use crate::render::{Format, Picture, View};

const DOCUMENT: &str = include_str!("document.yaml");
const EXAMPLES: &str = include_str!("examples.json");

/// Seconds for which it stays good: it changes with the build only.
const MAX_AGE_S: u64 = 3_600;

/// The document as it is served, made when first asked for.
#[derive(Default)]
pub(super) struct Document(OnceLock<Bytes>);

const CHECKED: &str = "tests read the document";

pub(super) async fn openapi(
    State(shared): State<Arc<Shared>>,
    RawQuery(raw): RawQuery,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    plain(raw.as_deref(), &headers)?;
    let served = shared.openapi.0.get_or_init(|| {
        let document = document(&shared.state.dimensions);
        Bytes::from(document.to_string())
    });
    let answer = Answer {
        etag: caching::etag(&String::from_utf8_lossy(served)),
        max_age_s: MAX_AGE_S,
        content_type: "application/json",
    };
    answer
        .respond(&headers, || async { Ok(served.clone().into()) })
        .await
}

/// The document of a daemon whose services are split by these.
fn document(dimensions: &[String]) -> Value {
    let mut document: Value = serde_saphyr::from_str(DOCUMENT).expect(CHECKED);
    document["info"]["version"] = env!("CARGO_PKG_VERSION").into();
    document["components"]["examples"] = serde_json::from_str(EXAMPLES).expect(CHECKED);
    let groups = &mut document["components"]["parameters"]["group_by"]["schema"]["enum"];
    let groups = groups.as_array_mut().expect(CHECKED);
    groups.extend(dimensions.iter().map(|key| key.as_str().into()));
    let paths = document["paths"].as_object_mut().expect(CHECKED);
    let described = std::mem::take(paths);
    for route in ROUTES.iter() {
        if let Some(path) = described.get(route) {
            paths.insert(route.clone(), with_formats(route, path.clone()));
        } else if let Some((base, format)) = suffixed(route)
            && let Some(path) = described.get(base)
        {
            paths.insert(route.clone(), only(route, format, path.clone()));
        }
    }
    document
}

/// The path whose graph a route shows by suffix, and the format that the suffix means.
fn suffixed(route: &str) -> Option<(&str, Format)> {
    let (base, suffix) = route.rsplit_once('.')?;
    let format = Format::ALL
        .into_iter()
        .find(|format| format.suffixes().any(|s| s == suffix))?;
    Some((base, format))
}

/// The formats that a path has suffixes for.
fn formats(path: &str) -> Vec<Format> {
    let of_path = |format: &Format| {
        let route = |suffix| format!("{path}.{suffix}");
        format
            .suffixes()
            .any(|suffix| ROUTES.contains(&route(suffix)))
    };
    Format::ALL.into_iter().filter(of_path).collect()
}

/// A path with every format in its `format` parameter and in its answer.
fn with_formats(route: &str, mut path: Value) -> Value {
    let formats = formats(route);
    if formats.is_empty() {
        return path;
    }
    let names: Vec<_> = formats.iter().map(|format| format.name()).collect();
    let parameter = json!({
        "name": "format", "in": "query",
        "description": "Also by suffix or `Accept`; two that disagree are a 400.",
        "schema": {"enum": names, "default": "json"},
    });
    for listed in parameters(&mut path) {
        if is_format(listed) {
            *listed = parameter.clone();
        }
    }
    if !formats.iter().copied().any(is_drawn) {
        drop_picture(&mut path);
    }
    let content = content(&mut path);
    for format in formats {
        let media = format.content_type();
        if let Some(schema) = content.get_mut(media).map(|c| &mut c["schema"]) {
            if format != Format::Json {
                // Another shape under JSON's own type: which one is the format's business.
                *schema = json!({"anyOf": [schema.take(), {"type": "object"}, {"type": "array"}]});
            }
        } else {
            content.insert(media.to_owned(), json!({"schema": {"type": "string"}}));
        }
    }
    path
}

/// A path whose suffix leaves one format.
fn only(route: &str, format: Format, mut path: Value) -> Value {
    let operation = &mut path["get"];
    let id = operation["operationId"].as_str().expect(CHECKED);
    let suffix = route.rsplit_once('.').map_or("", |(_, suffix)| suffix);
    operation["operationId"] = format!("{id}_{}", suffix.replace('-', "_")).into();
    parameters(&mut path).retain(|parameter| !is_format(parameter));
    if !is_drawn(format) {
        drop_picture(&mut path);
    }
    let content = content(&mut path);
    let whole = std::mem::take(content);
    let media = format.content_type();
    let shape = match whole.into_iter().find(|(name, _)| name == media) {
        Some((_, shape)) if format == Format::Json => shape,
        Some(_) => json!({"schema": {"anyOf": [{"type": "object"}, {"type": "array"}]}}),
        None => json!({"schema": {"type": "string"}}),
    };
    content.insert(media.to_owned(), shape);
    path
}

fn parameters(path: &mut Value) -> &mut Vec<Value> {
    path["get"]["parameters"].as_array_mut().expect(CHECKED)
}

fn content(path: &mut Value) -> &mut Map<String, Value> {
    path["get"]["responses"]["200"]["content"]
        .as_object_mut()
        .expect(CHECKED)
}

fn is_format(parameter: &Value) -> bool {
    refers_to(parameter, "format")
}

fn refers_to(parameter: &Value, name: &str) -> bool {
    let reference = parameter["$ref"].as_str();
    reference.and_then(|reference| reference.strip_prefix("#/components/parameters/")) == Some(name)
}

fn is_drawn(format: Format) -> bool {
    View::ALL.into_iter().any(|view| format.is_drawn(view))
}

/// Takes away the parameters that only pictures have.
fn drop_picture(path: &mut Value) {
    let of_picture =
        |parameter: &Value| Picture::NAMES.iter().any(|name| refers_to(parameter, name));
    parameters(path).retain(|parameter| !of_picture(parameter));
}
