//! A notification sink that posts to webhooks of Microsoft Teams or Discord.

mod config;
mod message;
mod verdict;

mod bindings {
    #![expect(unsafe_code, clippy::same_length_and_capacity, reason = "generated")]
    wit_bindgen::generate!({ path: "../wit/0.1.0", world: "notification-sink" });
    use super::TeamsWebhook;
    pub use oncalld::plugin::{http, notifications};
    export!(TeamsWebhook with_types_in self);
}

use bindings::{DeliveryError, Notification, http};

struct TeamsWebhook;

impl bindings::Guest for TeamsWebhook {
    fn deliver(notification: Notification, config: String) -> Result<(), DeliveryError> {
        let config = config::Config::parse(&config).map_err(verdict::permanent)?;
        if !config.recipients.includes(&notification.recipient) {
            return Ok(());
        }
        let request = message::request(&config, &notification).map_err(verdict::permanent)?;
        verdict::verdict(http::http_send(&request))
    }
}
