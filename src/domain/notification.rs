//! Notifications: rows of the outbox, written with the change that they tell of.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::ids::{NotificationId, OverrideId, TeamId};
use super::json::Json;
use super::text_enum::text_enum;

/// One message to one recipient through one sink.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Notification {
    /// Its id, by which a sink can tell a repeated delivery.
    pub id: NotificationId,
    /// Position in the outbox; rises without gaps.
    pub seq: u64,
    /// What happened.
    pub event: Event,
    /// Name of the sink, as in `notifications.sinks`.
    pub sink: String,
    /// A Slack user or channel id; a team's slug where it has no channel, for sinks but Slack.
    pub recipient: String,
    /// The team that it is about.
    pub team_id: Option<TeamId>,
    /// Facts for the text: names, dates, reasons.
    pub payload: Json,
    /// Where the delivery stands.
    pub status: DeliveryStatus,
    /// Deliveries tried.
    pub attempts: u32,
    /// When it is due (again).
    #[serde(with = "chrono::serde::ts_milliseconds")]
    pub next_attempt_at: DateTime<Utc>,
    /// What the last try said.
    pub last_error: Option<String>,
    /// When it was written.
    #[serde(with = "chrono::serde::ts_milliseconds")]
    pub created_at: DateTime<Utc>,
    /// When it was delivered.
    #[serde(with = "chrono::serde::ts_milliseconds_option")]
    pub delivered_at: Option<DateTime<Utc>>,
}

impl Notification {
    /// The override that it is about.
    pub fn override_id(&self) -> Option<OverrideId> {
        self.payload.0.get("override_id")?.as_str()?.parse().ok()
    }
}

text_enum! {
    /// What a notification tells of.
    Event {
        /// The channel: who is on call now.
        Handoff = "handoff",
        /// The incoming engineer.
        ShiftStarted = "shift_started",
        /// The outgoing engineer.
        ShiftEnded = "shift_ended",
        /// An override waits for a decision.
        OverrideRequested = "override_requested",
        /// An override was decided or cancelled.
        OverrideDecided = "override_decided",
        /// The strategy failed for a period.
        RotationFailed = "rotation_failed",
        /// Nobody could be picked for a period.
        RotationSkipped = "rotation_skipped",
        /// New zone rules moved a team's handoff.
        HandoffMoved = "handoff_moved",
        /// The engineer of a shift that begins soon.
        ShiftReminder = "shift_reminder",
        /// Published days on which nobody is on call.
        CoverageGap = "coverage_gap",
        /// An admin tries whether a sink works.
        Test = "test",
        /// A checkpoint of the audit log was signed; for sinks that name this event.
        AuditCheckpoint = "audit_checkpoint",
    }
}

text_enum! {
    /// Where a delivery stands.
    DeliveryStatus {
        /// Waits for its time.
        Pending = "pending",
        /// Arrived.
        Delivered = "delivered",
        /// Given up; can be retried.
        Failed = "failed",
        /// Not sent: it had become untrue or useless before it could be.
        Dropped = "dropped",
    }
}
