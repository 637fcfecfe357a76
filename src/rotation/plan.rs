//! The auto shifts of a team up to a horizon. Preview, generate and the lookahead are all
//! this one function, which is why they always agree.

use std::borrow::Cow;
use std::collections::BTreeMap;

use chrono::NaiveDate;

use super::candidate::{Absence, RotationMember, candidates};
use super::checkpoint::Checkpoint;
use super::credit::PeriodShares;
use super::explanation::{Explanation, PassedOver};
use super::period::{Period, Periods};
use super::planner::Planner;
use super::strategy::{Strategy, TeamName, recent_periods};
use crate::domain::ids::ScheduleId;
use crate::domain::oncall_day::{add_days, next_day, previous_day};
use crate::domain::schedule::Schedule;
use crate::domain::shift_override::Override;
use crate::domain::team::{RotationConfig, RotationType};
use crate::domain::text_enum::text_enum;

/// Days before the rotation's start that are looked at for who was on call last.
const LOOKBACK_DAYS: i64 = 366;

/// What a team is, as far as its rotation goes.
#[derive(Debug)]
pub struct TeamState<'a> {
    /// Which team it is.
    pub name: TeamName<'a>,
    /// The rotation config.
    pub config: &'a RotationConfig,
    /// The on-call day from which periods count.
    pub start_date: NaiveDate,
    /// The running on-call day.
    pub today: NaiveDate,
    /// Every member, candidates or not, in any order.
    pub members: &'a [RotationMember],
    /// The members' time off.
    pub absences: &'a [Absence],
    /// Where to begin, at the running period or before; none: at the rotation's start.
    pub checkpoint: Option<&'a Checkpoint>,
    /// The team's schedule rows, in any order: those that touch [`TeamState::rows_from`] or a day
    /// after it.
    pub schedules: &'a [Schedule],
    /// The team's overrides over the same time; only approved ones count.
    pub overrides: &'a [Override],
    /// Shares of the periods that have begun, by first day: those that touch the checkpoint's
    /// period or a day after it.
    pub ledger: &'a BTreeMap<NaiveDate, PeriodShares>,
}

impl TeamState<'_> {
    /// The first day whose rows a plan goes by.
    pub fn rows_from(
        config: &RotationConfig,
        start_date: NaiveDate,
        today: NaiveDate,
        checkpoint: Option<&Checkpoint>,
    ) -> NaiveDate {
        let beginning = add_days(start_date.min(today), -LOOKBACK_DAYS);
        let Some(checkpoint) = checkpoint else {
            return beginning;
        };
        let periods = Periods::new(config, start_date);
        let running = periods.at(today).map_or(0, |running| running.index);
        let recent = periods.get(running - recent_periods(&config.kind)).start;
        // Who was on call the day before may have to stay on.
        recent.min(previous_day(checkpoint.start)).max(beginning)
    }
}

/// Which of the published auto shifts stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Published {
    /// Those of the running period; the future is planned again.
    Replanned,
    /// All up to this day; periods that begin later are added.
    StandsUntil(NaiveDate),
}

text_enum! {
    /// What to do where the configured strategy fails, or picks somebody who is no candidate.
    OnFailure {
        /// Round-robin picks.
        RoundRobin = "round_robin",
        /// Whoever was on call before stays on.
        Hold = "hold",
    }
}

/// How to plan.
pub struct PlanOptions<'a> {
    /// The strategy that the config names; `Err`: why it can't be had.
    pub strategy: Result<&'a dyn Strategy, String>,
    /// What to do where it fails.
    pub on_failure: OnFailure,
    /// Which published shifts stand.
    pub published: Published,
    /// Periods that begin before this day are planned.
    pub horizon: NaiveDate,
    /// True at a handoff: without a candidate, whoever was on call stays on.
    pub hold_if_nobody: bool,
}

/// An auto shift: one run of days of a period.
#[derive(Clone, Debug, PartialEq)]
pub struct Shift {
    /// The row that stands already, if it does.
    pub id: Option<ScheduleId>,
    /// First day.
    pub start: NaiveDate,
    /// Last day.
    pub end: NaiveDate,
    /// Who and why.
    pub explanation: Explanation,
}

/// What planning comes to. Applied as it is, the auto shifts that then stand are those
/// that were kept, cut, and [`Plan::shifts`].
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Plan {
    /// Shifts of the planned periods, and those that fill the running one.
    pub shifts: Vec<Shift>,
    /// Rows that no longer stand.
    pub deleted: Vec<ScheduleId>,
    /// Rows that reach into the planned periods, and their new last day.
    pub cut: Vec<(ScheduleId, NaiveDate)>,
    /// Shares of begun periods that the ledger does not have yet.
    pub begun: Vec<PeriodShares>,
    /// Checkpoints of periods that were walked over, to begin at another time.
    pub checkpoints: Vec<Checkpoint>,
    /// Last day of the last planned period.
    pub published_until: Option<NaiveDate>,
    /// Periods whose strategy failed, and how.
    pub failures: Vec<(Period, String)>,
    /// True where the running period has days to fill and nobody to fill them.
    pub nobody_for_running: bool,
}

/// Plans the auto shifts of a team (SPEC section 4).
pub fn plan(team: &TeamState<'_>, options: &PlanOptions<'_>) -> Plan {
    let periods = Periods::new(team.config, team.start_date);
    let next = periods.after(team.today);
    let first_planned = match options.published {
        Published::Replanned => next,
        Published::StandsUntil(day) => periods.after(day.max(previous_day(next.start))),
    };
    let running = periods.at(team.today).map_or(0, |running| running.index);
    let first = team.checkpoint.map_or(0, |checkpoint| checkpoint.index);
    let mut planner = Planner::new(team, options, first_planned, running);
    for index in first..first_planned.index {
        let period = periods.get(index);
        if index > first && Checkpoint::is_due(index, running) {
            planner.note_checkpoint(&period);
        }
        if period.start <= team.today && team.today <= period.end {
            planner.fill_running(&period);
        }
        planner.count(&period);
    }
    let mut period = first_planned;
    while period.start < options.horizon {
        planner.plan_period(&period);
        planner.count(&period);
        period = periods.get(period.index + 1);
    }
    planner.plan.published_until = Some(previous_day(period.start));
    planner.finish()
}

/// What the candidates of `period` earn by it: what the ledger says, or else what follows from
/// the team as it is now.
pub fn shares_of<'a>(team: &TeamState<'a>, period: &Period) -> Cow<'a, PeriodShares> {
    let known = team
        .ledger
        .range(..=period.start)
        .next_back()
        .map(|(_, known)| known);
    match known.filter(|known| period.start <= known.end) {
        Some(known) => Cow::Borrowed(known),
        None => Cow::Owned(PeriodShares::among(period, &candidates_of(team, period).0)),
    }
}

pub(super) fn candidates_of<'a>(
    team: &TeamState<'a>,
    period: &Period,
) -> (Vec<&'a RotationMember>, Vec<PassedOver>) {
    let config = team.config;
    let order = matches!(config.kind, RotationType::Custom).then_some(config.order.as_slice());
    let as_of = team.today.min(period.end);
    candidates(team.members, team.absences, order, period, as_of)
}

/// The day up to which `weeks` of lookahead reach: counted from today, or from the first
/// period where the rotation starts later. Periods that begin before it are planned.
pub fn horizon(
    config: &RotationConfig,
    start_date: NaiveDate,
    today: NaiveDate,
    weeks: u32,
) -> NaiveDate {
    let from = Periods::new(config, start_date).first_day().max(today);
    add_days(from, i64::from(weeks) * 7)
}

/// The day up to which auto shifts are kept published, so that they reach `weeks` ahead on
/// every day until the next handoff. Periods that begin before it are planned.
pub fn lookahead(
    config: &RotationConfig,
    start_date: NaiveDate,
    today: NaiveDate,
    weeks: u32,
) -> NaiveDate {
    let next_handoff = Periods::new(config, start_date).after(today).start;
    add_days(next_handoff, i64::from(weeks) * 7)
}

/// The first day whose shifts an answer to preview or generate shows: the running period's,
/// or the first one's where the rotation starts later.
pub fn first_shown_day(
    config: &RotationConfig,
    start_date: NaiveDate,
    today: NaiveDate,
) -> NaiveDate {
    let periods = Periods::new(config, start_date);
    periods
        .at(today)
        .map_or_else(|| periods.first_day(), |running| running.start)
}

/// The horizon that keeps `published_until` covered, or `horizon` where that is later.
pub fn keeping(horizon: NaiveDate, published_until: Option<NaiveDate>) -> NaiveDate {
    published_until.map_or(horizon, |day| horizon.max(next_day(day)))
}
