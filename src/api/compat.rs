//! What Jaeger's and Zipkin's clients ask for, in their shapes, errors included. `endTs` and `lookback` are milliseconds;
//! as everywhere, a window begins and ends between slots. What was never there, or is no longer, is an empty list, since
//! neither protocol has a word for it.

use std::sync::Arc;

use axum::Router;
use axum::extract::{RawQuery, State};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use http::header::CACHE_CONTROL;
use http::{HeaderMap, HeaderValue};
use serde_json::{Value, json};

use super::format::welcome;
use super::memo::{Field, Made};
use super::problem::Problem;
use super::snapshot::{range, unbuilt};
use super::{Shared, answers};
use crate::history::WindowError;
use crate::render::dependencies::{self, Case};
use crate::topology::{self, Params, Query, Topology};

/// Whose shapes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Facade {
    Jaeger,
    Zipkin,
}

/// Which list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum List {
    Dependencies,
    Services,
}

/// A checked request.
#[derive(Debug, Clone)]
struct Asked {
    facade: Facade,
    list: List,
    /// Unix seconds, the second after the last.
    end_s: u64,
    start_s: u64,
    /// Only what touches it.
    service: Option<String>,
}

/// The routes below a facade's place, and under `/` with `api.compat_root`.
const ROUTES: [(&str, &str, Facade, List); 4] = [
    (
        "/compat/jaeger",
        "/api/dependencies",
        Facade::Jaeger,
        List::Dependencies,
    ),
    (
        "/compat/jaeger",
        "/api/services",
        Facade::Jaeger,
        List::Services,
    ),
    (
        "/compat/zipkin",
        "/api/v2/dependencies",
        Facade::Zipkin,
        List::Dependencies,
    ),
    (
        "/compat/zipkin",
        "/api/v2/services",
        Facade::Zipkin,
        List::Services,
    ),
];

const DAY_MS: u64 = 86_400_000;

/// As many names Zipkin's clients ask for anew each time.
const FEW_NAMES: usize = 3;

pub(super) fn routes(at_root: bool) -> Router<Arc<Shared>> {
    let mut router = Router::new();
    for (place, path, facade, list) in ROUTES {
        let handler = move |State(shared): State<Arc<Shared>>,
                            RawQuery(raw): RawQuery,
                            headers: HeaderMap| async move {
            let raw = raw.as_deref().unwrap_or_default();
            let answer = match welcome(&headers, "application/json") {
                Ok(()) => answer(facade, list, &shared, raw).await,
                Err(problem) => Err(problem),
            };
            answer.unwrap_or_else(|problem| facade.refuse(&problem))
        };
        router = router.route(&format!("{place}{path}"), get(handler));
        if at_root {
            router = router.route(path, get(handler));
        }
    }
    router
}

/// A refusal in the shape of whoever is served at the path; `at_root` says whether the facades are at `/` too.
pub(super) fn refuse(at_root: bool, path: &str, problem: Problem) -> Response {
    match Facade::at(at_root, path) {
        Some(facade) => facade.refuse(&problem),
        None => problem.into_response(),
    }
}

async fn answer(
    facade: Facade,
    list: List,
    shared: &Arc<Shared>,
    raw: &str,
) -> Result<Response, Problem> {
    let now_ms = (shared.state.now)().wall_ns / 1_000_000;
    let asked = Asked::read(facade, list, raw, now_ms)?;
    let source = &shared.state.source;
    let newest = source
        .newest_unix_s()
        .ok_or(Problem::NotReady(Vec::new()))?;
    let end_s = asked.end_s.min(newest);
    let window_s = end_s.saturating_sub(asked.start_s);
    let empty = || answers::json(&facade.body(list, Value::Array(Vec::new())));
    if window_s == 0 {
        return Ok(empty());
    }
    let resolved = match source.resolve(window_s, Some(end_s)) {
        // Jaeger's page asks for a week: it gets what there is.
        Err(WindowError::TooLong { longest_s, .. }) => source.resolve(longest_s, Some(end_s)),
        other => other,
    };
    let resolved = match resolved {
        Ok(resolved) => resolved,
        Err(WindowError::Expired { .. }) => return Ok(empty()),
        Err(WindowError::NotReady) => return Err(Problem::NotReady(Vec::new())),
        Err(WindowError::TooLong { .. }) => return Err(Problem::Internal),
    };
    let range = range(&resolved);
    let key = format!("{facade:?} {list:?} {range} {:?}", asked.service);
    let building = Arc::clone(shared);
    let build = move || {
        let query = Query {
            window_s,
            top: usize::MAX,
            ..Query::default()
        };
        let merged = building.merge(&resolved)?;
        let frame = building.frame(&resolved, &query);
        let topology = topology::build(merged, &frame).map_err(|error| unbuilt(&error))?;
        let list = asked.write(&topology);
        Ok(Made {
            field: asked.lifetime(&list),
            bytes: facade.body(asked.list, list).to_string().into(),
        })
    };
    let made = shared.memo.get(&key, build).await?;
    let mut response = answers::typed(made.bytes, "application/json");
    if let Some((name, value)) = made.field {
        response.headers_mut().insert(name, value);
    }
    Ok(response)
}

// === impl Asked ===

impl Asked {
    fn read(facade: Facade, list: List, raw: &str, now_ms: u64) -> Result<Self, Problem> {
        let mut params = Params::decode(raw);
        let (mut end_ms, mut lookback_ms, mut service) = (now_ms, DAY_MS, None);
        if list == List::Dependencies {
            let end = params.read("endTs", |text| positive("endTs", text));
            lookback_ms = params
                .read("lookback", |text| positive("lookback", text))
                .unwrap_or(DAY_MS);
            match (facade, end) {
                (_, Some(end)) => end_ms = end,
                (Facade::Jaeger, None) => {}
                (Facade::Zipkin, None) => params.require("endTs"),
            }
            if facade == Facade::Jaeger {
                service = params.one("service").filter(|service| !service.is_empty());
            }
        }
        params.finish().map_err(Problem::InvalidParameters)?;
        Ok(Self {
            facade,
            list,
            end_s: end_ms.div_ceil(1000),
            start_s: end_ms.saturating_sub(lookback_ms) / 1000,
            service,
        })
    }

    fn write(&self, topology: &Topology) -> Value {
        let case = match self.facade {
            Facade::Jaeger => Case::Kept,
            Facade::Zipkin => Case::Lower,
        };
        match (self.list, self.facade) {
            (List::Services, _) => dependencies::services(topology, case).into(),
            (_, Facade::Jaeger) => dependencies::jaeger(topology, self.service.as_deref()),
            (_, Facade::Zipkin) => dependencies::zipkin(topology),
        }
    }

    /// Zipkin's names may be kept for a while, once there are more than [`FEW_NAMES`]: its page asks for them again and
    /// again, and whoever has fewer is just setting up and waits for the next to appear (`ZipkinQueryApiV2.java`). What
    /// its server does not say is `private`; here an answer may have needed a token.
    fn lifetime(&self, list: &Value) -> Option<Field> {
        let names = (self.facade, self.list) == (Facade::Zipkin, List::Services);
        let many = list.as_array().map_or(0, Vec::len) > FEW_NAMES;
        let lifetime = HeaderValue::from_static("private, max-age=300, must-revalidate");
        (names && many).then_some((CACHE_CONTROL, lifetime))
    }
}

// === impl Facade ===

impl Facade {
    /// Who is served at a path, whether there is a route or not.
    fn at(at_root: bool, path: &str) -> Option<Self> {
        let below = |place: &str| {
            let rest = path.strip_prefix(place);
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        if below("/compat/jaeger") {
            Some(Self::Jaeger)
        } else if below("/compat/zipkin") || (at_root && below("/api/v2")) {
            Some(Self::Zipkin)
        } else if at_root && below("/api") && !below("/api/v1") {
            Some(Self::Jaeger)
        } else {
            None
        }
    }

    fn body(self, list: List, data: Value) -> Value {
        match self {
            // Jaeger counts its services, but not its dependencies.
            Self::Jaeger if list == List::Services => {
                let total = data.as_array().map_or(0, Vec::len);
                json!({"data": data, "total": total, "limit": 0, "offset": 0, "errors": null})
            }
            Self::Jaeger => {
                json!({"data": data, "total": 0, "limit": 0, "offset": 0, "errors": null})
            }
            Self::Zipkin => data,
        }
    }

    fn refuse(self, problem: &Problem) -> Response {
        let (status, detail) = (problem.status(), problem.detail());
        let mut response = match self {
            Self::Jaeger => {
                let errors = [json!({"code": status.as_u16(), "msg": detail})];
                answers::json(&json!({
                    "data": null, "total": 0, "limit": 0, "offset": 0, "errors": errors,
                }))
            }
            Self::Zipkin => answers::text(detail),
        };
        *response.status_mut() = status;
        problem.set_fields(response.headers_mut());
        response
    }
}

/// Milliseconds above 0, worded as Zipkin words it.
fn positive(name: &str, text: &str) -> Result<u64, String> {
    let number: i64 = text
        .parse()
        .map_err(|_| "must be a whole number of milliseconds".to_owned())?;
    match u64::try_from(number) {
        Ok(0) | Err(_) => Err(format!("{name} <= 0")),
        Ok(number) => Ok(number),
    }
}
