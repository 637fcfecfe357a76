//! The fairness report of a team.

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;

use crate::actions::people::absences::absences_of;
use crate::actions::people::{find, names};
use crate::actions::rotation::snapshot::TeamSnapshot;
use crate::app::{App, Result};
use crate::domain::ids::UserId;
use crate::domain::invalid::Invalid;
use crate::domain::oncall_day::add_days;
use crate::domain::team::Team;
use crate::rotation::candidate::Absence;
use crate::rotation::coverage::{Coverage, Stretch};
use crate::rotation::credit::PeriodShares;
use crate::rotation::fairness;
use crate::rotation::period::Period;
use crate::rotation::plan::shares_of;
use crate::store::{self, Reader};
use crate::wire::review::CreditTrend;
use crate::wire::rotation::{FairnessRange, FairnessView};

/// Reports on a team; by default on the last year, or since its first day if that is later.
///
/// # Errors
/// The team is not there; the range is invalid.
pub fn report(app: &App, team: &str, range: &FairnessRange) -> Result<FairnessView> {
    app.read(|tx| Basis::load(app, tx, team, *range)?.report(tx))
}

/// The report, and how everybody's credit came to what it says.
///
/// # Errors
/// As [`report`].
pub fn report_over_time(
    app: &App,
    team: &str,
    range: &FairnessRange,
) -> Result<(FairnessView, CreditTrend)> {
    app.read(|tx| {
        let basis = Basis::load(app, tx, team, *range)?;
        let report = basis.report(tx)?;
        let users = report.members.iter();
        let users = users
            .filter_map(|of| of.slack_user_id.parse().ok())
            .collect();
        let credit = fairness::credit_over_time(&basis.coverage, &basis.periods, &users);
        let trend = CreditTrend {
            period_ends: basis.periods.iter().map(|(period, _)| period.end).collect(),
            credit: credit
                .into_iter()
                .map(|(user, credit)| (user.to_string(), credit))
                .collect(),
        };
        Ok((report, trend))
    })
}

/// What a report is made of: a range of days, and who is on call then by which rows.
pub(crate) struct Basis {
    pub from: NaiveDate,
    pub to: NaiveDate,
    pub snapshot: TeamSnapshot,
    pub coverage: Coverage,
    pub periods: Vec<(Period, PeriodShares)>,
}

impl Basis {
    fn load(app: &App, tx: &impl Reader, team: &str, range: FairnessRange) -> Result<Self> {
        let now = app.now();
        let team = find::team(tx, team)?;
        let today = team.clock().day_at(now);
        let to = range.to.unwrap_or(today);
        let year_before = add_days(to, -365);
        let from = match range.from {
            Some(from) => from,
            None => first_day(tx, &team)?.clamp(year_before, to.max(year_before)),
        };
        let mut invalid = Invalid::default();
        invalid.check_range(from, to);
        invalid.into_result(())?;
        // A shift that reaches into the range begins before it.
        let since = add_days(from, -31);
        let snapshot = TeamSnapshot::since(tx, app.settings(), &team, now, since, from)?;
        let coverage = snapshot.coverage();
        Ok(Self::new(snapshot, coverage, (from, to)))
    }

    /// Days of a team on which it is covered so, whatever its rows say.
    pub(crate) fn new(
        snapshot: TeamSnapshot,
        coverage: Coverage,
        (from, to): (NaiveDate, NaiveDate),
    ) -> Self {
        Self {
            from,
            to,
            periods: periods_within(&snapshot, from, to),
            coverage,
            snapshot,
        }
    }

    /// The report.
    pub(crate) fn report(&self, tx: &impl Reader) -> Result<FairnessView> {
        let (from, to) = (self.from, self.to);
        let members = self.snapshot.members.iter();
        let members = members.map(|member| member.user.clone()).collect();
        let absences = with_guests(tx, &self.snapshot, &self.coverage.stretches(from, to), from)?;
        let periods = &self.periods;
        let report = fairness::report(from, to, &self.coverage, periods, &members, &absences);
        let mut names = BTreeMap::new();
        for user in report.members.keys() {
            names.insert(user.clone(), names::shown(tx, user)?);
        }
        Ok(FairnessView::new((from, to), &report, &names))
    }
}

/// The day from which a team can be expected to have somebody on call: the first that a row
/// covers, or that its rotation or the team itself begins on.
fn first_day(tx: &impl Reader, team: &Team) -> Result<NaiveDate> {
    let made = team.clock().day_at(team.revision.created_at);
    let start = team.rotation.start_date.filter(|_| team.rotation.enabled);
    let first_row = store::schedules::first_day(tx, team.id)?;
    Ok(first_row.into_iter().chain(start).min().unwrap_or(made))
}

/// The time off of the members, and of others who are on call, that ends on `from` or later.
fn with_guests(
    tx: &impl Reader,
    snapshot: &TeamSnapshot,
    stretches: &[Stretch],
    from: NaiveDate,
) -> Result<Vec<Absence>> {
    let mut absences = snapshot.absences.clone();
    let is_guest = |user: &&UserId| snapshot.members.iter().all(|member| member.user != **user);
    let users: BTreeSet<&UserId> = stretches.iter().map(|stretch| &stretch.user).collect();
    for user in users.into_iter().filter(is_guest) {
        absences.extend(absences_of(tx, user, from)?);
    }
    Ok(absences)
}

/// The rotation's periods that begin in the range, with what their candidates earn.
fn periods_within(
    snapshot: &TeamSnapshot,
    from: NaiveDate,
    to: NaiveDate,
) -> Vec<(Period, PeriodShares)> {
    if snapshot.team.rotation.start_date.is_none() {
        return Vec::new();
    }
    let periods = snapshot.periods();
    let view = snapshot.engine_view();
    let first = periods.after(add_days(from, -1));
    let mut within = Vec::new();
    let mut period = first;
    while period.start <= to {
        within.push((period, shares_of(&view, &period).into_owned()));
        period = periods.get(period.index + 1);
    }
    within
}
