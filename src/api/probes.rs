//! Probes, as orchestrators ask them: the status is the answer. Unknown parameters and `Accept` are ignored here, unlike
//! everywhere else: nothing of a graph could be missed, and a load balancer's habits must not restart a healthy daemon.

use std::fmt::Write as _;
use std::sync::Arc;

use axum::extract::{RawQuery, State};
use axum::response::Response;

use super::problem::Problem;
use super::{Shared, answers};
use crate::topology::Params;

/// `/livez` and `/healthz`: the process answers.
pub(super) async fn livez() -> Response {
    answers::text("ok\n".to_owned())
}

/// `/readyz`: every check holds. With `verbose`, each check on a line of its own.
pub(super) async fn readyz(
    State(shared): State<Arc<Shared>>,
    RawQuery(raw): RawQuery,
) -> Result<Response, Problem> {
    let checks = shared.state.status.readiness();
    if checks.iter().any(|check| !check.ready) {
        return Err(Problem::NotReady(checks));
    }
    let mut params = Params::decode(raw.as_deref().unwrap_or_default());
    let mut body = String::new();
    if params
        .one("verbose")
        .is_some_and(|value| value != "false" && value != "0")
    {
        for check in &checks {
            writeln!(body, "[+] {} ok", check.name).expect("writing to a string cannot fail");
        }
    }
    body.push_str("ok\n");
    Ok(answers::text(body))
}
