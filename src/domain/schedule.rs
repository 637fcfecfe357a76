//! On-call schedule rows: who is on call from which day to which.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use super::Revision;
use super::ids::{ScheduleId, TeamId, UserId};
use super::text_enum::text_enum;

/// A person on call for a team over a range of on-call days; both ends included.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Schedule {
    /// Its id.
    pub id: ScheduleId,
    /// The team.
    pub team_id: TeamId,
    /// Who is on call.
    pub engineer: UserId,
    /// First on-call day.
    #[serde(with = "crate::domain::compact::date")]
    pub start_date: NaiveDate,
    /// Last on-call day.
    #[serde(with = "crate::domain::compact::date")]
    pub end_date: NaiveDate,
    /// Who made the row: the rotation or a person.
    pub origin: Origin,
    /// The person who made it; none for the rotation.
    pub created_by: Option<UserId>,
    /// Free text.
    pub note: Option<String>,
    /// True where nobody could be picked and the last one stays on.
    pub is_hold: bool,
    /// Its revision.
    pub revision: Revision,
}

impl Schedule {
    /// Whether the row covers `day`.
    pub fn covers(&self, day: NaiveDate) -> bool {
        self.start_date <= day && day <= self.end_date
    }
}

text_enum! {
    /// Where a schedule row comes from.
    Origin {
        /// Made by the rotation.
        Auto = "auto",
        /// Made by a person; wins over auto.
        Manual = "manual",
    }
}
