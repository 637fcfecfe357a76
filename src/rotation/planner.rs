//! Walks a rotation from its start, period by period, and gathers a [`Plan`].

use std::borrow::Cow;
use std::collections::BTreeMap;

use chrono::NaiveDate;

use super::candidate::{RingPlace, RotationMember};
use super::checkpoint::Gathering;
use super::coverage::{Coverage, Source, Stretch};
use super::credit::{Credit, Share};
use super::explanation::{Explanation, PassedOver, Standing};
use super::period::{Period, Periods};
use super::plan::{OnFailure, Plan, PlanOptions, Shift, TeamState, candidates_of, shares_of};
use super::strategy::{Pick, PickContext, RoundRobin, Strategy as _, recent_periods};
use crate::domain::ids::UserId;
use crate::domain::oncall_day::previous_day;
use crate::domain::schedule::{Origin, Schedule};
use crate::domain::team::RotationType;

pub(super) struct Planner<'a> {
    team: &'a TeamState<'a>,
    options: &'a PlanOptions<'a>,
    coverage: Coverage,
    credit: Credit,
    /// Position of the first period for which somebody may be picked.
    running: i64,
    /// Who was on call before the next period to plan, in order; from where a pick may need it.
    recent: Vec<Stretch>,
    /// Who was picked by the rotation, by first day of the shift, since the checkpoint.
    picks: BTreeMap<NaiveDate, UserId>,
    replaced: Vec<&'a Schedule>,
    pub(super) plan: Plan,
}

impl<'a> Planner<'a> {
    pub(super) fn new(
        team: &'a TeamState<'a>,
        options: &'a PlanOptions<'a>,
        first_planned: Period,
        running: i64,
    ) -> Self {
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
        let periods = Periods::new(team.config, team.start_date);
        let credit = match team.checkpoint {
            Some(checkpoint) => checkpoint.credit(),
            None => Credit::starting(coverage.last_days_before(periods.first_day())),
        };
        let recent = (running - recent_periods(&team.config.kind)..running)
            .map(|index| periods.get(index))
            .flat_map(|period| coverage.stretches(period.start, period.end))
            .collect();
        Self {
            team,
            options,
            coverage,
            credit,
            running,
            recent,
            picks,
            replaced,
            plan,
        }
    }

    /// Counts a period whose coverage is settled towards credit.
    pub(super) fn count(&mut self, period: &Period) {
        let shares = shares_of(self.team, period);
        let stretches = self.coverage.stretches(period.start, period.end);
        self.credit.count(period, &shares.shares, &stretches);
        if period.index >= self.running && recent_periods(&self.team.config.kind) > 0 {
            self.recent.extend(stretches);
        }
        if let Cow::Owned(shares) = shares
            && period.start <= self.team.today
        {
            self.plan.begun.push(shares);
        }
    }

    /// Fills the days of the running period, from today on, that nobody covers.
    pub(super) fn fill_running(&mut self, period: &Period) {
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

    pub(super) fn plan_period(&mut self, period: &Period) {
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
        let periods = Periods::new(self.team.config, self.team.start_date);
        let since = period.index - recent_periods(&self.team.config.kind);
        let since = periods.get(since).start;
        let first_recent = self.recent.partition_point(|stretch| stretch.start < since);
        let context = PickContext {
            team: self.team.name,
            config: self.team.config,
            period,
            standings: &standings,
            members: chosen,
            recent: &self.recent[first_recent..],
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
        let reason = "nobody could be picked; whoever was on call stays on".to_owned();
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
        let last = before.map(|(_, user)| user).find(has_place);
        last.or_else(|| self.team.checkpoint?.last_picked(|user| has_place(&user)))
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
            .map(|share: &Share| share.joined_at)
            .or_else(|| self.team.checkpoint?.joined_at(user));
        (joined_at.unwrap_or_default(), user.clone())
    }

    /// Notes where the rotation stands as it comes to `period`, of which nothing is counted yet.
    pub(super) fn note_checkpoint(&mut self, period: &Period) {
        let before = self.plan.checkpoints.last().or(self.team.checkpoint);
        let mut gathering = Gathering::after(before, &self.credit);
        let since = before.map_or(NaiveDate::MIN, |before| before.start);
        for (day, user) in self.picks.range(since..period.start) {
            gathering.pick(user, *day);
        }
        let begun = self.plan.begun.iter().map(|shares| (shares.start, shares));
        let mut ledger: BTreeMap<_, _> = begun.filter(|(day, _)| *day >= since).collect();
        ledger.extend(
            self.team
                .ledger
                .range(since..period.start)
                .map(|(day, shares)| (*day, shares)),
        );
        for shares in ledger.into_values() {
            gathering.shares(shares);
        }
        let checkpoint = gathering.finish(period.index, period.start, self.credit.total());
        self.plan.checkpoints.push(checkpoint);
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
    pub(super) fn finish(mut self) -> Plan {
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
