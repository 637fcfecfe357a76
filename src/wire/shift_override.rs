//! Overrides on the wire.

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use crate::domain::oncall_day::OnCallClock;
use crate::domain::shift_override::{Override, OverrideStatus};

/// A substitute for a range of on-call days, both included.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(as = OnCallOverride)]
pub struct OverrideView {
    /// Its id.
    pub id: Uuid,
    /// The team.
    pub team_id: Uuid,
    /// The substitute.
    pub substitute_slack_id: String,
    /// First on-call day.
    pub start_date: NaiveDate,
    /// Last on-call day.
    pub end_date: NaiveDate,
    /// Start instant.
    pub starts_at: DateTime<Utc>,
    /// End instant, not included.
    pub ends_at: DateTime<Utc>,
    /// Why.
    pub reason: Option<String>,
    /// Its status.
    pub status: OverrideStatus,
    /// Who asked.
    pub requested_by: Option<String>,
    /// Who decided, whatever the decision.
    pub approved_by: Option<String>,
    /// When it was decided or cancelled.
    pub decided_at: Option<DateTime<Utc>>,
    /// Why it was decided so.
    #[serde(default)]
    pub decision_reason: Option<String>,
    /// When it was created.
    pub created_at: DateTime<Utc>,
    /// When it was last changed.
    pub updated_at: DateTime<Utc>,
    /// Increases by one with each change.
    pub version: u64,
    /// What to check, although it was accepted; only in the answer to a change.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub warnings: Option<Vec<String>>,
}

impl OverrideView {
    /// An override as the API shows it; `clock` is its team's.
    pub fn new(row: &Override, clock: &OnCallClock) -> Self {
        Self {
            id: row.id.uuid(),
            team_id: row.team_id.uuid(),
            substitute_slack_id: row.substitute.to_string(),
            start_date: row.start_date,
            end_date: row.end_date,
            starts_at: clock.starts_at(row.start_date),
            ends_at: clock.ends_at(row.end_date),
            reason: row.reason.clone(),
            status: row.status,
            requested_by: row.requested_by.as_ref().map(ToString::to_string),
            approved_by: row.approved_by.as_ref().map(ToString::to_string),
            decided_at: row.decided_at,
            decision_reason: row.decision_reason.clone(),
            created_at: row.revision.created_at,
            updated_at: row.revision.updated_at,
            version: row.revision.version,
            warnings: None,
        }
    }
}

/// A request for cover.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewOverride {
    /// The substitute.
    pub substitute_slack_id: String,
    /// First on-call day, today or later.
    pub start_date: NaiveDate,
    /// Last on-call day; default: the first.
    #[serde(default)]
    pub end_date: Option<NaiveDate>,
    /// Why.
    #[serde(default)]
    pub reason: Option<String>,
    /// Who asks; only for a token that is not bound to a person.
    #[serde(default)]
    pub requested_by: Option<String>,
}

/// A decision.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Decision {
    /// `approved`, `rejected` or `cancelled`.
    pub status: String,
    /// Who decides; only for a token that is not bound to a person.
    #[serde(default)]
    pub approved_by: Option<String>,
    /// Why, at most 2,000 characters.
    #[serde(default)]
    pub reason: Option<String>,
    /// The version that this decision is based on; another one is a conflict.
    #[serde(default)]
    pub version: Option<u64>,
}

/// Which overrides to list.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct OverrideFilter {
    /// Those that end on this day or later.
    pub from: Option<NaiveDate>,
    /// Those that begin on this day or earlier.
    pub to: Option<NaiveDate>,
    /// `pending`, `approved`, `rejected` or `cancelled`.
    pub status: Option<String>,
}
