//! Headers that answers have in common, and answers that a client has already.

use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::Response;

/// What a browser is to make of an answer that says nothing of it itself, as pages do: to take it
/// for nothing but its type, run nothing in it, and tell no other site of it.
pub fn harden(headers: &mut HeaderMap, path: &str) {
    // Swagger UI sets styles of elements as it draws them.
    let policy = if path.starts_with("/api/docs") {
        "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; \
         frame-ancestors 'none'"
    } else {
        "default-src 'none'; frame-ancestors 'none'"
    };
    for (name, value) in [
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "same-origin"),
        (header::CONTENT_SECURITY_POLICY, policy),
    ] {
        let value = HeaderValue::from_static(value);
        headers.entry(name).or_insert(value);
    }
}

/// 304 where the client has the very answer.
pub fn unless_known(known: Option<&HeaderValue>, response: Response) -> Response {
    let Some(known) = known.and_then(|known| known.to_str().ok()) else {
        return response;
    };
    let Some(tag) = response
        .headers()
        .get(header::ETAG)
        .and_then(|tag| tag.to_str().ok())
    else {
        return response;
    };
    let weak = |tag: &str| tag.trim().trim_start_matches("W/").to_owned();
    let is_known = known.trim() == "*" || known.split(',').any(|known| weak(known) == weak(tag));
    if response.status() != StatusCode::OK || !is_known {
        return response;
    }
    let (mut parts, _) = response.into_parts();
    parts.status = StatusCode::NOT_MODIFIED;
    parts.headers.remove(header::CONTENT_TYPE);
    parts.headers.remove(header::CONTENT_LENGTH);
    Response::from_parts(parts, Body::empty())
}
