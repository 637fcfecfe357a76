//! `/teams/{team}/rotation`, and the fairness report.

use super::prelude::*;
use crate::actions::rotation::{self, fairness};
use crate::api::reply::heavy;
use crate::wire::rotation::{FairnessRange, FairnessView, PlanRequest, PlanView};

/// The routes.
pub fn router() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(preview))
        .routes(routes!(generate))
        .routes(routes!(fairness_report))
}

/// Preview the auto shifts that generating would publish
#[utoipa::path(post, path = "/teams/{team}/rotation/preview", tag = "rotation",
    request_body = PlanRequest, params(("team" = String, Path, description = "Id or slug")),
    responses((status = 200, body = PlanView)))]
async fn preview(
    State(api): State<Api>,
    Path(team): Path<String>,
    Body(request): Body<PlanRequest>,
) -> Result<Response, Problem> {
    heavy(&api, move |app| rotation::preview(app, &team, &request)).await
}

/// Regenerate the future auto shifts
#[utoipa::path(post, path = "/teams/{team}/rotation/generate", tag = "rotation",
    request_body = PlanRequest, params(("team" = String, Path, description = "Id or slug")),
    responses((status = 200, body = PlanView)))]
async fn generate(
    State(api): State<Api>,
    ctx: Ctx,
    Path(team): Path<String>,
    Body(request): Body<PlanRequest>,
) -> Reply<PlanView> {
    api.run(move |app| rotation::generate(app, &ctx, &team, &request))
        .await
        .map(Json)
}

/// How fairly the shifts are shared
#[utoipa::path(get, path = "/teams/{team}/fairness", tag = "rotation",
    params(("team" = String, Path, description = "Id or slug"), FairnessRange),
    responses((status = 200, body = FairnessView)))]
async fn fairness_report(
    State(api): State<Api>,
    Path(team): Path<String>,
    Params(range): Params<FairnessRange>,
) -> Result<Response, Problem> {
    heavy(&api, move |app| fairness::report(app, &team, &range)).await
}
