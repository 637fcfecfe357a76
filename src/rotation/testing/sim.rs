//! A team that is played day by day as the daemon plays it.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use uuid::Uuid;

use super::{Checkpoints, LOOKAHEAD_WEEKS, Scripted, day, member, noon, user};
use crate::domain::Revision;
use crate::domain::ids::{OverrideId, ScheduleId, TeamId, UserId};
use crate::domain::oncall_day::next_day;
use crate::domain::schedule::{Origin, Schedule};
use crate::domain::shift_override::{Override, OverrideStatus};
use crate::domain::team::RotationConfig;
use crate::rotation::candidate::{Absence, RotationMember};
use crate::rotation::checkpoint::Checkpoint;
use crate::rotation::coverage::{Coverage, Source};
use crate::rotation::credit::PeriodShares;
use crate::rotation::explanation::{Explanation, Standing};
use crate::rotation::period::{Period, Periods};
use crate::rotation::plan::{
    OnFailure, Plan, PlanOptions, Published, TeamState, horizon, keeping, plan,
};
use crate::rotation::strategy::{Strategy, TeamName, built_in};

/// A team, its rows, and what the daemon keeps besides.
pub struct Sim {
    pub config: RotationConfig,
    pub start_date: NaiveDate,
    pub today: NaiveDate,
    pub members: Vec<RotationMember>,
    pub absences: Vec<Absence>,
    pub schedules: Vec<Schedule>,
    pub overrides: Vec<Override>,
    pub ledger: BTreeMap<NaiveDate, PeriodShares>,
    pub published_until: Option<NaiveDate>,
    pub explanations: BTreeMap<ScheduleId, Explanation>,
    /// Stands in for the config's strategy.
    pub strategy: Option<Result<Scripted, String>>,
    pub on_failure: OnFailure,
    /// Where given, each plan is compared with those from checkpoints.
    pub checkpoints: Option<Checkpoints>,
    rows_made: u128,
}

impl Sim {
    /// A team on `day(0)`, with nothing published yet.
    pub fn new(config: RotationConfig, members: Vec<RotationMember>) -> Self {
        Self {
            config,
            start_date: day(0),
            today: day(0),
            members,
            absences: Vec::new(),
            schedules: Vec::new(),
            overrides: Vec::new(),
            ledger: BTreeMap::new(),
            published_until: None,
            explanations: BTreeMap::new(),
            strategy: None,
            on_failure: OnFailure::RoundRobin,
            checkpoints: None,
            rows_made: 0,
        }
    }

    pub fn periods(&self) -> Periods {
        Periods::new(&self.config, self.start_date)
    }

    pub fn running(&self) -> Option<Period> {
        self.periods().at(self.today)
    }

    /// First day of the periods that generating plans again.
    pub fn next_start(&self) -> NaiveDate {
        self.periods().after(self.today).start
    }

    fn plan(&self, published: Published, weeks: u32, hold_if_nobody: bool) -> Plan {
        let wanted = (published, weeks, hold_if_nobody);
        let plan = self.plan_from(None, wanted);
        if let Some(checkpoints) = &self.checkpoints {
            checkpoints.compare(self, &plan, wanted);
        }
        plan
    }

    /// A plan that begins at a checkpoint, by the rows that the daemon would load for that.
    pub fn plan_from(
        &self,
        checkpoint: Option<&Checkpoint>,
        (published, weeks, hold_if_nobody): (Published, u32, bool),
    ) -> Plan {
        let rows_from = TeamState::rows_from(&self.config, self.start_date, self.today, checkpoint);
        let mut schedules = self.schedules.clone();
        schedules.retain(|row| row.end_date >= rows_from);
        let mut overrides = self.overrides.clone();
        overrides.retain(|row| row.end_date >= rows_from);
        let mut ledger = self.ledger.clone();
        let counted_from = checkpoint.map_or(self.start_date, |known| known.start);
        ledger.retain(|_, shares| shares.end >= counted_from);
        let state = TeamState {
            name: TeamName {
                id: TeamId::from_uuid(Uuid::nil()),
                name: "Payments",
                slug: "payments",
                timezone: "UTC",
            },
            config: &self.config,
            start_date: self.start_date,
            today: self.today,
            members: &self.members,
            absences: &self.absences,
            checkpoint,
            schedules: &schedules,
            overrides: &overrides,
            ledger: &ledger,
        };
        let reach = horizon(&self.config, self.start_date, self.today, weeks);
        let strategy: Result<&dyn Strategy, String> = match &self.strategy {
            Some(Ok(scripted)) => Ok(scripted),
            Some(Err(error)) => Err(error.clone()),
            None => built_in(&self.config.kind).ok_or_else(|| "no such plugin".to_owned()),
        };
        let options = PlanOptions {
            strategy,
            on_failure: self.on_failure,
            published,
            horizon: keeping(reach, self.published_until),
            hold_if_nobody,
        };
        plan(&state, &options)
    }

    pub fn preview(&self, weeks: u32) -> Plan {
        self.plan(Published::Replanned, weeks, false)
    }

    pub fn generate(&mut self, weeks: u32) -> Plan {
        let plan = self.preview(weeks);
        self.apply(&plan);
        plan
    }

    /// What the daemon does after a change that touches the rotation.
    pub fn regenerate(&mut self) -> Plan {
        self.generate(LOOKAHEAD_WEEKS)
    }

    pub fn handoff(&mut self) -> Plan {
        let published = self.published_until.map_or_else(
            || Published::StandsUntil(self.today),
            Published::StandsUntil,
        );
        let plan = self.plan(published, LOOKAHEAD_WEEKS, true);
        self.apply(&plan);
        plan
    }

    /// Writes a plan as the store would, and complains where it would.
    pub fn apply(&mut self, plan: &Plan) {
        for id in &plan.deleted {
            let at = self.position(*id);
            assert_eq!(self.schedules[at].origin, Origin::Auto, "only auto rows go");
            self.schedules.remove(at);
        }
        for (id, end) in &plan.cut {
            let at = self.position(*id);
            let row = &mut self.schedules[at];
            assert_eq!(row.origin, Origin::Auto, "only auto rows are cut");
            assert!(row.start_date <= *end && *end < row.end_date, "cut {row:?}");
            row.end_date = *end;
        }
        for shift in &plan.shifts {
            let picked = shift.explanation.picked.clone();
            let id = match shift.id {
                Some(id) => {
                    let row = &self.schedules[self.position(id)];
                    assert_eq!(row.engineer, picked, "a kept row keeps its engineer");
                    assert_eq!((row.start_date, row.end_date), (shift.start, shift.end));
                    id
                }
                None => self.add_row(picked, shift.start, shift.end, Origin::Auto),
            };
            let at = self.position(id);
            self.schedules[at].is_hold = shift.explanation.is_hold;
            self.explanations.insert(id, shift.explanation.clone());
        }
        for shares in &plan.begun {
            let before = self.ledger.insert(shares.start, shares.clone());
            assert_eq!(before, None, "what a period's candidates earned is settled");
        }
        self.published_until = plan.published_until;
        if let Some(checkpoints) = &self.checkpoints {
            checkpoints.keep(self, plan);
        }
    }

    fn position(&self, id: ScheduleId) -> usize {
        let found = self.schedules.iter().position(|row| row.id == id);
        found.expect("the plan names only rows that stand")
    }

    fn add_row(
        &mut self,
        engineer: UserId,
        start_date: NaiveDate,
        end_date: NaiveDate,
        origin: Origin,
    ) -> ScheduleId {
        self.rows_made += 1;
        let id = ScheduleId::from_uuid(Uuid::from_u128(self.rows_made));
        self.schedules.push(Schedule {
            id,
            team_id: TeamId::from_uuid(Uuid::from_u128(1)),
            engineer,
            start_date,
            end_date,
            origin,
            created_by: None,
            note: None,
            is_hold: false,
            revision: Revision::first(noon(self.today)),
        });
        id
    }

    /// Lets the days pass up to `to`; a period's first day begins with its handoff.
    pub fn advance_to(&mut self, to: NaiveDate) {
        while self.today < to {
            self.today = next_day(self.today);
            if self.periods().should_rotate(self.today) {
                self.handoff();
            }
        }
    }

    pub fn member_mut(&mut self, id: &str) -> &mut RotationMember {
        let found = self.members.iter_mut().find(|m| m.user.as_str() == id);
        found.expect("a member")
    }

    pub fn join(&mut self, id: &str, weight: f64) -> Plan {
        let joined_at = noon(self.today);
        self.members.push(RotationMember {
            joined_at,
            joined_date: self.today,
            ..member(id, 0, weight)
        });
        self.regenerate()
    }

    pub fn leave(&mut self, id: &str) -> Plan {
        self.members.retain(|m| m.user.as_str() != id);
        self.regenerate()
    }

    pub fn set_weight(&mut self, id: &str, weight: f64) -> Plan {
        self.member_mut(id).weight = weight;
        self.regenerate()
    }

    pub fn set_eligible(&mut self, id: &str, is_eligible: bool) -> Plan {
        self.member_mut(id).is_eligible = is_eligible;
        self.regenerate()
    }

    pub fn time_off(&mut self, id: &str, start: NaiveDate, end: NaiveDate) -> Plan {
        let user = user(id);
        self.absences.push(Absence { user, start, end });
        self.regenerate()
    }

    /// A manual row, and nothing planned yet.
    pub fn put_manual(&mut self, id: &str, start: NaiveDate, end: NaiveDate) -> ScheduleId {
        self.add_row(user(id), start, end, Origin::Manual)
    }

    /// A manual row; the daemon plans again where it reaches past today.
    pub fn manual(&mut self, id: &str, start: NaiveDate, end: NaiveDate) -> ScheduleId {
        let row = self.put_manual(id, start, end);
        if end > self.today {
            self.regenerate();
        }
        row
    }

    /// An approved override; planned rows stand as they are.
    pub fn cover(&mut self, id: &str, start_date: NaiveDate, end_date: NaiveDate) {
        self.rows_made += 1;
        self.overrides.push(Override {
            id: OverrideId::from_uuid(Uuid::from_u128(self.rows_made)),
            team_id: TeamId::from_uuid(Uuid::from_u128(1)),
            substitute: user(id),
            start_date,
            end_date,
            reason: None,
            status: OverrideStatus::Approved,
            requested_by: None,
            approved_by: None,
            decided_at: None,
            decision_reason: None,
            revision: Revision::first(noon(self.today)),
        });
    }

    pub fn coverage(&self) -> Coverage {
        Coverage::new(&self.schedules, &self.overrides)
    }

    /// Who is on call and by what.
    pub fn on_call(&self, day: NaiveDate) -> Option<(String, Source)> {
        let coverage = self.coverage();
        coverage
            .row_on(day)
            .map(|row| (row.user.to_string(), row.source))
    }

    /// The auto rows in order of their days.
    pub fn auto_rows(&self) -> Vec<&Schedule> {
        let mut rows: Vec<_> = self.schedules.iter().collect();
        rows.retain(|row| row.origin == Origin::Auto);
        rows.sort_by_key(|row| row.start_date);
        rows
    }

    /// The auto rows as `user start..end`, days counted from `day(0)`.
    pub fn rota(&self) -> Vec<String> {
        let told = |row: &Schedule| {
            let (start, end) = (row.start_date - day(0), row.end_date - day(0));
            let hold = if row.is_hold { " hold" } else { "" };
            let (start, end) = (start.num_days(), end.num_days());
            format!("{} {start}..{end}{hold}", row.engineer)
        };
        self.auto_rows().into_iter().map(told).collect()
    }

    /// Why the auto row on `day` fell to whom.
    pub fn explanation(&self, day: NaiveDate) -> &Explanation {
        let mut rows = self.auto_rows();
        rows.retain(|row| row.covers(day));
        &self.explanations[&rows[0].id]
    }

    /// How a candidate stood before the pick for `day`.
    pub fn standing(&self, day: NaiveDate, id: &str) -> Option<&Standing> {
        let mut candidates = self.explanation(day).candidates.iter();
        candidates.find(|s| s.user.as_str() == id)
    }
}
