//! What each route takes at least, judged before anything else is looked at. `docs/ACCESS.md` has
//! the same table for people; a test holds both to what the running daemon does.
//!
//! Rules that depend on a team or a person (who leads a team, who asked for an override) are the
//! actions' own, and come on top.

use axum::http::Method;

use crate::domain::token::Role;

/// What a request takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Needs {
    /// Nothing: probes, docs, and what Slack signs.
    Nothing,
    /// A token of any role, or none where `auth.anonymous_read` holds.
    Reading,
    /// A token of this role or a higher one.
    Role(Role),
}

/// What a route takes. One that is in no list takes an admin, so that forgetting one does no harm.
pub fn needs(method: &Method, route: &str) -> Needs {
    let Some(route) = route.strip_prefix("/api/v1") else {
        return outside(method, route);
    };
    if method == Method::GET || method == Method::HEAD {
        return match route {
            "/openapi.json" => Needs::Nothing,
            "/backup"
            | "/export"
            | "/notifications"
            | "/notifications/{id}"
            | "/plugins"
            | "/slack/doctor"
            | "/tokens" => Needs::Role(Role::Admin),
            _ => Needs::Reading,
        };
    }
    match route {
        "/teams/{team}/rotation/preview" | "/audit-logs/verify" => Needs::Reading,
        // An editor who leads the team: who does, the action says.
        "/teams/{team}" if method == Method::PATCH => Needs::Role(Role::Editor),
        "/teams/{team}/rotation-config"
        | "/teams/{team}/rotation/generate"
        | "/teams/{team}/oncall"
        | "/teams/{team}/members"
        | "/teams/{team}/members/sync"
        | "/teams/{team}/members/{user}"
        | "/teams/{team}/oncall-schedules"
        | "/teams/{team}/oncall-schedules/{id}"
        | "/teams/{team}/oncall-overrides"
        | "/teams/{team}/oncall-overrides/{id}"
        | "/services"
        | "/services/{service}"
        | "/users/{user}/profile"
        | "/users/{user}/time-off"
        | "/users/{user}/time-off/{id}" => Needs::Role(Role::Editor),
        // For feeds an editor is enough, as the action says.
        "/tokens" if method == Method::POST => Needs::Role(Role::Editor),
        _ => Needs::Role(Role::Admin),
    }
}

fn outside(method: &Method, route: &str) -> Needs {
    match route {
        "/metrics" => Needs::Reading,
        "/healthz" | "/readyz" | "/sign-in" | "/sign-out" | "/theme" | "/assets/{file}" => {
            Needs::Nothing
        }
        _ if route == crate::slack::COMMANDS_PATH || route == crate::slack::INTERACTIONS_PATH => {
            Needs::Nothing
        }
        _ if route.starts_with("/api/docs") => Needs::Nothing,
        _ => of_page(method, route),
    }
}

/// What a page takes. Forms that only some may send are shown to them alone, so that nobody types
/// in vain.
fn of_page(method: &Method, route: &str) -> Needs {
    let is_for_admins = route.starts_with("/settings")
        || matches!(
            route,
            "/teams/new" | "/teams/{team}/delete" | "/teams/{team}/restore"
        )
        || (route == "/teams" && method == Method::POST);
    let is_form = ["/new", "/edit", "/delete", "/remove", "/assign"]
        .iter()
        .any(|end| route.ends_with(end));
    if is_for_admins {
        Needs::Role(Role::Admin)
    } else if is_form || !(method == Method::GET || method == Method::HEAD) {
        Needs::Role(Role::Editor)
    } else {
        Needs::Reading
    }
}
