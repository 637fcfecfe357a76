//! `/tokens`

use super::prelude::*;
use crate::actions::admin::tokens;
use crate::wire::token::{NewToken, TokenView};

/// The routes.
pub fn router() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(list, create))
        .routes(routes!(delete))
}

/// List tokens
#[utoipa::path(get, path = "/tokens", tag = "admin", params(Paging),
    responses((status = 200, body = Page<TokenView>)))]
async fn list(
    State(api): State<Api>,
    ctx: Ctx,
    Listing(_, paging): Listing<NoFilter>,
) -> Reply<Page<TokenView>> {
    api.run(move |app| tokens::list(app, &ctx, &paging))
        .await
        .map(Json)
}

/// Create a token; only this answer shows its secret
#[utoipa::path(post, path = "/tokens", tag = "admin", request_body = NewToken,
    responses((status = 201, body = TokenView)))]
async fn create(
    State(api): State<Api>,
    ctx: Ctx,
    Body(input): Body<NewToken>,
) -> Result<Response, Problem> {
    let token = api
        .run(move |app| tokens::create(app, &ctx, &input))
        .await?;
    let location = format!("/api/v1/tokens/{}", token.id);
    Ok(created(token, &location))
}

/// Revoke a token
#[utoipa::path(delete, path = "/tokens/{id}", tag = "admin",
    params(("id" = String, Path, description = "Id or name of the token")),
    responses((status = 204)))]
async fn delete(
    State(api): State<Api>,
    ctx: Ctx,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    api.run(move |app| tokens::delete(app, &ctx, &id)).await?;
    Ok(StatusCode::NO_CONTENT)
}
