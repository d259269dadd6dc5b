//! Which requests must show a token, where tokens are asked for: all but those named here. A route that is new, or that
//! nobody thought of, is closed.

use http::HeaderMap;

use super::page::leads_to_page;
use super::problem::Problem;
use super::{PAGE_FILES, Shared};

/// Routes without data: the probes of orchestrators, who hold no secrets, and the page's own files, which are the same
/// for everybody and ask for the token themselves.
const OPEN: [&str; 6] = ["/livez", "/readyz", "/healthz", "/ui", "/ui/", PAGE_FILES];

/// Lets a request pass that need not show a token, or shows one. `route` is [`super::route_of`] its path; nothing over
/// gRPC is open.
pub(super) fn admit(
    shared: &Shared,
    route: Option<&str>,
    grpc: bool,
    headers: &HeaderMap,
) -> Result<(), Problem> {
    let Some(gate) = &shared.state.tokens else {
        return Ok(());
    };
    let open = match route {
        // A browser is only sent on to the page.
        Some("/") => leads_to_page(headers),
        Some(route) => OPEN.contains(&route),
        None => false,
    };
    if (open && !grpc) || gate.admits(headers) {
        return Ok(());
    }
    Err(Problem::Unauthorized)
}
