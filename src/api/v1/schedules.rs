//! `/teams/{team}/oncall-schedules`

use super::prelude::*;
use crate::actions::schedules;
use crate::wire::schedule::{NewSchedule, ScheduleFilter, ScheduleInput, ScheduleView};

/// The routes.
pub fn router() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(list, create))
        .routes(routes!(get, update, delete))
}

/// List schedule rows
#[utoipa::path(get, path = "/teams/{team}/oncall-schedules", tag = "schedules",
    params(("team" = String, Path, description = "Id or slug"), ScheduleFilter, Paging),
    responses((status = 200, body = Page<ScheduleView>)))]
async fn list(
    State(api): State<Api>,
    Path(team): Path<String>,
    Listing(filter, paging): Listing<ScheduleFilter>,
) -> Reply<Page<ScheduleView>> {
    api.run(move |app| schedules::list(app, &team, &filter, &paging))
        .await
        .map(Json)
}

/// Create a manual schedule row
#[utoipa::path(post, path = "/teams/{team}/oncall-schedules", tag = "schedules",
    request_body = NewSchedule, params(("team" = String, Path, description = "Id or slug")),
    responses((status = 201, body = ScheduleView)))]
async fn create(
    State(api): State<Api>,
    ctx: Ctx,
    Path(team): Path<String>,
    Body(input): Body<NewSchedule>,
) -> Result<Response, Problem> {
    let row = api
        .run(move |app| schedules::create(app, &ctx, &team, &input))
        .await?;
    let location = format!("/api/v1/teams/{}/oncall-schedules/{}", row.team_id, row.id);
    Ok(created(row, &location))
}

/// Show a schedule row
#[utoipa::path(get, path = "/teams/{team}/oncall-schedules/{id}", tag = "schedules",
    params(("team" = String, Path, description = "Id or slug"),
        ("id" = String, Path, description = "Id of the row")),
    responses((status = 200, body = ScheduleView)))]
async fn get(
    State(api): State<Api>,
    Path((team, id)): Path<(String, String)>,
) -> Reply<ScheduleView> {
    api.run(move |app| schedules::get(app, &team, &id))
        .await
        .map(Json)
}

/// Change a schedule row
#[utoipa::path(patch, path = "/teams/{team}/oncall-schedules/{id}", tag = "schedules",
    request_body = ScheduleInput,
    params(("team" = String, Path, description = "Id or slug"),
        ("id" = String, Path, description = "Id of the row")),
    responses((status = 200, body = ScheduleView)))]
async fn update(
    State(api): State<Api>,
    ctx: Ctx,
    Path((team, id)): Path<(String, String)>,
    Body(input): Body<ScheduleInput>,
) -> Reply<ScheduleView> {
    api.run(move |app| schedules::update(app, &ctx, &team, &id, &input))
        .await
        .map(Json)
}

/// Delete a schedule row
#[utoipa::path(delete, path = "/teams/{team}/oncall-schedules/{id}", tag = "schedules",
    params(("team" = String, Path, description = "Id or slug"),
        ("id" = String, Path, description = "Id of the row")),
    responses((status = 204)))]
async fn delete(
    State(api): State<Api>,
    ctx: Ctx,
    Path((team, id)): Path<(String, String)>,
) -> Result<StatusCode, Problem> {
    api.run(move |app| schedules::delete(app, &ctx, &team, &id))
        .await?;
    Ok(StatusCode::NO_CONTENT)
}
