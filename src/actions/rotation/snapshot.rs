//! A team as the rotation engine wants it: loaded from its last checkpoint on.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, Utc};

use crate::actions::people::absences::absences_of;
use crate::actions::people::roster;
use crate::app::{Result, Settings};
use crate::domain::oncall_day::{END_OF_TIME, OnCallClock};
use crate::domain::schedule::Schedule;
use crate::domain::shift_override::{Override, OverrideStatus};
use crate::domain::team::Team;
use crate::rotation::candidate::{Absence, RotationMember};
use crate::rotation::checkpoint::Checkpoint;
use crate::rotation::coverage::Coverage;
use crate::rotation::credit::PeriodShares;
use crate::rotation::period::Periods;
use crate::rotation::plan::TeamState;
use crate::rotation::strategy::TeamName;
use crate::store::rotation::RotationState;
use crate::store::{self, Reader};

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
    /// Where planning begins; none: at the rotation's start.
    pub checkpoint: Option<Checkpoint>,
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
        let checkpoint = checkpoint_of(tx, team, team.clock().day_at(now))?;
        Self::after(tx, settings, team, now, checkpoint)
    }

    /// The same, of a team that is not stored as it is here: what was counted of the stored one
    /// may not hold for it.
    pub fn unsaved(
        tx: &impl Reader,
        settings: &Settings,
        team: &Team,
        now: DateTime<Utc>,
    ) -> Result<Self> {
        Self::after(tx, settings, team, now, None)
    }

    /// Loads what matters for planning from a checkpoint on.
    fn after(
        tx: &impl Reader,
        settings: &Settings,
        team: &Team,
        now: DateTime<Utc>,
        checkpoint: Option<Checkpoint>,
    ) -> Result<Self> {
        let today = team.clock().day_at(now);
        let (config, start) = (&team.rotation, team.rotation.start_date.unwrap_or(today));
        let rows_from = TeamState::rows_from(config, start, today, checkpoint.as_ref());
        let counted_from = checkpoint.as_ref().map_or(start, |known| known.start);
        let since = Self::since(tx, settings, team, now, rows_from, counted_from)?;
        Ok(Self {
            checkpoint,
            ..since
        })
    }

    /// Loads rows that end on `rows_from` or later, and what was earned since `counted_from`.
    pub fn since(
        tx: &impl Reader,
        settings: &Settings,
        team: &Team,
        now: DateTime<Utc>,
        rows_from: NaiveDate,
        counted_from: NaiveDate,
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
            let from = rows_from.min(counted_from);
            absences.extend(absences_of(tx, &member.user, from)?);
        }
        let (from, approved) = (rows_from, OverrideStatus::Approved);
        Ok(Self {
            team: team.clone(),
            today,
            start_date,
            members,
            absences,
            checkpoint: None,
            schedules: store::schedules::list_of_team(tx, team.id, from, END_OF_TIME)?,
            overrides: store::overrides::list_of_status(tx, team.id, approved, from, END_OF_TIME)?,
            ledger: store::rotation::ledger(tx, team.id, counted_from)?,
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
            checkpoint: self.checkpoint.as_ref(),
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

/// The last checkpoint of a team's rotation, if the rotation has come so far by `today`.
fn checkpoint_of(tx: &impl Reader, team: &Team, today: NaiveDate) -> Result<Option<Checkpoint>> {
    let Some(start) = team.rotation.start_date else {
        return Ok(None);
    };
    match Periods::new(&team.rotation, start).at(today) {
        Some(running) => Ok(store::checkpoints::find_last(tx, team.id, running.start)?),
        None => Ok(None),
    }
}

#[cfg(test)]
#[path = "snapshot_tests.rs"]
mod tests;
