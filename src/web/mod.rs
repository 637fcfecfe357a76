//! The web pages: server-rendered HTML for people, on the port of the API. Everything works
//! without JavaScript; the script makes it quicker.
//!
//! A page is a handler and a template: it asks actions, as the API does, and has no rule of its
//! own. [`layout`] has what stands around it, [`form`] what was typed and what is wrong with it,
//! [`view`] what templates show; [`errors`] turns problems into pages.

pub mod assets;
mod errors;
mod flash;
mod form;
mod layout;
mod pager;
mod pages;
mod view;

use axum::Router;
use axum::middleware::from_fn_with_state;
use axum::routing::{get, post};
use tower_http::compression::CompressionLayer;

use self::pages::team;
use crate::http::Api;

/// The pages. What a route takes is in `http::access`.
pub fn router() -> Router<Api> {
    let pages = Router::new()
        .route("/", get(pages::dashboard::show))
        .route(
            "/sign-in",
            get(pages::sign_in::show).post(pages::sign_in::sign_in),
        )
        .route("/sign-out", post(pages::sign_in::sign_out))
        .route("/theme", post(pages::sign_in::choose_theme))
        .route("/teams", get(pages::teams::list).post(pages::teams::create))
        .route("/teams/new", get(pages::teams::new))
        .route(
            "/teams/{team}/edit",
            get(team::edit::show).post(team::edit::save),
        )
        .route(
            "/teams/{team}/delete",
            get(team::edit::ask_to_delete).post(team::edit::delete),
        )
        .route("/teams/{team}/restore", post(team::edit::restore))
        // Rotation, fairness, history, audit log.
        .route(
            "/teams/{team}/rotation",
            get(team::rotation::show).post(team::rotation::save),
        )
        .route("/teams/{team}/rotation/review", get(team::rotation::review))
        .route(
            "/teams/{team}/rotation/generate",
            post(team::rotation::publish),
        )
        .route("/teams/{team}/fairness", get(team::fairness::show))
        .route("/teams/{team}/history", get(team::history::show))
        .route("/audit", get(pages::audit::list))
        .route("/audit/verify", get(pages::audit::verify))
        .route("/audit/export.csv", get(pages::audit::export::as_csv))
        .route("/audit/export.jsonl", get(pages::audit::export::as_json))
        .merge(team_pages())
        .merge(service_pages())
        .merge(person_pages())
        .merge(settings_pages())
        .layer(CompressionLayer::new());
    // What is embedded was compressed at build.
    pages.route("/assets/{file}", get(assets::get))
}

/// A team's schedule, overrides and members.
fn team_pages() -> Router<Api> {
    use self::team::{joining, members, overrides, request, schedule, shift, time_off};
    Router::new()
        .route("/teams/{team}", get(schedule::show))
        .route(
            "/teams/{team}/schedule/new",
            get(shift::new).post(shift::create),
        )
        .route(
            "/teams/{team}/schedule/{id}",
            get(shift::show).post(shift::save),
        )
        .route(
            "/teams/{team}/schedule/{id}/delete",
            get(shift::ask_to_delete).post(shift::delete),
        )
        .route(
            "/teams/{team}/assign",
            get(shift::ask_whom).post(shift::assign),
        )
        .route("/teams/{team}/overrides", get(overrides::list))
        .route(
            "/teams/{team}/overrides/new",
            get(request::new).post(request::create),
        )
        .route("/teams/{team}/overrides/{id}", get(overrides::show))
        .route(
            "/teams/{team}/overrides/{id}/delete",
            get(overrides::ask_to_cancel),
        )
        .route(
            "/teams/{team}/overrides/{id}/decide",
            post(overrides::decide),
        )
        .route(
            "/teams/{team}/members",
            get(members::list).post(joining::add),
        )
        .route("/teams/{team}/members/new", get(joining::new))
        .route("/teams/{team}/members/sync", post(joining::sync))
        .route("/teams/{team}/members/{user}", post(members::change))
        .route(
            "/teams/{team}/members/{user}/remove",
            get(joining::ask_to_remove).post(joining::remove),
        )
        .route(
            "/teams/{team}/members/{user}/time-off",
            get(time_off::show).post(time_off::add),
        )
        .route(
            "/teams/{team}/members/{user}/time-off/{id}/remove",
            post(time_off::remove),
        )
}

/// Services, lookups, badges and the wall view.
fn service_pages() -> Router<Api> {
    use self::pages::{badge, lookup, services, wall};
    Router::new()
        .route(
            "/services",
            get(services::list).post(services::form::create),
        )
        .route("/services/new", get(services::form::new))
        .route(
            "/services/{service}/edit",
            get(services::form::show).post(services::form::save),
        )
        .route(
            "/services/{service}/delete",
            get(services::ask_to_delete).post(services::delete),
        )
        .route("/services/{service}/restore", post(services::restore))
        .route("/oncall-lookup", get(lookup::show))
        .route("/badge/{team}", get(badge::of_team))
        .route("/badge/service/{service}", get(badge::of_service))
        .route("/wall", get(wall::show))
}

/// A person's page, and that of whoever has signed in.
fn person_pages() -> Router<Api> {
    use self::pages::person::{self, profile, time_off};
    Router::new()
        .route("/my-shifts", get(person::mine))
        .route("/people/{user}", get(person::show))
        .route(
            "/people/{user}/edit",
            get(profile::show).post(profile::save),
        )
        .route("/people/{user}/time-off", post(time_off::add))
        .route(
            "/people/{user}/time-off/{id}/remove",
            post(time_off::remove),
        )
}

/// What admins set and look after.
fn settings_pages() -> Router<Api> {
    use self::pages::settings::{self, about, notifications, plugins, slack, tokens};
    Router::new()
        .route("/settings", get(settings::first))
        .route("/settings/tokens", get(tokens::list).post(tokens::create))
        .route("/settings/tokens/new", get(tokens::new))
        .route(
            "/settings/tokens/{id}/delete",
            get(tokens::ask_to_revoke).post(tokens::revoke),
        )
        .route("/settings/plugins", get(plugins::list))
        .route("/settings/plugins/reload", post(plugins::reload))
        .route("/settings/notifications", get(notifications::list))
        .route("/settings/notifications/test", post(notifications::test))
        .route(
            "/settings/notifications/{id}/retry",
            post(notifications::retry),
        )
        .route("/settings/slack", get(slack::show).post(slack::put_right))
        .route("/settings/about", get(about::show))
}

/// Lets problems be seen as pages by people: goes around everything that may answer with one.
pub fn with_friendly_errors(router: Router, api: Api) -> Router {
    router.layer(from_fn_with_state(api, errors::friendly))
}
