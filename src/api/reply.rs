//! JSON answers with an entity tag.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use serde::Serialize;

use crate::actions::oncall::lookup::{Answer, etag};
use crate::app::{ActionError, App};
use crate::http::Api;
use crate::http::headers;
use crate::http::problem::Problem;

/// What a handler returns: JSON, or a problem.
pub type Reply<T> = Result<Json<T>, Problem>;

/// A JSON body, and the `ETag` of its bytes.
#[derive(Debug)]
pub struct Json<T>(pub T);

impl<T: Serialize> IntoResponse for Json<T> {
    fn into_response(self) -> Response {
        match serde_json::to_vec(&self.0) {
            Ok(body) => {
                let tag = etag(&body).into();
                json(body.into(), tag)
            }
            Err(error) => Problem::internal(error.to_string()).into_response(),
        }
    }
}

/// The JSON of a heavy read, which is written where it runs: it can be megabytes.
///
/// # Errors
/// As [`Api::run_heavy`].
pub async fn heavy<T: Serialize>(
    api: &Api,
    action: impl FnOnce(&App) -> Result<T, ActionError> + Send + 'static,
) -> Result<Response, Problem> {
    let written = api.run_heavy(move |app| {
        let body = serde_json::to_vec(&action(app)?);
        let body = body.map_err(|error| ActionError::Internal(error.to_string()))?;
        let tag = etag(&body);
        Ok((body, tag))
    });
    let (body, tag) = written.await?;
    Ok(json(body.into(), tag.into()))
}

/// A ready answer to a lookup.
pub fn ready(answer: &Answer) -> Response {
    let mut response = json(answer.body.clone(), answer.etag.clone());
    headers::harden(response.headers_mut(), super::lookups::PATH);
    response
}

fn json(body: Bytes, etag: Bytes) -> Response {
    let mut response = body.into_response();
    let headers = response.headers_mut();
    let json = HeaderValue::from_static("application/json");
    headers.insert(header::CONTENT_TYPE, json);
    if let Ok(etag) = HeaderValue::from_maybe_shared(etag) {
        headers.insert(header::ETAG, etag);
    }
    response
}

/// Something new: 201 and where it is.
pub fn created<T: Serialize>(value: T, location: &str) -> Response {
    let mut response = (StatusCode::CREATED, Json(value)).into_response();
    if let Ok(location) = HeaderValue::from_str(location) {
        response.headers_mut().insert(header::LOCATION, location);
    }
    response
}
