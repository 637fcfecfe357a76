//! Probes and metrics.

use std::time::Instant;

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use super::reply::Json;
use crate::actions::admin::health;
use crate::domain::zone;
use crate::http::Api;
use crate::http::problem::Problem;

/// The process runs.
pub async fn healthz() -> &'static str {
    "ok\n"
}

#[derive(Serialize)]
struct Ready {
    status: &'static str,
    version: &'static str,
    schema_version: u32,
    zone_rules: ZoneRules,
    audit_entries: u64,
    /// How far the system's clock has jumped, while that isn't believed; else null.
    clock_jump_seconds: Option<i64>,
}

#[derive(Serialize)]
struct ZoneRules {
    version: &'static str,
    source: &'static str,
}

/// The store answers and takes writes, the scheduler works, and the daemon is not stopping.
pub async fn readyz(State(api): State<Api>) -> Response {
    if let Some(reason) = api.stopping().borrow().as_ref() {
        let detail = format!("oncalld is stopping: {reason}");
        return Problem::new(StatusCode::SERVICE_UNAVAILABLE, detail).into_response();
    }
    if let Some(trouble) = api.app().disk_trouble() {
        return Problem::from(&trouble)
            .with_status(StatusCode::SERVICE_UNAVAILABLE)
            .into_response();
    }
    if let Some(since) = api.heartbeat().stalled(Instant::now()) {
        let seconds = since.as_secs();
        let detail = format!("the scheduler has not worked for {seconds} s: no handoffs are done");
        return Problem::new(StatusCode::SERVICE_UNAVAILABLE, detail).into_response();
    }
    match api.run(health::check).await {
        Ok(audit_entries) => Json(Ready {
            status: "ready",
            version: env!("CARGO_PKG_VERSION"),
            schema_version: health::SCHEMA_VERSION,
            zone_rules: ZoneRules {
                version: zone::rules().version(),
                source: zone::rules().source(),
            },
            audit_entries,
            clock_jump_seconds: api.app().clock().doubt().map(|jump| jump.num_seconds()),
        })
        .into_response(),
        Err(problem) => problem
            .with_status(StatusCode::SERVICE_UNAVAILABLE)
            .into_response(),
    }
}

/// The counters, as Prometheus reads them.
pub async fn metrics(State(api): State<Api>) -> Response {
    let measured = match api.run(health::measure).await {
        Ok(measured) => measured,
        Err(problem) => return problem.into_response(),
    };
    match api.metrics().encode(measured) {
        Ok(text) => {
            let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
            ([(header::CONTENT_TYPE, kind)], text).into_response()
        }
        Err(error) => Problem::internal(error.to_string()).into_response(),
    }
}
