//! Errors as `application/problem+json` (RFC 9457).

use std::borrow::Cow;

use axum::http::{HeaderValue, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;

use crate::app::{ActionError, Trouble};
use crate::domain::invalid::Invalid;
use crate::slack::{GroupError, SlackError};

/// What went wrong.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Problem {
    /// The status in words.
    pub title: Cow<'static, str>,
    /// The HTTP status.
    pub status: u16,
    /// What went wrong this time.
    pub detail: String,
    /// The fields that are wrong.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<ProblemField>,
    /// Id of what it clashes with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub conflicting_id: Option<String>,
    /// Seconds after which to try again.
    #[serde(skip)]
    pub retry_after: Option<u64>,
    /// What only the log is told.
    #[serde(skip)]
    pub inner: Option<String>,
}

/// A field and what is wrong with it.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ProblemField {
    /// The field.
    pub field: String,
    /// What was found and what was expected.
    pub message: String,
}

impl Problem {
    /// A problem with nothing but a status and a detail.
    pub fn new(status: StatusCode, detail: impl Into<String>) -> Self {
        Self {
            title: Cow::Borrowed(status.canonical_reason().unwrap_or("Error")),
            status: status.as_u16(),
            detail: detail.into(),
            errors: Vec::new(),
            conflicting_id: None,
            retry_after: None,
            inner: None,
        }
    }

    /// The same with another status.
    #[must_use]
    pub fn with_status(self, status: StatusCode) -> Self {
        Self {
            status: status.as_u16(),
            title: Cow::Borrowed(status.canonical_reason().unwrap_or("Error")),
            ..self
        }
    }

    /// A failure of ours; the client learns no more than that.
    pub fn internal(inner: impl Into<String>) -> Self {
        let detail = "oncalld failed to do this; see its log";
        let problem = Self::new(StatusCode::INTERNAL_SERVER_ERROR, detail);
        Self {
            inner: Some(inner.into()),
            ..problem
        }
    }
}

impl From<Invalid> for Problem {
    fn from(invalid: Invalid) -> Self {
        let detail = invalid.to_string();
        let field = |e: crate::domain::invalid::FieldError| ProblemField {
            field: e.field,
            message: e.message,
        };
        let errors = invalid.0.into_iter().map(field).collect();
        Self {
            errors,
            ..Self::new(StatusCode::UNPROCESSABLE_ENTITY, detail)
        }
    }
}

impl From<ActionError> for Problem {
    fn from(error: ActionError) -> Self {
        match error {
            ActionError::Invalid(invalid) => invalid.into(),
            ActionError::NotFound(detail) => Self::new(StatusCode::NOT_FOUND, detail),
            ActionError::Conflict { detail, with } => Self {
                conflicting_id: with,
                ..Self::new(StatusCode::CONFLICT, detail)
            },
            ActionError::BadTransition(detail) => Self::new(StatusCode::BAD_REQUEST, detail),
            ActionError::Forbidden(detail) => Self::new(StatusCode::FORBIDDEN, detail),
            ActionError::Unauthenticated => Self::new(
                StatusCode::UNAUTHORIZED,
                ActionError::Unauthenticated.to_string(),
            ),
            ActionError::Internal(detail) => Self::internal(detail),
            ActionError::Store(error) => match error.trouble() {
                Some(trouble) => trouble.into(),
                // That the log is not as it was written is what was asked for, and no secret.
                None if error.is_of_audit_log() => Self {
                    detail: error.to_string(),
                    ..Self::internal(error.to_string())
                },
                None => Self::internal(error.to_string()),
            },
        }
    }
}

impl From<&Trouble> for Problem {
    fn from(trouble: &Trouble) -> Self {
        let (status, help) = if trouble.is_full {
            let help = "Make room where the data folder is, and oncalld goes on by itself";
            (StatusCode::INSUFFICIENT_STORAGE, help)
        } else {
            let help = "See to the disk of the data folder; once it takes writes, oncalld goes on by itself";
            (StatusCode::SERVICE_UNAVAILABLE, help)
        };
        let detail = format!(
            "the disk takes no writes ({}); lookups go on. {help}. Look before the request is repeated, \
             or repeat it with its Idempotency-Key: where the disk failed under way, it may have been done",
            trouble.cause
        );
        Self {
            retry_after: Some(5),
            ..Self::new(status, detail)
        }
    }
}

impl From<GroupError> for Problem {
    fn from(error: GroupError) -> Self {
        match error {
            GroupError::Action(error) => error.into(),
            GroupError::Slack(SlackError::RateLimited { after, .. }) => Self {
                retry_after: Some(after.as_secs().max(1)),
                ..Self::new(StatusCode::TOO_MANY_REQUESTS, unchanged(&error))
            },
            GroupError::Slack(_) | GroupError::Doubtful(_) => {
                Self::new(StatusCode::CONFLICT, unchanged(&error))
            }
        }
    }
}

/// What went wrong between us and Slack, and that it did no harm.
fn unchanged(error: &GroupError) -> String {
    format!("{error}; nothing was changed")
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let body = serde_json::to_vec(&self).unwrap_or_default();
        let json = HeaderValue::from_static("application/problem+json");
        let mut response = (status, [(header::CONTENT_TYPE, json)], body).into_response();
        let headers = response.headers_mut();
        if status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        if let Some(seconds) = self.retry_after {
            headers.insert(header::RETRY_AFTER, seconds.into());
        }
        if let Some(inner) = self.inner.clone() {
            response.extensions_mut().insert(InnerError(inner));
        }
        // For whoever shows it as a page.
        response.extensions_mut().insert(self);
        response
    }
}

/// Marks an answer that says by itself what went wrong: a page with a form to be corrected.
#[derive(Clone, Copy, Debug)]
pub struct Explained;

/// What only the log is told of a failed request.
#[derive(Clone, Debug)]
pub struct InnerError(pub String);

/// The answer to a method that a path doesn't take.
pub async fn no_such_method(method: axum::http::Method, uri: Uri) -> Problem {
    let detail = format!("`{}` does not support {method}", uri.path());
    Problem::new(StatusCode::METHOD_NOT_ALLOWED, detail)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_of_ours_is_a_500_that_tells_the_log_and_not_the_client() {
        let inner = "the system gives no random bytes";
        let problem = Problem::from(ActionError::Internal(inner.to_owned()));
        let body = serde_json::to_string(&problem).unwrap();
        assert!(!body.contains(inner), "{body}");
        let response = problem.into_response();
        assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
        let logged = response.extensions().get::<InnerError>();
        assert_eq!(logged.map(|logged| logged.0.as_str()), Some(inner));
    }
}
