//! `/audit-logs`, and a team's legacy history.

use super::prelude::*;
use crate::actions::admin::{audit, seals};
use crate::wire::audit::{
    AuditPage, AuditProof, AuditQuery, AuditView, CheckpointView, Expected, HistoryView,
};

/// The routes.
pub fn router() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(verify, verify_against))
        .routes(routes!(checkpoints, create_checkpoint))
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
/// Checks each entry's hash and place, that it is found by its id, by each filter and by its time, and
/// that each checkpoint fits. By itself that can't tell whether somebody with the file put an older one
/// in its place, or rewrote all of it: for that, hand in a checkpoint that is kept elsewhere.
#[utoipa::path(get, path = "/audit-logs/verify", tag = "audit",
    responses((status = 200, body = AuditProof)))]
async fn verify(State(api): State<Api>) -> Reply<AuditProof> {
    api.run_through(audit::verify).await.map(Json)
}

/// Verify the audit log against what is kept elsewhere
///
/// As by GET; besides, the log has to lead to the checkpoint, and the checkpoints have to begin with the
/// key. What was cut off, rewritten, or put back from an older file is found.
#[utoipa::path(post, path = "/audit-logs/verify", tag = "audit", request_body = Expected,
    responses((status = 200, body = AuditProof)))]
async fn verify_against(
    State(api): State<Api>,
    Body(expected): Body<Expected>,
) -> Reply<AuditProof> {
    api.run_through(move |app| audit::verify_against(app, &expected))
        .await
        .map(Json)
}

/// List checkpoints of the audit log, newest first
#[utoipa::path(get, path = "/audit-logs/checkpoints", tag = "audit", params(Paging),
    responses((status = 200, body = Page<CheckpointView>)))]
async fn checkpoints(
    State(api): State<Api>,
    Listing(_, paging): Listing<NoFilter>,
) -> Reply<Page<CheckpointView>> {
    api.run(move |app| seals::list(app, &paging))
        .await
        .map(Json)
}

/// Sign a checkpoint of the audit log now
///
/// The daemon does so once a day and at a stop. Where nothing was audited since the last one, the answer
/// is that.
#[utoipa::path(post, path = "/audit-logs/checkpoints", tag = "audit",
    responses((status = 200, body = CheckpointView)))]
async fn create_checkpoint(State(api): State<Api>, ctx: Ctx) -> Reply<CheckpointView> {
    api.run_through(move |app| seals::create(app, &ctx))
        .await
        .map(Json)
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
