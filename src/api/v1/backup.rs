//! The whole store: a backup, and an export.

use std::io;

use axum::http::header;

use super::prelude::*;
use crate::actions::admin::backup;
use crate::http::pour::pour;

/// The routes.
pub fn router() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(download))
        .routes(routes!(export))
}

/// Download a backup of the data file
///
/// A consistent copy, made while everything goes on and proven before it is sent: `oncalld restore`
/// brings it back. It needs as much room in the data folder as the store for a while.
#[utoipa::path(get, path = "/backup", tag = "backup",
    responses((status = 200, body = String, content_type = "application/octet-stream")))]
async fn download(State(api): State<Api>, ctx: Ctx) -> Result<Response, Problem> {
    let (name, mut file) = api
        .run_through(move |app| backup::write_aside(app, &ctx))
        .await?;
    let body = pour(move |pipe| io::copy(&mut file, pipe).map(drop));
    Ok(attachment("application/octet-stream", &name, body))
}

/// Export everything as lines of JSON
///
/// One row a line, between a first line that says what it is and a last one that says how many there
/// are; without the last one it broke off. `oncalld import oncalld` makes the same store of it.
#[utoipa::path(get, path = "/export", tag = "backup",
    responses((status = 200, body = String, content_type = "application/x-ndjson")))]
async fn export(State(api): State<Api>, ctx: Ctx) -> Response {
    let app = api.app().clone();
    let turn = api.whole_store().await;
    let name = backup::name(app.now()).replace(".redb", ".jsonl");
    let body = pour(move |pipe| {
        let _turn = turn;
        backup::export(&app, &ctx, pipe)
            .map(drop)
            .map_err(io::Error::other)
    });
    attachment("application/x-ndjson", &name, body)
}

fn attachment(kind: &'static str, name: &str, body: axum::body::Body) -> Response {
    let headers = [
        (header::CONTENT_TYPE, kind.to_owned()),
        (
            header::CONTENT_DISPOSITION,
            format!("attachment; filename=\"{name}\""),
        ),
        (header::CACHE_CONTROL, "no-store".to_owned()),
    ];
    (headers, body).into_response()
}
