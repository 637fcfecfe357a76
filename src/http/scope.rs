//! What a token opens that is limited to calendar feeds or to a team. Whatever isn't listed here stays
//! closed to it, a new route too.

use axum::http::{StatusCode, Uri};
use percent_encoding::percent_decode_str;

use super::problem::Problem;
use super::state::Api;
use crate::actions::admin::tokens::{is_service_of, is_team};
use crate::app::{ActionError, App, Result};
use crate::domain::token::{Scope, Token};

const TEAM: &str = "/api/v1/teams/{team}";
const TEAM_FEED: &str = "/api/v1/teams/{team}/calendar.ics";
const USER_FEED: &str = "/api/v1/users/{user}/calendar.ics";
const LOOKUP: &str = "/api/v1/oncall";
const SERVICE: &str = "/api/v1/services/{service}";
const SERVICE_LOOKUP: &str = "/api/v1/services/{service}/oncall";

/// Whether a route is a feed, whose address may hold a token.
pub fn is_feed(route: &str) -> bool {
    matches!(route, TEAM_FEED | USER_FEED)
}

/// Refuses a token that is limited to something else than what is asked for.
pub fn check(api: &Api, token: &Token, route: &str, uri: &Uri) -> std::result::Result<(), Problem> {
    if token.is_unlimited() {
        return Ok(());
    }
    let opens = match token.scope {
        Scope::Feeds => opens_feed(api.app(), token, route, uri),
        Scope::All => opens_team(api.app(), token, route, uri),
    };
    // What isn't there is not the token's either: it learns no more than that.
    if matches!(opens, Ok(true)) {
        return Ok(());
    }
    if let Err(error) = opens
        && !matches!(error, ActionError::NotFound(_))
    {
        return Err(error.into());
    }
    let limit = match (token.scope, token.team_id) {
        (Scope::Feeds, _) => "a calendar feed",
        (Scope::All, _) => "one team",
    };
    let detail = format!(
        "token `{}` is limited to {limit}, and this isn't it",
        token.name
    );
    Err(Problem::new(StatusCode::FORBIDDEN, detail))
}

fn opens_feed(app: &App, token: &Token, route: &str, uri: &Uri) -> Result<bool> {
    Ok(match (route, token.team_id, &token.slack_user_id) {
        (TEAM_FEED, Some(own), _) => is_team(app, &named(uri, TEAM), own)?,
        (USER_FEED, None, Some(own)) => named(uri, USER_FEED) == own.as_str(),
        (TEAM_FEED | USER_FEED, None, None) => true,
        _ => false,
    })
}

fn opens_team(app: &App, token: &Token, route: &str, uri: &Uri) -> Result<bool> {
    let Some(own) = token.team_id else {
        return Ok(true);
    };
    match route {
        LOOKUP => {
            let query = form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes());
            let mut names_own = false;
            for (name, value) in query {
                match &*name {
                    "team" if is_team(app, &value, own)? => names_own = true,
                    "service" if is_service_of(app, &value, own)? => names_own = true,
                    "team" | "service" => return Ok(false),
                    _ => {}
                }
            }
            Ok(names_own)
        }
        SERVICE | SERVICE_LOOKUP => is_service_of(app, &named(uri, SERVICE), own),
        _ if route.strip_prefix(TEAM).is_some_and(is_below) => is_team(app, &named(uri, TEAM), own),
        _ => Ok(false),
    }
}

/// Whether what follows a path leads to something below it, or is nothing.
fn is_below(rest: &str) -> bool {
    rest.is_empty() || rest.starts_with('/')
}

/// What the path has in the place of a route's last parameter.
fn named(uri: &Uri, route: &str) -> String {
    let place = route.split('/').position(|part| part.starts_with('{'));
    let part = place.and_then(|place| uri.path().split('/').nth(place));
    // As axum decodes it; what isn't UTF-8 names nothing.
    let part = percent_decode_str(part.unwrap_or_default()).decode_utf8();
    part.unwrap_or_default().into_owned()
}
