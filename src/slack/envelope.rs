//! What Slack hands us, over HTTP or Socket Mode, and who takes it.

use std::fmt;
use std::future::Future;
use std::sync::Arc;

use futures_util::future::BoxFuture;
use serde_json::Value;

/// What an envelope holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A slash command: its payload is an object of strings (`command`, `text`, `user_id`,
    /// `channel_id`, `response_url`, …).
    Command,
    /// A click on a button: its payload is Slack's interaction object (`type`, `user`,
    /// `actions`, `container`, `message`, `response_url`, …).
    Interaction,
}

/// Something that a person did in Slack. It was acknowledged already.
#[derive(Clone, Debug, PartialEq)]
pub struct Envelope {
    /// What the payload is.
    pub kind: Kind,
    /// What Slack says of it.
    pub payload: Value,
}

type Handle = dyn Fn(Envelope) -> BoxFuture<'static, ()> + Send + Sync;

/// Who takes envelopes. Cheap to clone; all clones are the same.
#[derive(Clone)]
pub struct Handler(Arc<Handle>);

impl Handler {
    /// A handler that calls `handle`. It logs its own failures.
    pub fn new<F, Fut>(handle: F) -> Self
    where
        F: Fn(Envelope) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = ()> + Send + 'static,
    {
        Self(Arc::new(move |envelope| Box::pin(handle(envelope))))
    }

    /// Does what the envelope asks for, and answers the person.
    pub fn handle(&self, envelope: Envelope) -> BoxFuture<'static, ()> {
        (self.0)(envelope)
    }
}

impl fmt::Debug for Handler {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Handler")
    }
}
