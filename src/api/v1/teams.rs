//! `/teams`

use serde::Deserialize;
use utoipa::IntoParams;

use super::prelude::*;
use crate::actions::teams;
use crate::wire::ActiveFilter;
use crate::wire::team::{RotationInput, TeamInput, TeamView};

/// The routes.
pub fn router() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(list, create))
        .routes(routes!(get, update, delete))
        .routes(routes!(configure_rotation))
}

/// Which teams to list.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct TeamFilter {
    /// `true` (default), `false` or `all`.
    is_active: Option<ActiveFilter>,
    /// Part of the name or slug, whatever the case.
    q: Option<String>,
}

/// List teams
#[utoipa::path(get, path = "/teams", tag = "teams", params(TeamFilter, Paging),
    responses((status = 200, body = Page<TeamView>)))]
async fn list(
    State(api): State<Api>,
    Listing(filter, paging): Listing<TeamFilter>,
) -> Reply<Page<TeamView>> {
    let active = filter.is_active.unwrap_or_default();
    let page = api.run(move |app| teams::list(app, active, filter.q.as_deref(), &paging));
    page.await.map(Json)
}

/// Create a team
#[utoipa::path(post, path = "/teams", tag = "teams", request_body = TeamInput,
    responses((status = 201, body = TeamView)))]
async fn create(
    State(api): State<Api>,
    ctx: Ctx,
    Body(input): Body<TeamInput>,
) -> Result<Response, Problem> {
    let team = api.run(move |app| teams::create(app, &ctx, &input)).await?;
    let location = format!("/api/v1/teams/{}", team.id);
    Ok(created(team, &location))
}

/// Show a team
#[utoipa::path(get, path = "/teams/{team}", tag = "teams",
    params(("team" = String, Path, description = "Id or slug")),
    responses((status = 200, body = TeamView)))]
async fn get(State(api): State<Api>, Path(team): Path<String>) -> Reply<TeamView> {
    api.run(move |app| teams::get(app, &team)).await.map(Json)
}

/// Change, delete or restore a team
#[utoipa::path(patch, path = "/teams/{team}", tag = "teams", request_body = TeamInput,
    params(("team" = String, Path, description = "Id or slug")),
    responses((status = 200, body = TeamView)))]
async fn update(
    State(api): State<Api>,
    ctx: Ctx,
    Path(team): Path<String>,
    Body(input): Body<TeamInput>,
) -> Reply<TeamView> {
    api.run(move |app| teams::update(app, &ctx, &team, &input))
        .await
        .map(Json)
}

/// Delete a team; it can be restored
#[utoipa::path(delete, path = "/teams/{team}", tag = "teams",
    params(("team" = String, Path, description = "Id or slug")), responses((status = 204)))]
async fn delete(
    State(api): State<Api>,
    ctx: Ctx,
    Path(team): Path<String>,
) -> Result<StatusCode, Problem> {
    api.run(move |app| teams::delete(app, &ctx, &team)).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Configure a team's rotation
#[utoipa::path(patch, path = "/teams/{team}/rotation-config", tag = "rotation",
    request_body = RotationInput, params(("team" = String, Path, description = "Id or slug")),
    responses((status = 200, body = TeamView)))]
async fn configure_rotation(
    State(api): State<Api>,
    ctx: Ctx,
    Path(team): Path<String>,
    Body(input): Body<RotationInput>,
) -> Reply<TeamView> {
    api.run(move |app| teams::update(app, &ctx, &team, &input.into()))
        .await
        .map(Json)
}
