//! Notifications on the wire.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use crate::domain::notification::{DeliveryStatus, Event, Notification};

/// One message to one recipient through one sink.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(as = Notification)]
pub struct NotificationView {
    /// Its id.
    pub id: Uuid,
    /// What happened.
    pub event: Event,
    /// Name of the sink.
    pub sink: String,
    /// A Slack user or channel id; a team's slug where it has no channel, for sinks but Slack.
    pub recipient: String,
    /// The team that it is about.
    pub team_id: Option<Uuid>,
    /// Facts for the text.
    #[schema(value_type = Object)]
    pub payload: Value,
    /// Where the delivery stands.
    pub status: DeliveryStatus,
    /// Deliveries tried.
    pub attempts: u32,
    /// When it is due (again).
    pub next_attempt_at: DateTime<Utc>,
    /// What the last try said.
    pub last_error: Option<String>,
    /// When it was written.
    pub created_at: DateTime<Utc>,
    /// When it was delivered.
    pub delivered_at: Option<DateTime<Utc>>,
}

impl From<&Notification> for NotificationView {
    fn from(row: &Notification) -> Self {
        Self {
            id: row.id.uuid(),
            event: row.event,
            sink: row.sink.clone(),
            recipient: row.recipient.clone(),
            team_id: row.team_id.map(crate::domain::ids::TeamId::uuid),
            payload: row.payload.0.clone(),
            status: row.status,
            attempts: row.attempts,
            next_attempt_at: row.next_attempt_at,
            last_error: row.last_error.clone(),
            created_at: row.created_at,
            delivered_at: row.delivered_at,
        }
    }
}

/// Which notifications to list.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct NotificationFilter {
    /// `pending`, `delivered`, `failed` or `dropped`.
    pub status: Option<String>,
}

/// A test message, to see whether a sink works.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewTest {
    /// Name of the sink: `slack`, `webhook:<endpoint>`, `plugin:<name>`; may be left out where
    /// there is one only.
    pub sink: Option<String>,
    /// Whom to send it to: a Slack user or channel id; webhooks and plugins get it as it is.
    pub recipient: String,
}
