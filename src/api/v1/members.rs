//! `/teams/{team}/members`

use super::prelude::*;
use crate::actions::members;
use crate::wire::member::{MemberInput, MemberView, NewMember, SyncView};

/// The routes.
pub fn router() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(list, put))
        .routes(routes!(update, delete))
        .routes(routes!(sync))
}

/// List members
#[utoipa::path(get, path = "/teams/{team}/members", tag = "members",
    params(("team" = String, Path, description = "Id or slug"), Paging),
    responses((status = 200, body = Page<MemberView>)))]
async fn list(
    State(api): State<Api>,
    Path(team): Path<String>,
    Listing(_, paging): Listing<NoFilter>,
) -> Reply<Page<MemberView>> {
    api.run(move |app| members::list(app, &team, &paging))
        .await
        .map(Json)
}

/// Add a member, or change an existing one
#[utoipa::path(post, path = "/teams/{team}/members", tag = "members", request_body = NewMember,
    params(("team" = String, Path, description = "Id or slug")),
    responses((status = 201, body = MemberView), (status = 200, body = MemberView)))]
async fn put(
    State(api): State<Api>,
    ctx: Ctx,
    Path(team): Path<String>,
    Body(input): Body<NewMember>,
) -> Result<Response, Problem> {
    let put = api
        .run(move |app| members::put(app, &ctx, &team, &input))
        .await?;
    if !put.is_new {
        return Ok(Json(put.member).into_response());
    }
    let (team, user) = (put.member.team_id, &put.member.slack_user_id);
    let location = format!("/api/v1/teams/{team}/members/{user}");
    Ok(created(put.member, &location))
}

/// Change a member
#[utoipa::path(patch, path = "/teams/{team}/members/{user}", tag = "members",
    request_body = MemberInput,
    params(("team" = String, Path, description = "Id or slug"),
        ("user" = String, Path, description = "Slack user id")),
    responses((status = 200, body = MemberView)))]
async fn update(
    State(api): State<Api>,
    ctx: Ctx,
    Path((team, user)): Path<(String, String)>,
    Body(input): Body<MemberInput>,
) -> Reply<MemberView> {
    api.run(move |app| members::update(app, &ctx, &team, &user, &input))
        .await
        .map(Json)
}

/// Remove a member
#[utoipa::path(delete, path = "/teams/{team}/members/{user}", tag = "members",
    params(("team" = String, Path, description = "Id or slug"),
        ("user" = String, Path, description = "Slack user id")),
    responses((status = 204)))]
async fn delete(
    State(api): State<Api>,
    ctx: Ctx,
    Path((team, user)): Path<(String, String)>,
) -> Result<StatusCode, Problem> {
    api.run(move |app| members::delete(app, &ctx, &team, &user))
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Bring the members up to date with the team's Slack group
///
/// 409 where Slack is not configured, the team has no group, or Slack's answer can't be used;
/// the last good list stays then.
#[utoipa::path(post, path = "/teams/{team}/members/sync", tag = "members",
    params(("team" = String, Path, description = "Id or slug")),
    responses((status = 200, body = SyncView)))]
async fn sync(State(api): State<Api>, ctx: Ctx, Path(team): Path<String>) -> Reply<SyncView> {
    Ok(Json(api.slack()?.sync_team(&ctx, &team).await?))
}
