//! Calendar feeds.

use axum::http::header;

use super::prelude::*;
use crate::actions::oncall::lookup::etag;
use crate::actions::schedules::calendar;

/// The routes.
pub fn router() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(of_team))
        .routes(routes!(of_user))
}

/// A team's shifts as a calendar
#[utoipa::path(get, path = "/teams/{team}/calendar.ics", tag = "calendar",
    params(("team" = String, Path, description = "Id or slug"),
        ("token" = Option<String>, Query, description = "A token for calendar feeds; no other is taken from an address")),
    responses((status = 200, body = String, content_type = "text/calendar")))]
async fn of_team(State(api): State<Api>, Path(team): Path<String>) -> Result<Response, Problem> {
    api.run_heavy(move |app| calendar::of_team(app, &team))
        .await
        .map(feed)
}

/// A person's shifts as a calendar
#[utoipa::path(get, path = "/users/{user}/calendar.ics", tag = "calendar",
    params(("user" = String, Path, description = "Slack user id"),
        ("token" = Option<String>, Query, description = "A token for calendar feeds; no other is taken from an address")),
    responses((status = 200, body = String, content_type = "text/calendar")))]
async fn of_user(State(api): State<Api>, Path(user): Path<String>) -> Result<Response, Problem> {
    api.run_heavy(move |app| calendar::of_user(app, &user))
        .await
        .map(feed)
}

fn feed(text: String) -> Response {
    let tag = etag(text.as_bytes());
    let headers = [
        (
            header::CONTENT_TYPE,
            "text/calendar; charset=utf-8".to_owned(),
        ),
        (header::ETAG, tag),
    ];
    (headers, text).into_response()
}
