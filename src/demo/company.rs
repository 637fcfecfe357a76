//! The sample company as `data/demo.json` tells it; `data/README.md` documents the format.

use chrono::NaiveDate;
use serde::Deserialize;

use crate::domain::ids::UserId;
use crate::domain::oncall_day::add_days;
use crate::domain::shift_override::OverrideStatus;
use crate::wire::member::MemberInput;
use crate::wire::person::ProfileInput;
use crate::wire::service::ServiceInput;
use crate::wire::team::RotationInput;

/// A day, counted from the on-call day that is running at the start: −1 is the day before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(transparent)]
pub struct Day(i64);

impl Day {
    /// Its date, where `today` is the running on-call day.
    pub fn date(self, today: NaiveDate) -> NaiveDate {
        add_days(today, self.0)
    }
}

/// The sample company.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Company {
    pub teams: Vec<Team>,
}

impl Company {
    /// The one that comes with the program.
    pub fn sample() -> serde_json::Result<Self> {
        serde_json::from_str(include_str!("../../data/demo.json"))
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Team {
    pub name: String,
    pub slug: String,
    pub description: String,
    pub timezone: String,
    pub slack_channel_id: String,
    #[serde(default)]
    pub overrides_require_approval: bool,
    pub founded: Day,
    pub closed: Option<Day>,
    /// As it was when the rotation began.
    pub rotation: RotationInput,
    #[serde(default)]
    pub changes: Vec<RotationChange>,
    pub members: Vec<Member>,
    /// Time off that everybody who can be on call takes.
    #[serde(default)]
    pub everybody_off: Vec<DaysOff>,
    #[serde(default)]
    pub schedules: Vec<Manual>,
    #[serde(default)]
    pub overrides: Vec<Cover>,
    #[serde(default)]
    pub services: Vec<ServiceInput>,
}

impl Team {
    /// Whoever keeps the team's rows: its first lead.
    pub fn lead(&self) -> Option<&UserId> {
        let is_lead = |member: &&Member| member.role.as_deref() == Some("lead");
        self.members.iter().find(is_lead).map(|member| &member.user)
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RotationChange {
    pub day: Day,
    pub rotation: RotationInput,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Member {
    pub user: UserId,
    pub name: Option<String>,
    pub timezone: Option<String>,
    pub role: Option<String>,
    pub eligible: Option<bool>,
    pub weight: Option<f64>,
    pub joined: Day,
    pub left: Option<Day>,
    #[serde(default)]
    pub changes: Vec<MemberChange>,
    #[serde(default)]
    pub off: Vec<DaysOff>,
}

impl Member {
    /// What is set of them when they join, if anything is.
    pub fn profile(&self) -> Option<ProfileInput> {
        let is_told = self.name.is_some() || self.timezone.is_some();
        is_told.then(|| ProfileInput {
            display_name: self.name.clone().map(Some),
            timezone: self.timezone.clone().map(Some),
            ..ProfileInput::default()
        })
    }

    /// Whether they can be on call from the beginning to the present.
    pub fn stays_eligible(&self) -> bool {
        self.eligible != Some(false) && self.left.is_none()
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MemberChange {
    pub day: Day,
    pub eligible: Option<bool>,
    pub weight: Option<f64>,
}

impl From<&MemberChange> for MemberInput {
    fn from(change: &MemberChange) -> Self {
        Self {
            is_eligible_for_oncall: change.eligible,
            weight: change.weight,
            ..Self::default()
        }
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DaysOff {
    /// The day on which it is entered.
    pub noted: Day,
    pub start: Day,
    pub end: Day,
    pub reason: String,
}

/// A manual schedule.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manual {
    pub made: Day,
    pub engineer: UserId,
    pub start: Day,
    pub end: Day,
    pub note: String,
}

/// An override. Whoever is on call on the first day asks for it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cover {
    pub asked: Day,
    pub start: Day,
    pub end: Day,
    /// The first who isn't the one who asks does it.
    pub substitutes: Vec<UserId>,
    pub reason: String,
    #[serde(default)]
    pub decisions: Vec<Decided>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Decided {
    pub day: Day,
    /// Who; default: whoever asked.
    pub by: Option<UserId>,
    pub status: OverrideStatus,
}
