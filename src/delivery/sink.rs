//! What a sink is: where notifications of one name go.

use std::future::Future;
use std::num::NonZeroU32;
use std::pin::Pin;
use std::time::Duration;

use crate::domain::notification::{Event, Notification};

/// Notifications for one recipient that go out as one message; mostly a single one.
#[derive(Clone, Debug)]
pub struct Delivery {
    /// In the order of the outbox, never empty, all for the same recipient.
    pub notifications: Vec<Notification>,
    /// What the sink returned for the message that asked this recipient to decide the override
    /// that a single notification is about; so that it can be updated in place.
    pub request: Option<Receipt>,
}

/// How a sink finds a message again that it has delivered: its own text, kept with the outbox.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt(pub String);

/// Why a delivery failed. The messages say what happened and where, and never a secret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DeliveryError {
    /// It may go well later: the other side is down, slow or in trouble.
    #[error("{message}")]
    Retry {
        /// What happened.
        message: String,
        /// How long the other side wants to be left alone with it, where it has said so. The
        /// usual wait holds where that is longer.
        after: Option<Duration>,
    },
    /// The other side asks to slow down: the whole sink waits, and no attempt is counted.
    #[error("rate limited, resuming after {} s", after.as_secs())]
    RateLimited {
        /// How long to wait.
        after: Duration,
    },
    /// It will never go well: the recipient is gone, the message is refused.
    #[error("{message}")]
    Permanent {
        /// What happened.
        message: String,
    },
    /// The sink itself can't be used, whatever the message: a token that is revoked, a scope that
    /// is missing, a plugin that is gone. The whole sink waits, and no attempt is counted.
    #[error("{message}")]
    SinkUnusable {
        /// What happened, and what to do about it.
        message: String,
    },
}

impl DeliveryError {
    /// A failure that may pass, after the usual wait.
    pub fn retry(message: impl Into<String>) -> Self {
        let message = message.into();
        Self::Retry {
            message,
            after: None,
        }
    }
}

/// How a sink wants to be used.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Deliveries at the same time.
    pub concurrency: usize,
    /// Deliveries a second.
    pub per_second: NonZeroU32,
    /// How long one delivery may take; one that hangs is given up and retried.
    pub timeout: Duration,
    /// How long a fresh notification waits for others to the same recipient, to go out as one
    /// message; zero where each goes by itself.
    pub gather: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            concurrency: 32,
            per_second: NonZeroU32::MAX,
            timeout: Duration::from_secs(30),
            gather: Duration::ZERO,
        }
    }
}

/// What a delivery comes to.
pub type Delivered<'a> =
    Pin<Box<dyn Future<Output = Result<Option<Receipt>, DeliveryError>> + Send + 'a>>;

/// Where notifications of one name go.
pub trait Sink: Send + Sync + 'static {
    /// The name in the outbox: `slack`, `webhook:<endpoint>`, `plugin:<name>`.
    fn name(&self) -> &str;

    /// How it wants to be used.
    fn limits(&self) -> Limits {
        Limits::default()
    }

    /// Whether two notifications of these events may go out as one message.
    fn merges(&self, _first: Event, _second: Event) -> bool {
        false
    }

    /// Delivers. Called again with the same notifications where it failed, or where the daemon
    /// crashed before it could note the success: a notification's id tells a repetition.
    fn deliver<'a>(&'a self, delivery: &'a Delivery) -> Delivered<'a>;
}
