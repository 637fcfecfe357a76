//! `/teams/{team}/oncall-overrides`

use super::prelude::*;
use crate::actions::overrides;
use crate::wire::shift_override::{Decision, NewOverride, OverrideFilter, OverrideView};

/// The routes.
pub fn router() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(list, create))
        .routes(routes!(get, decide, cancel))
}

/// List overrides
#[utoipa::path(get, path = "/teams/{team}/oncall-overrides", tag = "overrides",
    params(("team" = String, Path, description = "Id or slug"), OverrideFilter, Paging),
    responses((status = 200, body = Page<OverrideView>)))]
async fn list(
    State(api): State<Api>,
    Path(team): Path<String>,
    Listing(filter, paging): Listing<OverrideFilter>,
) -> Reply<Page<OverrideView>> {
    api.run(move |app| overrides::list(app, &team, &filter, &paging))
        .await
        .map(Json)
}

/// Request cover
#[utoipa::path(post, path = "/teams/{team}/oncall-overrides", tag = "overrides",
    request_body = NewOverride, params(("team" = String, Path, description = "Id or slug")),
    responses((status = 201, body = OverrideView)))]
async fn create(
    State(api): State<Api>,
    ctx: Ctx,
    Path(team): Path<String>,
    Body(input): Body<NewOverride>,
) -> Result<Response, Problem> {
    let row = api
        .run(move |app| overrides::request(app, &ctx, &team, &input))
        .await?;
    let location = format!("/api/v1/teams/{}/oncall-overrides/{}", row.team_id, row.id);
    Ok(created(row, &location))
}

/// Show an override
#[utoipa::path(get, path = "/teams/{team}/oncall-overrides/{id}", tag = "overrides",
    params(("team" = String, Path, description = "Id or slug"),
        ("id" = String, Path, description = "Id of the override")),
    responses((status = 200, body = OverrideView)))]
async fn get(
    State(api): State<Api>,
    Path((team, id)): Path<(String, String)>,
) -> Reply<OverrideView> {
    api.run(move |app| overrides::get(app, &team, &id))
        .await
        .map(Json)
}

/// Approve, reject or cancel an override
#[utoipa::path(patch, path = "/teams/{team}/oncall-overrides/{id}", tag = "overrides",
    request_body = Decision,
    params(("team" = String, Path, description = "Id or slug"),
        ("id" = String, Path, description = "Id of the override")),
    responses((status = 200, body = OverrideView)))]
async fn decide(
    State(api): State<Api>,
    ctx: Ctx,
    Path((team, id)): Path<(String, String)>,
    Body(decision): Body<Decision>,
) -> Reply<OverrideView> {
    api.run(move |app| overrides::decide(app, &ctx, &team, &id, &decision))
        .await
        .map(Json)
}

/// Cancel an override
#[utoipa::path(delete, path = "/teams/{team}/oncall-overrides/{id}", tag = "overrides",
    params(("team" = String, Path, description = "Id or slug"),
        ("id" = String, Path, description = "Id of the override")),
    responses((status = 204)))]
async fn cancel(
    State(api): State<Api>,
    ctx: Ctx,
    Path((team, id)): Path<(String, String)>,
) -> Result<StatusCode, Problem> {
    api.run(move |app| overrides::cancel(app, &ctx, &team, &id))
        .await?;
    Ok(StatusCode::NO_CONTENT)
}
