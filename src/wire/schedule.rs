//! Schedule rows on the wire.

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::nullable;
use super::rotation::ExplanationView;
use crate::domain::oncall_day::OnCallClock;
use crate::domain::schedule::{Origin, Schedule};
use crate::rotation::explanation::Explanation;

/// A person on call over a range of on-call days, both included.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(as = OnCallSchedule)]
pub struct ScheduleView {
    /// Its id.
    pub id: Uuid,
    /// The team.
    pub team_id: Uuid,
    /// Who is on call.
    pub engineer_slack_id: String,
    /// First on-call day.
    pub start_date: NaiveDate,
    /// Last on-call day.
    pub end_date: NaiveDate,
    /// Start instant.
    pub starts_at: DateTime<Utc>,
    /// End instant, not included.
    pub ends_at: DateTime<Utc>,
    /// Whether the rotation or a person made it.
    pub origin: Origin,
    /// The person who made it.
    pub created_by: Option<String>,
    /// Free text.
    pub note: Option<String>,
    /// Why the rotation picked this person; auto rows only.
    pub explanation: Option<ExplanationView>,
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

impl ScheduleView {
    /// A row as the API shows it; `clock` is its team's.
    pub fn new(row: &Schedule, clock: &OnCallClock, explanation: Option<&Explanation>) -> Self {
        Self {
            id: row.id.uuid(),
            team_id: row.team_id.uuid(),
            engineer_slack_id: row.engineer.to_string(),
            start_date: row.start_date,
            end_date: row.end_date,
            starts_at: clock.starts_at(row.start_date),
            ends_at: clock.ends_at(row.end_date),
            origin: row.origin,
            created_by: row.created_by.as_ref().map(ToString::to_string),
            note: row.note.clone(),
            explanation: explanation.map(ExplanationView::from),
            created_at: row.revision.created_at,
            updated_at: row.revision.updated_at,
            version: row.revision.version,
            warnings: None,
        }
    }
}

/// A manual schedule row.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewSchedule {
    /// Who is on call.
    pub engineer_slack_id: String,
    /// First on-call day.
    pub start_date: NaiveDate,
    /// Last on-call day.
    pub end_date: NaiveDate,
    /// Free text.
    #[serde(default)]
    pub note: Option<String>,
    /// The person who makes it; only for a token that is not bound to a person.
    #[serde(default)]
    pub created_by: Option<String>,
}

/// A change of a schedule row; absent fields stay as they are. An auto row whose engineer
/// or dates are changed becomes a manual one.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ScheduleInput {
    /// Who is on call.
    pub engineer_slack_id: Option<String>,
    /// First on-call day.
    pub start_date: Option<NaiveDate>,
    /// Last on-call day.
    pub end_date: Option<NaiveDate>,
    /// Free text.
    #[serde(deserialize_with = "nullable")]
    #[schema(value_type = Option<String>)]
    pub note: Option<Option<String>>,
    /// The version that this change is based on; another one is a conflict.
    pub version: Option<u64>,
}

/// Puts a person on call from now on.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AssignNow {
    /// Who.
    pub engineer_slack_id: String,
    /// Last on-call day; default: the end of the running period.
    #[serde(default)]
    pub end_date: Option<NaiveDate>,
    /// Why.
    #[serde(default)]
    pub reason: Option<String>,
    /// The person who decides; only for a token that is not bound to a person.
    #[serde(default)]
    pub created_by: Option<String>,
}

/// Which schedule rows to list.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ScheduleFilter {
    /// Rows that end on this day or later.
    pub from: Option<NaiveDate>,
    /// Rows that begin on this day or earlier.
    pub to: Option<NaiveDate>,
    /// `auto` or `manual`.
    pub origin: Option<String>,
}
