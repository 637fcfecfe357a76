//! `/slack/doctor`

use super::prelude::*;
use crate::wire::slack::SlackReport;

/// The routes.
pub fn router() -> OpenApiRouter<Api> {
    OpenApiRouter::new().routes(routes!(examine, put_right))
}

/// Show what works between oncalld and Slack, and what does not
#[utoipa::path(get, path = "/slack/doctor", tag = "admin",
    responses((status = 200, body = SlackReport)))]
async fn examine(State(api): State<Api>, ctx: Ctx) -> Reply<SlackReport> {
    Ok(Json(api.slack()?.doctor(&ctx, false).await?))
}

/// Fetch members and set the on-call groups, then show what is still wrong
#[utoipa::path(post, path = "/slack/doctor", tag = "admin",
    responses((status = 200, body = SlackReport)))]
async fn put_right(State(api): State<Api>, ctx: Ctx) -> Reply<SlackReport> {
    Ok(Json(api.slack()?.doctor(&ctx, true).await?))
}
