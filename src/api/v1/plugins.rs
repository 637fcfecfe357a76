//! `/plugins`

use super::prelude::*;
use crate::actions::admin::plugins;
use crate::wire::plugin::PluginView;

/// The routes.
pub fn router() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(reload))
}

/// List plugins: those that have files, and those that a team or the config names
#[utoipa::path(get, path = "/plugins", tag = "admin", params(Paging),
    responses((status = 200, body = Page<PluginView>)))]
async fn list(
    State(api): State<Api>,
    ctx: Ctx,
    Listing(_, paging): Listing<NoFilter>,
) -> Reply<Page<PluginView>> {
    api.run(move |app| plugins::list(app, &ctx, &paging))
        .await
        .map(Json)
}

/// Reload the plugin folder at once, and list the plugins
#[utoipa::path(post, path = "/plugins/reload", tag = "admin", params(Paging),
    responses((status = 200, body = Page<PluginView>)))]
async fn reload(
    State(api): State<Api>,
    ctx: Ctx,
    Listing(_, paging): Listing<NoFilter>,
) -> Reply<Page<PluginView>> {
    api.run(move |app| plugins::reload(app, &ctx, &paging))
        .await
        .map(Json)
}
