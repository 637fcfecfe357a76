//! `/apply` and `/declaration`: everything as a file has it.

use super::prelude::*;
use crate::actions::declare;
use crate::api::reply::heavy;
use crate::wire::declaration::{ApplyInput, ApplyView, Declaration};

/// The routes.
pub fn router() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(apply))
        .routes(routes!(export))
}

/// Bring teams, members and services in line with a declaration, or show what that would come to
///
/// It is all done or nothing, by the same rules as single changes.
#[utoipa::path(post, path = "/apply", tag = "declaration", request_body = ApplyInput,
    responses((status = 200, body = ApplyView)))]
async fn apply(
    State(api): State<Api>,
    ctx: Ctx,
    Body(input): Body<ApplyInput>,
) -> Reply<ApplyView> {
    api.run(move |app| declare::apply(app, &ctx, &input))
        .await
        .map(Json)
}

/// Show the active teams, their members and services as a declaration
#[utoipa::path(get, path = "/declaration", tag = "declaration",
    responses((status = 200, body = Declaration)))]
async fn export(State(api): State<Api>) -> Result<Response, Problem> {
    heavy(&api, declare::export).await
}
