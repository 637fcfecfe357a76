//! Who is on call: now, at an instant, on a day; for a team, a service, a person.

mod around;
pub mod duties;
pub mod groups;
pub mod layers;
pub mod lookup;
pub mod shifts;

use chrono::{DateTime, NaiveDate, Utc};

pub(crate) use self::around::around;

use crate::actions::people::absences::absences_of;
use crate::actions::people::{find, names};
use crate::app::{ActionError, App, Result};
use crate::domain::ids::UserId;
use crate::domain::invalid::Invalid;
use crate::domain::oncall_day::{END_OF_TIME, add_days};
use crate::domain::service::Service;
use crate::domain::shift_override::OverrideStatus;
use crate::domain::team::Team;
use crate::rotation::coverage::{Coverage, Source, Stretch};
use crate::store::{self, Reader};
use crate::wire::oncall::{
    DateRange, Moment, NextOnCall, OnCall, OnCallQuery, ShiftKind, UserShift,
};
use crate::wire::{Page, Paging};

/// Answers for a service, a team, or a service of a team.
///
/// # Errors
/// Neither is named; one is not there or deleted; both `at` and `date` are given.
pub fn answer(app: &App, query: &OnCallQuery) -> Result<OnCall> {
    let moment = Moment {
        at: query.at,
        date: query.date,
    };
    app.read(|tx| {
        let (team, service) = resolve(tx, query)?;
        on_call(tx, &team, service.as_ref(), &moment, app.now())
    })
}

/// Answers for every active team, by name.
///
/// # Errors
/// Both `at` and `date` are given.
pub fn list(app: &App, moment: &Moment, paging: &Paging) -> Result<Page<OnCall>> {
    app.read(|tx| {
        let active = store::teams::TeamFilter {
            is_active: Some(true),
            ..Default::default()
        };
        let (total, teams) = store::teams::page(tx, &active, paging.skip(), paging.size())?;
        let answers = teams
            .iter()
            .map(|team| on_call(tx, team, None, moment, app.now()));
        Ok(Page::new(answers.collect::<Result<_>>()?, total, paging))
    })
}

/// The team and the service that a query names.
pub(crate) fn resolve(tx: &impl Reader, query: &OnCallQuery) -> Result<(Team, Option<Service>)> {
    let team = query
        .team
        .as_deref()
        .map(|team| find::active_team(tx, team))
        .transpose()?;
    let Some(name) = &query.service else {
        let team = team.ok_or_else(|| ActionError::invalid("team", "name a team or a service"))?;
        return Ok((team, None));
    };
    let service = find::service(tx, name)?;
    if !service.is_active {
        return Err(ActionError::NotFound(format!(
            "service `{}` was deleted",
            service.name
        )));
    }
    match team {
        None => Ok((
            find::active_team(tx, &service.team_id.to_string())?,
            Some(service),
        )),
        Some(team) if team.id == service.team_id => Ok((team, Some(service))),
        Some(team) => Err(ActionError::NotFound(format!(
            "service `{}` does not belong to team `{}`",
            service.name, team.slug
        ))),
    }
}

/// The answer for a team, on behalf of a service if one is given.
pub(crate) fn on_call(
    tx: &impl Reader,
    team: &Team,
    service: Option<&Service>,
    moment: &Moment,
    now: DateTime<Utc>,
) -> Result<OnCall> {
    let clock = team.clock();
    let day = match (moment.at, moment.date) {
        (Some(_), Some(_)) => {
            return Err(ActionError::invalid(
                "date",
                "can't be combined with `at`: give only one of them",
            ));
        }
        (_, Some(date)) => {
            let mut invalid = Invalid::default();
            invalid.check_date("date", date);
            invalid.into_result(date)?
        }
        (Some(at), None) => {
            let mut invalid = Invalid::default();
            invalid.check_date("at", at.date_naive());
            clock.day_at(invalid.into_result(at)?)
        }
        (None, None) => clock.day_at(now),
    };
    let (stretch, next) = around(tx, team, day)?;
    let follows = |next: Stretch| {
        Ok::<_, ActionError>(NextOnCall {
            engineer_slack_id: next.user.to_string(),
            display_name: names::shown(tx, &next.user)?,
            starts_at: clock.starts_at(next.start),
        })
    };
    let next = next.map(follows).transpose()?;
    let on_call = stretch.as_ref().map(|stretch| &stretch.user);
    let display_name = on_call.map(|user| names::shown(tx, user)).transpose()?;
    Ok(OnCall {
        engineer_slack_id: on_call.map(ToString::to_string),
        display_name,
        team_id: team.id.uuid(),
        team_name: team.name.clone(),
        team_slug: team.slug.clone(),
        service_id: service.map(|service| service.id.uuid()),
        service_name: service.map(|service| service.name.clone()),
        source: stretch.as_ref().map_or(Source::None, |s| s.source),
        date: day,
        start_date: stretch.as_ref().map(|s| s.start),
        end_date: stretch.as_ref().map(|s| s.end),
        starts_at: stretch.as_ref().map(|s| clock.starts_at(s.start)),
        ends_at: stretch.as_ref().map(|s| clock.ends_at(s.end)),
        timezone: team.timezone.clone(),
        next,
    })
}

/// Who covers a team's days between two dates.
pub(crate) fn coverage_of(
    tx: &impl Reader,
    team: &Team,
    from: NaiveDate,
    to: NaiveDate,
) -> Result<Coverage> {
    let schedules = store::schedules::list_of_team(tx, team.id, from, to)?;
    let approved = OverrideStatus::Approved;
    let overrides = store::overrides::list_of_status(tx, team.id, approved, from, to)?;
    Ok(Coverage::new(&schedules, &overrides))
}

/// The runs of days between two dates on which nobody is on call.
pub(crate) fn gaps_within(
    tx: &impl Reader,
    team: &Team,
    from: NaiveDate,
    to: NaiveDate,
) -> Result<Vec<(NaiveDate, NaiveDate)>> {
    Ok(coverage_of(tx, team, from, to)?.gaps(from, to))
}

/// Who is on call on `day`, for telling whether a change changed it.
pub(crate) fn who(tx: &impl Reader, team: &Team, day: NaiveDate) -> Result<Option<UserId>> {
    Ok(coverage_of(tx, team, day, day)?
        .row_on(day)
        .map(|row| row.user.clone()))
}

/// A person's shifts in all active teams: schedule rows, and overrides for which they are the
/// substitute, by start.
///
/// # Errors
/// The user id is malformed.
pub fn shifts_of(
    app: &App,
    user: &str,
    range: &DateRange,
    paging: &Paging,
) -> Result<Page<UserShift>> {
    let user = find::user(user)?;
    let from = range.from.unwrap_or_else(|| app.now().date_naive());
    let to = range
        .to
        .unwrap_or_else(|| add_days(from, 366).min(END_OF_TIME));
    Invalid::ordered(from, to)?;
    app.read(|tx| {
        let rows = store::schedules::list_of_user(tx, &user, from, to)?;
        let overrides = store::overrides::list_of_user(tx, &user, from, to)?;
        // Shifts that have begun before count whole.
        let starts = rows.iter().map(|row| row.start_date);
        let starts = starts.chain(overrides.iter().map(|row| row.start_date));
        let absences = absences_of(tx, &user, starts.min().unwrap_or(from))?;
        let mut teams = TeamCache::default();
        let mut shifts = Vec::new();
        for row in rows {
            let team = teams.get(tx, row.team_id)?;
            if !team.is_active {
                continue;
            }
            let dates = (row.start_date, row.end_date);
            let shift = user_shift(&user, team, row.id.uuid(), dates, &absences);
            let origin = Some(row.origin);
            shifts.push(UserShift {
                kind: ShiftKind::Schedule,
                origin,
                ..shift
            });
        }
        for row in overrides {
            let team = teams.get(tx, row.team_id)?;
            if !team.is_active {
                continue;
            }
            let dates = (row.start_date, row.end_date);
            let shift = user_shift(&user, team, row.id.uuid(), dates, &absences);
            let status = Some(row.status);
            shifts.push(UserShift {
                kind: ShiftKind::Override,
                status,
                ..shift
            });
        }
        shifts.sort_by_key(|shift| (shift.starts_at, shift.id));
        Ok(Page::of(shifts, paging))
    })
}

#[derive(Default)]
struct TeamCache(std::collections::BTreeMap<crate::domain::ids::TeamId, Team>);

impl TeamCache {
    fn get(&mut self, tx: &impl Reader, id: crate::domain::ids::TeamId) -> Result<&Team> {
        use std::collections::btree_map::Entry;
        Ok(match self.0.entry(id) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(vacant) => vacant.insert(find::team_by_id(tx, id)?),
        })
    }
}

fn user_shift(
    user: &UserId,
    team: &Team,
    id: uuid::Uuid,
    (start_date, end_date): (NaiveDate, NaiveDate),
    absences: &[crate::rotation::candidate::Absence],
) -> UserShift {
    let clock = team.clock();
    UserShift {
        kind: ShiftKind::Schedule,
        id,
        team_id: team.id.uuid(),
        team_name: team.name.clone(),
        team_slug: team.slug.clone(),
        engineer_slack_id: user.to_string(),
        start_date,
        end_date,
        starts_at: clock.starts_at(start_date),
        ends_at: clock.ends_at(end_date),
        origin: None,
        status: None,
        conflicts_with_time_off: absences
            .iter()
            .any(|absence| absence.start <= end_date && start_date <= absence.end),
    }
}
