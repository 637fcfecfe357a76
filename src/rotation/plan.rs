//! The auto shifts of a team up to a horizon. Preview, generate and the lookahead are all
//! this one function, which is why they always agree.

use std::borrow::Cow;
use std::collections::BTreeMap;

use chrono::NaiveDate;

use super::candidate::{Absence, RingPlace, RotationMember, candidates};
use super::coverage::{Coverage, Source, Stretch};
use super::credit::{Credit, PeriodShares, Share};
use super::explanation::{Explanation, PassedOver, Standing};
use super::period::{Period, Periods};
use super::strategy::{Pick, PickContext, RoundRobin, Strategy};
use crate::domain::ids::{ScheduleId, UserId};
use crate::domain::oncall_day::{add_days, next_day, previous_day};
use crate::domain::schedule::{Origin, Schedule};
use crate::domain::shift_override::Override;
use crate::domain::team::{RotationConfig, RotationType};

/// What a team is, as far as its rotation goes.
#[derive(Debug)]
pub struct TeamState<'a> {
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
    /// The team's schedule rows since its rotation began, and a year before, in any order.
    pub schedules: &'a [Schedule],
    /// The team's overrides over the same time; only approved ones count.
    pub overrides: &'a [Override],
    /// Shares of the periods that have begun, by first day.
    pub ledger: &'a BTreeMap<NaiveDate, PeriodShares>,
}

/// Which of the published auto shifts stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Published {
    /// Those of the running period; the future is planned anew.
    Replanned,
    /// All up to this day; periods that begin later are added.
    StandsUntil(NaiveDate),
}

/// What to do where the configured strategy fails, or picks somebody who is no candidate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnFailure {
    /// Round-robin picks.
    RoundRobin,
    /// Whoever was on call before stays on.
    Hold,
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
#[derive(Debug, Default)]
pub struct Plan {
    /// Shifts of the planned periods, and those that fill the running one.
    pub shifts: Vec<Shift>,
    /// Rows that no longer stand.
    pub deleted: Vec<ScheduleId>,
    /// Rows that reach into the planned periods, and their new last day.
    pub cut: Vec<(ScheduleId, NaiveDate)>,
    /// Shares of begun periods that the ledger does not have yet.
    pub begun: Vec<PeriodShares>,
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
    let mut planner = Planner::new(team, options, first_planned);
    for index in 0..first_planned.index {
        let period = periods.get(index);
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

fn candidates_of<'a>(
    team: &TeamState<'a>,
    period: &Period,
) -> (Vec<&'a RotationMember>, Vec<PassedOver>) {
    let config = team.config;
    let order = matches!(config.kind, RotationType::Custom).then_some(config.order.as_slice());
    let as_of = team.today.min(period.end);
    candidates(team.members, team.absences, order, period, as_of)
}

struct Planner<'a> {
    team: &'a TeamState<'a>,
    options: &'a PlanOptions<'a>,
    coverage: Coverage,
    credit: Credit,
    /// Who was picked by the rotation, by first day of the shift.
    picks: BTreeMap<NaiveDate, UserId>,
    replaced: Vec<&'a Schedule>,
    plan: Plan,
}

impl<'a> Planner<'a> {
    fn new(team: &'a TeamState<'a>, options: &'a PlanOptions<'a>, first_planned: Period) -> Self {
        let mut plan = Plan::default();
        let mut coverage = Coverage::new([], team.overrides);
        let mut picks = BTreeMap::new();
        let mut replaced = Vec::new();
        for row in team.schedules {
            let is_auto = row.origin == Origin::Auto;
            if is_auto && row.start_date >= first_planned.start {
                replaced.push(row);
                continue;
            }
            if is_auto && !row.is_hold {
                picks.insert(row.start_date, row.engineer.clone());
            }
            if is_auto && row.end_date >= first_planned.start {
                let end_date = previous_day(first_planned.start);
                plan.cut.push((row.id, end_date));
                coverage.add_schedule(&Schedule {
                    end_date,
                    ..row.clone()
                });
            } else {
                coverage.add_schedule(row);
            }
        }
        let first_day = Periods::new(team.config, team.start_date).first_day();
        let credit = Credit::starting(coverage.last_days_before(first_day));
        Self {
            team,
            options,
            coverage,
            credit,
            picks,
            replaced,
            plan,
        }
    }

    /// Counts a period whose coverage is settled towards credit.
    fn count(&mut self, period: &Period) {
        let shares = shares_of(self.team, period);
        self.credit.count(period, &shares.shares, &self.coverage);
        if let Cow::Owned(shares) = shares
            && period.start <= self.team.today
        {
            self.plan.begun.push(shares);
        }
    }

    /// Fills the days of the running period, from today on, that nobody covers.
    fn fill_running(&mut self, period: &Period) {
        let gaps = self.coverage.gaps(self.team.today, period.end);
        if gaps.is_empty() {
            return;
        }
        let running = self.picks.range(period.start..=period.end).next_back();
        let running = running.map(|(_, user)| user.clone());
        let (chosen, passed_over) = self.candidates(period);
        // Whoever has the turn already goes on; else the rest is a turn of its own.
        let goes_on = running.filter(|user| chosen.iter().any(|m| m.user == *user));
        let picked = match goes_on {
            Some(user) => {
                let reason = "has this period's turn already".to_owned();
                Some(self.explain(period, &chosen, passed_over, Pick { user, reason }))
            }
            None => self.pick(period, &chosen, passed_over),
        };
        self.plan.nobody_for_running = chosen.is_empty();
        if let Some(explanation) = picked {
            self.add_shifts(&gaps, &explanation);
        }
    }

    fn plan_period(&mut self, period: &Period) {
        let free = self.coverage.free_of_manual(period.start, period.end);
        if free.is_empty() {
            return;
        }
        let (chosen, passed_over) = self.candidates(period);
        if chosen.is_empty() {
            return;
        }
        if let Some(explanation) = self.pick(period, &chosen, passed_over) {
            self.add_shifts(&free, &explanation);
        }
    }

    fn candidates(&self, period: &Period) -> (Vec<&'a RotationMember>, Vec<PassedOver>) {
        candidates_of(self.team, period)
    }

    /// One pick for the period, or a hold where none can be had.
    fn pick(
        &mut self,
        period: &Period,
        chosen: &[&RotationMember],
        passed_over: Vec<PassedOver>,
    ) -> Option<Explanation> {
        if chosen.is_empty() {
            let hold = self.options.hold_if_nobody.then(|| self.hold(period))?;
            return Some(self.hold_explanation(period, chosen, passed_over, hold?));
        }
        let standings = self.standings(chosen);
        let last = self.last_pick(period).map(|user| self.ring_place(user));
        let context = PickContext {
            config: self.team.config,
            period,
            standings: &standings,
            total: self.credit.total(),
            last_pick: last.as_ref(),
        };
        match self.ask_strategy(&context) {
            Ok(pick) => Some(self.explain(period, chosen, passed_over, pick)),
            Err(error) => {
                let fallback = match self.options.on_failure {
                    OnFailure::RoundRobin => RoundRobin.pick(&context).ok(),
                    OnFailure::Hold => None,
                };
                self.plan.failures.push((*period, error.clone()));
                let mut explanation = match fallback {
                    Some(pick) => self.explain(period, chosen, passed_over, pick),
                    None => {
                        let hold = self.hold(period)?;
                        self.hold_explanation(period, chosen, passed_over, hold)
                    }
                };
                explanation.strategy_error = Some(error);
                Some(explanation)
            }
        }
    }

    fn ask_strategy(&self, context: &PickContext<'_>) -> Result<Pick, String> {
        let pick = self
            .options
            .strategy
            .as_ref()
            .map_err(Clone::clone)?
            .pick(context)?;
        if context.standings.iter().any(|s| s.user == pick.user) {
            return Ok(pick);
        }
        Err(format!(
            "{} picked {}, who is not a candidate",
            self.team.config.kind, pick.user
        ))
    }

    /// Who was on call on the day before the days to fill; where the daemon was down at the
    /// handoff, on the day before the period.
    fn hold(&self, period: &Period) -> Option<UserId> {
        let first_to_fill = period.start.max(self.team.today.min(period.end));
        let mut before = [first_to_fill, period.start].map(previous_day).into_iter();
        let row = before.find_map(|day| self.coverage.row_on(day))?;
        Some(row.user.clone())
    }

    fn hold_explanation(
        &self,
        period: &Period,
        chosen: &[&RotationMember],
        passed_over: Vec<PassedOver>,
        user: UserId,
    ) -> Explanation {
        let reason = "nobody could be picked; who was on call stays on".to_owned();
        let explanation = self.explain(period, chosen, passed_over, Pick { user, reason });
        Explanation {
            is_hold: true,
            ..explanation
        }
    }

    fn explain(
        &self,
        period: &Period,
        chosen: &[&RotationMember],
        passed_over: Vec<PassedOver>,
        pick: Pick,
    ) -> Explanation {
        Explanation {
            strategy: self.team.config.kind.to_string(),
            period_number: period.index + 1,
            period_start: period.start,
            period_end: period.end,
            picked: pick.user,
            reason: pick.reason,
            candidates: self.standings(chosen),
            passed_over,
            is_hold: false,
            strategy_error: None,
        }
    }

    fn standings(&self, chosen: &[&RotationMember]) -> Vec<Standing> {
        let sum: f64 = chosen.iter().map(|m| m.weight).sum();
        let total = self.credit.total();
        let standing = |m: &&RotationMember| {
            let account = self.credit.of(&m.user);
            let target = m.weight / sum;
            let actual = if total > 0.0 {
                account.served / total
            } else {
                0.0
            };
            Standing {
                user: m.user.clone(),
                joined_at: m.joined_at,
                weight: m.weight,
                target,
                served: account.served,
                credit: account.credit,
                gap: target - actual,
                last_served: account.last_served,
            }
        };
        chosen.iter().map(standing).collect()
    }

    /// Whom the rotation picked last before `period`. In a custom order, the last of those who
    /// are in it: one who has been taken off it has no place to go on from.
    fn last_pick(&self, period: &Period) -> Option<&UserId> {
        let config = self.team.config;
        let has_place = |user: &&UserId| {
            !matches!(config.kind, RotationType::Custom) || config.order.contains(user)
        };
        let before = self.picks.range(..period.start).rev();
        before.map(|(_, user)| user).find(has_place)
    }

    /// The place in the ring of somebody who may have left since: by the members, else by
    /// the ledger, else before everybody.
    fn ring_place(&self, user: &UserId) -> RingPlace {
        if let Some(member) = self.team.members.iter().find(|m| m.user == *user) {
            return member.ring_place();
        }
        let mut shares = self
            .team
            .ledger
            .values()
            .rev()
            .flat_map(|period| &period.shares);
        let joined_at = shares
            .find(|share| share.user == *user)
            .map(|share: &Share| share.joined_at);
        (joined_at.unwrap_or_default(), user.clone())
    }

    fn add_shifts(&mut self, runs: &[(NaiveDate, NaiveDate)], explanation: &Explanation) {
        for &(start, end) in runs {
            let user = explanation.picked.clone();
            if !explanation.is_hold {
                self.picks.insert(start, user.clone());
            }
            let id = uuid::Uuid::nil();
            self.coverage.add(Stretch {
                user,
                source: Source::Auto,
                id,
                start,
                end,
            });
            let explanation = explanation.clone();
            self.plan.shifts.push(Shift {
                id: None,
                start,
                end,
                explanation,
            });
        }
    }

    /// A shift that is planned just as it is published keeps its row.
    fn finish(mut self) -> Plan {
        for row in self.replaced {
            let same = self.plan.shifts.iter_mut().find(|shift| {
                shift.start == row.start_date
                    && shift.end == row.end_date
                    && shift.explanation.picked == row.engineer
                    && shift.explanation.is_hold == row.is_hold
            });
            match same {
                Some(shift) => shift.id = Some(row.id),
                None => self.plan.deleted.push(row.id),
            }
        }
        self.plan
    }
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
