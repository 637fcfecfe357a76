//! Overrides: a substitute takes some days, at once or after a lead's approval.

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};

use super::Revision;
use super::ids::{OverrideId, TeamId, UserId};
use super::text_enum::text_enum;

/// A substitute for a range of on-call days; both ends included.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Override {
    /// Its id.
    pub id: OverrideId,
    /// The team.
    pub team_id: TeamId,
    /// Who takes the days.
    pub substitute: UserId,
    /// First on-call day.
    #[serde(with = "crate::domain::compact::date")]
    pub start_date: NaiveDate,
    /// Last on-call day.
    #[serde(with = "crate::domain::compact::date")]
    pub end_date: NaiveDate,
    /// Why, if told.
    pub reason: Option<String>,
    /// Where it stands.
    pub status: OverrideStatus,
    /// Who asked.
    pub requested_by: Option<UserId>,
    /// Who decided, whatever the decision.
    pub approved_by: Option<UserId>,
    /// When it was decided or cancelled.
    #[serde(with = "chrono::serde::ts_milliseconds_option")]
    pub decided_at: Option<DateTime<Utc>>,
    /// Why it was decided so, if told.
    pub decision_reason: Option<String>,
    /// Its revision.
    pub revision: Revision,
}

impl Override {
    /// Whether it covers `day`, in whatever state.
    pub fn covers(&self, day: NaiveDate) -> bool {
        self.start_date <= day && day <= self.end_date
    }
}

text_enum! {
    /// Where an override stands.
    OverrideStatus {
        /// Waits for a decision.
        Pending = "pending",
        /// In force.
        Approved = "approved",
        /// Turned down.
        Rejected = "rejected",
        /// Taken back.
        Cancelled = "cancelled",
    }
}

impl OverrideStatus {
    /// Whether an override in this state holds its days: no other may overlap it.
    pub const fn holds_days(self) -> bool {
        matches!(self, Self::Pending | Self::Approved)
    }

    /// Whether the state may change to `next`: pending → approved, rejected or cancelled;
    /// approved → cancelled.
    pub const fn may_become(self, next: Self) -> bool {
        matches!(
            (self, next),
            (
                Self::Pending,
                Self::Approved | Self::Rejected | Self::Cancelled
            ) | (Self::Approved, Self::Cancelled)
        )
    }
}
