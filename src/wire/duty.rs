//! What one person has on call in all their teams, for pages.

use chrono::{DateTime, NaiveDate, Utc};
use uuid::Uuid;

use crate::rotation::coverage::Source;

/// What a person has on call, in all active teams.
#[derive(Clone, Debug)]
pub struct Duties {
    /// Runs of days on which they are on call as things stand, by start.
    pub shifts: Vec<Duty>,
    /// What that sums up to this year.
    pub year: DutyYear,
}

/// A run of on-call days of a person in a team.
#[derive(Clone, Debug)]
pub struct Duty {
    /// Name of the team.
    pub team_name: String,
    /// Its slug.
    pub team_slug: String,
    /// Its zone.
    pub timezone: String,
    /// Its present on-call day.
    pub today: NaiveDate,
    /// What puts them on call.
    pub source: Source,
    /// Id of the schedule row or the override that does.
    pub id: Uuid,
    /// First on-call day.
    pub start_date: NaiveDate,
    /// Last on-call day.
    pub end_date: NaiveDate,
    /// First instant.
    pub starts_at: DateTime<Utc>,
    /// First instant after it.
    pub ends_at: DateTime<Utc>,
}

/// A person's time on call in a calendar year.
#[derive(Clone, Debug)]
pub struct DutyYear {
    /// The year.
    pub year: i32,
    /// Of each team in which there is any, by name.
    pub teams: Vec<TeamLoad>,
    /// Of all teams: what is on call for two teams at once counts once.
    pub total: Load,
}

/// A person's time on call for a team.
#[derive(Clone, Debug)]
pub struct TeamLoad {
    /// Name of the team.
    pub team_name: String,
    /// Its slug.
    pub team_slug: String,
    /// How much.
    pub load: Load,
}

/// How much time on call.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Load {
    /// Hours until now.
    pub hours_served: i64,
    /// Hours from now on, as far as shifts are planned.
    pub hours_planned: i64,
    /// Saturdays and Sundays that have begun.
    pub weekend_days_served: usize,
    /// Those that have not.
    pub weekend_days_planned: usize,
}
