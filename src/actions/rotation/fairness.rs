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
use crate::rotation::coverage::Stretch;
use crate::rotation::credit::PeriodShares;
use crate::rotation::fairness;
use crate::rotation::period::Period;
use crate::rotation::plan::shares_of;
use crate::store::{self, Reader};
use crate::wire::rotation::{FairnessRange, FairnessView};

/// Reports on a team; by default on the last year, or since its first day if that is later.
///
/// # Errors
/// The team is not there; the range is invalid.
pub fn report(app: &App, team: &str, range: &FairnessRange) -> Result<FairnessView> {
    let now = app.now();
    app.read(|tx| {
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
        let periods = periods_within(&snapshot, from, to);
        let members = snapshot
            .members
            .iter()
            .map(|member| member.user.clone())
            .collect();
        let coverage = snapshot.coverage();
        let absences = with_guests(tx, &snapshot, &coverage.stretches(from, to), from)?;
        let report = fairness::report(from, to, &coverage, &periods, &members, &absences);
        let mut names = BTreeMap::new();
        for user in report.members.keys() {
            names.insert(user.clone(), names::shown(tx, user)?);
        }
        Ok(FairnessView::new((from, to), &report, &names))
    })
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
