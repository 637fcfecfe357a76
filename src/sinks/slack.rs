//! Slack: messages to channels and people, and the request to decide an override kept true.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use serde_json::json;

use crate::delivery::sink::{Delivered, Delivery, DeliveryError, Limits, Receipt, Sink};
use crate::domain::ids::UserId;
use crate::domain::notification::{Event, Notification};
use crate::slack::{MessageRef, Slack, SlackError, SlackMessage};
use crate::wording::{self, Links, Names};

/// Messages under way at once: a single one lasts a tenth of a second.
const CONCURRENCY: usize = 8;
/// What is written for one person at one handoff lies this close together.
const GATHER: Duration = Duration::from_secs(1);
/// Longer than the client's own limits, so that its message tells what hung.
const TIMEOUT: Duration = Duration::from_secs(45);

/// Slack.
pub struct SlackSink {
    slack: Slack,
    names: Arc<dyn Names>,
    links: Links,
    per_second: NonZeroU32,
}

impl SlackSink {
    /// Messages through a client, at most so many a second.
    pub fn new(slack: Slack, names: Arc<dyn Names>, links: Links, per_second: NonZeroU32) -> Self {
        Self {
            slack,
            names,
            links,
            per_second,
        }
    }

    async fn send(&self, delivery: &Delivery) -> Result<Option<Receipt>, SlackError> {
        let rows = &delivery.notifications;
        let Some(first) = rows.first() else {
            return Ok(None);
        };
        let text = wording::render(rows, &*self.names, &self.links);
        let ids: Vec<_> = rows.iter().map(|row| row.id).collect();
        let message = SlackMessage {
            text: wording::escape(&text.plain),
            blocks: Some(text.blocks),
            metadata: Some(json!({
                "event_type": "oncalld_notification",
                "event_payload": {"ids": ids},
            })),
        };
        if updates_request(first) {
            // Who was not asked needn't be told of the answer.
            let request = delivery.request.as_ref();
            let request = request.and_then(|receipt| receipt.0.parse::<MessageRef>().ok());
            return match request {
                Some(request) => self.update(&request, &message).await.map(|()| None),
                None => Ok(None),
            };
        }
        let channel = match first.recipient.parse::<UserId>() {
            Ok(user) => self.slack.open_conversation(user.as_str()).await?,
            Err(_) => first.recipient.clone(),
        };
        let sent = self.slack.post_message(&channel, &message).await?;
        Ok(Some(Receipt(sent.to_string())))
    }

    async fn update(&self, request: &MessageRef, message: &SlackMessage) -> Result<(), SlackError> {
        match self.slack.update_message(request, message).await {
            // Somebody deleted it: there is nothing left to keep true.
            Err(SlackError::Permanent { error, .. }) if error == "message_not_found" => Ok(()),
            other => other.map(drop),
        }
    }
}

/// An app that may not open direct messages can still write to channels: only the message to the
/// person waits.
fn failure(error: SlackError) -> DeliveryError {
    match error {
        SlackError::MissingScope {
            method: "conversations.open",
            ..
        } => DeliveryError::retry(error.to_string()),
        error => error.into(),
    }
}

fn updates_request(row: &Notification) -> bool {
    row.event == Event::OverrideDecided && row.payload.0["updates_request"] == true
}

impl Sink for SlackSink {
    fn name(&self) -> &'static str {
        "slack"
    }

    fn limits(&self) -> Limits {
        Limits {
            concurrency: CONCURRENCY,
            per_second: self.per_second,
            timeout: TIMEOUT,
            gather: GATHER,
        }
    }

    fn merges(&self, first: Event, second: Event) -> bool {
        wording::merges(first, second)
    }

    fn deliver<'a>(&'a self, delivery: &'a Delivery) -> Delivered<'a> {
        Box::pin(async { self.send(delivery).await.map_err(failure) })
    }
}
