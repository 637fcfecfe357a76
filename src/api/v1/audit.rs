//! `/audit-logs`, and a team's legacy history.

use super::prelude::*;
use crate::actions::admin::audit;
use crate::wire::audit::{AuditPage, AuditProof, AuditQuery, AuditView, HistoryView};

/// The routes.
pub fn router() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(verify))
        .routes(routes!(get))
        .routes(routes!(history))
}

/// List audit entries, newest first
#[utoipa::path(get, path = "/audit-logs", tag = "audit", params(AuditQuery, Paging),
    responses((status = 200, body = AuditPage)))]
async fn list(
    State(api): State<Api>,
    Listing(query, paging): Listing<AuditQuery>,
) -> Reply<AuditPage> {
    api.run(move |app| audit::list(app, &query, &paging))
        .await
        .map(Json)
}

/// Verify that no audit entry was changed, dropped or inserted
///
/// Checks each entry's hash and place, and that it is found by its id, by each filter and by its
/// time. It can't tell whether somebody with the file cut off the end of the log, or rewrote all of
/// it: for that, compare a `head` that was noted elsewhere: it is the `hash` of entry number
/// `entries`.
#[utoipa::path(get, path = "/audit-logs/verify", tag = "audit",
    responses((status = 200, body = AuditProof)))]
async fn verify(State(api): State<Api>) -> Reply<AuditProof> {
    api.run_through(audit::verify).await.map(Json)
}

/// Show an audit entry
#[utoipa::path(get, path = "/audit-logs/{id}", tag = "audit",
    params(("id" = String, Path, description = "Id of the entry")),
    responses((status = 200, body = AuditView)))]
async fn get(State(api): State<Api>, Path(id): Path<String>) -> Reply<AuditView> {
    api.run(move |app| audit::get(app, &id)).await.map(Json)
}

/// Changes of who is on call, in the legacy shape, newest first
#[utoipa::path(get, path = "/teams/{team}/oncall-history", tag = "audit",
    params(("team" = String, Path, description = "Id or slug"), Paging),
    responses((status = 200, body = Page<HistoryView>)))]
async fn history(
    State(api): State<Api>,
    Path(team): Path<String>,
    Listing(_, paging): Listing<NoFilter>,
) -> Reply<Page<HistoryView>> {
    api.run(move |app| audit::history(app, &team, &paging))
        .await
        .map(Json)
}
