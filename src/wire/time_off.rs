//! Time off on the wire.

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::domain::time_off::TimeOff;

/// Days on which a person is not to be picked, both ends included.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(as = TimeOff)]
pub struct TimeOffView {
    /// Its id.
    pub id: Uuid,
    /// The person.
    pub slack_user_id: String,
    /// First day off.
    pub start_date: NaiveDate,
    /// Last day off.
    pub end_date: NaiveDate,
    /// Why.
    pub reason: Option<String>,
    /// When it was created.
    pub created_at: DateTime<Utc>,
    /// When it was last changed.
    pub updated_at: DateTime<Utc>,
    /// Increases by one with each change.
    pub version: u64,
    /// Shifts that it touches and that stand all the same; only in the answer to a change.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub warnings: Option<Vec<String>>,
}

impl From<&TimeOff> for TimeOffView {
    fn from(row: &TimeOff) -> Self {
        Self {
            id: row.id.uuid(),
            slack_user_id: row.user.to_string(),
            start_date: row.start_date,
            end_date: row.end_date,
            reason: row.reason.clone(),
            created_at: row.revision.created_at,
            updated_at: row.revision.updated_at,
            version: row.revision.version,
            warnings: None,
        }
    }
}

/// Days off.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewTimeOff {
    /// First day off.
    pub start_date: NaiveDate,
    /// Last day off.
    pub end_date: NaiveDate,
    /// Why.
    #[serde(default)]
    pub reason: Option<String>,
}
