//! The sink of one `[[webhook]]`: JSON, signed by the Standard Webhooks convention.

use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use chrono::{DateTime, Utc};
use hmac::{Hmac, Mac as _};
use reqwest::header::{CONTENT_TYPE, RETRY_AFTER};
use reqwest::{Method, Response, StatusCode};
use serde_json::{Value, json};
use sha2::Sha256;

use crate::clock::Clock;
use crate::config;
use crate::delivery::sink::{Delivered, Delivery, DeliveryError, Limits, Sink};
use crate::domain::notification::Notification;
use crate::outbound::{self, Client, Reach, Refused};

/// How long a request may take, to the end of the answer.
const TIMEOUT: Duration = Duration::from_secs(15);
/// How long to wait for the end of a good answer, so that the connection can be used again.
const DRAIN: Duration = Duration::from_secs(1);
/// The most that is read of an answer, in bytes.
const MAX_ANSWER: usize = 16 * 1024;
/// The most of an answer that an error repeats, in characters.
const MAX_EXCERPT: usize = 200;
/// How long to wait where an endpoint asks to slow down and doesn't say for how long.
const SLOW_DOWN: Duration = Duration::from_mins(1);
/// The shortest and the longest that an endpoint can ask to be left alone: waits aren't counted as
/// tries, and so may neither be none nor for ever.
const MIN_SLOW_DOWN: Duration = Duration::from_secs(1);
const MAX_SLOW_DOWN: Duration = Duration::from_hours(24);

/// What a notification says to people, as plain text.
pub type Wording = Arc<dyn Fn(&Notification) -> String + Send + Sync>;

/// Posts each notification to one endpoint.
pub struct Webhook {
    name: String,
    settings: config::Webhook,
    http: Client,
    clock: Arc<dyn Clock>,
    wording: Wording,
}

impl Webhook {
    /// The sink `webhook:<name>` of an endpoint.
    ///
    /// # Errors
    /// The host's certificates can't be read.
    pub fn new(
        settings: config::Webhook,
        clock: Arc<dyn Clock>,
        wording: Wording,
    ) -> Result<Self, reqwest::Error> {
        let reach = if settings.allow_private_addresses {
            Reach::Anywhere
        } else {
            Reach::Public
        };
        let http = Client::new(reach, TIMEOUT, settings.url.scheme() == "https")?;
        Ok(Self {
            name: settings.sink_name(),
            settings,
            http,
            clock,
            wording,
        })
    }

    async fn post(&self, notification: &Notification) -> Result<(), DeliveryError> {
        let id = notification.id.to_string();
        let body = self.body(notification).to_string();
        let now = self.clock.now();
        let timestamp = now.timestamp().to_string();
        let request = self.http.request(Method::POST, self.settings.url.clone());
        let request = request
            .map_err(|refused| refusal(&refused))?
            .header(CONTENT_TYPE, "application/json")
            .header("webhook-signature", self.signatures(&id, &timestamp, &body))
            .header("webhook-id", id)
            .header("webhook-timestamp", timestamp)
            .body(body);
        match request.send().await {
            Ok(response) => judged(response, now).await,
            Err(error) => Err(self.unreachable(&error)),
        }
    }

    fn body(&self, notification: &Notification) -> Value {
        json!({
            "type": notification.event,
            "timestamp": notification.created_at,
            "data": {
                "id": notification.id,
                "event": notification.event,
                "recipient": notification.recipient,
                "team_id": notification.team_id,
                "payload": notification.payload.0,
                "text": (self.wording)(notification),
            },
        })
    }

    /// One signature for each secret, so that an endpoint that knows any of them is content.
    fn signatures(&self, id: &str, timestamp: &str, body: &str) -> String {
        let signed = format!("{id}.{timestamp}.{body}");
        let secrets = self.settings.secrets.iter();
        let signatures = secrets.map(|secret| {
            let mac = Hmac::<Sha256>::new_from_slice(secret.expose());
            let mac = mac.expect("invariant: HMAC takes keys of any length");
            let mac = mac.chain_update(&signed).finalize().into_bytes();
            format!("v1,{}", BASE64_STANDARD.encode(mac))
        });
        signatures.collect::<Vec<_>>().join(" ")
    }

    /// The URL may hold secrets: only its host is named.
    fn unreachable(&self, error: &reqwest::Error) -> DeliveryError {
        if let Some(refused) = outbound::refusal(error) {
            return refusal(refused);
        }
        let host = self.settings.url.host_str().unwrap_or_default();
        let message = if error.is_timeout() {
            format!("{host} didn't answer within {} s", TIMEOUT.as_secs())
        } else {
            format!("{host} can't be reached: {}", outbound::root(error))
        };
        DeliveryError::retry(message)
    }
}

impl Sink for Webhook {
    fn name(&self) -> &str {
        &self.name
    }

    fn limits(&self) -> Limits {
        Limits {
            per_second: self.settings.max_per_second,
            timeout: TIMEOUT + 2 * DRAIN,
            ..Limits::default()
        }
    }

    fn deliver<'a>(&'a self, delivery: &'a Delivery) -> Delivered<'a> {
        Box::pin(async move {
            for notification in &delivery.notifications {
                self.post(notification).await?;
            }
            Ok(None)
        })
    }
}

fn refusal(refused: &Refused) -> DeliveryError {
    let message = format!("{refused}, unless the webhook has `allow_private_addresses = true`");
    DeliveryError::Permanent { message }
}

/// What an answer says about the delivery.
async fn judged(response: Response, now: DateTime<Utc>) -> Result<(), DeliveryError> {
    let status = response.status();
    if status.is_success() {
        let _ = tokio::time::timeout(DRAIN, beginning(response)).await;
        return Ok(());
    }
    let after = response.headers().get(RETRY_AFTER);
    let after = after.and_then(|value| retry_after(value.to_str().ok()?, now));
    if status == StatusCode::TOO_MANY_REQUESTS {
        let after = after.unwrap_or(SLOW_DOWN);
        return Err(DeliveryError::RateLimited { after });
    }
    if status.is_redirection() {
        let message = format!(
            "answered {status}: redirects aren't followed, since messages are signed for the \
                               configured endpoint only"
        );
        return Err(DeliveryError::Permanent { message });
    }
    let may_pass = status.is_server_error()
        || matches!(status, StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_EARLY);
    let excerpt = excerpt(&beginning(response).await);
    let message = match excerpt.as_str() {
        "" => format!("answered {status}"),
        excerpt => format!("answered {status}: {excerpt}"),
    };
    Err(if may_pass {
        DeliveryError::Retry { message, after }
    } else {
        DeliveryError::Permanent { message }
    })
}

/// The first bytes of an answer; the rest is never read.
async fn beginning(mut response: Response) -> Vec<u8> {
    let mut bytes = Vec::new();
    while bytes.len() < MAX_ANSWER {
        let Ok(Some(chunk)) = response.chunk().await else {
            break;
        };
        bytes.extend_from_slice(&chunk);
    }
    bytes
}

fn excerpt(answer: &[u8]) -> String {
    let text = String::from_utf8_lossy(answer);
    let printable = text.trim().chars().filter(|c| !c.is_control());
    printable.take(MAX_EXCERPT).collect()
}

/// The wait that `Retry-After` asks for, in seconds or until a date.
fn retry_after(value: &str, now: DateTime<Utc>) -> Option<Duration> {
    let value = value.trim();
    let wait = match value.parse() {
        Ok(seconds) => Duration::from_secs(seconds),
        Err(_) => {
            let until = DateTime::parse_from_rfc2822(value).ok()?;
            until
                .to_utc()
                .signed_duration_since(now)
                .to_std()
                .unwrap_or_default()
        }
    };
    Some(wait.clamp(MIN_SLOW_DOWN, MAX_SLOW_DOWN))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        let now = "2026-11-23T10:00:00Z".parse().unwrap();
        for (value, expected) in [
            ("0", Some(1)),
            (" 120 ", Some(120)),
            ("99999999999", Some(86_400)),
            ("Mon, 23 Nov 2026 10:00:30 GMT", Some(30)),
            ("Mon, 23 Nov 2026 09:00:00 GMT", Some(1)),
            ("Fri, 23 Nov 2126 10:00:00 GMT", None), // no Friday
            ("Sat, 23 Nov 2126 10:00:00 GMT", Some(86_400)),
            ("-1", None),
            ("soon", None),
            ("", None),
        ] {
            let found = retry_after(value, now).map(|wait| wait.as_secs());
            assert_eq!(found, expected, "{value}");
        }
    }

    #[test]
    fn an_excerpt_is_short_and_can_be_printed() {
        assert_eq!(excerpt(b" \x1b[31mno\r\nsuch\0 hook \n"), "[31mnosuch hook");
        assert_eq!(excerpt("ä".repeat(300).as_bytes()), "ä".repeat(200));
        assert_eq!(excerpt(b"\xff"), "\u{fffd}");
        assert_eq!(excerpt(b""), "");
    }
}
