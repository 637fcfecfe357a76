//! What Slack answers: HTTP, JSON, and what they mean together.

use std::time::Duration;

use reqwest::header::{CONTENT_TYPE, HeaderMap, RETRY_AFTER};
use reqwest::{Response, StatusCode};
use serde_json::Value;

use super::error::{Class, SlackError, class};

/// The largest answer that is read: the members of the largest group are far below.
const MAX_BYTES: usize = 8 * 1024 * 1024;
/// How long to wait where Slack doesn't say.
const PAUSE: Duration = Duration::from_secs(30);
/// The least that Slack makes us wait: without any, a limit would be met again at once.
const MIN_PAUSE: Duration = Duration::from_secs(1);
/// The longest that Slack may make us wait.
const MAX_PAUSE: Duration = Duration::from_hours(1);

/// A good answer: its body, and the headers that came with it.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) body: Value,
    pub(super) headers: HeaderMap,
}

/// Reads the answer to a call of a method, which is one with `"ok": true`.
pub(super) async fn read(method: &'static str, response: Response) -> Result<Answer, SlackError> {
    let (status, headers) = (response.status(), response.headers().clone());
    refuse_status(method, status, &headers)?;
    let bytes = bytes(method, response).await?;
    let Ok(body) = serde_json::from_slice::<Value>(&bytes) else {
        return Err(unexpected(method, not_json(&headers, bytes.len())));
    };
    match body.get("ok").and_then(Value::as_bool) {
        Some(true) => Ok(Answer { body, headers }),
        Some(false) => Err(refusal(method, &body, &headers)),
        None => Err(unexpected(method, "the answer has no `ok`".to_owned())),
    }
}

/// Looks at the answer of a `response_url`: `ok`, or a word (`used_url`, `expired_url`, …), in
/// JSON or not.
pub(super) async fn read_plain(method: &'static str, response: Response) -> Result<(), SlackError> {
    let (status, headers) = (response.status(), response.headers().clone());
    if !status.is_client_error() || status == StatusCode::TOO_MANY_REQUESTS {
        refuse_status(method, status, &headers)?;
    }
    let body = bytes(method, response).await?;
    let json = serde_json::from_slice::<Value>(&body).unwrap_or_default();
    if status.is_success() && json["ok"] != false {
        return Ok(());
    }
    let word = json["error"].as_str().map(ToOwned::to_owned);
    let word = word.unwrap_or_else(|| String::from_utf8_lossy(&body).trim().to_owned());
    let is_word = (1..=64).contains(&word.len())
        && word.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    Err(SlackError::Permanent {
        method,
        error: format!("HTTP {}", status.as_u16()),
        detail: Some(word).filter(|_| is_word),
    })
}

/// What the status alone tells.
fn refuse_status(
    method: &'static str,
    status: StatusCode,
    headers: &HeaderMap,
) -> Result<(), SlackError> {
    match status {
        _ if status.is_success() => Ok(()),
        StatusCode::TOO_MANY_REQUESTS => Err(SlackError::RateLimited {
            method,
            after: retry_after(headers),
        }),
        _ if status.is_server_error() => Err(SlackError::Unreachable {
            method,
            problem: format!("HTTP {}", status.as_u16()),
        }),
        _ => Err(unexpected(method, format!("HTTP {}", status.as_u16()))),
    }
}

/// Reads a body, up to a limit.
async fn bytes(method: &'static str, mut response: Response) -> Result<Vec<u8>, SlackError> {
    let mut bytes = Vec::new();
    loop {
        let chunk = response.chunk().await;
        match chunk.map_err(|error| unreachable(method, &error))? {
            None => return Ok(bytes),
            Some(chunk) if bytes.len() + chunk.len() > MAX_BYTES => {
                let problem = format!("the answer is over {MAX_BYTES} bytes");
                return Err(unexpected(method, problem));
            }
            Some(chunk) => bytes.extend_from_slice(&chunk),
        }
    }
}

/// An answer with `"ok": false`.
fn refusal(method: &'static str, body: &Value, headers: &HeaderMap) -> SlackError {
    let text = |field: &str| body[field].as_str().map(ToOwned::to_owned);
    let error = text("error").unwrap_or_else(|| "an error without a name".to_owned());
    match class(&error) {
        Class::Limited => SlackError::RateLimited {
            method,
            after: retry_after(headers),
        },
        Class::Later => SlackError::Unreachable {
            method,
            problem: error,
        },
        Class::Auth => SlackError::Auth { method, error },
        Class::Scope => SlackError::MissingScope {
            method,
            needed: text("needed").unwrap_or_else(|| "that the method needs".to_owned()),
            provided: text("provided").unwrap_or_default(),
        },
        Class::Permanent => SlackError::Permanent {
            method,
            error,
            detail: detail(body),
        },
    }
}

/// What else Slack says of an error: the messages of `response_metadata`.
fn detail(body: &Value) -> Option<String> {
    let messages = body["response_metadata"]["messages"].as_array()?.iter();
    let text = messages
        .filter_map(Value::as_str)
        .collect::<Vec<_>>()
        .join("; ");
    (!text.is_empty()).then(|| text.chars().take(500).collect())
}

/// How long Slack wants us to wait: whole seconds.
fn retry_after(headers: &HeaderMap) -> Duration {
    let text = headers
        .get(RETRY_AFTER)
        .and_then(|value| value.to_str().ok());
    let seconds = text.and_then(|text| text.trim().parse().ok());
    let pause = seconds.map_or(PAUSE, Duration::from_secs);
    pause.clamp(MIN_PAUSE, MAX_PAUSE)
}

/// What to say of a body that is no JSON.
fn not_json(headers: &HeaderMap, length: usize) -> String {
    let kind = headers.get(CONTENT_TYPE);
    let kind = kind
        .and_then(|kind| kind.to_str().ok())
        .unwrap_or("of no kind");
    format!("the answer is not JSON ({kind}, {length} bytes)")
}

fn unexpected(method: &'static str, problem: String) -> SlackError {
    SlackError::Unexpected { method, problem }
}

/// Says what happened to a request, without its URL, which may be a secret.
pub(super) fn unreachable(method: &'static str, error: &reqwest::Error) -> SlackError {
    let cause = root(error);
    let problem = if error.is_timeout() {
        "no answer in time".to_owned()
    } else if error.is_connect() {
        format!("can't connect: {cause}")
    } else {
        format!("the connection broke: {cause}")
    };
    SlackError::Unreachable { method, problem }
}

/// The innermost cause, which says what happened, and has no URL in it.
pub(super) fn root(error: &reqwest::Error) -> &dyn std::error::Error {
    let mut cause: &dyn std::error::Error = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    cause
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn headers(retry_after: &str) -> HeaderMap {
        HeaderMap::from_iter([(RETRY_AFTER, retry_after.parse().unwrap())])
    }

    #[test]
    fn retry_after_is_in_seconds_and_never_absurd() {
        assert_eq!(retry_after(&headers("7")), Duration::from_secs(7));
        assert_eq!(retry_after(&headers("0")), MIN_PAUSE);
        for absurd in ["86400", "18446744073709551615"] {
            assert_eq!(retry_after(&headers(absurd)), MAX_PAUSE, "{absurd}");
        }
        for unreadable in ["", "soon", "-1", "1.5", "99999999999999999999999"] {
            assert_eq!(retry_after(&headers(unreadable)), PAUSE, "{unreadable}");
        }
        assert_eq!(retry_after(&HeaderMap::new()), PAUSE);
    }

    #[test]
    fn a_refusal_says_what_is_missing() {
        let body = json!({"ok": false, "error": "missing_scope", "needed": "im:write",
                          "provided": "chat:write,commands"});
        let error = refusal("conversations.open", &body, &HeaderMap::new());
        let SlackError::MissingScope {
            needed, provided, ..
        } = error
        else {
            panic!("{error}");
        };
        assert_eq!((&*needed, &*provided), ("im:write", "chat:write,commands"));
    }

    #[test]
    fn a_refusal_tells_what_slack_said_beside_it() {
        let body = json!({"ok": false, "error": "invalid_blocks",
            "response_metadata": {"messages": ["[ERROR] must be more than 0 characters"]}});
        let error = refusal("chat.postMessage", &body, &HeaderMap::new());
        let expected = "Slack chat.postMessage: invalid_blocks ([ERROR] must be more than 0 \
                        characters)";
        assert_eq!(error.to_string(), expected);
    }

    #[test]
    fn a_refusal_without_a_name_may_pass() {
        let error = refusal("auth.test", &json!({"ok": false}), &HeaderMap::new());
        assert!(error.is_retriable());
    }
}
