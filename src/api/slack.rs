//! What Slack sends over HTTP: slash commands and clicks on buttons. Signed, acknowledged at
//! once, and then handed over. Without a signing secret there is nothing here.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::IntoResponse as _;
use axum::routing::{MethodRouter, post};
use axum::{Router, response::Response};
use serde_json::Value;
use tokio::task::{JoinError, JoinSet};

use crate::http::Api;
use crate::http::body::read_body;
use crate::http::problem::Problem;
use crate::secret::Secret;
use crate::slack::{COMMANDS_PATH, Envelope, Handler, INTERACTIONS_PATH, Kind, signature};

/// Who takes what Slack sends, and how it's known to come from Slack.
#[derive(Clone, Debug)]
pub struct Requests {
    signing_secret: Secret,
    handler: Handler,
    /// What was taken and isn't done yet.
    under_way: Arc<Mutex<JoinSet<()>>>,
}

impl Requests {
    /// Requests that are signed with this secret; none without one.
    pub fn with(signing_secret: Option<&Secret>, handler: &Handler) -> Option<Self> {
        let signing_secret = signing_secret.cloned()?;
        let handler = handler.clone();
        Some(Self {
            signing_secret,
            handler,
            under_way: Arc::default(),
        })
    }

    fn hand_over(&self, envelope: Envelope) {
        let mut under_way = self.lock();
        while let Some(handled) = under_way.try_join_next() {
            report(handled);
        }
        under_way.spawn(self.handler.handle(envelope));
    }

    /// Waits until all that was taken is done.
    pub async fn handled(&self) {
        let mut under_way = std::mem::take(&mut *self.lock());
        while let Some(handled) = under_way.join_next().await {
            report(handled);
        }
    }

    fn lock(&self) -> MutexGuard<'_, JoinSet<()>> {
        self.under_way
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

/// The routes; none where requests aren't taken.
pub fn router(requests: Option<Requests>) -> Router<Api> {
    let Some(requests) = requests else {
        return Router::new();
    };
    let taking = |kind: Kind| -> MethodRouter<Api> {
        post(move |State(api): State<Api>, request: Request| {
            take(api, requests.clone(), kind, request)
        })
    };
    Router::new()
        .route(COMMANDS_PATH, taking.clone()(Kind::Command))
        .route(INTERACTIONS_PATH, taking(Kind::Interaction))
}

async fn take(
    api: Api,
    requests: Requests,
    kind: Kind,
    request: Request,
) -> Result<Response, Problem> {
    let headers = request.headers().clone();
    let body = read_body(request, &api).await?;
    let text = |name: &str| header(&headers, name);
    let (timestamp, signature) = (text("x-slack-request-timestamp"), text("x-slack-signature"));
    let now = api.app().now();
    signature::verify(&requests.signing_secret, timestamp, signature, &body, now)
        .map_err(|error| Problem::new(StatusCode::UNAUTHORIZED, error.to_string()))?;
    if let Some(envelope) = envelope(kind, &body)? {
        requests.hand_over(envelope);
    }
    // Slack shows a body to the person; the answer comes by another way.
    Ok(StatusCode::OK.into_response())
}

fn report(handled: Result<(), JoinError>) {
    if let Err(error) = handled {
        tracing::error!(%error, "what came from Slack could not be handled");
    }
}

fn header<'a>(headers: &'a HeaderMap, name: &str) -> &'a str {
    let value = headers.get(name).and_then(|value| value.to_str().ok());
    value.unwrap_or_default()
}

/// Reads the form: a command is its fields, an interaction is JSON in one of them. None where
/// Slack only looks whether anybody is here.
fn envelope(kind: Kind, body: &[u8]) -> Result<Option<Envelope>, Problem> {
    let fields: serde_json::Map<String, Value> = form_urlencoded::parse(body)
        .map(|(name, value)| (name.into_owned(), value.into_owned().into()))
        .collect();
    if fields.contains_key("ssl_check") {
        return Ok(None);
    }
    let payload = match kind {
        Kind::Command => Some(fields)
            .filter(|fields| fields.contains_key("command"))
            .map(Value::Object),
        Kind::Interaction => {
            let payload = fields.get("payload").and_then(Value::as_str);
            let payload = payload.and_then(|text| serde_json::from_str(text).ok());
            payload.filter(Value::is_object)
        }
    };
    let expected = match kind {
        Kind::Command => "a form with `command`",
        Kind::Interaction => "a form with a JSON object in `payload`",
    };
    let payload = payload.ok_or_else(|| {
        let detail = format!("the body is not {expected}, as Slack sends it");
        Problem::new(StatusCode::BAD_REQUEST, detail)
    })?;
    Ok(Some(Envelope { kind, payload }))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_command_is_its_fields() {
        let body = b"command=%2Foncall&text=payments+%26+co&user_id=U1";
        let envelope = envelope(Kind::Command, body).unwrap().unwrap();
        let expected = json!({"command": "/oncall", "text": "payments & co", "user_id": "U1"});
        assert_eq!(envelope.payload, expected);
    }

    #[test]
    fn a_click_is_the_json_in_its_payload() {
        let body = b"payload=%7B%22type%22%3A%22block_actions%22%7D";
        let envelope = envelope(Kind::Interaction, body).unwrap().unwrap();
        assert_eq!(envelope.payload, json!({"type": "block_actions"}));
    }

    #[test]
    fn a_check_of_the_certificate_asks_for_nothing() {
        for kind in [Kind::Command, Kind::Interaction] {
            assert_eq!(envelope(kind, b"ssl_check=1&token=x").unwrap(), None);
        }
    }

    #[test]
    fn what_is_neither_is_refused() {
        let bodies: [&[u8]; 5] = [b"", b"\xff\xfe", b"text=hi", b"payload=%7B", b"payload=1"];
        for body in bodies {
            for kind in [Kind::Command, Kind::Interaction] {
                assert_eq!(envelope(kind, body).unwrap_err().status, 400);
            }
        }
    }
}
