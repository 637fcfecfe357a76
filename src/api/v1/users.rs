//! `/users`: people, what is known of them, their shifts and time off.

use super::prelude::*;
use crate::actions::members::{profiles, time_off};
use crate::actions::oncall;
use crate::wire::oncall::{DateRange, UserShift};
use crate::wire::person::{PeopleFilter, PersonView, ProfileInput};
use crate::wire::time_off::{NewTimeOff, TimeOffView};

/// The routes.
pub fn router() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(profile, set_profile))
        .routes(routes!(shifts))
        .routes(routes!(list_time_off, create_time_off))
        .routes(routes!(delete_time_off))
}

/// List people
///
/// Members of any team, and whoever has a name, by name.
#[utoipa::path(get, path = "/users", tag = "people", params(PeopleFilter, Paging),
    responses((status = 200, body = Page<PersonView>)))]
async fn list(
    State(api): State<Api>,
    Listing(filter, paging): Listing<PeopleFilter>,
) -> Reply<Page<PersonView>> {
    api.run(move |app| profiles::list(app, &filter, &paging))
        .await
        .map(Json)
}

/// What is known of a person
#[utoipa::path(get, path = "/users/{user}/profile", tag = "people",
    params(("user" = String, Path, description = "Slack user id")),
    responses((status = 200, body = PersonView)))]
async fn profile(State(api): State<Api>, Path(user): Path<String>) -> Reply<PersonView> {
    api.run(move |app| profiles::show(app, &user))
        .await
        .map(Json)
}

/// Set what a person is called, their e-mail address and time zone
///
/// 409 for a name that Slack tells: it is changed there.
#[utoipa::path(put, path = "/users/{user}/profile", tag = "people", request_body = ProfileInput,
    params(("user" = String, Path, description = "Slack user id")),
    responses((status = 200, body = PersonView)))]
async fn set_profile(
    State(api): State<Api>,
    ctx: Ctx,
    Path(user): Path<String>,
    Body(input): Body<ProfileInput>,
) -> Reply<PersonView> {
    api.run(move |app| profiles::set(app, &ctx, &user, &input))
        .await
        .map(Json)
}

/// A person's schedule rows and overrides in all teams
#[utoipa::path(get, path = "/users/{user}/schedules", tag = "people",
    params(("user" = String, Path, description = "Slack user id"), DateRange, Paging),
    responses((status = 200, body = Page<UserShift>)))]
async fn shifts(
    State(api): State<Api>,
    Path(user): Path<String>,
    Listing(range, paging): Listing<DateRange>,
) -> Reply<Page<UserShift>> {
    api.run(move |app| oncall::shifts_of(app, &user, &range, &paging))
        .await
        .map(Json)
}

/// List a person's time off
#[utoipa::path(get, path = "/users/{user}/time-off", tag = "people",
    params(("user" = String, Path, description = "Slack user id"), Paging),
    responses((status = 200, body = Page<TimeOffView>)))]
async fn list_time_off(
    State(api): State<Api>,
    Path(user): Path<String>,
    Listing(_, paging): Listing<NoFilter>,
) -> Reply<Page<TimeOffView>> {
    api.run(move |app| time_off::list(app, &user, &paging))
        .await
        .map(Json)
}

/// Add time off
#[utoipa::path(post, path = "/users/{user}/time-off", tag = "people", request_body = NewTimeOff,
    params(("user" = String, Path, description = "Slack user id")),
    responses((status = 201, body = TimeOffView)))]
async fn create_time_off(
    State(api): State<Api>,
    ctx: Ctx,
    Path(user): Path<String>,
    Body(input): Body<NewTimeOff>,
) -> Result<Response, Problem> {
    let row = api
        .run(move |app| time_off::create(app, &ctx, &user, &input))
        .await?;
    let location = format!("/api/v1/users/{}/time-off/{}", row.slack_user_id, row.id);
    Ok(created(row, &location))
}

/// Delete time off
#[utoipa::path(delete, path = "/users/{user}/time-off/{id}", tag = "people",
    params(("user" = String, Path, description = "Slack user id"),
        ("id" = String, Path, description = "Id of the time off")),
    responses((status = 204)))]
async fn delete_time_off(
    State(api): State<Api>,
    ctx: Ctx,
    Path((user, id)): Path<(String, String)>,
) -> Result<StatusCode, Problem> {
    api.run(move |app| time_off::delete(app, &ctx, &user, &id))
        .await?;
    Ok(StatusCode::NO_CONTENT)
}
