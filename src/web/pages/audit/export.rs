//! The filtered audit log as a file: read and sent in batches, never all in memory.

use std::io;

use axum::body::Body;
use axum::http::header;
use axum::response::IntoResponse;
use bytes::Bytes;
use futures_util::stream::try_unfold;

use super::{Filter, audit, of_filter};

use crate::web::pages::prelude::*;
use crate::web::view::csv;
use crate::wire::audit::{AuditQuery, AuditView};

/// Entries that are read at once.
const BATCH: usize = 500;

/// The first row of a table.
const COLUMNS: [&str; 18] = [
    "seq",
    "created_at",
    "team_id",
    "entity_type",
    "entity_id",
    "action",
    "actor_type",
    "actor_id",
    "engineer_slack_id",
    "previous_engineer_slack_id",
    "change_type",
    "change_reason",
    "effective_date",
    "changes",
    "metadata",
    "id",
    "previous_hash",
    "hash",
];

/// `GET /audit/export.csv`
pub async fn as_csv(
    State(api): State<Api>,
    visitor: Visitor,
    Query(filter): Query<Filter>,
) -> Shown {
    let kind = "text/csv; charset=utf-8; header=present";
    send(
        api,
        &visitor,
        &filter,
        kind,
        "csv",
        csv::row(COLUMNS),
        as_row,
    )
    .await
}

/// `GET /audit/export.jsonl`
pub async fn as_json(
    State(api): State<Api>,
    visitor: Visitor,
    Query(filter): Query<Filter>,
) -> Shown {
    let kind = "application/jsonl";
    send(
        api,
        &visitor,
        &filter,
        kind,
        "jsonl",
        String::new(),
        as_line,
    )
    .await
}

/// Answers with the head and a line for each entry. The filter is judged before anything is sent;
/// what goes wrong later breaks the answer off, so that nobody takes a part for the whole.
async fn send(
    api: Api,
    visitor: &Visitor,
    filter: &Filter,
    kind: &'static str,
    ending: &str,
    head: String,
    line: fn(&AuditView) -> String,
) -> Shown {
    let mut asked = filter.clone();
    asked.cursor.clear();
    let query = api.run(move |app| asked.query(app)).await?;
    let (entries, next) = batch(&api, query.clone())
        .await
        .map_err(|problem| of_filter(problem, &filter.team))?;
    let text = move |entries: &[AuditView]| entries.iter().map(line).collect::<String>();
    let begun = Bytes::from(head + &text(&entries));
    let rest = try_unfold((Some(begun), next), move |(begun, next)| {
        let (api, query) = (api.clone(), query.clone());
        async move {
            if let Some(begun) = begun {
                return Ok(Some((begun, (None, next))));
            }
            let Some(cursor) = next else {
                return Ok(None);
            };
            let query = AuditQuery {
                cursor: Some(cursor),
                ..query
            };
            let (entries, next) = batch(&api, query)
                .await
                .map_err(|problem| io::Error::other(problem.detail))?;
            Ok::<_, io::Error>(Some((Bytes::from(text(&entries)), (None, next))))
        }
    });
    let date = visitor.now.date_naive();
    let file = format!("attachment; filename=\"oncalld-audit-{date}.{ending}\"");
    let headers = [
        (header::CONTENT_TYPE, kind.to_owned()),
        (header::CONTENT_DISPOSITION, file),
        (header::CACHE_CONTROL, "private, no-store".to_owned()),
    ];
    Ok((headers, Body::from_stream(rest)).into_response())
}

async fn batch(api: &Api, query: AuditQuery) -> Result<(Vec<AuditView>, Option<String>), Problem> {
    api.run(move |app| audit::batch(app, &query, BATCH)).await
}

fn as_line(entry: &AuditView) -> String {
    serde_json::to_string(entry).unwrap_or_default() + "\n"
}

fn as_row(entry: &AuditView) -> String {
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    let cells = [
        entry.seq.to_string(),
        entry.created_at.to_rfc3339(),
        entry.team_id.map(|id| id.to_string()).unwrap_or_default(),
        entry.entity_type.to_string(),
        text(&entry.entity_id),
        entry.action.to_string(),
        entry.actor_type.to_string(),
        text(&entry.actor_id),
        text(&entry.engineer_slack_id),
        text(&entry.previous_engineer_slack_id),
        text(&entry.change_type),
        text(&entry.change_reason),
        entry
            .effective_date
            .map(|date| date.to_string())
            .unwrap_or_default(),
        entry.changes.to_string(),
        entry.metadata.to_string(),
        entry.id.to_string(),
        entry.previous_hash.clone(),
        entry.hash.clone(),
    ];
    csv::row(cells.iter().map(String::as_str))
}
