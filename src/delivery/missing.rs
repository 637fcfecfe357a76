//! A sink that the outbox names and the config does not.

use crate::delivery::sink::{Delivered, Delivery, DeliveryError, Sink};

/// Stands for a sink that the outbox names and the config does not, such as Slack without a
/// token. What is for it waits until it's configured, or is stale.
pub(in crate::delivery) struct Missing(pub String);

impl Sink for Missing {
    fn name(&self) -> &str {
        &self.0
    }

    fn deliver<'a>(&'a self, _delivery: &'a Delivery) -> Delivered<'a> {
        let message = match self.0.split_once(':') {
            None if self.0 == "slack" => "slack.bot_token is not set".to_owned(),
            Some(("webhook", name)) => format!("the config has no [[webhook]] named `{name}`"),
            _ => format!("the config sets up no sink `{}`", self.0),
        };
        Box::pin(async { Err(DeliveryError::SinkUnusable { message }) })
    }
}
