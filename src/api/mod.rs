//! The HTTP API: JSON under `/api/v1`; health, metrics, docs and what Slack sends beside it.
//!
//! A request's way: [`lookups`] (what lies ready in memory) → [`guard`] (host, token, limits, log, metrics) → a handler's extractors
//! ([`extract`]) → one action off the async threads → [`reply`]. Whatever goes wrong is a
//! [`problem::Problem`].

mod docs;
mod extract;
mod health;
mod lookups;
mod missing;
mod reply;
pub mod slack;
mod v1;

use axum::Router;
use axum::middleware::from_fn_with_state;
use axum::routing::get;
use utoipa_axum::router::OpenApiRouter;

pub use self::lookups::Lookups;
use crate::http::Api;
use crate::http::{guard, problem};

/// The API, behind the guard, and beside it `pages` for people. Without `slack`, requests of Slack
/// aren't taken.
pub fn router(api: Api, slack: Option<slack::Requests>, pages: Router<Api>) -> Router {
    let (v1, _) = v1_router().split_for_parts();
    pages
        .nest("/api/v1", v1)
        .route("/api/v1/openapi.json", get(docs::document))
        .merge(docs::pages())
        .merge(slack::router(slack))
        .route("/healthz", get(health::healthz))
        .route("/readyz", get(health::readyz))
        .route("/metrics", get(health::metrics))
        .fallback(missing::no_such_path)
        .method_not_allowed_fallback(problem::no_such_method)
        .layer(from_fn_with_state(api.clone(), guard::guard))
        .with_state(api)
}

/// The OpenAPI document, as pretty JSON with a line break at the end.
pub fn openapi_json() -> String {
    let (_, document) = v1_router().split_for_parts();
    let text = docs::complete(document).to_pretty_json();
    text.unwrap_or_else(|error| format!("{{\"error\": \"{error}\"}}")) + "\n"
}

fn v1_router() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .merge(v1::teams::router())
        .merge(v1::members::router())
        .merge(v1::schedules::router())
        .merge(v1::overrides::router())
        .merge(v1::rotation::router())
        .merge(v1::services::router())
        .merge(v1::oncall::router())
        .merge(v1::users::router())
        .merge(v1::audit::router())
        .merge(v1::calendar::router())
        .merge(v1::tokens::router())
        .merge(v1::notifications::router())
        .merge(v1::plugins::router())
        .merge(v1::slack::router())
        .merge(v1::events::router())
        .merge(v1::backup::router())
        .merge(v1::declare::router())
}
