//! Who is on call, on the wire.

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use crate::rotation::coverage::Source;

/// Who is on call for a team, or for a service by its team.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct OnCall {
    /// Who; null where nobody is.
    pub engineer_slack_id: Option<String>,
    /// Their name; the id where no name is known.
    pub display_name: Option<String>,
    /// The team.
    pub team_id: Uuid,
    /// Its name.
    pub team_name: String,
    /// Its slug.
    pub team_slug: String,
    /// The service that was asked for.
    pub service_id: Option<Uuid>,
    /// Its name.
    pub service_name: Option<String>,
    /// What puts them on call.
    pub source: Source,
    /// The team's on-call day that the answer is about.
    pub date: NaiveDate,
    /// First on-call day of the stretch in which this holds.
    pub start_date: Option<NaiveDate>,
    /// Last on-call day of that stretch.
    pub end_date: Option<NaiveDate>,
    /// First instant of that stretch.
    pub starts_at: Option<DateTime<Utc>>,
    /// First instant after that stretch.
    pub ends_at: Option<DateTime<Utc>>,
    /// The team's zone.
    pub timezone: String,
    /// Who follows; null where nobody is planned.
    pub next: Option<NextOnCall>,
}

/// Who follows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct NextOnCall {
    /// Who.
    pub engineer_slack_id: String,
    /// Their name; the id where no name is known.
    pub display_name: String,
    /// From when on.
    pub starts_at: DateTime<Utc>,
}

/// What to look up, and for when.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct OnCallQuery {
    /// Id or name of a service.
    pub service: Option<String>,
    /// Id or slug of a team.
    pub team: Option<String>,
    /// At this instant (RFC 3339); default now.
    pub at: Option<DateTime<Utc>>,
    /// On this on-call day of the team; not with `at`.
    pub date: Option<NaiveDate>,
}

/// The instant or the day to ask for.
#[derive(Clone, Copy, Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Moment {
    /// At this instant (RFC 3339); default now.
    pub at: Option<DateTime<Utc>>,
    /// On this on-call day of the team; not with `at`.
    pub date: Option<NaiveDate>,
}

/// A shift of a person: a schedule row, or an override for which they are the substitute.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct UserShift {
    /// `schedule` or `override`.
    pub kind: ShiftKind,
    /// Id of the schedule row or override.
    pub id: Uuid,
    /// The team.
    pub team_id: Uuid,
    /// Its name.
    pub team_name: String,
    /// Its slug.
    pub team_slug: String,
    /// The person.
    pub engineer_slack_id: String,
    /// First on-call day.
    pub start_date: NaiveDate,
    /// Last on-call day.
    pub end_date: NaiveDate,
    /// Start instant.
    pub starts_at: DateTime<Utc>,
    /// End instant, not included.
    pub ends_at: DateTime<Utc>,
    /// `auto` or `manual`; of a schedule row.
    pub origin: Option<crate::domain::schedule::Origin>,
    /// Where it stands; of an override.
    pub status: Option<crate::domain::shift_override::OverrideStatus>,
    /// Time off of the person that touches it.
    pub conflicts_with_time_off: bool,
}

/// Kind of a [`UserShift`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ShiftKind {
    /// A schedule row.
    Schedule,
    /// An override.
    Override,
}

/// A range of days.
#[derive(Clone, Copy, Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct DateRange {
    /// What ends on this day or later; default today (UTC).
    pub from: Option<NaiveDate>,
    /// What begins on this day or earlier; default a year after `from`.
    pub to: Option<NaiveDate>,
}
