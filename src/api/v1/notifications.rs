//! `/notifications`

use super::prelude::*;
use crate::actions::messages::notifications;
use crate::wire::notification::{NewTest, NotificationFilter, NotificationView};

/// The routes.
pub fn router() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(get))
        .routes(routes!(retry))
        .routes(routes!(test))
}

/// List notifications, newest first
#[utoipa::path(get, path = "/notifications", tag = "admin",
    params(NotificationFilter, Paging),
    responses((status = 200, body = Page<NotificationView>)))]
async fn list(
    State(api): State<Api>,
    ctx: Ctx,
    Listing(filter, paging): Listing<NotificationFilter>,
) -> Reply<Page<NotificationView>> {
    api.run(move |app| notifications::list(app, &ctx, &filter, &paging))
        .await
        .map(Json)
}

/// Get a notification
#[utoipa::path(get, path = "/notifications/{id}", tag = "admin",
    params(("id" = String, Path, description = "Id of the notification")),
    responses((status = 200, body = NotificationView)))]
async fn get(State(api): State<Api>, ctx: Ctx, Path(id): Path<String>) -> Reply<NotificationView> {
    api.run(move |app| notifications::get(app, &ctx, &id))
        .await
        .map(Json)
}

/// Queue a failed notification again
#[utoipa::path(post, path = "/notifications/{id}/retry", tag = "admin",
    params(("id" = String, Path, description = "Id of the notification")),
    responses((status = 200, body = NotificationView)))]
async fn retry(
    State(api): State<Api>,
    ctx: Ctx,
    Path(id): Path<String>,
) -> Reply<NotificationView> {
    api.run(move |app| notifications::retry(app, &ctx, &id))
        .await
        .map(Json)
}

/// Queue a test message
#[utoipa::path(post, path = "/notifications/test", tag = "admin", request_body = NewTest,
    responses((status = 201, body = NotificationView)))]
async fn test(
    State(api): State<Api>,
    ctx: Ctx,
    Body(input): Body<NewTest>,
) -> Result<Response, Problem> {
    let row = api
        .run(move |app| notifications::test(app, &ctx, &input))
        .await?;
    let location = format!("/api/v1/notifications/{}", row.id);
    Ok(created(row, &location))
}
