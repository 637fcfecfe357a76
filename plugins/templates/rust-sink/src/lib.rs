//! {{name}}: a notification sink for oncalld. It posts each notification as JSON.

mod bindings {
    wit_bindgen::generate!({ path: "wit", world: "notification-sink" });
    use super::Plugin;
    pub use oncalld::plugin::{http, notifications};
    export!(Plugin with_types_in self);
}

use bindings::http::{Header, HttpError, Request, Response, http_send};
use bindings::notifications::FailureKind;
use bindings::{DeliveryError, Guest, Notification};
use serde::Deserialize;
use serde_json::json;

/// The manifest's `[config]`.
#[derive(Deserialize)]
struct Config {
    url: String,
}

struct Plugin;

impl Guest for Plugin {
    fn deliver(notification: Notification, config: String) -> Result<(), DeliveryError> {
        let config: Config = serde_json::from_str(&config)
            .map_err(|error| failure(FailureKind::Permanent, error.to_string()))?;
        verdict(http_send(&message(&config, &notification)))
    }
}

/// What is posted.
fn message(config: &Config, notification: &Notification) -> Request {
    let body = json!({
        "id": notification.id,
        "to": notification.recipient,
        "title": notification.title,
        "text": notification.text,
    });
    Request {
        method: "POST".into(),
        url: config.url.clone(),
        headers: vec![Header {
            name: "content-type".into(),
            value: "application/json".into(),
        }],
        body: body.to_string().into_bytes(),
    }
}

/// What the answer means: another try may help where the other side was busy or away.
fn verdict(answer: Result<Response, HttpError>) -> Result<(), DeliveryError> {
    let response = answer.map_err(|error| match error {
        HttpError::Unreachable(why) | HttpError::Timeout(why) => {
            failure(FailureKind::Retryable, why)
        }
        HttpError::Forbidden(why) | HttpError::TooLarge(why) => {
            failure(FailureKind::Permanent, why)
        }
    })?;
    let message = format!("the other side answered {}", response.status);
    match response.status {
        200..300 => Ok(()),
        429 | 500.. => {
            let header = response
                .headers
                .iter()
                .find(|header| header.name == "retry-after");
            let retry_after = header.and_then(|header| header.value.parse().ok());
            Err(DeliveryError {
                retry_after,
                ..failure(FailureKind::Retryable, message)
            })
        }
        _ => Err(failure(FailureKind::Permanent, message)),
    }
}

fn failure(kind: FailureKind, message: String) -> DeliveryError {
    DeliveryError {
        kind,
        message,
        retry_after: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16) -> Result<(), DeliveryError> {
        let headers = vec![Header {
            name: "retry-after".into(),
            value: "7".into(),
        }];
        verdict(Ok(Response {
            status,
            headers,
            body: Vec::new(),
        }))
    }

    #[test]
    fn the_answer_says_whether_to_try_again() {
        assert!(answer(204).is_ok());
        let busy = answer(503).unwrap_err();
        assert_eq!(
            (busy.kind, busy.retry_after),
            (FailureKind::Retryable, Some(7))
        );
        assert_eq!(answer(404).unwrap_err().kind, FailureKind::Permanent);
        let away = verdict(Err(HttpError::Timeout("10 s".into()))).unwrap_err();
        assert_eq!(away.kind, FailureKind::Retryable);
    }
}
