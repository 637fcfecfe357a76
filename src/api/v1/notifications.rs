//! `/notifications`

use super::prelude::*;
use crate::actions::notifications;
use crate::wire::notification::{NotificationFilter, NotificationView};

/// The routes.
pub fn router() -> OpenApiRouter<Api> {
    OpenApiRouter::new().routes(routes!(list))
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
