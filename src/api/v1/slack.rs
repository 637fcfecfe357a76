//! `/slack/doctor`

use super::prelude::*;
use crate::wire::slack::SlackReport;

/// The routes.
pub fn router() -> OpenApiRouter<Api> {
    OpenApiRouter::new().routes(routes!(examine, put_right))
}

/// Show what is right and what is wrong between oncalld and Slack
#[utoipa::path(get, path = "/slack/doctor", tag = "admin",
    responses((status = 200, body = SlackReport)))]
async fn examine(State(api): State<Api>, ctx: Ctx) -> Reply<SlackReport> {
    Ok(Json(api.slack()?.doctor(&ctx, false).await?))
}

/// Fetch members and set the groups of who is on call, then show what is still wrong
#[utoipa::path(post, path = "/slack/doctor", tag = "admin",
    responses((status = 200, body = SlackReport)))]
async fn put_right(State(api): State<Api>, ctx: Ctx) -> Reply<SlackReport> {
    Ok(Json(api.slack()?.doctor(&ctx, true).await?))
}
