//! Bodies of requests, read to a limit.

use axum::body::Bytes;
use axum::extract::Request;
use axum::http::{StatusCode, header};

use super::problem::Problem;

/// Reads a body of at most `limit` bytes.
pub async fn read_body(request: Request, limit: usize) -> Result<Bytes, Problem> {
    let declared = request.headers().get(header::CONTENT_LENGTH);
    let declared = declared.and_then(|v| v.to_str().ok()?.parse::<usize>().ok());
    let too_large = || {
        let detail = format!("the body is over {limit} bytes (server.max_body_kb)");
        Problem::new(StatusCode::PAYLOAD_TOO_LARGE, detail)
    };
    if declared.is_some_and(|length| length > limit) {
        return Err(too_large());
    }
    let bytes = axum::body::to_bytes(request.into_body(), limit).await;
    bytes.map_err(|error| {
        let mut cause: Option<&dyn std::error::Error> = Some(&error);
        while let Some(error) = cause {
            if error.to_string().contains("length limit exceeded") {
                return too_large();
            }
            cause = error.source();
        }
        Problem::new(
            StatusCode::BAD_REQUEST,
            "the body could not be read in full",
        )
    })
}
