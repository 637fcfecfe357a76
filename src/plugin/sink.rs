//! Sink plugins: `plugin:<name>` as a sink of the dispatcher, one notification a call.

use std::sync::Arc;
use std::time::Duration;

use chrono::SecondsFormat;
use serde_json::Value;

use super::error::Cause;
use super::host::bindings::rotation::oncalld::plugin::types;
use super::host::bindings::sink::oncalld::plugin::notifications as wit;
use super::host::one_line;
use super::http::{CALL_TIME, Requests};
use super::limits::MIB;
use super::loaded::{Plugin, Program};
use super::registry::Registry;
use crate::delivery::sink::{Delivered, Delivery, DeliveryError, Limits, Sink};
use crate::domain::notification::Notification;
use crate::low_priority;
use crate::wire::plugin::PluginKind;
use crate::wording::{self, Links, Names};

/// Bytes that a plugin may hand to the host at once: a request's body and what is around it.
const ANSWER_BYTES: usize = 2 * MIB;

/// The longest pause that a plugin may ask for before the next try.
const LONGEST_PAUSE: Duration = Duration::from_hours(24);

/// Calls of a plugin at the same time, each on a thread of its own.
const CONCURRENCY: usize = 8;

/// Notifications go to whatever plugin has the name when they are delivered.
pub struct PluginSink {
    plugin: String,
    /// `plugin:<plugin>`.
    name: String,
    registry: Arc<Registry>,
    names: Arc<dyn Names>,
    links: Links,
}

impl PluginSink {
    /// The sink `plugin:<plugin>`.
    pub fn new(plugin: &str, registry: Arc<Registry>, names: Arc<dyn Names>, links: Links) -> Self {
        Self {
            plugin: plugin.to_owned(),
            name: format!("plugin:{plugin}"),
            registry,
            names,
            links,
        }
    }

    fn find(&self) -> Result<Arc<Plugin>, DeliveryError> {
        let found = self.registry.find(&self.plugin, PluginKind::Sink);
        found.map_err(|message| DeliveryError::SinkUnusable { message })
    }

    /// A notification in the interface's words.
    fn told(&self, row: &Notification) -> wit::Notification {
        let text = wording::render(std::slice::from_ref(row), &*self.names, &self.links);
        wit::Notification {
            id: row.id.to_string(),
            event: row.event.to_string(),
            recipient: row.recipient.clone(),
            team: team(&row.payload.0["team"]),
            title: text.title,
            text: text.plain,
            created_at: row.created_at.to_rfc3339_opts(SecondsFormat::AutoSi, true),
            payload: row.payload.0.to_string(),
        }
    }
}

/// The team that a payload tells of.
fn team(facts: &Value) -> Option<types::Team> {
    let fact = |name: &str| Some(facts[name].as_str()?.to_owned());
    Some(types::Team {
        id: fact("id")?,
        name: fact("name")?,
        slug: fact("slug")?,
        timezone: fact("timezone")?,
    })
}

impl Sink for PluginSink {
    fn name(&self) -> &str {
        &self.name
    }

    fn limits(&self) -> Limits {
        Limits {
            concurrency: CONCURRENCY,
            // Each part of a call has its own limit; this one is for what nobody thought of.
            timeout: self.registry.limits().timeout + CALL_TIME + Duration::from_secs(5),
            ..Limits::default()
        }
    }

    fn deliver<'a>(&'a self, delivery: &'a Delivery) -> Delivered<'a> {
        Box::pin(async move {
            for row in &delivery.notifications {
                self.find()?.deliver(self.told(row)).await?;
            }
            Ok(None)
        })
    }
}

impl Plugin {
    /// Delivers a notification on a thread that may block.
    ///
    /// # Errors
    /// As [`Plugin::deliver_blocking`].
    pub async fn deliver(
        self: Arc<Self>,
        notification: wit::Notification,
    ) -> Result<(), DeliveryError> {
        let name = self.manifest.name.clone();
        let call = tokio::task::spawn_blocking(move || {
            let requests = self.network();
            low_priority::run(|| self.deliver_by(requests, &notification))
        });
        let panicked = |panic| Err(DeliveryError::retry(format!("plugin:{name}: {panic}")));
        call.await.unwrap_or_else(panicked)
    }

    /// Delivers a notification, waiting for it on this thread, which must be one that may block
    /// within a runtime.
    ///
    /// # Errors
    /// As the plugin says; where it breaks, another try may help.
    pub fn deliver_blocking(&self, notification: &wit::Notification) -> Result<(), DeliveryError> {
        self.deliver_by(self.network(), notification)
    }

    /// As [`Plugin::deliver_blocking`], by these requests.
    pub(super) fn deliver_by(
        &self,
        requests: Option<Requests>,
        notification: &wit::Notification,
    ) -> Result<(), DeliveryError> {
        let config = Value::Object(self.manifest.config.clone()).to_string();
        let answered = self.call(ANSWER_BYTES, requests, |store| {
            let Program::Sink(program) = &self.program else {
                return Ok(Err(Cause::Wrong("is not a notification sink".to_owned())));
            };
            let instance = program.instantiate(&mut *store)?;
            instance.call_deliver(store, notification, &config).map(Ok)
        });
        match answered {
            Ok(Ok(())) => Ok(()),
            Ok(Err(refusal)) => Err(self.refusal(&refusal)),
            // It was not even called: that is no attempt.
            Err(error) if matches!(error.cause, Cause::Paused(_)) => {
                let message = error.to_string();
                Err(DeliveryError::SinkUnusable { message })
            }
            Err(error) => Err(DeliveryError::retry(error.to_string())),
        }
    }

    fn refusal(&self, error: &wit::DeliveryError) -> DeliveryError {
        let name = &self.manifest.name;
        let message = format!("plugin:{name}: {}", one_line(&error.message, 500));
        match error.kind {
            wit::FailureKind::Permanent => DeliveryError::Permanent { message },
            wit::FailureKind::Retryable => DeliveryError::Retry {
                message,
                after: error
                    .retry_after
                    .map(|seconds| Duration::from_secs(seconds.into()).min(LONGEST_PAUSE)),
            },
        }
    }
}
