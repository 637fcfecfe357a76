//! What a notification's payload says. Whatever is missing, a text can do without: rows of
//! earlier releases are told too.

use chrono::{DateTime, NaiveDate, Utc};
use serde::Deserialize;
use serde_json::Value;

use crate::domain::ids::{OverrideId, TeamId, UserId};
use crate::domain::shift_override::OverrideStatus;
use crate::rotation::coverage::Source;
use crate::rotation::plan::OnFailure;

/// The facts of any event.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Facts {
    pub team: TeamFacts,

    #[serde(rename = "engineer_slack_id")]
    pub engineer: Option<UserId>,
    #[serde(rename = "previous_engineer_slack_id")]
    pub previous: Option<UserId>,
    pub source: Option<Source>,
    pub start_date: Option<NaiveDate>,
    pub end_date: Option<NaiveDate>,
    pub starts_at: Option<DateTime<Utc>>,
    pub ends_at: Option<DateTime<Utc>>,
    pub next: Option<Next>,
    pub reason: Option<String>,
    /// Asked for by name; no notification has it.
    pub service_name: Option<String>,

    pub override_id: Option<OverrideId>,
    pub version: Option<u64>,
    #[serde(rename = "substitute_slack_id")]
    pub substitute: Option<UserId>,
    #[serde(rename = "replaces_slack_id")]
    pub replaces: Option<UserId>,
    pub requested_by: Option<UserId>,
    pub approved_by: Option<UserId>,
    pub decision_reason: Option<String>,
    pub status: Option<OverrideStatus>,
    pub previous_status: Option<OverrideStatus>,
    pub updates_request: bool,

    pub error: Option<String>,
    pub failed: Option<Failed>,
    pub effective_date: Option<NaiveDate>,
    pub falls_back_to: Option<OnFailure>,

    pub entries: Option<u64>,
    pub note: Option<String>,

    pub old_handoff_at: Option<DateTime<Utc>>,
    pub handoff_at: Option<DateTime<Utc>>,
}

/// The team that it is about.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct TeamFacts {
    pub id: Option<TeamId>,
    pub name: String,
    pub slug: String,
    pub timezone: String,
}

/// What failed, where it's not the strategy.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Failed {
    Handoff,
    Records,
}

/// Who follows.
#[derive(Debug, Deserialize)]
pub(super) struct Next {
    #[serde(rename = "engineer_slack_id")]
    pub engineer: UserId,
    pub starts_at: DateTime<Utc>,
}

impl Facts {
    pub fn read(payload: &Value) -> Self {
        Self::deserialize(payload).unwrap_or_default()
    }
}
