//! A team as the rotation engine wants it, loaded whole.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, Utc};

use crate::actions::people::absences::absences_of;
use crate::actions::people::roster;
use crate::app::{Result, Settings};
use crate::domain::oncall_day::{END_OF_TIME, OnCallClock, add_days};
use crate::domain::schedule::Schedule;
use crate::domain::shift_override::{Override, OverrideStatus};
use crate::domain::team::Team;
use crate::rotation::candidate::{Absence, RotationMember};
use crate::rotation::coverage::Coverage;
use crate::rotation::credit::PeriodShares;
use crate::rotation::period::Periods;
use crate::rotation::plan::TeamState;
use crate::rotation::strategy::TeamName;
use crate::store::rotation::RotationState;
use crate::store::{self, Reader};

/// Days before the rotation's start that are looked at for who was on call last.
const LOOKBACK_DAYS: i64 = 366;

/// A team with all that its rotation depends on.
#[derive(Clone)]
pub struct TeamSnapshot {
    pub team: Team,
    pub clock: OnCallClock,
    pub today: NaiveDate,
    /// The rotation's start; today where it has none yet.
    pub start_date: NaiveDate,
    pub members: Vec<RotationMember>,
    pub absences: Vec<Absence>,
    pub schedules: Vec<Schedule>,
    pub overrides: Vec<Override>,
    pub ledger: BTreeMap<NaiveDate, PeriodShares>,
    pub state: RotationState,
}

impl TeamSnapshot {
    /// Loads what matters for planning.
    pub fn new(
        tx: &impl Reader,
        settings: &Settings,
        team: &Team,
        now: DateTime<Utc>,
    ) -> Result<Self> {
        let today = team.clock().day_at(now);
        let start_date = team.rotation.start_date.unwrap_or(today);
        let from = add_days(start_date.min(today), -LOOKBACK_DAYS);
        Self::since(tx, settings, team, now, from)
    }

    /// Loads rows that end on `from` or later.
    pub fn since(
        tx: &impl Reader,
        settings: &Settings,
        team: &Team,
        now: DateTime<Utc>,
        from: NaiveDate,
    ) -> Result<Self> {
        let clock = team.clock();
        let today = clock.day_at(now);
        let start_date = team.rotation.start_date.unwrap_or(today);
        let (members, _) = roster::members_of(tx, settings, team)?;
        let members: Vec<_> = members
            .into_iter()
            .map(|member| RotationMember::new(member, &clock))
            .collect();
        let mut absences = Vec::new();
        for member in &members {
            absences.extend(absences_of(tx, &member.user, from)?);
        }
        let approved = OverrideStatus::Approved;
        Ok(Self {
            team: team.clone(),
            today,
            start_date,
            members,
            absences,
            schedules: store::schedules::list_of_team(tx, team.id, from, END_OF_TIME)?,
            overrides: store::overrides::list_of_status(tx, team.id, approved, from, END_OF_TIME)?,
            ledger: store::rotation::ledger(tx, team.id, start_date)?,
            state: store::rotation::state(tx, team.id)?,
            clock,
        })
    }

    /// What the engine wants.
    pub fn engine_view(&self) -> TeamState<'_> {
        TeamState {
            name: TeamName {
                id: self.team.id,
                name: &self.team.name,
                slug: &self.team.slug,
                timezone: &self.team.timezone,
            },
            config: &self.team.rotation,
            start_date: self.start_date,
            today: self.today,
            members: &self.members,
            absences: &self.absences,
            schedules: &self.schedules,
            overrides: &self.overrides,
            ledger: &self.ledger,
        }
    }

    /// The rotation's periods.
    pub fn periods(&self) -> Periods {
        Periods::new(&self.team.rotation, self.start_date)
    }

    /// Who is on call by the loaded rows.
    pub fn coverage(&self) -> Coverage {
        Coverage::new(&self.schedules, &self.overrides)
    }
}
