//! Sink plugins: one notification a call, off the async threads.

use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;

use super::error::{CallError, Cause};
use super::host::bindings::sink::oncalld::plugin::notifications as wit;
use super::host::one_line;
use super::http::CALL_TIME;
use super::limits::MIB;
use super::loaded::{Plugin, Program};

/// Bytes that a plugin may hand to the host at once: a request's body and what is around it.
const ANSWER_BYTES: usize = 2 * MIB;

/// The longest pause that a plugin may ask for before the next try.
const LONGEST_PAUSE: Duration = Duration::from_hours(24);

/// Why a notification was not delivered.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SinkError {
    /// Another try may help.
    #[error("{message}")]
    Retry {
        /// What went wrong.
        message: String,
        /// How long to wait at least.
        after: Option<Duration>,
    },
    /// Another try won't help.
    #[error("{message}")]
    Permanent {
        /// What went wrong.
        message: String,
    },
}

impl Plugin {
    /// Delivers a notification, waiting for it on this thread, which must be one that may block
    /// within a runtime.
    ///
    /// # Errors
    /// As the plugin says; where it breaks, another try may help.
    pub fn deliver_blocking(&self, notification: &wit::Notification) -> Result<(), SinkError> {
        let config = Value::Object(self.manifest.config.clone()).to_string();
        let answered = self.call(ANSWER_BYTES, |store| {
            let Program::Sink(program) = &self.program else {
                return Ok(Err(Cause::Wrong("is not a notification sink".to_owned())));
            };
            let instance = program.instantiate(&mut *store)?;
            instance.call_deliver(store, notification, &config).map(Ok)
        });
        match answered {
            Ok(Ok(())) => Ok(()),
            Ok(Err(refusal)) => Err(self.refusal(&refusal)),
            Err(error) => Err(broken(&error)),
        }
    }

    fn refusal(&self, error: &wit::DeliveryError) -> SinkError {
        let name = &self.manifest.name;
        let message = format!("plugin:{name}: {}", one_line(&error.message, 500));
        match error.kind {
            wit::FailureKind::Permanent => SinkError::Permanent { message },
            wit::FailureKind::Retryable => SinkError::Retry {
                message,
                after: error
                    .retry_after
                    .map(|seconds| Duration::from_secs(seconds.into()).min(LONGEST_PAUSE)),
            },
        }
    }
}

/// Delivers a notification from an async task.
///
/// # Errors
/// As [`Plugin::deliver_blocking`]; or it took far longer than it may.
pub async fn deliver(
    plugin: Arc<Plugin>,
    notification: wit::Notification,
) -> Result<(), SinkError> {
    // Each part of a call has its own limit; this one is for what nobody thought of.
    let patience = plugin.limits.timeout + CALL_TIME + Duration::from_secs(5);
    let name = plugin.manifest.name.clone();
    let call = tokio::task::spawn_blocking(move || plugin.deliver_blocking(&notification));
    let retry = |message: String| {
        Err(SinkError::Retry {
            message,
            after: None,
        })
    };
    match tokio::time::timeout(patience, call).await {
        Ok(Ok(delivered)) => delivered,
        Ok(Err(panic)) => retry(format!("plugin:{name}: {panic}")),
        Err(_) => retry(format!(
            "plugin:{name} did not return in {} s",
            patience.as_secs()
        )),
    }
}

fn broken(error: &CallError) -> SinkError {
    let (message, after) = (error.to_string(), None);
    SinkError::Retry { message, after }
}
